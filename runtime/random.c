/* Philox and what is drawn from it. Doubles are used where every operation is exact or rounded once by IEEE
 * 754's rules; the Makefile keeps compilers from fusing them. */
#include "runtime/random.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { WORDS = 4, TERMS = 12 };

/* The operations of ir/base/random.def, done. */
#define WORD              uint32_t
#define REAL              double
#define HERE              /* no parameter */
#define GIVEN             /* no argument */
#define WORD_OF(number)   (number)
#define PLUS(x, y)        ((x) + (y))
#define TIMES(x, y)       ((x) * (y))
#define HIGH(x, y)        ((uint32_t)((uint64_t)(x) * (y) >> 32))
#define XOR(x, y)         ((x) ^ (y))
#define AND(x, y)         ((x) & (y))
#define HAS(x, m, y, z)   ((x) & (m) ? (y) : (z))
#define REAL_OF(x)        ((double)(x))
#define NUMBER(x)         ((double)(x))
#define ADD(x, y)         ((x) + (y))
#define SUB(x, y)         ((x) - (y))
#define MUL(x, y)         ((x) * (y))
#define DIV(x, y)         ((x) / (y))
#define SQRT(x)           sqrt(x)
#define BELOW(x, y, z, t) ((x) < (y) ? (z) : (t))
#include "ir/base/random.def"

void philox(uint32_t out[4], const uint32_t counter[4], uint64_t key) {
    const uint32_t words[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    memcpy(out, counter, WORDS * sizeof *out);
    random_block(out, words);
}

static void draw(uint32_t out[4], random_stream s, int64_t block) {
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)((uint64_t)block >> 32), s.stream, 0};
    philox(out, counter, s.seed);
}

/* x = m·2^e with m about 1, and ln m = 2 artanh((m - 1)/(m + 1)) as a series. */
double steady_log(double x) {
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) m *= 2, e--;
    double t = (m - 1) / (m + 1), square = t * t, sum = 0;
    for (int k = TERMS; k-- > 0;) sum = sum * square + 1.0 / (2 * k + 1);
    return 2 * t * sum + e * 0.69314718055994531;
}

/* x = rest + n ln 2, and e^rest as its series. */
double steady_exp(double x) {
    double n = rint(x / 0.69314718055994531), rest = x - n * 0.69314718055994531, sum = 1;
    for (int k = 2 * TERMS; k > 0; k--) sum = sum * rest / k + 1;
    return ldexp(sum, (int)n);
}

/* A block's four words make two pairs. */
void random_normal(float *to, int64_t first, int64_t count, double scale, random_stream s) {
    uint32_t w[WORDS] = {0};
    double pair[2] = {0};
    for (int64_t i = first; i < first + count; i++) {
        bool start = i == first;
        if (start || i % WORDS == 0) draw(w, s, i / WORDS);
        if (start || i % 2 == 0) random_pair(pair, w[i % WORDS / 2 * 2], w[i % WORDS / 2 * 2 + 1]);
        to[i - first] = (float)(pair[i % 2] * scale);
    }
}

void random_uniform(float *to, int64_t first, int64_t count, double low, double high, random_stream s) {
    uint32_t w[WORDS] = {0};
    for (int64_t i = first; i < first + count; i++) {
        if (i == first || i % WORDS == 0) draw(w, s, i / WORDS);
        to[i - first] = (float)random_between(w[i % WORDS], low, high);
    }
}

void random_below(int32_t *to, int64_t first, int64_t count, int64_t bound, random_stream s) {
    uint32_t w[WORDS] = {0};
    for (int64_t i = first; i < first + count; i++) {
        if (i == first || i % WORDS == 0) draw(w, s, i / WORDS);
        to[i - first] = (int32_t)((uint64_t)w[i % WORDS] * (uint64_t)bound >> 32);
    }
}

/* Fisher and Yates: the i-th place, from the last down, swaps with one of those up to itself. */
void random_order(int32_t *to, int64_t count, random_stream s) {
    uint32_t w[WORDS] = {0};
    for (int64_t i = 0; i < count; i++) to[i] = (int32_t)i;
    for (int64_t i = count - 1, k = 0; i > 0; i--, k++) {
        if (k % WORDS == 0) draw(w, s, k / WORDS);
        int64_t other = (int64_t)((uint64_t)w[k % WORDS] * (uint64_t)(i + 1) >> 32);
        int32_t held = to[i];
        to[i] = to[other];
        to[other] = held;
    }
}
