/* Short forms in which the gradients of several ops are written, in the scope and place of n. */
#ifndef NETC_IR_OPS_GRADIENT_H
#define NETC_IR_OPS_GRADIENT_H

#include "ir/ops/infer.h"

value *make_three(graph *g, const node *n, const char *name, value *a, value *b, value *c, const void *attrs);
/* Elements start .. stop - 1 of an axis. */
value *make_slice(graph *g, const node *n, value *v, int axis, int64_t start, int64_t stop);
/* `before` and `after` zeros along an axis. */
value *make_padded(graph *g, const node *n, value *v, int axis, int64_t before, int64_t after);
/* The last two axes exchanged. */
value *make_turned(graph *g, const node *n, value *v);
/* v under a shape of as many elements; s has N where v has it. */
value *make_shape(graph *g, const node *n, value *v, shape s);
/* Zeros, once a sample where s says so. */
value *make_zeros(graph *g, const node *n, shape s);
/* [N,C,..] summed to [C]. */
value *make_channel_sum(graph *g, const node *n, value *v);
/* [C] so that it broadcasts along axis 1 of x. */
value *make_by_channel(graph *g, const node *n, value *v, const shape *x);
/* How many numbers v has, rank 0: its elements of all samples. */
value *make_count(graph *g, const node *n, value *v);

#endif
