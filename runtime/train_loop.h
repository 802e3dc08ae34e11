/* Between train.c and the parts of the loop. */
#ifndef NETC_RUNTIME_TRAIN_LOOP_H
#define NETC_RUNTIME_TRAIN_LOOP_H

#include "runtime/journal.h"
#include "runtime/loader.h"
#include "runtime/progress.h"
#include "runtime/schedule.h"
#include "runtime/train.h"

typedef struct trainer {
    const net *net;
    const train_options *options;
    train_state *state;
    checkpoint at;
    const char *last, *best; /* paths of the folder's weight files */
    loader *train, *test;
    answers answers;
    schedule_run schedule;
    session session;    /* its workspace serves the step too */
    void **outputs;     /* [batch][count] each */
    int64_t *confusion; /* NULL: too many classes, or none */
    journal journal;
    double lap, saved; /* when time was last counted, when the last checkpoint was written: seconds */
    bool stopped;
    diags *diags;
} trainer;

/* What an epoch's test gives. */
typedef struct tested {
    double loss, accuracy; /* NaN where there is none */
} tested;

/* The outputs' numbers of the loss, [batch][count]. */
float *trainer_output(const trainer *t);
/* Adds what passed since the last lap to *seconds too, where that is not NULL. */
void trainer_lap(trainer *t, double *seconds);
/* Whether the caller wants to stop. */
bool trainer_stops(trainer *t);

/* One step on the next batch. */
bool train_step(trainer *t, double rate);
/* The whole test set, by the weights as they are. Does nothing without one. */
bool train_test(trainer *t, tested *out);

#endif
