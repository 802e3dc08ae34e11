/* Random numbers that are the same on every machine: number i of stream s under a seed depends on nothing
 * else, so any part may be drawn in any order or by several threads. Philox 4x32-10 (Salmon and others,
 * "Parallel Random Numbers: As Easy as 1, 2, 3", 2011) and Box and Muller's normal numbers, with a
 * logarithm, a sine and a cosine of our own, since libm's differ. ir/base/random.def has them, since compiled code
 * draws the same numbers. */
#ifndef NETC_RUNTIME_RANDOM_H
#define NETC_RUNTIME_RANDOM_H

#include <stdint.h>

/* Which numbers are drawn: `stream` keeps those of one tensor apart from those of another. */
typedef struct random_stream {
    uint64_t seed;
    uint32_t stream;
} random_stream;

/* Streams from here on, an input or an epoch each; those before are parameters' and masks' (ir/base/draw.h). */
enum {
    RANDOM_INPUTS = 0x40000000,
    RANDOM_SHUFFLE = 0x50000000, /* the order of an epoch's samples */
    RANDOM_AUGMENT = 0x60000000, /* what is drawn for a sample in an epoch */
    RANDOM_PERMUTE = 0x70000000  /* permute's order of pixels */
};

/* Numbers first .. first + count - 1 of a stream. */
void random_normal(float *to, int64_t first, int64_t count, double scale, random_stream s);
void random_uniform(float *to, int64_t first, int64_t count, double low, double high, random_stream s);
/* In [0, bound), 1 ≤ bound ≤ 2^31. */
void random_below(int32_t *to, int64_t first, int64_t count, int64_t bound, random_stream s);

/* 0..count-1 in an order in which each is as likely, count < 2^31. */
void random_order(int32_t *to, int64_t count, random_stream s);

/* ln x for x > 0 and e^x for |x| < 700, nearly exact. */
double steady_log(double x);
double steady_exp(double x);

void philox(uint32_t out[4], const uint32_t counter[4], uint64_t key);

#endif
