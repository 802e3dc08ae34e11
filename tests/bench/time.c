/* Times forward passes of a generated pair (made with --prefix net): time SECONDS. Weights and input are random;
 * the last line of output is the median pass in milliseconds. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Small numbers that no layer blows up, with positive variances. */
static void fill(float *x, size_t count, float scale) {
    unsigned state = 12345;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = scale * (float)(state >> 8) / 16777216.0f;
    }
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 2, times[100000];
    int runs = 0, code;
    net_params *params = aligned_alloc(64, (sizeof(net_params) + 63) / 64 * 64);
    void *packed = aligned_alloc(64, NET_PACKED_BYTES), *workspace = aligned_alloc(64, NET_WORKSPACE_BYTES);
    float *in = malloc(sizeof(float) * NET_MAX_BATCH * IN_SIZE),
          *out = malloc(sizeof(float) * NET_MAX_BATCH * OUT_SIZE);
    fill((float *)params, sizeof(net_params) / sizeof(float), 0.01f);
    fill(in, (size_t)NET_MAX_BATCH * IN_SIZE, 1);
    if ((code = net_prepare(params, packed)) != 0) return puts(net_error(code)), 1;
    double end = now_ms() + seconds * 1e3;
    for (int i = 0; runs < 5 || now_ms() < end; i++) {
        double start = now_ms();
        code = net_forward(packed, NET_MAX_BATCH, in, out, workspace, NET_WORKSPACE_BYTES);
        if (code != 0) return puts(net_error(code)), 1;
        if (i >= 2 && runs < 100000) times[runs++] = now_ms() - start; /* two to warm up */
    }
    qsort(times, (size_t)runs, sizeof *times, by_value);
    printf("{\"runs\": %d, \"median_ms\": %.4f, \"min_ms\": %.4f}\n", runs, times[runs / 2], times[0]);
    return 0;
}
