/* For tests that hand bad files to readers: an arena capped at what a refusal may take, checks of what was
 * said, files made wrong at random but the same on every run. Included by one test program each. */
#ifndef NETC_TESTS_SUPPORT_HOSTILE_H
#define NETC_TESTS_SUPPORT_HOSTILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/base/diag.h"
#include "ir/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* After a jump a test only says so and ends: it looks at no variable that a register may have kept. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

enum { REFUSAL_BYTES = 64 << 20 };

typedef struct bench {
    trap trap;
    arena arena;
    diags diags;
} bench;

/* Declares and starts a bench; a jump out of the arena fails the test. */
#define BENCH(b)                                                                                             \
    bench b = {0};                                                                                           \
    arena_init(&b.arena, REFUSAL_BYTES, &b.trap);                                                            \
    b.diags.arena = &b.arena;                                                                                \
    if (setjmp(b.trap.jump)) fail_msg("%s", b.trap.reason)

static inline void bench_end(bench *b) {
    arena_free(&b->arena);
}

static inline bool was_told(const bench *b, const char *text) {
    for (const diag *d = b->diags.first; d; d = d->next)
        if (strstr(d->text, text)) return true;
    return false;
}

/* One error that names `text`, or the test fails and shows what was said. */
static inline void assert_told(const bench *b, const char *text) {
    if (b->diags.errors >= 1 && was_told(b, text)) return;
    diags_print(&b->diags, stderr, false);
    fail_msg("expected an error that says '%s'", text);
}

static inline void assert_quiet(const bench *b) {
    if (b->diags.first) diags_print(&b->diags, stderr, false);
    assert_null(b->diags.first);
}

/* Processor time, in which a refusal has a tenth of a second (a sanitizer slows it down). */
static inline double seconds_used(void) {
    return (double)clock() / CLOCKS_PER_SEC;
}
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define REFUSAL_SECONDS 1.0
#else
#define REFUSAL_SECONDS 0.1
#endif

/* A file's bytes, to be freed. */
static inline unsigned char *bytes_of(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s: is this run from the repository's root?", path);
    unsigned char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static inline void write_bytes(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* splitmix64 */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Makes a file wrong: some bytes, sizes that overflow, a cut, a piece moved elsewhere. Returns its new size.
 */
static inline size_t mutate(unsigned char *bytes, size_t size, uint64_t *state) {
    static const uint64_t edges[] = {0,          1,          0x7f,       0xff,       0x7fff,
                                     0xffff,     0x7fffffff, 0xffffffff, UINT64_MAX, INT64_MAX,
                                     1ull << 46, 1ull << 61, 1ull << 63};
    int times = 1 + (int)(next_random(state) % 6);
    while (times-- && size > 16) {
        uint64_t r = next_random(state), at = next_random(state) % (size - 8);
        uint64_t from = next_random(state) % (size - 8), edge = edges[r / 8 % (sizeof edges / sizeof *edges)];
        switch (r % 8) {
        case 0: size = 8 + at; break;
        case 1: memcpy(bytes + at, &edge, 8); break;
        case 2: memcpy(bytes + at, &edge, 4); break;
        case 3: memmove(bytes + at, bytes + from, 8); break;
        case 4: bytes[at] ^= (unsigned char)(1u << (r >> 8 & 7)); break;
        default: bytes[at] = (unsigned char)(r >> 16);
        }
    }
    return size;
}

#endif
