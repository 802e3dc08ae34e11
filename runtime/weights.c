/* Fills a net's parameters. */
#include "runtime/weights.h"

#include "ir/base/draw.h"
#include "runtime/random.h"

bool weights_load(const net *n, const char *path, float *to, arena *scratch, diags *d) {
    param *table = NEW_ARRAY(scratch, param, n->param_count + 1);
    for (int k = 0; k < n->param_count; k++) table[k] = n->params[k].at;
    tensors file;
    if (!tensors_open(&file, scratch, path, d)) return false;
    bool good = params_load(&file, table, n->param_count, to, scratch, d);
    tensors_close(&file);
    return good;
}

static void draw_param(const net_param *p, float *to, random_stream s) {
    draw d = {DRAW_SAME, 0, 0};
    draw_of(&d, p->rule, p->scale, p->fan_in, p->fan_out);
    if (d.kind == DRAW_NORMAL) random_normal(to, 0, p->at.count, d.a, s);
    if (d.kind == DRAW_UNIFORM) random_uniform(to, 0, p->at.count, d.a, d.b, s);
    for (int64_t i = 0; d.kind == DRAW_SAME && i < p->at.count; i++) to[i] = (float)d.a;
}

void weights_draw(const net *n, uint64_t seed, float *to) {
    for (int k = 0; k < n->param_count; k++)
        draw_param(&n->params[k], to + n->params[k].at.offset, (random_stream){seed, (uint32_t)k});
}
