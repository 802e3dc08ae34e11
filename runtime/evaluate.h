/* A net on a data set: right answers, loss, speed. */
#ifndef NETC_RUNTIME_EVALUATE_H
#define NETC_RUNTIME_EVALUATE_H

#include "runtime/loader.h"
#include "runtime/net.h"

typedef struct evaluation {
    int64_t samples;
    int64_t answers; /* classes told: one a sample, or one a step of a sequence; 0: targets are numbers */
    int64_t correct, correct5; /* the class is the first guess; among the first five */
    double loss;               /* summed over samples: the recipe's, else cross entropy */
    double seconds;            /* decoding and computing */
} evaluation;

/* One epoch of the loader, whose batches may be of any size. The session must be prepared. A progress bar shows on
 * a terminal. */
bool evaluate(evaluation *e, session *s, loader *l, diags *d);

#endif
