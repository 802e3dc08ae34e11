/* Losses and right answers, counted batch by batch over an epoch or a data set. */
#ifndef NETC_RUNTIME_TALLY_H
#define NETC_RUNTIME_TALLY_H

#include "runtime/net.h"

typedef struct tally {
    int64_t samples;
    int64_t answers; /* classes told: one a sample, or one a step of a sequence; 0: targets are numbers */
    int64_t correct, correct5; /* the class is the first guess; among the first five */
    double loss;               /* summed over samples */
} tally;

/* How a net's answers are read: from the output that its recipe's loss reads (else the first), a row of numbers a
 * target. */
typedef struct answers {
    net_scores scores; /* what the numbers of a row say */
    const char *loss;
    int output;                   /* its index */
    int64_t count, rows, classes; /* of a sample: all its numbers = rows × classes */
    bool given;                   /* targets are int32 classes, one a row; else numbers, one row */
    float *
        gathered; /* [classes] of a picture's [classes,height,width], whose rows lie apart; NULL: they do not */
} answers;

/* `given`, `targets`: as loader_classes and loader_targets say. */
answers answers_of(arena *a, const net *n, bool given, int64_t targets);

/* Counts the answers of n samples, output [n][count]. `right`: a class a row, or NULL where there are none.
 * `confusion`: NULL, or [classes][classes], rows the right class, columns the guess. The loss is left to
 * tally_loss. */
void tally_answers(tally *t, const answers *a, const float *output, const int32_t *right, int64_t n,
                   int64_t *confusion);
/* Adds the samples' losses, computed here: target is classes (cross entropy, or what the recipe names of a one
 * among zeros) or numbers. */
void tally_loss(tally *t, const answers *a, const float *output, const void *target, int64_t n);

double tally_mean_loss(const tally *t); /* NaN of no samples */
double tally_accuracy(const tally *t);  /* share of 1; NaN of no answers */

#endif
