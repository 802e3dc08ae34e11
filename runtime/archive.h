/* A zip file in memory (.npz, PyTorch's .pt), read with libzip: its entries by name, their contents copied into
 * the arena. What an archive claims is checked before memory is asked for. Weight files hold entries that are
 * stored or deflated and in the clear; an archive with any other entry is refused. */
#ifndef NETC_RUNTIME_ARCHIVE_H
#define NETC_RUNTIME_ARCHIVE_H

#include "ir/base/map.h"
#include "runtime/tensors_read.h"

typedef struct archive_entry {
    const char *name;
    int64_t packed, size; /* bytes in the file, bytes of content */
} archive_entry;

typedef struct archive {
    const weight_file *file;
    struct zip *zip;   /* libzip's; NULL when closed */
    archive_entry *at; /* in the directory's order */
    int count;
    map names;
    int64_t unpacked; /* bytes of content read so far, all entries together */
} archive;

/* Whatever it returns, and should the arena jump, archive_close is due. */
bool archive_open(archive *a, const weight_file *f);
void archive_close(archive *a);
const archive_entry *archive_find(const archive *a, const char *name);
/* The content, in the arena, checked against its CRC; NULL with an error. */
const unsigned char *archive_data(archive *a, const archive_entry *e);

#endif
