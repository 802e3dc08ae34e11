/* The training loop: epochs of batches through a net's step, a test after each epoch, and a folder that tells of
 * it and from which it goes on bit for bit, however it was stopped. */
#ifndef NETC_RUNTIME_TRAIN_H
#define NETC_RUNTIME_TRAIN_H

#include "runtime/checkpoint.h"
#include "runtime/dataset.h"
#include "runtime/run_folder.h"

/* What a run is about to do. */
typedef struct train_beginning {
    const train_state *state; /* where it begins */
    uint64_t seed;
    int64_t train_samples, test_samples; /* an epoch; 0: no test */
} train_beginning;

typedef struct train_options {
    const run_folder *folder;
    const dataset *train, *test; /* test NULL: there is none */
    int64_t epochs;
    int64_t limit;            /* only so many samples of either set; 0: all */
    uint64_t seed;            /* of order, augmentation, dropout */
    bool seed_given;          /* else a run that goes on keeps its own */
    int loaders;              /* threads that make batches ahead; 0: none, -1: one a processor */
    bool plain;               /* no pictures of the results */
    double save_every;        /* seconds between checkpoints; one follows every epoch besides */
    const char *const *facts; /* checkpoint.h: what must be the same for a run to go on; NULL for nothing */
    /* When all is open, before the first step. False with errors: it does not begin. NULL: nobody listens. */
    bool (*begun)(void *user, const train_beginning *b);
    /* Asked after every step; not 0: stop here and save. NULL: never. */
    int (*stop)(void *user);
    /* After every epoch; NULL: nobody listens. `best`: no epoch before was as good. */
    void (*told)(void *user, const train_row *row, bool best);
    void *user;
} train_options;

typedef enum train_outcome {
    TRAIN_DONE,    /* all epochs */
    TRAIN_NOTHING, /* the folder's run was complete: nothing has changed */
    TRAIN_STOPPED, /* as `stop` said; the checkpoint has the last step */
    TRAIN_REFUSED  /* with errors; the last checkpoint is as it was */
} train_outcome;

/* Trains params (net->values numbers; where the folder has a checkpoint, they are taken from it). The net is
 * compiled to train and has a recipe with a batch. `state`: where it ended, rows in d's arena. */
train_outcome train(const net *n, float *params, train_state *state, const train_options *o, diags *d);

#endif
