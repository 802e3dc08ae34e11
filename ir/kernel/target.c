/* The instruction sets that kernel bodies are lowered for. */
#include "ir/kernel/target.h"

#include <string.h>

const target targets[TARGET_COUNT] = {
    [TARGET_C99] = {.id = TARGET_C99, .name = "c99", .lanes = 16, .pixels = 4, .blocks = 1, .peak = 4},
    [TARGET_AVX512] =
        {.id = TARGET_AVX512, .name = "avx512", .lanes = 16, .pixels = 14, .blocks = 2, .peak = 16},
    [TARGET_AVX2] = {.id = TARGET_AVX2, .name = "avx2", .lanes = 8, .pixels = 6, .blocks = 1, .peak = 16},
    [TARGET_NEON] = {.id = TARGET_NEON, .name = "neon", .lanes = 4, .pixels = 4, .blocks = 1, .peak = 8},
};

const target *target_find(const char *name) {
    for (int t = 0; t < TARGET_COUNT; t++)
        if (strcmp(targets[t].name, name) == 0) return &targets[t];
    return NULL;
}

int target_lanes(const target *t, kbase real) {
    return real == KB_F64 && t->id != TARGET_C99 ? t->lanes / 2 : t->lanes;
}
