/* A training run as a file: weights under PyTorch's names, and under names that begin with `netc.`, which readers
 * of weights skip, all that is needed to go on with the very next step. */
#ifndef NETC_RUNTIME_CHECKPOINT_H
#define NETC_RUNTIME_CHECKPOINT_H

#include "runtime/net.h"
#include "runtime/tally.h"

/* An epoch's results; NaN where there is none. Doubles all, as they are stored. */
typedef struct train_row {
    double epoch, step;                                          /* done by then: epochs and steps */
    double learning_rate;                                        /* of its last step */
    double train_loss, train_accuracy, test_loss, test_accuracy; /* accuracies: shares of 1 */
    double images_per_second;                                    /* while it trained */
    double seconds; /* since the run began: training and testing, pauses between runs aside */
    double time;    /* when it was: seconds since 1970 */
} train_row;

enum { ROW_NUMBERS = sizeof(train_row) / sizeof(double) };

/* Where a run is. */
typedef struct train_state {
    double began;     /* seconds since 1970 */
    int64_t steps;    /* an epoch has */
    int64_t epoch;    /* epochs that are complete: trained, tested, written down */
    int64_t position; /* steps done of the epoch after these; all of them: it remains to be tested */
    tally sums;       /* of these steps */
    double seconds, epoch_seconds; /* of the run, and of these steps */
    double best;                   /* the best epoch's accuracy or loss */
    int64_t best_epoch;            /* from 1; 0: none yet */
    VEC(train_row) rows;           /* one a complete epoch */
} train_state;

typedef struct checkpoint {
    const net *net;
    float *params;            /* [net->values] */
    net_optimizer *optimizer; /* its moments follow it in memory: net_optimizer_new */
    train_state *state;       /* NULL: weights and optimizer alone */
    /* What the run depends on besides, as texts: "netc.batch", "64", ..., NULL; NULL for nothing. */
    const char *const *facts;
} checkpoint;

/* Zeros but for the seed, to be freed; NULL with an error. */
net_optimizer *net_optimizer_new(const net *n, uint64_t seed, diags *d);
float *net_optimizer_moments(net_optimizer *o); /* [net->moment_values] */

/* Written aside, synced, renamed: where it fails, with an error, the old file is as it was. */
bool checkpoint_save(const char *path, const checkpoint *c, diags *d);
/* Fills params, optimizer and state (its rows in d's arena). False with an error where the file is damaged, holds
 * weights alone, or is of another run: then every fact that differs is told. */
bool checkpoint_load(const char *path, checkpoint *c, diags *d);
/* The weights alone. */
bool checkpoint_save_weights(const char *path, const net *n, const float *params, diags *d);

#endif
