/* Winograd's minimal filtering for 3×3 convolutions: F(m×m, 3×3) makes m×m results from (m + 2)² products
 * instead of 9·m². Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast Algorithms
 * for Convolutional Neural Networks", 2016. The matrices are those of Toom and Cook. */
#ifndef NETC_IR_KERNEL_WINOGRAD_H
#define NETC_IR_KERNEL_WINOGRAD_H

#include "ir/kernel/lower.h"

enum { WINOGRAD_MOST = 8 /* rows of a tile: m + 2 */, WINOGRAD_TAPS = 3 };

/* y = Aᵀ [(G g) ⊙ (Bᵀ d)] for n = m + taps − 1 inputs d, some taps g (three, but for gradients) and m results y. */
typedef struct winograd_matrices {
    int m, n;
    double at[WINOGRAD_MOST][WINOGRAD_MOST]; /* [m][n] */
    double g[WINOGRAD_MOST][WINOGRAD_MOST];  /* [n][taps] */
    double bt[WINOGRAD_MOST][WINOGRAD_MOST]; /* [n][n] */
} winograd_matrices;

/* For m = 2, 4, 6; and for n up to WINOGRAD_MOST. */
winograd_matrices winograd_of(int m);
winograd_matrices winograd_for(int m, int taps);

/* out[k] = Σ_j c[k][j]·in[j] for k in 0..rows, j in 0..columns; any width of vector. */
void winograd_combine(kb *b, double (*c)[WINOGRAD_MOST], int rows, int columns, kinst *const *in,
                      kinst **out);

/* Micros for one vector of channels of one tile.
 * input (in, row, first, end, out, apart): Bᵀ d B of the n×n inputs whose corner is `in` and whose rows are `row`
 * elements apart, into out[(y·n + x)·apart]; rows outside [first, end) do not exist and count as zero.
 * output (in, apart, out): Aᵀ m A of in[(y·n + x)·apart] into out[y][x][lanes], m×m results.
 * taps (in, row, end, out, apart): G g Gᵀ of taps×taps numbers whose corner is `in`, into out[(y·n + x)·apart]; rows from
 * `end` on count as zero. */
kfunc *winograd_input(kb *b, int m);
kfunc *winograd_output(kb *b, int m, int taps);
kfunc *winograd_taps(kb *b, int m, int taps);

/* Lowers a reorder of weights [O,I,3,3] to LAYOUT_WINOGRAD (m in layout.groups): [⌈O/16⌉][n²][⌈I/16⌉·16][16],
 * transformed in double. */
void winograd_pack(lower *l, const node *n);

extern const candidate winograd2_candidate, winograd4_candidate;

#endif
