/* What a kernel body is lowered for: one record an instruction set. Graph passes, layouts, packing, plan and
 * call list are the same for all CPU targets; only bodies differ. */
#ifndef NETC_IR_KERNEL_TARGET_H
#define NETC_IR_KERNEL_TARGET_H

#include "ir/kernel/kernel.h"

typedef enum target_id { TARGET_C99, TARGET_AVX512, TARGET_AVX2, TARGET_NEON, TARGET_COUNT } target_id;

typedef struct target {
    target_id id;
    const char *name; /* "avx512": as in --target and in the names of functions */
    int lanes;        /* floats in a vector; a block of 16 channels is 16 / lanes vectors */
    int pixels;       /* register tile of the matrix core: pixels … */
    int blocks;       /* … × blocks of 16 outputs */
    double peak;      /* multiply-adds a cycle and core, fp32 */
} target;

extern const target targets[TARGET_COUNT];
const target *target_find(const char *name); /* NULL if there is none */
/* Lanes of a vector of this type on t (c99 counts 16 for both: its vectors are loops). */
int target_lanes(const target *t, kbase real);

#endif
