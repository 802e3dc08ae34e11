/* From graph to program: where values lie, how a node becomes kernels and calls, and the ways (candidates) to
 * compute an op. */
#ifndef NETC_IR_KERNEL_LOWER_H
#define NETC_IR_KERNEL_LOWER_H

#include "ir/base/size.h"
#include "ir/kernel/program.h"
#include "ir/op.h"

/* Where a value lies: filled by the buffer plan for every value id. A view shares its root's buffer. */
typedef struct place {
    buffer *buffer;
    int64_t offset;       /* elements from the buffer's start to the value's first sample */
    int64_t batch_stride; /* elements from a sample to the next; 0 where unbatched */
    bool view;            /* of a value that contains it (a part of a concat, a result of a split) */
    int64_t loop_stride[MAX_LOOPS]; /* inside scans: elements from a step to the next, by depth of the loop */
    buffer *room; /* of the node whose first result this is: what candidate.room asked for */
} place;

typedef struct lower {
    arena *arena;
    program *program;
    const graph *graph;
    const place *places; /* by value id of `graph` */
    steps *steps;        /* where calls are appended */
    int loops;           /* depth of loops around */
} lower;

/* A kernel by recipe: the same one for equal build, recipe, argument types and count. `args` are the
 * parameters after i and n. The body is built for every wanted target. */
kernel *lower_kernel(lower *l, const char *name, kernel_build *build, const void *recipe, size_t bytes,
                     const kparam *args, int count, kcount runs, double work);
void lower_call(lower *l, kernel *k, const call_arg *args, int count, const node *n);
call_arg lower_value(const lower *l, const value *v); /* pointer to the value's first element (sample 0) */
call_arg lower_int(int64_t x);
call_arg lower_room(const lower *l, const node *n);
call_arg lower_scratch(lower *l, int64_t bytes); /* raises the program's scratch to at least that */

const expr *lower_expr(lower *l, const expr *e); /* the interned equal of e; NULL stays NULL */

/* How the elements of a value of rank 3 or 4 are found: (n, c, h, w) lies at n·batch + h·row + w·pixel +
 * start + (planar: c·channel; blocked16: ⌊c/16⌋·channel + c%16). Plain data, usable in recipes. */
typedef struct view {
    int64_t batch, channel, row, pixel; /* strides in elements; `channel` of a block where blocked */
    int64_t start;                      /* of column 0: the halo's width × pixel */
    int64_t channels, height, width;
    int64_t left, right; /* halo, columns */
    int64_t blocked;     /* 0 or 1 */
} view;
view lower_view(const lower *l, const value *v);

/* The same for any rank, by index: element idx lies at Σ idx[k]·stride[k] + start, but for a blocked value's
 * channel axis, which counts as ⌊c/16⌋·stride + c%16. Axis 0 is the batch where `batched`. */
typedef struct desc {
    int64_t rank, batched, blocked, axis /* of channels */, start, left, right;
    int64_t dim[MAX_RANK], stride[MAX_RANK]; /* dim[0] is 1 where batched */
} desc;
desc lower_desc(const lower *l, const value *v);
/* Address of idx[0..rank). */
kinst *kb_address(kb *b, const desc *d, kinst *const *idx);

typedef enum family { FAMILY_CPU = 1, FAMILY_GPU = 2 } family;

/* How much more than a direct sum a way to compute rounds: --exact-conv leaves out all that do. Training takes none
 * that rounds more than about twice as much, so that its gradients are as good as any other framework's. */
typedef enum inexact { INEXACT_NOT, INEXACT_TWICE, INEXACT_MORE } inexact;

/* One way to compute an op. */
struct candidate {
    const char *name; /* "direct", "depthwise" */
    unsigned families;
    bool (*legal)(const node *n); /* NULL: always */
    /* Of one sample in a batch of so many, in multiply-adds of the core that take as long; NULL: node_work.
     * The least wins. */
    double (*cost)(const node *n, int64_t batch);
    /* Given n->in[k]->layout as it stands, the layout wanted of every input (in[k]; halo: at least) and the
     * kind of result 0 (halo is the consumers' business: every lowering writes whatever halo out has). NULL:
     * all planar without halo in, planar out. */
    void (*layouts)(const node *n, layout *in, layout *out);
    void (*lower)(lower *l, const node *n);
    /* Elements in which the node's kernels leave each other what all threads share; NULL: none. */
    int64_t (*room)(const node *n, int64_t max_batch);
    /* May an epilogue be attached, and may its operand k have this shape? NULL: no epilogue. */
    bool (*epilogue)(const node *n, const value *operand);
    inexact inexact;
    bool strict;   /* inputs must have no halo (others take any that is at least what they asked for) */
    bool in_place; /* result 0 may take the bytes of an epilogue operand of the same layout */
};

/* Elementwise nodes ("map" and rows of scalar.def) share this one. */
extern const candidate elementwise_candidate;
/* Whether c can compute n on a CPU and rounds no more than `most`. */
bool candidate_possible(const candidate *c, const node *n, inexact most);
/* The candidate that will compute n: n->choice, or the cheapest legal one. */
const candidate *candidate_of(const node *n);
/* The cheapest possible one; one named `prefer` wins if it is possible (NULL: none does). NULL if there is none. */
const candidate *candidate_choose(const node *n, int64_t batch, inexact most, const char *prefer);

#endif
