/* What depthwise convolution and pooling share: a kernel index is one row of the result in one block of
 * channels (blocked layout) or one channel (planar); windows are clipped to the image row by row. */
#ifndef NETC_IR_KERNEL_ROWS_H
#define NETC_IR_KERNEL_ROWS_H

#include "ir/kernel/epilogue.h"

/* A window moved over an image. */
typedef struct window2d {
    int64_t kernel[2], stride[2], dilation[2], top, left;
} window2d;

/* A kernel index taken apart. `group` is a block of channels or a channel. */
typedef struct row_spot {
    kinst *sample, *group, *row;
} row_spot;

int64_t row_groups(const view *v);           /* blocks or channels */
int row_vectors(const kb *b, const view *v); /* vectors that make up a pixel of one group */
ktype row_type(const kb *b, const view *v);  /* of one of them */
row_spot row_spot_of(kb *b, const view *out);
/* Element of column 0 in this spot's row `row` of v. */
kinst *row_start(kb *b, const view *v, const row_spot *s, kinst *row);
kcount row_count(const view *out, bool batched);

/* Taps [*first, *end) of the window at output position `at` that fall on the image, along axis 0 or 1. */
void clip_taps(kb *b, const window2d *w, int axis, int64_t size, kinst *at, kinst **first, kinst **end);

/* The epilogue of the result at column x, vector u; operands are parameters from `first_param` on. Clears
 * tail lanes where the record asks for it. */
kinst *row_epilogue(kb *b, const epilogue *ep, const view *out, const row_spot *s, int first_param, kinst *x,
                    int u, kinst *result);

#endif
