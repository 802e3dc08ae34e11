/* Which way to compute a layer was the fastest when it was timed: a text that users keep beside their nets.
 *
 *     conv2d [N,64,56,56] [64,64,3,3] [64] {pad=[1,1,1,1]} batch=1 avx512 threads=2 -> winograd4
 *
 * A line a layer: op, shapes of its inputs, attributes that are not the usual ones, then for whom it was timed, then
 * the candidate. Lines are sorted; those that begin with '#' are comments. */
#ifndef NETC_FRONTEND_API_TUNE_FILE_H
#define NETC_FRONTEND_API_TUNE_FILE_H

#include "ir/kernel/lower.h"

enum { TUNE_FILE_BYTES = 16 << 20 };

typedef struct tune_answer {
    const char *layer; /* up to its batch */
    target_id target;
    int threads;
    const char *way;
} tune_answer;

typedef struct tune_file {
    arena *arena;
    const char *path;
    VEC(tune_answer) answers;
    bool changed;
} tune_file;

/* "conv2d [N,64,56,56] [64,64,3,3] {pad=[1,1,1,1]} batch=1" */
const char *tune_layer(arena *a, const node *n, int64_t batch, inexact most);

/* A file that is not there yet has no answers. False with errors that name the line. */
bool tune_read(tune_file *f, arena *a, const char *path, diags *d);
/* For this target and so many threads; NULL: not known. */
const char *tune_find(const tune_file *f, const char *layer, target_id target, int threads);
/* The same of whichever machine: for the first target (TARGET_COUNT) or this one, of these for the most threads. */
const char *tune_find_any(const tune_file *f, const char *layer, target_id only);
void tune_add(tune_file *f, tune_answer x);
/* Where something was added. */
bool tune_write(tune_file *f, diags *d);

#endif
