/* Reads a zip file that is mapped in memory (.npz, PyTorch's .pt). Entries that are merely stored, as weights
 * are, are used where they lie: libzip has no way to tell where that is and would copy every byte of a
 * network. Sizes are believed only when the file can back them; entries may not overlap. */
#ifndef NETC_RUNTIME_ZIP_H
#define NETC_RUNTIME_ZIP_H

#include "ir/base/map.h"
#include "runtime/tensors_read.h"

typedef struct zip_entry {
    const char *name;
    int method; /* 0 stored, 8 deflated */
    uint32_t crc;
    int64_t packed, size;      /* bytes in the file, bytes of content */
    int64_t header;            /* where the entry begins in the file */
    const unsigned char *data; /* packed bytes */
} zip_entry;

typedef struct zip {
    const weight_file *file;
    zip_entry *at; /* in the directory's order */
    int count;
    map names;
    int64_t unpacked; /* bytes inflated so far, all entries together */
} zip;

bool zip_read(zip *z, const weight_file *f);
const zip_entry *zip_find(const zip *z, const char *name);
/* The content, checked against its CRC; NULL with an error. Inflated content lies in the arena. */
const unsigned char *zip_data(zip *z, const zip_entry *e);

#endif
