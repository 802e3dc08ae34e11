/* A program's code in one piece that runs wherever whole pages are free for it: what is loaded, and what is kept in
 * the cache. */
#ifndef NETC_BACKENDS_LLVM_IMAGE_H
#define NETC_BACKENDS_LLVM_IMAGE_H

#include "backends/llvm/compile.h"

/* What an image begins with; offsets count from here. */
typedef struct image_header {
    char magic[8];               /* IMAGE_MAGIC, no final zero */
    uint64_t machine;            /* ELF's number of the processor */
    uint64_t bytes;              /* of all */
    uint64_t imports;            /* IMPORTS records */
    uint64_t entry[ENTRY_KINDS]; /* 0: there is none */
} image_header;
#define IMAGE_MAGIC "netccode"

/* A jump to the function that `address` names, which is filled when the image is loaded. */
typedef struct image_import {
    unsigned char jump[8];
    uint64_t address;
} image_import;

enum { IMAGE_ALIGN = 64 };
/* What the compiler may call by itself. */
typedef enum import_kind { IMPORT_MEMCPY, IMPORT_MEMMOVE, IMPORT_MEMSET, IMPORTS } import_kind;

/* Puts the objects together. False with an error: a bug of netc's. */
bool image_link(text *out, arena *a, const program *p, target_id which, const objects *o, diags *d);

/* relocate.c: the processors whose code can be put together. */
typedef struct relocator {
    uint64_t machine;
    unsigned char jump[8]; /* to the address behind it */
    /* Writes the distance from `place` to `symbol` (offsets in the image), addend included, into the instruction
     * or number at `at`; `room` bytes follow there. NULL, or what cannot be done. */
    const char *(*apply)(unsigned char *at, size_t room, unsigned type, int64_t place, int64_t symbol);
} relocator;
const relocator *relocator_find(uint64_t machine); /* NULL: none */
const relocator *relocator_host(void);

#endif
