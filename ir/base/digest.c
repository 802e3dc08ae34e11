/* BLAKE2b as RFC 7693 has it, without a key. */
#include "ir/base/digest.h"

#include <string.h>

enum { ROUNDS = 12 };

static const uint64_t start[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/* Which words of the block each round mixes in; rounds 10 and 11 are 0 and 1 again. */
static const unsigned char order[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t turned(uint64_t x, int by) {
    return x >> by | x << (64 - by);
}

static inline void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x;
    v[d] = turned(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turned(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 63);
}

static void mix_round(uint64_t *v, const uint64_t *m, const unsigned char *o) {
    mix(v, 0, 4, 8, 12, m[o[0]], m[o[1]]);
    mix(v, 1, 5, 9, 13, m[o[2]], m[o[3]]);
    mix(v, 2, 6, 10, 14, m[o[4]], m[o[5]]);
    mix(v, 3, 7, 11, 15, m[o[6]], m[o[7]]);
    mix(v, 0, 5, 10, 15, m[o[8]], m[o[9]]);
    mix(v, 1, 6, 11, 12, m[o[10]], m[o[11]]);
    mix(v, 2, 7, 8, 13, m[o[12]], m[o[13]]);
    mix(v, 3, 4, 9, 14, m[o[14]], m[o[15]]);
}

static uint64_t word_of(const unsigned char *at) {
    uint64_t x = 0;
    for (int k = 7; k >= 0; k--) x = x << 8 | at[k];
    return x;
}

static void take_block(digest *d, const unsigned char *block, size_t bytes, uint64_t last) {
    uint64_t v[16], m[16];
    d->count += bytes;
    for (int k = 0; k < 8; k++) v[k] = d->state[k], v[k + 8] = start[k];
    for (int k = 0; k < 16; k++) m[k] = word_of(block + 8 * (size_t)k);
    v[12] ^= d->count;
    v[14] ^= last;
    for (int k = 0; k < ROUNDS; k++) mix_round(v, m, order[k % 10]);
    for (int k = 0; k < 8; k++) d->state[k] ^= v[k] ^ v[k + 8];
}

void digest_start(digest *d) {
    *d = (digest){0};
    memcpy(d->state, start, sizeof start);
    d->state[0] ^= 0x01010000u ^ DIGEST_BYTES; /* no key, one leaf, so many bytes */
}

/* The last block is taken by digest_end, so a full one waits until there is more. */
void digest_add(digest *d, const void *bytes, size_t count) {
    const unsigned char *at = bytes;
    while (count) {
        if (d->filled == DIGEST_BLOCK) {
            take_block(d, d->block, DIGEST_BLOCK, 0);
            d->filled = 0;
        }
        size_t part = DIGEST_BLOCK - d->filled;
        if (part > count) part = count;
        memcpy(d->block + d->filled, at, part);
        d->filled += part;
        at += part;
        count -= part;
    }
}

void digest_number(digest *d, int64_t x) {
    unsigned char bytes[8];
    for (int k = 0; k < 8; k++) bytes[k] = (unsigned char)((uint64_t)x >> 8 * k);
    digest_add(d, bytes, sizeof bytes);
}

void digest_text(digest *d, const char *text) {
    digest_number(d, text ? (int64_t)strlen(text) : -1);
    if (text) digest_add(d, text, strlen(text));
}

void digest_end(digest *d, unsigned char out[DIGEST_BYTES]) {
    memset(d->block + d->filled, 0, DIGEST_BLOCK - d->filled);
    take_block(d, d->block, d->filled, ~(uint64_t)0);
    for (int k = 0; k < DIGEST_BYTES; k++) out[k] = (unsigned char)(d->state[k / 8] >> 8 * (k % 8));
}
