/* A loop of nothing but fused multiply-adds, and one of nothing but loads, on every thread. */
#include "frontend/api/speed.h"

#include "runtime/net.h"
#include "runtime/pool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum {
    ROUNDS = 5,
    ROUND_NS = 10000000,
    STEPS = 4096,           /* of the loop between two looks at the clock */
    LEAST_BYTES = 1 << 14,  /* a thread */
    MOST_BYTES = 256 << 20, /* in all: past every cache */
    LINE = 64,
    CHAINS = 12 /* additions that wait for nothing: latency times units, and some */
};

typedef float v16 __attribute__((vector_size(64)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));

/* The loops of one target. Both return a number that depends on all they did. */
typedef struct loops {
    target_id target;
    double flops; /* a step of `multiply` */
    float (*multiply)(int64_t steps, float by, float plus);
    float (*read)(const float *from, int64_t count); /* a multiple of 64 */
} loops;

/* Every chain is a variable of its own, which compilers keep in a register. */
#define EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* By vectors of one register each, a line of memory or more at a time. */
#define READ_BY(vector)                                                                                      \
    enum { LANES = sizeof(vector) / sizeof(float) };                                                         \
    vector a = {0}, b = {0}, c = {0}, d = {0};                                                               \
    for (int64_t i = 0; i < count; i += 4 * LANES) {                                                         \
        a += *(const vector *)(from + i);                                                                    \
        b += *(const vector *)(from + i + LANES);                                                            \
        c += *(const vector *)(from + i + 2 * LANES);                                                        \
        d += *(const vector *)(from + i + 3 * LANES);                                                        \
    }                                                                                                        \
    a += b + c + d;                                                                                          \
    return a[0] + a[1] + a[2] + a[3];

/* ---- plain C: a multiplication, then an addition ---- */

static float multiply_c99(int64_t steps, float by, float plus) {
    v4 m = {by, by, by, by}, p = {plus, plus, plus, plus}, sum;
#define START(k) v4 x##k = {(float)(k), 1, 2, 3};
#define STEP(k)  x##k = x##k * m + p;
#define SUM(k)   sum += x##k;
    EACH_CHAIN(START)
    for (int64_t i = 0; i < steps; i++) {
        EACH_CHAIN(STEP)
    }
    sum = p;
    EACH_CHAIN(SUM)
    return sum[0] + sum[1] + sum[2] + sum[3];
#undef START
#undef STEP
}

static float read_c99(const float *from, int64_t count) {
    READ_BY(v4)
}

#if defined(__x86_64__) || defined(__i386__)

__attribute__((target("avx512f,avx512vl"))) static float multiply_avx512(int64_t steps, float by,
                                                                         float plus) {
    __m512 m = _mm512_set1_ps(by), p = _mm512_set1_ps(plus), sum = p;
#define START(k) __m512 x##k = _mm512_set1_ps((float)(k));
#define STEP(k)  x##k = _mm512_fmadd_ps(x##k, m, p);
    EACH_CHAIN(START)
    for (int64_t i = 0; i < steps; i++) {
        EACH_CHAIN(STEP)
    }
    EACH_CHAIN(SUM)
    return _mm512_reduce_add_ps(sum);
#undef START
#undef STEP
}

__attribute__((target("avx512f,avx512vl"))) static float read_avx512(const float *from, int64_t count) {
    READ_BY(v16)
}

__attribute__((target("avx2,fma"))) static float multiply_avx2(int64_t steps, float by, float plus) {
    __m256 m = _mm256_set1_ps(by), p = _mm256_set1_ps(plus), sum = p;
#define START(k) __m256 x##k = _mm256_set1_ps((float)(k));
#define STEP(k)  x##k = _mm256_fmadd_ps(x##k, m, p);
    EACH_CHAIN(START)
    for (int64_t i = 0; i < steps; i++) {
        EACH_CHAIN(STEP)
    }
    EACH_CHAIN(SUM)
    return sum[0] + sum[3] + sum[7];
#undef START
#undef STEP
}

__attribute__((target("avx2,fma"))) static float read_avx2(const float *from, int64_t count) {
    READ_BY(v8)
}

#elif defined(__aarch64__)

static float multiply_neon(int64_t steps, float by, float plus) {
    float32x4_t m = vdupq_n_f32(by), p = vdupq_n_f32(plus), sum = p;
#define START(k) float32x4_t x##k = vdupq_n_f32((float)(k));
#define STEP(k)  x##k = vfmaq_f32(p, x##k, m);
    EACH_CHAIN(START)
    for (int64_t i = 0; i < steps; i++) {
        EACH_CHAIN(STEP)
    }
    EACH_CHAIN(SUM)
    return vaddvq_f32(sum);
#undef START
#undef STEP
}

#endif

static const loops all[] = {
#if defined(__x86_64__) || defined(__i386__)
    {TARGET_AVX512, 2.0 * CHAINS * 16, multiply_avx512, read_avx512},
    {TARGET_AVX2, 2.0 * CHAINS * 8, multiply_avx2, read_avx2},
#elif defined(__aarch64__)
    {TARGET_NEON, 2.0 * CHAINS * 4, multiply_neon, read_c99},
#endif
    {TARGET_C99, 2.0 * CHAINS * 4, multiply_c99, read_c99},
};

static const loops *loops_of(target_id t) {
    const loops *l = all;
    while (l->target != t && l->target != TARGET_C99) l++;
    return l;
}

/* ---- on all threads ---- */

/* One thread's share, and what it did in the round. */
typedef struct share {
    _Alignas(NET_ALIGN) const loops *loops;
    const float *from;
    int64_t count; /* numbers; 0: multiply */
    double rate;   /* operations or bytes a nanosecond */
    float result;
} share;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void run_share(void *arg, int i, int slot) {
    share *s = (share *)arg + i;
    int64_t start = now_ns(), end = start;
    double done = 0;
    (void)slot;
    while (end - start < ROUND_NS) {
        if (s->count)
            s->result += s->loops->read(s->from, s->count);
        else
            s->result += s->loops->multiply(STEPS, 0.5f, s->result > 1e30f ? 1.0f : 0.25f);
        done += s->count ? (double)s->count * sizeof(float) : STEPS * s->loops->flops;
        end = now_ns();
    }
    s->rate = done / (double)(end - start);
}

/* The best of some rounds, of all threads together. */
static double best_rate(const team *t, share *s, int threads) {
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double sum = 0;
        if (t)
            t->run(t->user, run_share, s, threads);
        else
            run_share(s, 0, 0);
        for (int k = 0; k < threads; k++) sum += s[k].rate;
        if (sum > best) best = sum;
    }
    return best;
}

static int64_t bytes_a_thread(int64_t bytes, int threads) {
    int64_t most = MOST_BYTES / threads, each = bytes / threads;
    if (each > most) each = most;
    if (each < LEAST_BYTES) each = LEAST_BYTES;
    return each / (4 * LINE) * (4 * LINE);
}

static void measure(speed *to, const team *team_, share *s, int threads) {
    to->gflops = best_rate(team_, s, threads);
    for (int k = 0; k < threads; k++) s[k].count = to->bytes / threads / (int64_t)sizeof(float);
    to->gbs = best_rate(team_, s, threads);
}

bool speed_measure(speed *to, target_id t, int threads, int64_t bytes, diags *d) {
    int64_t each = bytes_a_thread(bytes, threads);
    *to = (speed){.bytes = each * threads};
    float *data = net_memory(to->bytes, "numbers to be read", d);
    share *s = net_memory((int64_t)sizeof *s * threads, "the threads' shares", d);
    pool *p = data && s ? pool_new(threads, d) : NULL;
    if (p) {
        const team *lent = pool_take(p);
        memset(data, 0, (size_t)to->bytes);
        for (int k = 0; k < threads; k++)
            s[k] = (share){.loops = loops_of(t), .from = data + k * each / (int64_t)sizeof(float)};
        measure(to, lent, s, lent ? threads : 1);
        pool_give(p, lent);
    }
    pool_free(p);
    free(s);
    free(data);
    return p;
}
