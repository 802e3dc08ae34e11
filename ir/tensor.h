/* What a tensor is: element type, static shape with a symbolic batch, and how its numbers lie in memory. */
#ifndef NETC_IR_TENSOR_H
#define NETC_IR_TENSOR_H

#include "ir/base/text.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum dtype { DT_F32, DT_F64, DT_I32, DT_U8 } dtype;

enum { MAX_RANK = 8, DIM_N = -1 };

/* Dimensions in PyTorch's order: N,C,H,W; N,T,F; weights O,I,H,W. dim[0] == DIM_N marks what depends on the
 * input: one such tensor exists for every sample of the batch. DIM_N never stands elsewhere. */
typedef struct shape {
    int rank;
    int64_t dim[MAX_RANK];
} shape;

static inline bool shape_batched(const shape *s) { return s->rank > 0 && s->dim[0] == DIM_N; }
bool shape_equal(const shape *a, const shape *b);
/* Elements of one sample (of the whole where there is no batch). Shapes in a graph never overflow: they are
 * checked with shape_valid when they are made. */
int64_t shape_count(const shape *s);
/* True if every dimension but N is positive, rank ≤ MAX_RANK and the count is within SIZE_LIMIT. */
bool shape_valid(const shape *s);
/* "[N,64,56,56]" */
void shape_print(text *t, const shape *s);
shape shape_of(int rank, const int64_t *dims);

const char *dtype_name(dtype t); /* "f32" */
int dtype_bytes(dtype t);

/* How a value of rank 4 (N,C,H,W) or 3 (C,H,W) lies in memory; everything of other ranks is planar.
 *   planar:    [N][C][H][left + W + right]
 *   blocked16: [N][⌈C/16⌉][H][left + W + right][16], lanes past the last channel are zero
 * The halo is zero columns left and right of every row, written by the producer. `batch16` and `nhwc` are
 * named by the design and come with training and the GPU. */
typedef enum layout_kind { LAYOUT_PLANAR, LAYOUT_BLOCKED16 } layout_kind;

typedef struct layout {
    layout_kind kind;
    int left, right; /* halo, columns */
} layout;

enum { BLOCK = 16 }; /* channels in a block, on every CPU */

/* Elements that one sample occupies in this layout, halo and tail lanes included. */
int64_t layout_count(const layout *l, const shape *s);
void layout_print(text *t, const layout *l); /* "blocked16(1,1)" */

#endif
