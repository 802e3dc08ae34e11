/* Philox and what is drawn from it. Doubles are used where every operation is exact or rounded once by IEEE
 * 754's rules; the Makefile keeps compilers from fusing them. */
#include "runtime/random.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10, WORDS = 4, TERMS = 12 };

void philox(uint32_t out[4], const uint32_t counter[4], uint64_t key) {
    uint32_t c[4], k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    memcpy(c, counter, sizeof c);
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t a = (uint64_t)c[0] * 0xD2511F53u, b = (uint64_t)c[2] * 0xCD9E8D57u;
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k1,
                            (uint32_t)a};
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    memcpy(out, c, sizeof c);
}

static void draw(uint32_t out[4], random_stream s, int64_t block, uint32_t attempt) {
    uint32_t counter[4] = {(uint32_t)block, (uint32_t)((uint64_t)block >> 32), s.stream, attempt};
    philox(out, counter, s.seed);
}

/* ln x for 0 < x < 1: x = m·2^e with m about 1, and ln m = 2 artanh((m - 1)/(m + 1)) as a series. */
static double logarithm(double x) {
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) m *= 2, e--;
    double t = (m - 1) / (m + 1), square = t * t, sum = 0;
    for (int k = TERMS; k-- > 0;) sum = sum * square + 1.0 / (2 * k + 1);
    return 2 * t * sum + e * 0.69314718055994531;
}

/* Two normal numbers: the first point of the pair's own sequence that falls into the unit circle. */
static void normal_pair(double out[2], int64_t pair, random_stream s) {
    for (uint32_t attempt = 0;; attempt++) {
        uint32_t w[WORDS];
        draw(w, s, pair, attempt);
        for (int k = 0; k < WORDS; k += 2) {
            double u = ((int32_t)w[k] + 0.5) / 0x1p31, v = ((int32_t)w[k + 1] + 0.5) / 0x1p31,
                   r = u * u + v * v;
            if (r >= 1) continue;
            double f = sqrt(-2 * logarithm(r) / r);
            out[0] = u * f;
            out[1] = v * f;
            return;
        }
    }
}

void random_normal(float *to, int64_t first, int64_t count, double scale, random_stream s) {
    double pair[2] = {0};
    for (int64_t i = first; i < first + count; i++) {
        if (i == first || i % 2 == 0) normal_pair(pair, i / 2, s);
        to[i - first] = (float)(pair[i % 2] * scale);
    }
}

void random_uniform(float *to, int64_t first, int64_t count, double low, double high, random_stream s) {
    uint32_t w[WORDS] = {0};
    for (int64_t i = first; i < first + count; i++) {
        if (i == first || i % WORDS == 0) draw(w, s, i / WORDS, 0);
        to[i - first] = (float)(low + (high - low) * ((w[i % WORDS] + 0.5) / 0x1p32));
    }
}

void random_below(int32_t *to, int64_t first, int64_t count, int64_t bound, random_stream s) {
    uint32_t w[WORDS] = {0};
    for (int64_t i = first; i < first + count; i++) {
        if (i == first || i % WORDS == 0) draw(w, s, i / WORDS, 0);
        to[i - first] = (int32_t)((uint64_t)w[i % WORDS] * (uint64_t)bound >> 32);
    }
}
