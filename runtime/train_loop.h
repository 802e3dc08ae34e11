/* Between train.c and the parts of the loop. */
#ifndef NETC_RUNTIME_TRAIN_LOOP_H
#define NETC_RUNTIME_TRAIN_LOOP_H

#include "runtime/evaluate.h"
#include "runtime/journal.h"
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

/* The outputs' numbers of the loss, [batch][count]. */
float *trainer_output(const trainer *t);

/* One step on the next batch. */
bool train_step(trainer *t, double rate);

#endif
