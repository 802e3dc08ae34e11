/* The generic lowering: every element of the result by a formula of its index, whatever the layouts. Scalar,
 * or by vectors along the last axis where result and formula allow. Slower than a kernel of its own, never
 * wrong. */
#ifndef NETC_IR_KERNEL_NEST_H
#define NETC_IR_KERNEL_NEST_H

#include "ir/kernel/lower.h"

/* How many elements along the last axis one evaluation makes: `count` (NULL: all) of `lanes`. */
typedef struct run {
    int lanes;
    kinst *count;
} run;

/* The result's element (or run of them) at idx[0..rank). `recipe` is the op's own. */
typedef kinst *nest_element(kb *b, const void *recipe, kinst *const *idx, run r);

/* Element idx of the tensor d behind ptr, as `base`; with lanes > 1, that many along the last axis. */
kinst *nest_load(kb *b, const desc *d, kinst *ptr, kinst *const *idx, kbase base, run r);

/* The body of a kernel whose index runs over all axes of `out` but the last. Writes halo and tail lanes.
 * `vector` allows runs (planar results only). */
void nest_build(kb *b, const desc *out, int out_param, bool vector, nest_element *element,
                const void *recipe);
kcount nest_count(const desc *out);

/* Lowers n with one pointer an input and one for result `k`: recipe and its builder are the op's. `work` is
 * per element of the result. */
void nest_lower(lower *l, const node *n, int k, kernel_build *build, const void *recipe, size_t bytes,
                double work);
kbase nest_base(const lower *l, dtype t);

/* candidate.layouts of ops that take and give any layout: that of input 0. */
void nest_layouts(const node *n, layout *in, layout *out);

#endif
