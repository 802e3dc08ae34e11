/* Plain loops in double; every sum in one order. */
#include "tests/support/tiny_net.h"

#include "runtime/random.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WEIGHTS = TINY_CLASSES * TINY_INPUTS,
    BIAS = WEIGHTS,
    MEAN = BIAS + TINY_CLASSES,
    VALUES = MEAN + TINY_INPUTS,
    MOMENTS = MEAN
};

int64_t tiny_values(void) {
    return VALUES;
}

static void compute(const float *params, const float *x, const double *mask, double *out) {
    for (int c = 0; c < TINY_CLASSES; c++) {
        out[c] = (double)params[BIAS + c];
        for (int k = 0; k < TINY_INPUTS; k++)
            out[c] += (double)params[c * TINY_INPUTS + k] * (double)x[k] * (mask ? mask[k] : 1);
    }
}

static bool prepare(void *self, const float *params, void *packed, diags *d) {
    (void)self, (void)d;
    memcpy(packed, params, VALUES * sizeof *params);
    return true;
}

static bool forward(void *self, const net_call *c, diags *d) {
    (void)self, (void)d;
    for (int64_t i = 0; i < c->n; i++) {
        double out[TINY_CLASSES];
        compute(c->packed, (const float *)c->inputs[0] + i * TINY_INPUTS, NULL, out);
        for (int k = 0; k < TINY_CLASSES; k++) ((float *)c->outputs[0])[i * TINY_CLASSES + k] = (float)out[k];
    }
    return true;
}

/* One sample's part of the gradient; its loss. */
static double back(const net_step *s, int64_t i, double *gradient) {
    const float *x = (const float *)s->inputs[0] + i * TINY_INPUTS;
    int32_t class = ((const int32_t *)s->target)[i];
    uint32_t bits[4], counter[4] = {(uint32_t)s->optimizer->step, (uint32_t)i, 0, 77};
    double mask[TINY_INPUTS], out[TINY_CLASSES], sum = 0;
    philox(bits, counter, s->optimizer->seed);
    for (int k = 0; k < TINY_INPUTS; k++) mask[k] = bits[0] >> k & 1 || bits[1] >> k & 1 ? 4.0 / 3 : 0;
    compute(s->params, x, mask, out);
    for (int c = 0; c < TINY_CLASSES; c++) sum += exp(out[c]);
    for (int c = 0; c < TINY_CLASSES; c++) {
        double error = (exp(out[c]) / sum - (c == class)) / (double)s->n;
        if (s->output) s->output[i * TINY_CLASSES + c] = (float)out[c];
        gradient[BIAS + c] += error;
        for (int k = 0; k < TINY_INPUTS; k++) gradient[c * TINY_INPUTS + k] += error * (double)x[k] * mask[k];
    }
    return (log(sum) - out[class]) / (double)s->n;
}

static void update(const net_step *s, const double *gradient) {
    float *moments = (float *)(s->optimizer + 1);
    for (int k = 0; k < MOMENTS; k++) {
        moments[k] = (float)(0.9 * (double)moments[k] + gradient[k]);
        s->params[k] -= s->learning_rate * moments[k];
    }
    for (int k = 0; k < TINY_INPUTS; k++)
        s->params[MEAN + k] = 0.9f * s->params[MEAN + k] + 0.1f * ((const float *)s->inputs[0])[k];
    s->optimizer->step++;
}

static net_stepped step(void *self, const net_step *s, diags *d) {
    const tiny *t = self;
    double gradient[MOMENTS] = {0}, loss = 0;
    (void)d;
    if (t->refuse_at && s->optimizer->step + 1 == (uint64_t)t->refuse_at) return t->refusal;
    for (int64_t i = 0; i < s->n; i++) loss += back(s, i, gradient);
    *s->loss = (float)loss;
    update(s, gradient);
    return STEP_DONE;
}

static void name(param *p, const char *called, int64_t offset, int64_t rows, int64_t columns) {
    *p = (param){.name = called, .offset = offset, .count = rows * columns, .rank = rows > 1 ? 2 : 1};
    p->dims[0] = rows > 1 ? rows : columns;
    p->dims[1] = rows > 1 ? columns : 0;
}

static void describe(tiny *t) {
    name(&t->params[0].at, "fc.weight", 0, TINY_CLASSES, TINY_INPUTS);
    name(&t->params[1].at, "fc.bias", BIAS, 1, TINY_CLASSES);
    name(&t->params[2].at, "bn.running_mean", MEAN, 1, TINY_INPUTS);
    name(&t->moments[0].at, "fc.weight.momentum", 0, TINY_CLASSES, TINY_INPUTS);
    name(&t->moments[1].at, "fc.bias.momentum", BIAS, 1, TINY_CLASSES);
    t->input =
        (net_tensor){.name = "image", .batched = true, .rank = 3, .dims = {1, 4, 4}, .count = TINY_INPUTS};
    t->output = (net_tensor){
        .name = "logits", .batched = true, .rank = 1, .dims = {TINY_CLASSES}, .count = TINY_CLASSES};
    t->recipe = (net_recipe){.loss = "cross_entropy",
                             .optimizer = "sgd",
                             .learning_rate = 0.1,
                             .batch = TINY_BATCH,
                             .classes = true,
                             .target_count = 1,
                             .class_count = TINY_CLASSES};
}

void tiny_open(tiny *t, float *params) {
    *t = (tiny){.net = {.name = "tiny",
                        .input_count = 1,
                        .output_count = 1,
                        .param_count = 3,
                        .values = VALUES,
                        .scores = SCORES_LOGITS,
                        .loss = "cross_entropy",
                        .moment_count = 2,
                        .moment_values = MOMENTS,
                        .max_batch = TINY_BATCH,
                        .packed_bytes = VALUES * (int64_t)sizeof(float),
                        .prepare = prepare,
                        .forward = forward,
                        .step = step}};
    describe(t);
    t->net.inputs = &t->input;
    t->net.outputs = &t->output;
    t->net.params = t->params;
    t->net.moments = t->moments;
    t->net.recipe = &t->recipe;
    t->net.self = t;
    random_uniform(params, 0, VALUES, -0.25, 0.25, (random_stream){5, 0});
}

/* ---- data ---- */

static void put_big(FILE *f, uint32_t x) {
    for (int k = 24; k >= 0; k -= 8) fputc((int)(x >> k & 255), f);
}

/* Class c is bright in column c, on a ground of noise. */
static void write_set(const char *folder, const char *prefix, int count, uint64_t seed) {
    char path[4096];
    int32_t noise[TINY_INPUTS * TINY_TRAIN];
    random_below(noise, 0, (int64_t)count * TINY_INPUTS, 120, (random_stream){seed, 1});
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", folder, prefix);
    FILE *images = fopen(path, "wb");
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", folder, prefix);
    FILE *labels = fopen(path, "wb");
    if (!images || !labels) abort();
    put_big(images, 0x803), put_big(images, (uint32_t)count), put_big(images, 4), put_big(images, 4);
    put_big(labels, 0x801), put_big(labels, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        fputc(i % TINY_CLASSES, labels);
        for (int k = 0; k < TINY_INPUTS; k++)
            fputc(noise[i * TINY_INPUTS + k] + (k % 4 == i % TINY_CLASSES ? 100 : 0), images);
    }
    if (fclose(images) != 0 || fclose(labels) != 0) abort();
}

void tiny_write_data(const char *folder) {
    write_set(folder, "train", TINY_TRAIN, 1);
    write_set(folder, "t10k", TINY_TEST, 2);
}
