/* A net on a data set: right answers, loss, speed. */
#ifndef NETC_RUNTIME_EVALUATE_H
#define NETC_RUNTIME_EVALUATE_H

#include "runtime/loader.h"
#include "runtime/tally.h"

typedef struct evaluate_options {
    const char *what;         /* before the bar that shows on a terminal: "eval" */
    void **outputs;           /* where outputs go, [batch][count] each; NULL: made here */
    int64_t *confusion;       /* NULL, or added to: tally_answers */
    bool (*stop)(void *user); /* asked before every batch: true ends it there. NULL: never */
    void *user;
} evaluate_options;

/* One epoch of the loader, whose batches may be of any size. The session must be prepared. *seconds: decoding and
 * computing. */
bool evaluate(tally *t, double *seconds, session *s, loader *l, const evaluate_options *o, diags *d);
/* Room for the outputs of so many samples. */
void **evaluate_outputs(arena *a, const net *n, int64_t batch);

#endif
