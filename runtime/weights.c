/* Fills a net's parameters. */
#include "runtime/weights.h"

#include "runtime/random.h"

#include <math.h>
#include <string.h>

bool weights_load(const net *n, const char *path, float *to, arena *scratch, diags *d) {
    param *table = NEW_ARRAY(scratch, param, n->param_count + 1);
    for (int k = 0; k < n->param_count; k++) table[k] = n->params[k].at;
    tensors file;
    if (!tensors_open(&file, scratch, path, d)) return false;
    bool good = params_load(&file, table, n->param_count, to, scratch, d);
    tensors_close(&file);
    return good;
}

static void fill(float *to, int64_t count, double x) {
    for (int64_t i = 0; i < count; i++) to[i] = (float)x;
}

static void draw_he(const net_param *p, float *to, random_stream s) {
    random_normal(to, 0, p->at.count, sqrt(2.0 / (double)p->fan_in), s);
}

static void draw_xavier(const net_param *p, float *to, random_stream s) {
    double bound = sqrt(6.0 / ((double)p->fan_in + (double)p->fan_out));
    random_uniform(to, 0, p->at.count, -bound, bound, s);
}

static void draw_uniform(const net_param *p, float *to, random_stream s) {
    double bound = sqrt(1.0 / (double)p->fan_in);
    random_uniform(to, 0, p->at.count, -bound, bound, s);
}

static void draw_normal(const net_param *p, float *to, random_stream s) {
    random_normal(to, 0, p->at.count, p->scale, s);
}

static void draw_zeros(const net_param *p, float *to, random_stream s) {
    (void)s;
    fill(to, p->at.count, 0);
}

static void draw_ones(const net_param *p, float *to, random_stream s) {
    (void)s;
    fill(to, p->at.count, 1);
}

static void draw_constant(const net_param *p, float *to, random_stream s) {
    (void)s;
    fill(to, p->at.count, p->scale);
}

static const struct {
    const char *name;
    void (*draw)(const net_param *p, float *to, random_stream s);
} rules[] = {
    {"he", draw_he},       {"xavier", draw_xavier}, {"uniform", draw_uniform},   {"normal", draw_normal},
    {"zeros", draw_zeros}, {"ones", draw_ones},     {"constant", draw_constant},
};

void weights_draw(const net *n, uint64_t seed, float *to) {
    for (int k = 0; k < n->param_count; k++)
        for (size_t r = 0; r < sizeof rules / sizeof *rules; r++)
            if (strcmp(rules[r].name, n->params[k].rule) == 0)
                rules[r].draw(&n->params[k], to + n->params[k].at.offset, (random_stream){seed, (uint32_t)k});
}
