/* What this machine can do at best: the ends of the scale that a net's layers are held against. */
#ifndef NETC_FRONTEND_API_SPEED_H
#define NETC_FRONTEND_API_SPEED_H

#include "ir/base/diag.h"
#include "ir/kernel/target.h"

typedef struct speed {
    double
        gflops; /* 10⁹ additions and multiplications a second, by the target's instructions on all threads */
    double gbs; /* 10⁹ bytes a second, read one after the other, again and again, from so many: */
    int64_t bytes;
} speed;

/* Takes some tenth of a second. `bytes` is what a net touches, so that caches help here as much as they do there. The
 * target must be one that this machine runs. False with an error where memory or threads are short. */
bool speed_measure(speed *s, target_id t, int threads, int64_t bytes, diags *d);

#endif
