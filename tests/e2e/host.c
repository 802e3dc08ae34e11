/* A program around a generated pair (made with --prefix net), for tests/e2e: every buffer has exactly the
 * size that the header's macros say. Parameters and inputs come from golden.py's formula, so that outputs may
 * be held against tests/goldens/zoo. Compiled with
 *
 *     -DIO='IN(float, image, NET_IMAGE_SIZE) OUT(float, logits, NET_LOGITS_SIZE)'
 *                       in the order of net_forward
 *     -DSTATE           the net has recurrent state
 *     -DBOUND=N         integer inputs lie in 0..N-1
 *     -DCHANNELS=C -DMEAN=M,.. -DSTD=S,..
 *                       for `pixels`, of the only input
 *
 * and run as
 *
 *     host N          outputs for N samples, a number a line; with state those of a second call too
 *     host N each     the same, by N calls of one sample
 *     host N pixels   what net_forward_u8 gives for pixels; then net_forward for the same, normalised
 *     host N errors   whether each misuse gives its code */
#define _POSIX_C_SOURCE 200112L
#include "net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BOUND
#define BOUND 1
#endif

/* ---- golden.py's numbers ---- */

static uint32_t draw(const char *name, size_t k) {
    uint64_t z = 0xCBF29CE484222325u;
    for (; *name; name++) z = (z ^ (unsigned char)*name) * 0x100000001B3u;
    z += (k + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 40);
}

static void fill(float *x, const char *name, size_t count, double low, double high) {
    for (size_t k = 0; k < count; k++) x[k] = (float)(low + (high - low) * (draw(name, k) / 16777216.0));
}

static int ends_with(const char *s, const char *end) {
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

static void fill_params(char *params) {
    for (const net_tensor *t = net_tensors; t->name[0]; t++) {
        float *x = (float *)(void *)(params + t->offset);
        double bound = t->rank > 1 ? sqrt(6.0 / (double)(t->count / (size_t)t->dims[0])) : 0.1;
        if (ends_with(t->name, "running_var"))
            fill(x, t->name, t->count, 0.5, 1.5);
        else if (t->rank == 1 && ends_with(t->name, "weight"))
            fill(x, t->name, t->count, 0.5, 1);
        else
            fill(x, t->name, t->count, -bound, bound);
    }
}

static void fill_float(float *x, const char *name, size_t count) {
    fill(x, name, count, -1, 1);
}

static void fill_int32_t(int32_t *x, const char *name, size_t count) {
    for (size_t k = 0; k < count; k++) x[k] = (int32_t)(draw(name, k) % BOUND);
}

/* ---- buffers and calls ---- */

/* Aligned as packed and workspace must be, of exactly this size; holds NaNs. */
static void *room(size_t bytes) {
    void *p = NULL;
    if (bytes && posix_memalign(&p, NET_ALIGN, bytes) != 0) exit(3);
    if (bytes) memset(p, 0xff, bytes);
    return p;
}

typedef struct buffers {
#define IN(type, name, size)  type *name;
#define OUT(type, name, size) type *name;
    IO
#undef IN
#undef OUT
#ifdef STATE
        net_state *state;
#endif
    void *packed, *workspace;
} buffers;

static buffers make(int n) {
    buffers b;
    net_params *params = room(sizeof *params);
    fill_params((char *)params);
    b.packed = room(NET_PACKED_BYTES);
    b.workspace = room(NET_WORKSPACE_BYTES);
    if (net_prepare(params, b.packed) != NET_OK) exit(4);
    free(params);
#define IN(type, name, size)                                                                                 \
    b.name = malloc(sizeof(type) * (size) * (size_t)n);                                                      \
    fill_##type(b.name, #name, (size_t)(size) * (size_t)n);
#define OUT(type, name, size) b.name = malloc(sizeof(type) * (size) * (size_t)n);
    IO
#undef IN
#undef OUT
#ifdef STATE
        b.state = calloc(1, sizeof *b.state);
#endif
    return b;
}

static void release(buffers *b) {
#define IN(type, name, size)  free(b->name);
#define OUT(type, name, size) free(b->name);
    IO
#undef IN
#undef OUT
#ifdef STATE
        free(b->state);
#endif
    free(b->packed);
    free(b->workspace);
}

/* n samples from the given one on; `keep`: with state. */
static int call(const buffers *b, size_t first, int n, int keep) {
    (void)keep;
#define IN(type, name, size)  , b->name + first *(size)
#define OUT(type, name, size) , b->name + first *(size)
    return net_forward(b->packed, n IO
#ifdef STATE
                       ,
                       keep ? b->state : NULL
#endif
                       ,
                       b->workspace, NET_WORKSPACE_BYTES);
#undef IN
#undef OUT
}

static void print_float(const float *x, size_t count) {
    for (size_t k = 0; k < count; k++) printf("%.9g\n", (double)x[k]);
}

#define print_int32_t(x, count)                                                                              \
    for (size_t k = 0; k < (count); k++) printf("%ld\n", (long)(x)[k])

static void print(const buffers *b, int n) {
#define IN(type, name, size)
#define OUT(type, name, size) print_##type(b->name, (size_t)(size) * (size_t)n);
    IO
#undef IN
#undef OUT
}

static int forward(const buffers *b, int n) {
    int code = call(b, 0, n, 1);
    if (!code) print(b, n);
#ifdef STATE
    if (!code) code = call(b, 0, n, 1);
    if (!code) print(b, n);
#endif
    return code;
}

/* Each sample starts from zeros, as in the first call of `forward`. */
static int each(const buffers *b, int n) {
    int code = 0;
    for (int i = 0; i < n && !code; i++) code = call(b, (size_t)i, 1, 0);
    if (!code) print(b, n);
    return code;
}

/* ---- pixels ---- */

static int pixels(buffers *b, int n) {
#ifdef CHANNELS
    static const double mean[] = {MEAN}, std[] = {STD};
#define IN(type, name, size)                                                                                 \
    float *image = b->name;                                                                                  \
    const size_t area = (size) / CHANNELS;
#define OUT(type, name, size)
    IO
#undef IN
        uint8_t *given = malloc((size_t)n * CHANNELS * area);
    for (size_t k = 0; k < (size_t)n * CHANNELS * area; k++) given[k] = (uint8_t)draw("pixels", k);
    for (size_t i = 0; i < (size_t)n; i++)
        for (size_t c = 0; c < CHANNELS; c++)
            for (size_t p = 0; p < area; p++)
                image[(i * CHANNELS + c) * area + p] =
                    (float)((given[(i * area + p) * CHANNELS + c] / 255.0 - mean[c]) / std[c]);
#define IN(type, name, size) , given
#undef OUT
#define OUT(type, name, size) , b->name
    int code = net_forward_u8(b->packed, n IO, b->workspace, NET_WORKSPACE_BYTES);
#undef IN
#undef OUT
    free(given);
    if (!code) print(b, n);
    return code ? code : forward(b, n);
#else
    return (void)b, (void)n, 5;
#endif
}

/* ---- misuse ---- */

static int wrong;

static void expect(const char *what, int got, int want) {
    if (got == want && strlen(net_error(got)) > 3) return;
    printf("%s: code %d (%s), expected %d\n", what, got, net_error(got), want);
    wrong = 1;
}

static int errors(const buffers *b) {
    buffers c = *b;
    char *unprepared = room(NET_PACKED_BYTES);
    expect("right", call(&c, 0, 1, 0), NET_OK);
    expect("no samples", call(&c, 0, 0, 0), NET_BAD_BATCH);
    expect("a negative number of samples", call(&c, 0, -1, 0), NET_BAD_BATCH);
    expect("too many samples", call(&c, 0, NET_MAX_BATCH + 1, 0), NET_BAD_BATCH);
    c.packed = unprepared;
    expect("not prepared", call(&c, 0, 1, 0), NET_NOT_PREPARED);
    c.packed = (char *)b->packed + 4;
    expect("packed at an odd address", call(&c, 0, 1, 0), NET_UNALIGNED);
    c.packed = NULL;
    expect("no packed", call(&c, 0, 1, 0), NET_NULL_POINTER);
    c = *b;
    c.workspace = (char *)b->workspace + 4;
    expect("workspace at an odd address", call(&c, 0, 1, 0), NET_UNALIGNED);
    c.workspace = NULL;
    expect("no workspace", call(&c, 0, 1, 0), NET_NULL_POINTER);
#define IN(type, name, size)                                                                                 \
    c = *b, c.name = NULL, expect("no input " #name, call(&c, 0, 1, 0), NET_NULL_POINTER);
#define OUT(type, name, size)                                                                                \
    c = *b, c.name = NULL, expect("no output " #name, call(&c, 0, 1, 0), NET_NULL_POINTER);
    IO
#undef IN
#undef OUT
#define IN(type, name, size)  , b->name
#define OUT(type, name, size) , b->name
        int code = net_forward(b->packed, 1 IO
#ifdef STATE
                               ,
                               NULL
#endif
                               ,
                               b->workspace, NET_WORKSPACE_BYTES - 1);
    expect("a byte too little", code, NET_SMALL_WORKSPACE);
    expect("prepare without params", net_prepare(NULL, unprepared), NET_NULL_POINTER);
    expect("prepare without packed", net_prepare((const net_params *)(const void *)b->workspace, NULL),
           NET_NULL_POINTER);
    expect("prepare at an odd address",
           net_prepare((const net_params *)(const void *)b->workspace, unprepared + 4), NET_UNALIGNED);
    free(unprepared);
    if (strcmp(net_error(-7), net_error(12345)) != 0) wrong = 1;
    return wrong;
}

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 0;
    const char *how = argc > 2 ? argv[2] : "";
    if (n < 1 || n > NET_MAX_BATCH) return 2;
    buffers b = make(n);
    int code = strcmp(how, "each") == 0     ? each(&b, n)
               : strcmp(how, "pixels") == 0 ? pixels(&b, n)
               : strcmp(how, "errors") == 0 ? errors(&b)
                                            : forward(&b, n);
    release(&b);
    if (code) fprintf(stderr, "code %d: %s\n", code, net_error(code));
    return code != 0;
}
