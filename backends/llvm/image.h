/* A program's code in one piece that runs wherever whole pages are free for it: what is loaded, and what is kept in
 * the cache. */
#ifndef NETC_BACKENDS_LLVM_IMAGE_H
#define NETC_BACKENDS_LLVM_IMAGE_H

#include "backends/llvm/compile.h"
#include "backends/llvm/relocate.h"

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

#endif
