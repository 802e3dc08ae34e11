/* The one place where sizes are multiplied and added: nothing that comes from a file may overflow unseen. */
#ifndef NETC_IR_BASE_SIZE_H
#define NETC_IR_BASE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* The largest count of elements or bytes that netc accepts anywhere (2^46: 64 TiB). */
#define SIZE_LIMIT ((int64_t)1 << 46)

/* *out = a × b (a + b); false, with *out untouched, if an operand is negative or the result passes SIZE_LIMIT. */
static inline bool size_mul(int64_t a, int64_t b, int64_t *out) {
    int64_t r;
    if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r) || r > SIZE_LIMIT) return false;
    *out = r;
    return true;
}

static inline bool size_add(int64_t a, int64_t b, int64_t *out) {
    int64_t r;
    if (a < 0 || b < 0 || __builtin_add_overflow(a, b, &r) || r > SIZE_LIMIT) return false;
    *out = r;
    return true;
}

static inline int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}
static inline int64_t round_up(int64_t a, int64_t b) {
    return ceil_div(a, b) * b;
}

#endif
