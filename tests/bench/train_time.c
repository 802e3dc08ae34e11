/* Times training steps of a generated pair (made with --train --prefix net): train_time SECONDS. Pictures and labels
 * are random, and the same at every step; the last line of output is the median step in milliseconds, as time.c's. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT 100000

static double now_ms(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static unsigned next(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void *zeros(size_t bytes) {
    size_t whole = (bytes + NET_ALIGN - 1) / NET_ALIGN * NET_ALIGN;
    void *p = aligned_alloc(NET_ALIGN, whole ? whole : NET_ALIGN);
    if (!p) puts("no memory"), exit(1);
    return memset(p, 0, whole);
}

int main(int argc, char **argv) {
    static double times[LIMIT];
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    size_t numbers = (size_t)NET_MAX_BATCH * IN_SIZE, labels = NET_MAX_BATCH; /* a class a sample */
    net_params *params = zeros(sizeof *params);
    net_optimizer *optimizer = zeros(sizeof *optimizer);
    float *in = zeros(numbers * sizeof *in), loss = 0;
    int32_t *label = zeros(labels * sizeof *label);
    void *workspace = zeros(NET_STEP_WORKSPACE_BYTES);
    unsigned state = 12345;
    int runs = 0, code = net_init(params, 1);
    for (size_t i = 0; i < numbers; i++) in[i] = (float)next(&state) / 8388608.0f - 1;
    for (size_t i = 0; i < labels; i++) label[i] = (int32_t)(next(&state) % 10);
    double end = now_ms() + seconds * 1e3;
    for (int i = 0; code == NET_OK && runs < LIMIT && (runs < 5 || now_ms() < end); i++) {
        double start = now_ms();
        code = net_step(params, optimizer, NET_MAX_BATCH, in, label, 0.01f, &loss, workspace,
                        NET_STEP_WORKSPACE_BYTES);
        if (i >= 2) times[runs++] = now_ms() - start; /* two to warm up */
    }
    if (code != NET_OK) return puts(net_error(code)), 1;
    qsort(times, (size_t)runs, sizeof *times, by_value);
    printf("{\"runs\": %d, \"median_ms\": %.4f, \"min_ms\": %.4f, \"loss\": %.4f}\n", runs, times[runs / 2],
           times[0], (double)loss);
    return 0;
}
