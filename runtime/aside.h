/* A file written piece by piece that appears under its name only when it is complete: beside it under another
 * name, synced, then renamed. Where the name is a device or a FIFO, it is written straight. */
#ifndef NETC_RUNTIME_ASIDE_H
#define NETC_RUNTIME_ASIDE_H

#include "ir/base/diag.h"

typedef struct aside {
    const char *path;      /* as the user said it, for messages; "-" is standard output */
    const char *target;    /* what is renamed over: the path, links followed */
    const char *folder;    /* that it lies in */
    const char *temporary; /* the name until then; NULL where it is written straight */
    int file;              /* -1 once it has failed */
    diags *diags;
} aside;

bool aside_open(aside *w, const char *path, diags *d);
bool aside_write(aside *w, const void *bytes, size_t size);
/* What was written is on the disk: false with an error, and the old file as it was, where it could not be. Before
 * several files are committed, so that none is where one cannot be. */
bool aside_sync(aside *w);
/* Gives up: the old file stays as it was. */
void aside_drop(aside *w);
/* Syncs and renames. Whatever failed before, or fails now, leaves the old file as it was and returns false.
 */
bool aside_commit(aside *w);

#endif
