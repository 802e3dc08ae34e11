/* One rule an op that looks further than one place; the others join what their operands depend on. Ops that
 * mix all places (linear, recurrent, reductions over rows or columns, ...) depend on the whole picture. */
#include "frontend/api/field.h"

#include "ir/op.h"
#include "ir/ops/attrs.h"

#include <math.h>
#include <string.h>

typedef struct fields {
    const graph *graph;
    field *at;
    field whole; /* the largest picture */
} fields;

static field join(const field *a, const field *b) {
    field r = *a;
    for (int k = 0; k < 2; k++) {
        r.size[k] = fmax(a->size[k], b->size[k]);
        r.step[k] = fmax(a->step[k], b->step[k]);
    }
    return r;
}

static field joined(const fields *f, const node *n) {
    field r = {{0, 0}, {0, 0}};
    for (int k = 0; k < n->inputs; k++) r = join(&r, &f->at[n->in[k]->id]);
    return r;
}

static field window(field x, const int64_t *kernel, const int64_t *stride, const int64_t *dilation) {
    for (int k = 0; k < 2; k++) {
        x.size[k] += (double)((kernel[k] - 1) * dilation[k]) * x.step[k];
        x.step[k] *= (double)stride[k];
    }
    return x;
}

static field after_conv(const fields *f, const node *n, field x) {
    const conv_attrs *a = n->attrs;
    (void)f;
    return window(x, n->in[1]->shape.dim + 2, a->stride, a->dilation);
}

static field after_pool(const fields *f, const node *n, field x) {
    const pool_attrs *a = n->attrs;
    (void)f;
    return window(x, a->kernel, a->stride, a->dilation);
}

/* An element reads ⌈taps / stride⌉ places, and `stride` elements share one. */
static field after_transpose_conv(const fields *f, const node *n, field x) {
    const conv_transpose_attrs *a = n->attrs;
    (void)f;
    for (int k = 0; k < 2; k++) {
        int64_t taps = (n->in[1]->shape.dim[2 + k] - 1) * a->dilation[k] + 1;
        int64_t places = (taps + a->stride[k] - 1) / a->stride[k];
        x.size[k] += (double)(places - 1) * x.step[k];
        x.step[k] /= (double)a->stride[k];
    }
    return x;
}

static field after_upsample(const fields *f, const node *n, field x) {
    const upsample_attrs *a = n->attrs;
    (void)f;
    for (int k = 0; k < 2; k++) {
        if (strcmp(a->mode, "bilinear") == 0) x.size[k] += x.step[k];
        x.step[k] *= (double)n->in[0]->shape.dim[2 + k] / (double)n->out[0]->shape.dim[2 + k];
    }
    return x;
}

static field after_slice(const fields *f, const node *n, field x) {
    const slice_attrs *a = n->attrs;
    (void)f;
    if (n->in[0]->shape.rank == 4 && a->axis >= 2) x.step[a->axis - 2] *= (double)a->step;
    return x;
}

static field unchanged(const fields *f, const node *n, field x) {
    (void)f;
    (void)n;
    return x;
}

static field everything(const fields *f, const node *n, field x) {
    (void)n;
    return x.size[0] > 0 ? f->whole : x;
}

static const struct {
    const char *op;
    field (*after)(const fields *f, const node *n, field x);
} rules[] = {
    {"conv2d", after_conv},       {"conv_transpose2d", after_transpose_conv},
    {"maxpool", after_pool},      {"avgpool", after_pool},
    {"upsample", after_upsample}, {"slice", after_slice},
    {"batchnorm", unchanged},     {"lrn", unchanged},
    {"concat", unchanged},        {"split", unchanged},
    {"pad", unchanged},           {"dropout", unchanged},
    {"cast", unchanged},          {"identity", unchanged},
    {"reorder", unchanged},
};

/* softmax and its kin over channels look at one place. */
static bool along_channels(const node *n) {
    bool axis = strcmp(n->op->name, "softmax") == 0 || strcmp(n->op->name, "log_softmax") == 0;
    return axis && n->in[0]->shape.rank == 4 && ((const axis_attrs *)n->attrs)->axis == 1;
}

static field after(const fields *f, const node *n) {
    field x = joined(f, n);
    if (node_elementwise(n) || along_channels(n)) return x;
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++)
        if (strcmp(rules[k].op, n->op->name) == 0) return rules[k].after(f, n, x);
    return everything(f, n, x);
}

static bool is_picture(const value *v) {
    return v->type == DT_F32 && v->shape.rank == 4;
}

static bool start(fields *f) {
    for (int k = 0; k < f->graph->inputs.count; k++) {
        const value *v = f->graph->inputs.at[k];
        if (!is_picture(v)) continue;
        f->at[v->id] = (field){{1, 1}, {1, 1}};
        field size = {{(double)v->shape.dim[2], (double)v->shape.dim[3]},
                      {(double)v->shape.dim[2], (double)v->shape.dim[3]}};
        f->whole = join(&f->whole, &size);
    }
    return f->whole.size[0] > 0;
}

const field *fields_of(arena *a, const graph *g) {
    fields f = {.graph = g, .at = NEW_ARRAY(a, field, g->next_id + 1)};
    if (!start(&f)) return NULL;
    for (int i = 0; i < g->nodes.count; i++) {
        const node *n = g->nodes.at[i];
        field x = after(&f, n);
        for (int k = 0; k < n->outputs; k++) f.at[n->out[k]->id] = x;
    }
    return f.at;
}
