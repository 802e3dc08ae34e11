/* What inference and expansion of all ops share: checks of operands, results, windows, and short forms for
 * writing nodes. Every check adds its error and returns false. */
#ifndef NETC_IR_OPS_INFER_H
#define NETC_IR_OPS_INFER_H

#include "ir/op.h"

/* An error at the node; returns false. */
bool op_error(const node *n, diags *d, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "[N,3,8,8]", in the graph's arena. */
const char *shape_text(graph *g, const shape *s);
const char *input_text(graph *g, const node *n, int k); /* of input k's shape */

/* Every own input holds floating point numbers of one type. */
bool want_floats(const node *n, diags *d);
/* Input 0 is [N,channels,height,width]. */
bool want_image(graph *g, const node *n, diags *d);
/* Input k has this rank and does not depend on the net's input. `dims` says its axes, "[O,F]". */
bool want_weight(graph *g, const node *n, int k, int rank, const char *dims, diags *d);
/* Input k, where there is one, is a vector of `count` numbers, one for each of what `of` says. */
bool want_vector(graph *g, const node *n, int k, int64_t count, const char *of, diags *d);
/* Makes a negative axis of input 0 positive; an error if there is no such axis or it is the batch. */
bool want_axis(graph *g, const node *n, int64_t *axis, diags *d);
/* An attribute's number lies in low..high. */
bool want_within(const node *n, const char *name, int64_t x, int64_t low, int64_t high, diags *d);

/* Type and shape of result k; an error if it is too large. */
bool give(graph *g, node *n, int k, dtype t, shape s, diags *d);
/* Result 0: input 0's type. */
bool give_shape(graph *g, node *n, shape s, diags *d);

/* a × b multiply-adds, held below 2^45 so that no sum over a net overflows. */
int64_t work_product(int64_t a, int64_t b);
int64_t work_sum(int64_t a, int64_t b);

/* v holds indices below `rows`: the input or argument it comes from, through ops that only move numbers, is
 * told. */
void bound_indices(value *v, int64_t rows);

/* How a window walks along rows (axis 0) and columns (axis 1) of an image. */
typedef struct window {
    int64_t kernel[2], stride[2], pad[4], dilation[2];
    bool ceil; /* the last window may reach past the padding, if it starts inside image or left padding */
} window;

/* Result's height and width, or an error. */
bool window_output(graph *g, const node *n, const window *w, int64_t out[2], diags *d);
/* From the first to the last tap: (kernel - 1) · dilation + 1; -1 where that is absurdly large. */
int64_t window_extent(const window *w, int axis);

/* Nodes that expansions write, in the scope and place of n. */
value *make_one(graph *g, const node *n, const char *name, value *a);
value *make_two(graph *g, const node *n, const char *name, value *a, value *b);
value *make_with(graph *g, const node *n, const char *name, value *a, const void *attrs);
value *make_reshape(graph *g, const node *n, value *v, shape s); /* s without a batch axis that v has */
value *make_reduce(graph *g, const node *n, const char *name, value *v,
                   ints axes); /* keeps them with size 1 */

/* What gradients are made of. v repeated to a shape that it broadcasts to (with N where s has it); and back: the sums
 * that make s of v's shape. Both are v itself where shapes are equal. */
value *make_broadcast(graph *g, const node *n, value *v, shape s);
value *make_sum_to(graph *g, const node *n, value *v, shape s);
value *make_scaled(graph *g, const node *n, value *v, double factor);

#endif
