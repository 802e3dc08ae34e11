/* A classifier on a data set: right answers, loss, speed. */
#ifndef NETC_RUNTIME_EVALUATE_H
#define NETC_RUNTIME_EVALUATE_H

#include "runtime/dataset.h"
#include "runtime/net.h"

typedef struct evaluation {
    int64_t images;
    int64_t correct, correct5; /* the class is the first guess; among the first five */
    double loss;               /* summed: the recipe's, else cross entropy */
    double seconds;            /* decoding and computing */
} evaluation;

typedef struct evaluate_options {
    int64_t images; /* the first so many, at least 1 */
    int threads;    /* that decode; 0: one a processor */
} evaluate_options;

/* Whether the net is a classifier of pictures with a place for each class of the set. */
bool evaluate_check(const net *n, const dataset *set, diags *d);
/* The session must be prepared, the pair checked. Pictures are decoded ahead by threads while the net
 * computes; a progress bar shows on a terminal. */
bool evaluate(evaluation *e, session *s, const dataset *set, const evaluate_options *o, diags *d);

#endif
