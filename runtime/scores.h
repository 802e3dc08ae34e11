/* What a row of a classifier's output says about classes. */
#ifndef NETC_RUNTIME_SCORES_H
#define NETC_RUNTIME_SCORES_H

#include "runtime/net.h"

typedef struct guess {
    int64_t class;
    double p; /* probability */
} guess;

/* The k most likely classes of a row of `count` numbers, likeliest first; of equals the lower class first,
 * and a NaN after all numbers. Returns how many: at most count. */
int scores_top(net_scores kind, const float *row, int64_t count, guess *top, int k);

/* Place of `class` in that order: 0 is the guess. */
int64_t scores_rank(net_scores kind, const float *row, int64_t count, int64_t class);

/* Loss of one sample, `name` as recipes say it; NULL: cross entropy. Means over classes where PyTorch takes
 * means. */
double scores_loss(net_scores kind, const char *name, const float *row, int64_t count, int64_t class);

/* The same for targets that are numbers: mse (and whatever is not among them), l1, bce, bce_with_logits. */
double scores_distance(const char *name, const float *row, const float *target, int64_t count);

#endif
