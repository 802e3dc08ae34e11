/* What pooling and its gradients share: which rows and columns of the image a result reads. */
#ifndef NETC_IR_KERNEL_POOL_H
#define NETC_IR_KERNEL_POOL_H

#include "ir/kernel/rows.h"
#include "ir/ops/attrs.h"

typedef struct pool_recipe {
    view in, out; /* the image and the pool's result */
    window2d window;
    int64_t bottom, right; /* padding, which an average may count */
    int64_t adaptive, average, include_pad;
    epilogue ep;
} pool_recipe;

void pool_set_windows(pool_recipe *r, const pool_attrs *a, bool average);

/* The rows (axis 0) or columns (axis 1) [first, end) of the image that one result reads, `stride` apart, and how many
 * an average counts. */
typedef struct reach {
    kinst *first, *end, *count, *stride;
} reach;
reach pool_reach(kb *b, const pool_recipe *r, int axis, kinst *at);

#endif
