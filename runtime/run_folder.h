/* The folder that a training run leaves. */
#ifndef NETC_RUNTIME_RUN_FOLDER_H
#define NETC_RUNTIME_RUN_FOLDER_H

#include "ir/base/diag.h"

typedef struct run_folder {
    const char *path;
    int lock;  /* held while the run goes on: -1: not */
    bool made; /* by this open */
} run_folder;

/* `out`, or where that is NULL runs/NET-K: the first K that is free, to resume the last K there is (1 if there is
 * none). Makes it with its parents, and removes what a run that was killed left half written. False with an error
 * where it holds a checkpoint and `resume` is not set, or another process trains in it. */
bool run_folder_open(run_folder *f, const char *out, const char *net, bool resume, diags *d);
/* FOLDER/NAME, and whether that is there. */
const char *run_folder_path(const run_folder *f, const char *name, arena *a);
bool run_folder_has(const run_folder *f, const char *name);
/* A file of that name, "common/blocks.net", with the folders it lies in. */
bool run_folder_write(const run_folder *f, const char *name, const void *bytes, size_t size, diags *d);
/* Lets go of it; a folder that open made and that is still empty goes too. */
void run_folder_close(run_folder *f);

#endif
