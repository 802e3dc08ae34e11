/* What the ways to compute the gradient of a convolution's weight share. */
#ifndef NETC_IR_KERNEL_CONV_WEIGHT_H
#define NETC_IR_KERNEL_CONV_WEIGHT_H

#include "ir/kernel/rows.h"

/* Results [*first, *end) of `results` along axis 0 or 1 whose tap `tap` falls on the image, which has `size` rows or
 * columns. */
void clip_results(kb *b, const window2d *w, int axis, int64_t size, int64_t results, kinst *tap,
                  kinst **first, kinst **end);
/* The window of conv2d_weight node n. */
window2d weight_window(const node *n);
/* Columns of halo that conv2d_weight node n reads left and right of x; the kind is planar. */
void weight_halo(const node *n, layout *in);

extern const candidate weight_core_candidate, weight_winograd2_candidate, weight_winograd4_candidate,
    weight_depthwise_candidate;

#endif
