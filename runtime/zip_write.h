/* A zip file being written, with libzip: entries stored as they are, nothing held in memory twice, all of it aside
 * and then renamed. Inside this folder only. */
#ifndef NETC_RUNTIME_ZIP_WRITE_H
#define NETC_RUNTIME_ZIP_WRITE_H

#include "ir/base/diag.h"

/* An entry: `front`, then `data`. All stays the caller's until zip_write returns. */
typedef struct zip_part {
    const char *name;
    const void *front, *data;
    size_t front_bytes, data_bytes;
} zip_part;

/* False with an error that names the path; the old file is then as it was. */
bool zip_write(const char *path, const zip_part *parts, int count, diags *d);

#endif
