/* Batches of a data set, made in threads of their own ahead of whoever computes on them: decoded, augmented as
 * the net's recipe says, normalised, laid out as net_step and net_call take them. What a batch holds depends on
 * the options' seed, the epoch and the samples alone, never on threads or time. Epochs follow one another
 * without end; the last batch of an epoch is as small as it comes out. Decoded pictures are kept in memory, so
 * later epochs of one loader do not decode. */
#ifndef NETC_RUNTIME_LOADER_H
#define NETC_RUNTIME_LOADER_H

#include "runtime/dataset.h"
#include "runtime/net.h"

typedef struct loader loader;

typedef struct loader_options {
    int64_t batch;        /* samples, at least 1 */
    int64_t limit;        /* only the first so many samples of the set; 0: all */
    uint64_t seed;        /* of order and augmentation */
    int64_t epoch, start; /* where to begin: an epoch and a batch within it, both from 0 */
    int threads;          /* that work ahead; 0: none, loader_next works itself; -1: one a processor */
    bool shuffle;         /* samples in an order of the epoch's own; else in the set's */
    bool augment;  /* as in training; else what pictures are tested with: nothing is drawn (augment.h) */
    int64_t cache; /* bytes of decoded pictures kept at most; 0: 2 GiB */
} loader_options;

/* Valid until the next call. */
typedef struct loader_batch {
    int64_t n;                 /* 1..options.batch */
    const void *const *inputs; /* an input each: [n][count], float or int32_t */
    const void *target;        /* [n][target_count]: int32_t classes of the net, or floats (net_recipe) */
    const int32_t *labels;  /* [n] classes of the net, whatever the target is; NULL: samples have no such */
    const int64_t *samples; /* [n] their places in the data set */
    int64_t epoch, batch;   /* which epoch, and which batch of it */
    bool last;              /* the epoch ends with it */
} loader_batch;

/* NULL with an error where the set does not fit the net or a label is out of range. The target is what the
 * recipe's loss reads; where the net has no recipe, one class a sample of a classifier. Set, net and arena
 * outlive the loader. */
loader *loader_open(arena *a, const net *n, const dataset *set, const loader_options *o, diags *d);
/* False with an error: a picture is damaged (it is named), memory is short. */
bool loader_next(loader *l, loader_batch *out, diags *d);
/* Takes NULL. Stops the threads. */
void loader_close(loader *l);

int64_t loader_samples(const loader *l);    /* of an epoch */
int64_t loader_batches(const loader *l);    /* of an epoch */
int64_t loader_batch_size(const loader *l); /* of all but an epoch's last: the options', or all samples */
/* Whether the target is classes, [n][loader_targets]; else floats. */
bool loader_classes(const loader *l);
int64_t loader_targets(const loader *l);

#endif
