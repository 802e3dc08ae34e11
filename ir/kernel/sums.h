/* Sums over the batch by blocks of results, and the walk over operands that they and the statistics of a batch share. */
#ifndef NETC_IR_KERNEL_SUMS_H
#define NETC_IR_KERNEL_SUMS_H

#include "ir/kernel/lower.h"

enum {
    SUMS_OPERANDS = 12,
    SUMS_RESULTS = 4,
    SUMS_WAYS = 4 /* sums side by side: additions take four cycles */
};

typedef struct sums_recipe {
    int64_t operands, results, step[SUMS_RESULTS]; /* of e that is result k; -1: operand 0 itself */
    int64_t lanes_kept;                            /* 1: lanes are results; 0: they are summed at the end */
    int64_t width, blocks;                         /* of the axis along lanes; 16 of it are a block */
    int64_t whole;                                 /* 1: loads may pass `width` up to a whole block */
    int64_t kept, kept_dim[MAX_RANK], kept_stride[SUMS_OPERANDS][MAX_RANK];
    int64_t loops, loop_dim[MAX_RANK], loop_stride[SUMS_OPERANDS][MAX_RANK];
    int64_t start[SUMS_OPERANDS], batch[SUMS_OPERANDS], block[SUMS_OPERANDS], lane[SUMS_OPERANDS];
    int64_t batched, batch_kept, out_batch, parts;
    const expr *e;
} sums_recipe;

/* Kept axes but that of lanes; the results of one part side by side, blocks whole. */
int64_t sums_kept(const sums_recipe *r);
int64_t sums_results(const sums_recipe *r);

/* Of node n, whose operands are summed to `result` (aligned at the right): what is known before values have places, and
 * all of it. */
sums_recipe sums_outline(const node *n, const shape *result, int64_t max_batch);
sums_recipe sums_recipe_of(const lower *l, const node *n, const shape *result);
/* The shape that the operands broadcast to; whether its axis k is one of the result. */
shape sums_shape(const node *n);
bool sums_keep(const shape *s, const shape *result, int k);
bool sums_blocked(const node *n);
void sums_layouts(const node *n, layout *in, layout *out);

/* A kernel index taken apart, and where each operand begins. */
typedef struct sums_spot {
    kinst *kept, *block, *outer; /* outer: sample or part */
    kinst *at[SUMS_OPERANDS];
    int u;        /* vector of the block */
    kinst *count; /* lanes that are there; NULL: all */
} sums_spot;

sums_spot sums_find(kb *b, const sums_recipe *r);
/* The same for vector u of the block. */
sums_spot sums_vector(kb *b, const sums_recipe *r, const sums_spot *p, int u);
/* Samples [*from, *to) of a part of the batch. */
void sums_part(kb *b, const sums_recipe *r, kinst *part, kinst **from, kinst **to);
/* at + x·stride for every operand. */
void sums_move(kb *b, const sums_recipe *r, kinst *const *at, kinst *x, const int64_t *stride, kinst **to);

/* One walk over a sample: `values` says what is summed at some elements, a vector a result. */
typedef struct sums_run sums_run;
struct sums_run {
    kb *b;
    const sums_recipe *r;
    void (*values)(const sums_run *s, kinst *const *at, kinst **out);
    int64_t results;
    kinst *sums;  /* registers [results][SUMS_WAYS] */
    kinst *count; /* lanes that are there; NULL: all */
    kinst *pivot; /* what `values` may need */
};
void sums_of_sample(const sums_run *s, kinst *const *at, kinst **out);

extern const candidate sums_candidate;

#endif
