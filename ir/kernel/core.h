/* The matrix-product core: one register tile of pixels × blocks of 16 outputs, summed over up to four nested
 * reductions. Direct convolution, linear layers and recurrent products all are calls of it; they differ in
 * counts and strides only. The shape of the tile follows BLIS's micro-kernel (Van Zee and van de Geijn,
 * 2015). */
#ifndef NETC_IR_KERNEL_CORE_H
#define NETC_IR_KERNEL_CORE_H

#include "ir/kernel/epilogue.h"

typedef enum core_tail {
    TAIL_NONE, /* all lanes are stored as they are */
    TAIL_MASK, /* lanes past `valid` are stored as zero (blocked results) */
    TAIL_PART, /* lanes past `valid` are not stored (planar results) */
    TAIL_ROWS  /* … nor loaded from the weights, which are rows of a matrix as it is */
} core_tail;

typedef enum core_resume {
    RESUME_NOT,
    RESUME_PARTIAL, /* `partial`, dense */
    RESUME_OUT      /* what lies where the result goes */
} core_resume;

/* What is fixed at compile time. All of it is part of a micro's identity: keep it free of what differs from
 * layer to layer. */
typedef struct core_shape {
    int64_t pixels, blocks;
    int64_t a_pixel;  /* elements from a pixel to the next in the input */
    int64_t a_step;   /* … from a step of the innermost reduction to the next */
    int64_t run;      /* pixels that lie a_pixel apart; further runs of them a_run elements away; 0: all do */
    int64_t out_runs; /* 1: the result and its operands lie in such runs too */
    int64_t out_pixel;
    int64_t steps; /* of the innermost reduction where they are few and known: unrolled; 0: a loop */
    int64_t
        b_step; /* 1: the call says how far steps of the innermost reduction lie apart in the weights; 0: 16 */
    int64_t part;  /* 1: a step of r0 is b_tap elements of weights away from the next */
    int64_t ahead; /* cache lines of every block that are fetched early in each innermost run; 0: none */
    int64_t next_pixels; /* 1: the first line of each pixel of a later tile is fetched early, too */
    int64_t resume; /* core_resume: sums go on from earlier ones instead of starting from zero or the bias */
    int64_t bias;   /* 1: there is one */
    int64_t tail;   /* core_tail */
    const expr *e;
    int64_t operands;
    int64_t operand_kind[MAX_OPERANDS], operand_pixel[MAX_OPERANDS];
} core_shape;

/* What a call gives, all KB_INT or pointers. Reductions r[0..2] are the outer ones; `inner` steps in the
 * innermost. Weights lie [block][r0][r1][r2][inner][16]: b_run elements from one innermost run to the next, b_tap
 * from a step of r0 to the next where only a part of r1 is summed. */
typedef struct core_call {
    kinst *a, *count[3], *stride[3];
    kinst *a_run, *out_run, *operand_run[MAX_OPERANDS]; /* where the shape has runs; full operands */
    kinst *inner; /* steps of the innermost reduction, unless the shape says them */
    kinst *b, *b_block, *b_run;
    kinst *b_tap;                   /* part */
    kinst *b_step;                  /* where the shape says so */
    kinst *ahead;                   /* … the first of them so far behind the run's own first weight */
    kinst *next_a;                  /* next_pixels: how far behind this tile that one lies */
    kinst *partial, *partial_block; /* resume: [block][pixel][16], blocks so far apart */
    kinst *bias;
    kinst *operand[MAX_OPERANDS], *operand_block[MAX_OPERANDS]; /* block distance of full operands */
    kinst *out, *out_block;
    kinst *valid; /* channels from the tile's first on (tail) */
} core_call;

/* Appends the call of the core for one tile. */
void core_emit(kb *b, const core_shape *s, const core_call *c);

/* Sets what is fetched early while weights that lie `apart` elements before the next in turn are used by so many
 * calls: the k-th of them fetches the k-th part of each run of 16 steps. */
void core_fetch(kb *b, core_shape *s, core_call *c, int64_t apart, int64_t calls, kinst *k);

/* A row of `width` pixels cut into tiles of at most `most`: `first` tiles of `size` pixels, then `rest` of
 * size − 1. */
typedef struct tiling {
    int64_t size, first, rest;
} tiling;
tiling tile_row(int64_t width, int64_t most);

#endif
