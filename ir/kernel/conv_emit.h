/* Direct convolution's kernel: what it is built from. Shared by the candidate (conv.c) and the kernel's body. */
#ifndef NETC_IR_KERNEL_CONV_EMIT_H
#define NETC_IR_KERNEL_CONV_EMIT_H

#include "ir/kernel/epilogue.h"

typedef struct conv_recipe {
    view in, out;
    int64_t kernel[2], stride[2], dilation[2], top, left;
    int64_t inputs, outputs, groups; /* channels */
    int64_t blocks_read;             /* blocks of inputs that a block of outputs reads (planar: channels) */
    int64_t runs, run, width;        /* rows of the result and their length; or runs of a flat image */
    int64_t samples; /* of a kernel index that takes all rows of a unit; 0: an index takes one row */
    int64_t parts;   /* with samples: kernel indices that share the rows */
    int64_t chunk;   /* with samples: blocks of inputs summed before the next row's turn; 0: all */
    int64_t bias;
    epilogue ep;
} conv_recipe;

int64_t conv_out_blocks(const conv_recipe *r);
/* Blocks of outputs of one kernel index: two share their inputs unless groups fall in between. */
int64_t conv_unit_of(const conv_recipe *r);
int64_t conv_units_of(const conv_recipe *r);
/* Elements of the packed weights of one block of outputs and one row of taps. */
int64_t conv_tap_row(const conv_recipe *r);
/* The image is one long row (1×1 without halo). */
bool conv_flat(const conv_recipe *r);

/* Rows of a kernel index, all but the last of them. */
int64_t conv_part(const conv_recipe *r);

/* The body: one row (or run) of one unit a kernel index, or a part of the rows of `samples` samples. */
void conv_build(kb *b, const void *recipe);

#endif
