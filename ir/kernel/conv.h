/* What the ways to compute a convolution share. */
#ifndef NETC_IR_KERNEL_CONV_H
#define NETC_IR_KERNEL_CONV_H

#include "ir/kernel/lower.h"

/* Columns of halo that conv2d node n reads left and right of its input; the kind is planar. */
void conv_halo(const node *n, layout *in);

/* What reading one packed weight costs, in multiply-adds of the core that take as long: weights of deep
 * layers come from the third-level cache or beyond, at some 16 GB/s, while a core does 80 G multiply-adds a
 * second. */
enum { WEIGHT_COST = 20 };
extern const candidate depthwise_candidate;

#endif
