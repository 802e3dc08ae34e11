/* Attributes of the structured ops, as candidates, passes and lowering read them. Inference leaves them in
 * normal form (said at each), so that nobody else needs to know the short forms a text may use. Axes count
 * the batch axis, 0 where there is one. */
#ifndef NETC_IR_OPS_ATTRS_H
#define NETC_IR_OPS_ATTRS_H

#include "ir/op.h"

/* conv2d(x [N,C,H,W], weight [O,C/groups,KH,KW], bias [O]) */
typedef struct conv_attrs {
    int64_t stride[2];   /* rows, columns */
    int64_t pad[4];      /* top, left, bottom, right */
    int64_t dilation[2]; /* rows, columns */
    int64_t groups;
} conv_attrs;

/* conv_transpose2d(x [N,C,H,W], weight [C,O/groups,KH,KW], bias [O]) */
typedef struct conv_transpose_attrs {
    int64_t stride[2], pad[4];
    int64_t output_pad[2]; /* rows below, columns right that the result has more */
    int64_t dilation[2], groups;
} conv_transpose_attrs;

/* maxpool, avgpool. Normal form: stride is set. avgpool has dilation 1 and divides by the elements of its
 * window, counting padding if include_pad, but never what ceil mode adds past the padding (PyTorch). */
typedef struct pool_attrs {
    int64_t kernel[2], stride[2], pad[4], dilation[2];
    bool ceil, include_pad;
} pool_attrs;

/* adaptive_avgpool, adaptive_maxpool: result i reads [⌊i·in/out⌋, ⌈(i+1)·in/out⌉). */
typedef struct adaptive_attrs {
    int64_t size[2];
} adaptive_attrs;

/* batchnorm (both), layernorm (eps) */
typedef struct norm_attrs {
    double eps, momentum;
} norm_attrs;

/* y = x / (k + α·Σ x²)^β over channels c - ⌊size/2⌋ .. c + ⌊(size-1)/2⌋; α is divided by size if `divide`. */
typedef struct lrn_attrs {
    int64_t size;
    double alpha, beta, k;
    bool divide;
} lrn_attrs;

/* softmax, log_softmax, concat. Normal form: 0 ≤ axis. */
typedef struct axis_attrs {
    int64_t axis;
} axis_attrs;

/* reduce_sum, reduce_mean, reduce_max. Normal form: axes ascending, none twice, not the batch. */
typedef struct reduce_attrs {
    ints axes;
    bool keep; /* reduced axes stay with size 1 */
} reduce_attrs;

typedef struct argmax_attrs {
    int64_t axis;
    bool keep;
} argmax_attrs;

/* Parts along an axis, in order; they sum up to the axis. */
typedef struct split_attrs {
    int64_t axis;
    ints sizes;
} split_attrs;

/* Elements start, start + step, ... below stop. Normal form: 0 ≤ start < stop ≤ size. */
typedef struct slice_attrs {
    int64_t axis, start, stop, step;
} slice_attrs;

/* The result's shape without its batch axis. Normal form: no -1. */
typedef struct reshape_attrs {
    ints shape;
} reshape_attrs;

/* Axes from `start` on become one; counted as if a batch axis stood in front where there is none. */
typedef struct flatten_attrs {
    int64_t start;
} flatten_attrs;

/* Axis k of the result is axis order[k] of x; the batch stays first. */
typedef struct transpose_attrs {
    ints order;
} transpose_attrs;

/* Elements added before and after every axis. Normal form: `before` and `after` have an entry for each axis
 * but the batch, and `pads` is zero. */
typedef struct pad_attrs {
    int64_t pads[4]; /* the last two axes: top, left, bottom, right */
    ints before, after;
    double value;
    const char *mode; /* "constant", "reflect", "replicate" */
} pad_attrs;

/* Normal form: size is set and scale is 0. nearest: result y reads row ⌊y·in/out⌋; bilinear: at
 * (y + ½)·in/out - ½ clamped below at 0, or y·(in-1)/(out-1) with align_corners (PyTorch). */
typedef struct upsample_attrs {
    int64_t scale[2], size[2];
    const char *mode; /* "nearest", "bilinear" */
    bool align_corners;
} upsample_attrs;

/* maps: which step of the expression is result k. */
typedef struct maps_attrs {
    ints results;
} maps_attrs;

/* map_sums: the results' shape, -1 for N, and which step of the expression each sums. */
typedef struct map_sums_attrs {
    ints shape, results;
} map_sums_attrs;

/* broadcast, sum_to: the result's whole shape, -1 for N. */
typedef struct shape_attrs {
    ints shape;
} shape_attrs;

typedef struct dropout_attrs {
    double p;
} dropout_attrs;

/* cross_entropy, nll. weight: one a class, none: all 1. */
typedef struct loss_attrs {
    double label_smoothing;
    reals weight;
} loss_attrs;

/* random_keep: the result's whole shape, -1 for N; streams keep the masks of one net apart. */
typedef struct random_keep_attrs {
    double p;
    int64_t stream;
    ints shape;
} random_keep_attrs;

typedef struct cast_attrs {
    const char *to; /* "f32" */
} cast_attrs;

/* conv2d_weight: of the convolution whose weight's gradient it is. */
typedef struct conv_weight_attrs {
    conv_attrs conv;
    int64_t kernel[2];
} conv_weight_attrs;

/* conv2d_turn */
typedef struct turn_attrs {
    int64_t groups;
} turn_attrs;

/* avgpool_grad; `size` is that of the image that was pooled. */
typedef struct avgpool_grad_attrs {
    pool_attrs pool;
    int64_t size[2];
} avgpool_grad_attrs;

/* one_hot: classes; embedding_weight: rows */
typedef struct count_attrs {
    int64_t count;
} count_attrs;

/* The same values in another layout. */
typedef struct reorder_attrs {
    const char *layout; /* one of layout_names */
    int64_t left, right;
    int64_t groups; /* weights16: of the convolution */
} reorder_attrs;

/* rnn, lstm, gru */
typedef struct recurrent_attrs {
    bool reversed;            /* from the last step to the first; y[t] still belongs to x[t] */
    const char *nonlinearity; /* rnn: "tanh", "relu" */
} recurrent_attrs;

#endif
