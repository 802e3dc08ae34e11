/* Whole files in, whole files out. What is written appears under its name only when it is complete. */
#ifndef NETC_IR_BASE_FILE_H
#define NETC_IR_BASE_FILE_H

#include "ir/base/diag.h"

/* Bytes of a file mapped read-only. A regular file only (devices, FIFOs and folders are refused). */
typedef struct file_map {
    const unsigned char *bytes;
    size_t size;
} file_map;

bool file_open(file_map *m, const char *path, diags *d);
void file_close(file_map *m);

/* A text file's bytes, zero-terminated, in the arena; NULL with an error if it is larger than `limit`, cannot
 * be read, or holds a zero byte (not text). "-" is standard input. */
source *file_read_text(arena *a, const char *path, size_t limit, diags *d);

/* Writes the bytes aside, fsyncs and renames over `path`: a full disk or a kill leaves the old file as it was. */
bool file_write(const char *path, const void *bytes, size_t size, diags *d);

#endif
