/* Random numbers that are the same on every machine: number i of stream s under a seed depends on nothing
 * else, so any part may be drawn in any order or by several threads. Philox 4x32-10 (Salmon and others,
 * "Parallel Random Numbers: As Easy as 1, 2, 3", 2011); normal numbers by Marsaglia's polar method with a
 * logarithm of our own, since libm's differ. */
#ifndef NETC_RUNTIME_RANDOM_H
#define NETC_RUNTIME_RANDOM_H

#include <stdint.h>

/* Which numbers are drawn: `stream` keeps those of one tensor apart from those of another. */
typedef struct random_stream {
    uint64_t seed;
    uint32_t stream;
} random_stream;

enum { RANDOM_INPUTS = 0x40000000 /* streams from here on are inputs', those before it parameters' */ };

/* Numbers first .. first + count - 1 of a stream. */
void random_normal(float *to, int64_t first, int64_t count, double scale, random_stream s);
void random_uniform(float *to, int64_t first, int64_t count, double low, double high, random_stream s);
/* In [0, bound), 1 ≤ bound ≤ 2^31. */
void random_below(int32_t *to, int64_t first, int64_t count, int64_t bound, random_stream s);

void philox(uint32_t out[4], const uint32_t counter[4], uint64_t key);

#endif
