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

static inline bool shape_batched(const shape *s) {
    return s->rank > 0 && s->dim[0] == DIM_N;
}
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

/* How a value lies in memory. Its shape stays what it is; only the order (and padding with zeros) differs.
 *   planar:    row major as the shape reads; of ranks 4 (N,C,H,W) and 3 (C,H,W): [N][C][H][left + W + right]
 *   blocked16: [N][⌈C/16⌉][H][left + W + right][16], lanes past the last channel are zero
 *   lanes16:   unbatched, dimension 0 innermost: [⌈d0/16⌉][d1]..[dk][16] (biases, depthwise weights)
 *   weights16: [O,I/g,KH,KW] for an input in blocks: [⌈O/16⌉][KH][R][KW][16 in][16 out], where R is how many
 *              blocks of 16 inputs a block of outputs reads (⌈I/16⌉ without groups); absent ones are zero
 *   winograd:  [O,I,3,3] transformed for F(m×m, 3×3), n = m + 2: [⌈O/16⌉][n²][⌈I/16⌉·16][16]
 *   weights1:  [O,I] or [O,I,KH,KW] for a planar input: [⌈O/16⌉][KH][I][KW][16 out]
 *   phases16:  [I,O,KH,KW] of a transposed convolution of stride s (in `groups`): [⌈O/16⌉], then for each pair of
 *              remainders modulo s of row and column, rows first, its taps [rows][⌈I/16⌉][columns][16 in][16 out]
 * The halo is zero columns left and right of every row, written by the producer. `batch16` and `nhwc` are
 * named by the design and come with training and the GPU. */
typedef enum layout_kind {
    LAYOUT_PLANAR,
    LAYOUT_BLOCKED16,
    LAYOUT_LANES16,
    LAYOUT_WEIGHTS16,
    LAYOUT_WEIGHTS1,
    LAYOUT_WINOGRAD,
    LAYOUT_PHASES16,
    LAYOUT_KINDS
} layout_kind;

typedef struct layout {
    layout_kind kind;
    int left, right; /* halo in columns: planar (rank 3, 4) and blocked16 */
    int groups;      /* weights16: of the convolution; winograd: m; phases16: s; 0 otherwise */
} layout;

enum { BLOCK = 16 }; /* channels in a block, on every CPU */

/* Elements that one sample occupies in this layout, halo and tail lanes included. */
int64_t layout_count(const layout *l, const shape *s);
bool layout_equal(const layout *a, const layout *b);
/* weights16: R, and the first input block that output block `o` reads: min(o·16/(O/g)·(I/g)/16, ⌈I/16⌉ − R). */
int64_t weights16_blocks(const shape *weight, int groups);
extern const char *const layout_names[LAYOUT_KINDS];
void layout_print(text *t, const layout *l); /* "blocked16(1,1)" "weights16(g2)" "planar" */

#endif
