/* Golden cases: what PyTorch gives for a graph (tests/goldens/ops/, written by tests/goldens/make_ops.py). A
 * file is a list of cases:
 *
 *     case matmul-1
 *     batch 2                          samples in every batched tensor
 *     fill x 0.5 3.0                   x is uniform in 0.5..3 (what is not named: -1..1)
 *     fill i below 11                  i holds integers in 0..10
 *     graph matmul                     a graph text; parameters are called as their value
 *     ...
 *     expect y f32[2,5,3]              an output, all its numbers below
 *     -1.6897166 ...
 *     end
 *
 * Inputs and parameters are not stored: element k of the one called NAME comes from the top 24 bits u of
 * splitmix64(FNV-1a(NAME) + (k + 1)·0x9E3779B97F4A7C15): the float nearest to low + (high - low)·u/2^24, or
 * u mod the bound. The script makes them by the same rule. */
#ifndef NETC_TESTS_SUPPORT_GOLDEN_H
#define NETC_TESTS_SUPPORT_GOLDEN_H

#include "ir/graph.h"

typedef struct golden_fill {
    const char *name;
    double low, high;
    int64_t below; /* 0: floating point */
} golden_fill;

typedef struct golden_tensor {
    const char *name;
    dtype type;  /* DT_F32 or DT_I32 */
    shape shape; /* the batch as a number */
    int64_t count;
    double *at;
} golden_tensor;

typedef struct golden {
    const char *name;
    int batch;
    graph *graph;
    VEC(golden_fill) fills;
    VEC(golden_tensor) expected;
} golden;

typedef VEC(golden) goldens;

/* Reads all cases of a file; false with an error that names file and line where one is malformed. */
bool golden_read(arena *a, const char *path, goldens *out, diags *d);
/* Elements of an input, parameter or output of the case, all samples together. */
int64_t golden_count(const golden *g, const value *v);
/* The numbers of an input or parameter; `type` of the value decides which of the two to use. */
void golden_fill_f32(const golden *g, const char *name, int64_t count, float *out);
void golden_fill_i32(const golden *g, const char *name, int64_t count, int32_t *out);
const golden_tensor *golden_expected(const golden *g, const char *name); /* NULL if there is none */
/* The largest |got - want| as a share of the largest |want| (at least 1); infinite where one is not a number.
 */
double golden_distance(const golden_tensor *want, const float *got);

#endif
