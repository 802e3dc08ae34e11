/* What the ways to compute a convolution share. */
#ifndef NETC_IR_KERNEL_CONV_H
#define NETC_IR_KERNEL_CONV_H

#include "ir/kernel/lower.h"

/* Columns of halo that conv2d node n reads left and right of its input; the kind is planar. */
void conv_halo(const node *n, layout *in);
extern const candidate depthwise_candidate;

#endif
