/* Ways to add a node (a table), tried at random until there are enough. */
#include "tests/support/random_graph.h"

#include "ir/ops/attrs.h"
#include "ir/ops/list.h"
#include "ir/ops/scan.h"

#include <stdio.h>
#include <string.h>

enum { MOST_VALUES = 400 /* numbers of a sample */, TRIES = 60, AXES = 0, ANY = -1 };

typedef struct pooled {
    value *v;
    bool exact; /* the same bits on every backend: inputs, moved */
} pooled;

typedef struct maker {
    arena *arena;
    graph *g;
    golden *out;
    uint64_t state;
    diags silent;
    VEC(pooled) pool;
    int named, made;
} maker;

/* ---- chance ---- */

static uint64_t next(maker *m) {
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int64_t below(maker *m, int64_t count) {
    return (int64_t)(next(m) % (uint64_t)count);
}

static int64_t within(maker *m, int64_t low, int64_t high) {
    return low + below(m, high - low + 1);
}

static bool chance(maker *m, int percent) {
    return below(m, 100) < percent;
}

static int64_t one_of(maker *m, const int64_t *list, int count) {
    return list[below(m, count)];
}

/* Around the blocks of 16, and far from them. */
static int64_t channels(maker *m) {
    static const int64_t some[] = {1, 2, 3, 4, 5, 8, 15, 16, 16, 17, 20, 32, 33};
    return one_of(m, some, sizeof some / sizeof *some);
}

/* ---- values ---- */

static void keep(maker *m, value *v, bool exact) {
    pooled p = {v, exact};
    VEC_PUSH(m->arena, &m->pool, p);
}

static const char *new_name(maker *m, char letter) {
    return arena_printf(m->arena, "%c%d", letter, m->named++);
}

static void fill(maker *m, const char *name, double low, double high, int64_t limit) {
    golden_fill f = {name, low, high, limit};
    VEC_PUSH(m->arena, &m->out->fills, f);
}

static value *new_input(maker *m, shape s) {
    const char *name = new_name(m, 'x');
    value *v = graph_input(m->g, name, DT_F32, s, (span){0});
    fill(m, name, -1.5, 1.5, 0);
    keep(m, v, true);
    return v;
}

static value *new_integers(maker *m, shape s, int64_t bound) {
    const char *name = new_name(m, 'i');
    value *v = graph_input(m->g, name, DT_I32, s, (span){0});
    v->as.input.bound = bound;
    fill(m, name, 0, 0, bound);
    return v;
}

/* Weights whose sums stay around 1. */
static value *new_weight(maker *m, shape s, int64_t fan_in) {
    const char *name = new_name(m, 'w');
    double most = fan_in > 4 ? 4.0 / (double)fan_in : 1;
    fill(m, name, -most, most, 0);
    return graph_param(m->g, name, s, true, (init_rule){.rule = "he"}, (span){0});
}

static value *new_positive(maker *m, shape s) {
    const char *name = new_name(m, 'v');
    fill(m, name, 0.5, 1.5, 0);
    return graph_param(m->g, name, s, true, (init_rule){.rule = "ones"}, (span){0});
}

static shape dims(int rank, int64_t a, int64_t b, int64_t c, int64_t d) {
    const int64_t all[] = {a, b, c, d};
    return shape_of(rank, all);
}

static shape vector(int64_t count) {
    return dims(1, count, 0, 0, 0);
}

static shape images(maker *m) {
    shape s;
    do s = dims(4, DIM_N, channels(m), within(m, 1, 7), within(m, 1, 7));
    while (shape_count(&s) > MOST_VALUES);
    return s;
}

/* A value of this rank (AXES: any that has axes besides the batch, ANY: [N] too), of those made last rather than first; a new input where there is none. */
static pooled pick(maker *m, int rank, bool exact) {
    for (int k = 0; k < TRIES; k++) {
        int count = m->pool.count, i = count - 1 - (int)(below(m, count) * below(m, count) / count);
        const pooled *p = &m->pool.at[i];
        if (p->v->type != DT_F32 || (rank > 0 && p->v->shape.rank != rank) || (exact && !p->exact)) continue;
        if (rank == AXES && p->v->shape.rank < 2) continue;
        if (shape_batched(&p->v->shape)) return *p;
    }
    shape s = rank == 4   ? images(m)
              : rank == 3 ? dims(3, DIM_N, within(m, 1, 5), channels(m), 0)
                          : dims(2, DIM_N, channels(m), 0, 0);
    new_input(m, s);
    return m->pool.at[m->pool.count - 1];
}

/* A node of this op; false where its inference refuses it. */
static node *make(maker *m, const char *op_name, value *const *in, int inputs, const void *attrs) {
    const op *o = op_find(op_name);
    if (!o) trap_spring(m->arena->trap, arena_printf(m->arena, "random_graph: there is no op '%s'", op_name));
    int64_t numbers = m->g->numbers;
    node *n = graph_node(m->g, o, in, inputs, attrs, NULL, (span){0}, &m->silent);
    if (!n) m->g->numbers = numbers;
    m->silent = (diags){.arena = m->arena};
    return n;
}

/* The same, and its results may be used on. */
static bool add(maker *m, const char *op_name, value *const *in, int inputs, const void *attrs, bool exact) {
    node *n = make(m, op_name, in, inputs, attrs);
    for (int k = 0; n && k < n->outputs; k++) {
        if (n->out[k]->type == DT_F32 && shape_count(&n->out[k]->shape) <= 4 * MOST_VALUES)
            keep(m, n->out[k], exact);
    }
    return n;
}

static value *bounded(maker *m, value *v) {
    return graph_make(m->g, "tanh", &v, 1, NULL, NULL, (span){0});
}

/* 0.2 .. 1.2 */
static value *positive(maker *m, value *v) {
    value *in[2] = {graph_make(m->g, "sigmoid", &v, 1, NULL, NULL, (span){0}), graph_scalar(m->g, 0.2)};
    return graph_make(m->g, "add", in, 2, NULL, NULL, (span){0});
}

/* ---- elementwise ---- */

/* A second operand that broadcasts to x: a value of the same shape, some of its axes, one number. */
static value *operand(maker *m, const value *x, bool exact) {
    shape s = x->shape;
    for (int k = 0; k < TRIES / 2 && chance(m, 90); k++) {
        pooled p = pick(m, x->shape.rank, exact);
        if (shape_equal(&p.v->shape, &s)) return p.v;
    }
    if (chance(m, 20)) return graph_scalar(m->g, 0.25 * (double)within(m, -6, 6));
    bool whole = chance(m, 30);
    int64_t cut = whole ? 0 : below(m, s.rank);
    shape part = {.rank = s.rank - (int)cut};
    for (int k = 0; k < part.rank; k++) part.dim[k] = chance(m, 30) ? 1 : s.dim[k + cut];
    if (part.rank == s.rank) part.dim[0] = chance(m, 50) ? DIM_N : 1;
    if (shape_batched(&part) && (exact || chance(m, 40))) return new_input(m, part);
    if (shape_batched(&part)) part.dim[0] = 1;
    const char *name = new_name(m, 'b');
    fill(m, name, -1, 1, 0);
    return graph_param(m->g, name, part, true, (init_rule){.rule = "zeros"}, (span){0});
}

static bool add_unary(maker *m) {
    static const char *const plain[] = {"neg", "abs",  "tanh",    "erf",  "sin",
                                        "cos", "relu", "sigmoid", "relu", "sigmoid"};
    static const char *const of_positive[] = {"sqrt", "rsqrt", "log"};
    pooled x = pick(m, ANY, false);
    int which = (int)below(m, 15);
    if (which < 10) return add(m, plain[which], &x.v, 1, NULL, x.exact && which < 2);
    if (which == 10) {
        value *v = bounded(m, x.v);
        return add(m, "exp", &v, 1, NULL, false);
    }
    if (which == 11) {
        x = pick(m, ANY, true);
        return add(m, "floor", &x.v, 1, NULL, true);
    }
    value *v = positive(m, x.v);
    return add(m, of_positive[which - 12], &v, 1, NULL, false);
}

static bool add_binary(maker *m) {
    static const char *const plain[] = {"add", "sub", "mul", "max", "min"};
    static const char *const jumps[] = {"lt", "le", "gt", "ge", "eq", "ne"};
    int which = (int)below(m, 16);
    bool exact = which >= 10 && which < 13;
    pooled x = pick(m, ANY, exact);
    value *in[2] = {x.v, operand(m, x.v, exact)};
    if (exact) return add(m, jumps[below(m, 6)], in, 2, NULL, true);
    if (which == 13 || which == 14) {
        in[1] = positive(m, in[1]);
        return add(m, "div", in, 2, NULL, false);
    }
    if (which == 15) {
        value *swapped[2] = {positive(m, in[0]), bounded(m, in[1])};
        return add(m, "pow", swapped, 2, NULL, false);
    }
    if (chance(m, 30)) {
        value *first = in[0];
        in[0] = in[1];
        in[1] = first;
    }
    return add(m, plain[which % 5], in, 2, NULL, false);
}

static bool add_select(maker *m) {
    pooled x = pick(m, ANY, true);
    value *test[2] = {x.v, graph_scalar(m->g, 0.25)};
    value *in[3] = {graph_make(m->g, "gt", test, 2, NULL, NULL, (span){0}), operand(m, x.v, false),
                    operand(m, x.v, false)};
    return add(m, "select", in, 3, NULL, false);
}

static bool add_map(maker *m) {
    static const char *const texts[] = {"s0=mul(i0,i1); add(s0,i1)",
                                        "s0=sub(i0,i1); s1=mul(s0,s0); add(s1,0.5)",
                                        "s0=tanh(i1); s1=sigmoid(i0); mul(s0,s1)", "s0=max(i0,i1); relu(s0)"};
    pooled x = pick(m, ANY, false);
    value *in[2] = {x.v, operand(m, x.v, false)};
    const char *text_of = texts[below(m, 4)];
    node *n = make(m, "map", in, 2, NULL);
    if (!n) return false;
    n->epilogue = expr_parse(m->arena, text_of, strlen(text_of));
    keep(m, n->out[0], false);
    return true;
}

/* y + f(y): what residual nets are made of */
static bool add_residual(maker *m) {
    pooled x = pick(m, ANY, false);
    value *in[2] = {bounded(m, x.v), x.v};
    return add(m, chance(m, 70) ? "add" : "mul", in, 2, NULL, false);
}

/* ---- images ---- */

static void random_window(maker *m, const value *x, int64_t kernel[2], int64_t stride[2], int64_t pad[4]) {
    for (int k = 0; k < 2; k++) {
        int64_t most = x->shape.dim[k + 2] < 4 ? x->shape.dim[k + 2] : 4;
        kernel[k] = within(m, 1, most);
        stride[k] = chance(m, 60) ? 1 : within(m, 1, 3);
        for (int side = 0; pad && side < 2; side++)
            pad[2 * side + k] = chance(m, 50) ? 0 : within(m, 0, kernel[k] / 2);
    }
}

static bool add_conv(maker *m) {
    pooled x = pick(m, 4, false);
    int64_t c = x.v->shape.dim[1], o = channels(m), kernel[2];
    conv_attrs a = {.dilation = {1, 1}, .groups = 1};
    random_window(m, x.v, kernel, a.stride, a.pad);
    if (chance(m, 35)) kernel[0] = kernel[1] = 3, a.stride[0] = a.stride[1] = 1;
    if (chance(m, 20)) a.dilation[0] = within(m, 1, 2), a.dilation[1] = within(m, 1, 2);
    if (chance(m, 20)) a.groups = c, o = c * (chance(m, 80) ? 1 : 2);
    if (chance(m, 15) && c % 2 == 0 && o % 2 == 0) a.groups = 2;
    if (o % a.groups || c % a.groups) return false;
    value *in[3] = {x.v, new_weight(m, dims(4, o, c / a.groups, kernel[0], kernel[1]),
                                    c / a.groups * kernel[0] * kernel[1])};
    bool bias = chance(m, 70);
    if (bias) in[2] = new_weight(m, vector(o), 1);
    return add(m, "conv2d", in, 2 + bias, &a, false);
}

static bool add_conv_transpose(maker *m) {
    pooled x = pick(m, 4, false);
    int64_t c = x.v->shape.dim[1], o = within(m, 1, 5), kernel[2];
    conv_transpose_attrs a = {.dilation = {1, 1}, .groups = 1};
    random_window(m, x.v, kernel, a.stride, a.pad);
    for (int k = 0; k < 2; k++) {
        kernel[k] = within(m, 1, 3);
        if (a.stride[k] > 1 && chance(m, 30)) a.output_pad[k] = 1;
    }
    if (chance(m, 20)) a.groups = c;
    value *in[3] = {x.v,
                    new_weight(m, dims(4, c, o, kernel[0], kernel[1]), c / a.groups * kernel[0] * kernel[1])};
    bool bias = chance(m, 50);
    if (bias) in[2] = new_weight(m, vector(o * a.groups), 1);
    return add(m, "conv_transpose2d", in, 2 + bias, &a, false);
}

static bool add_pool(maker *m) {
    pooled x = pick(m, 4, false);
    bool average = chance(m, 50);
    pool_attrs a = {.dilation = {1, 1}, .ceil = chance(m, 30), .include_pad = chance(m, 50)};
    random_window(m, x.v, a.kernel, a.stride, a.pad);
    if (!average && chance(m, 20)) a.dilation[0] = 2;
    return add(m, average ? "avgpool" : "maxpool", &x.v, 1, &a, !average && x.exact);
}

static bool add_whole_pool(maker *m) {
    static const char *const names[] = {"adaptive_avgpool", "adaptive_maxpool", "global_avgpool",
                                        "global_maxpool"};
    pooled x = pick(m, 4, false);
    int which = (int)below(m, 4);
    adaptive_attrs a = {{within(m, 1, 4), within(m, 1, 4)}};
    return add(m, names[which], &x.v, 1, which < 2 ? &a : NULL, false);
}

static bool add_upsample(maker *m) {
    static const char *const modes[] = {"nearest", "bilinear"};
    pooled x = pick(m, 4, false);
    upsample_attrs a = {.mode = modes[below(m, 2)]};
    bool scales = chance(m, 50);
    for (int k = 0; k < 2; k++) *(scales ? &a.scale[k] : &a.size[k]) = within(m, 1, scales ? 2 : 8);
    a.align_corners = strcmp(a.mode, "bilinear") == 0 && chance(m, 50);
    return add(m, "upsample", &x.v, 1, &a, false);
}

static bool add_pad(maker *m) {
    static const char *const modes[] = {"constant", "reflect", "replicate"};
    pooled x = pick(m, chance(m, 70) ? 4 : AXES, false);
    pad_attrs a = {.mode = modes[below(m, 3)], .value = 0.5 * (double)within(m, -1, 1)};
    bool image = x.v->shape.rank == 4;
    a.before.count = a.after.count = image ? 0 : x.v->shape.rank - 1;
    for (int k = 0; k < a.before.count; k++)
        a.before.at[k] = within(m, 0, 1), a.after.at[k] = within(m, 0, 2);
    for (int k = 0; image && k < 4; k++) a.pads[k] = within(m, 0, 2);
    return add(m, "pad", &x.v, 1, &a, x.exact);
}

static bool add_lrn(maker *m) {
    pooled x = pick(m, 4, false);
    lrn_attrs a = {.size = within(m, 1, 5), .alpha = 0.25, .beta = 0.75, .k = 1, .divide = chance(m, 50)};
    return add(m, "lrn", &x.v, 1, &a, false);
}

static bool add_batchnorm(maker *m) {
    pooled x = pick(m, AXES, false);
    shape c = vector(x.v->shape.dim[1]);
    if (x.v->shape.rank < 2) return false;
    norm_attrs a = {.eps = 1e-5, .momentum = 0.1};
    value *in[5] = {x.v, new_weight(m, c, 1), new_weight(m, c, 1), new_weight(m, c, 1), new_positive(m, c)};
    return add(m, "batchnorm", in, 5, &a, false);
}

/* ---- rows ---- */

static bool add_linear(maker *m) {
    pooled x = pick(m, chance(m, 70) ? 2 : 3, false);
    int64_t f = x.v->shape.dim[x.v->shape.rank - 1], o = channels(m);
    value *in[3] = {x.v, new_weight(m, dims(2, o, f, 0, 0), f)};
    bool bias = chance(m, 70);
    if (bias) in[2] = new_weight(m, vector(o), 1);
    return add(m, "linear", in, 2 + bias, NULL, false);
}

static bool add_matmul(maker *m) {
    pooled x = pick(m, chance(m, 50) ? 3 : AXES, false);
    int rank = x.v->shape.rank;
    int64_t f = x.v->shape.dim[rank - 1];
    value *in[2] = {x.v, NULL};
    if (rank == 3 && chance(m, 40))
        in[1] = new_input(m, dims(3, DIM_N, f, within(m, 1, 9), 0));
    else
        in[1] = new_weight(m, dims(2, f, channels(m), 0, 0), f);
    if (in[1]->kind == VALUE_INPUT) in[1] = bounded(m, in[1]);
    return add(m, "matmul", in, 2, NULL, false);
}

static bool add_rbf(maker *m) {
    pooled x = pick(m, 2, false);
    value *in[2] = {bounded(m, x.v), new_weight(m, dims(2, within(m, 1, 9), x.v->shape.dim[1], 0, 0), 4)};
    return add(m, "rbf", in, 2, NULL, false);
}

static bool add_layernorm(maker *m) {
    pooled x = pick(m, AXES, false);
    int rank = x.v->shape.rank, last = (int)within(m, 1, rank - 1);
    shape s = {.rank = last};
    for (int k = 0; k < last; k++) s.dim[k] = x.v->shape.dim[rank - last + k];
    norm_attrs a = {.eps = 0.01};
    value *in[3] = {x.v, new_weight(m, s, 1), new_weight(m, s, 1)};
    return add(m, "layernorm", in, chance(m, 70) ? 3 : 2, &a, false);
}

static bool add_softmax(maker *m) {
    pooled x = pick(m, AXES, false);
    axis_attrs a = {within(m, 1, x.v->shape.rank - 1)};
    return add(m, chance(m, 60) ? "softmax" : "log_softmax", &x.v, 1, &a, false);
}

static bool add_reduce(maker *m) {
    static const char *const names[] = {"reduce_sum", "reduce_mean", "reduce_max"};
    pooled x = pick(m, AXES, false);
    reduce_attrs a = {.keep = chance(m, 50)};
    for (int k = 1; k < x.v->shape.rank; k++)
        if (chance(m, 50)) a.axes.at[a.axes.count++] = k;
    value *v = bounded(m, x.v);
    return a.axes.count && add(m, names[below(m, 3)], &v, 1, &a, false);
}

/* Of values that all have to the bit; as numbers it goes on. */
static bool add_argmax(maker *m) {
    pooled x = pick(m, AXES, true);
    argmax_attrs a = {within(m, 1, x.v->shape.rank - 1), chance(m, 50)};
    cast_attrs to = {"f32"};
    node *n = make(m, "argmax", &x.v, 1, &a);
    if (!n) return false;
    if (chance(m, 30)) {
        graph_output o = {new_name(m, 'y'), n->out[0]};
        VEC_PUSH(m->g->arena, &m->g->outputs, o);
    }
    return add(m, "cast", n->out, 1, &to, true);
}

static bool add_embedding(maker *m) {
    int64_t rows = within(m, 1, 12);
    shape s = chance(m, 70) ? dims(2, DIM_N, within(m, 1, 5), 0, 0) : dims(1, DIM_N, 0, 0, 0);
    value *in[2] = {new_integers(m, s, rows), new_weight(m, dims(2, rows, channels(m), 0, 0), 1)};
    return add(m, "embedding", in, 2, NULL, true);
}

static bool add_recurrent(maker *m) {
    static const struct {
        const char *name;
        int gates, states;
    } cells[] = {{"rnn", 1, 1}, {"lstm", 4, 2}, {"gru", 3, 1}};
    int which = (int)below(m, 3), count = 1;
    pooled x = pick(m, 3, false);
    int64_t f = x.v->shape.dim[2], h = within(m, 1, 18), gates = cells[which].gates;
    value *in[7] = {x.v};
    for (int k = 0; k < cells[which].states; k++)
        in[count++] =
            chance(m, 60) ? graph_splat(m->g, DT_F32, vector(h), 0) : new_input(m, dims(2, DIM_N, h, 0, 0));
    in[count++] = new_weight(m, dims(2, gates * h, f, 0, 0), f);
    in[count++] = new_weight(m, dims(2, gates * h, h, 0, 0), h);
    if (chance(m, 70)) {
        in[count++] = new_weight(m, vector(gates * h), 1);
        in[count++] = new_weight(m, vector(gates * h), 1);
    }
    const op *o = op_find(cells[which].name);
    char *a = op_defaults(m->arena, o);
    for (const attr *at = o->attrs; at && at->name; at++)
        if (strcmp(at->name, "reversed") == 0) *(bool *)(a + at->offset) = chance(m, 40);
    return add(m, cells[which].name, in, count, a, false);
}

/* ---- moves ---- */

static bool add_concat(maker *m) {
    pooled x = pick(m, AXES, false);
    int rank = x.v->shape.rank, count = (int)within(m, 2, 3);
    axis_attrs a = {chance(m, 60) ? 1 : within(m, 1, rank - 1)};
    value *in[3] = {x.v};
    bool exact = x.exact;
    for (int k = 1; k < count; k++) {
        pooled other = pick(m, rank, false);
        shape s = other.v->shape;
        if (a.axis < s.rank) s.dim[a.axis] = x.v->shape.dim[a.axis];
        if (!shape_equal(&s, &x.v->shape)) {
            s = x.v->shape;
            s.dim[a.axis] = channels(m);
            if (shape_count(&s) > MOST_VALUES) s.dim[a.axis] = 1;
            new_input(m, s);
            other = m->pool.at[m->pool.count - 1];
        }
        in[k] = other.v;
        exact = exact && other.exact;
    }
    return add(m, "concat", in, count, &a, exact);
}

static bool add_split(maker *m) {
    pooled x = pick(m, AXES, false);
    split_attrs a = {.axis = chance(m, 60) ? 1 : within(m, 1, x.v->shape.rank - 1)};
    int64_t left = x.v->shape.dim[a.axis];
    if (left < 2) return false;
    while (left && a.sizes.count < 3) {
        int64_t part = left > 16 && chance(m, 50) ? 16 : a.sizes.count == 2 ? left : within(m, 1, left);
        a.sizes.at[a.sizes.count++] = part;
        left -= part;
    }
    if (left) a.sizes.at[a.sizes.count - 1] += left;
    return add(m, "split", &x.v, 1, &a, x.exact);
}

static bool add_slice(maker *m) {
    pooled x = pick(m, AXES, false);
    slice_attrs a = {.axis = within(m, 1, x.v->shape.rank - 1), .step = chance(m, 70) ? 1 : within(m, 1, 3)};
    int64_t size = x.v->shape.dim[a.axis];
    a.start = below(m, size);
    a.stop = within(m, a.start + 1, size);
    return add(m, "slice", &x.v, 1, &a, x.exact);
}

/* [N, count] as two or three axes, or all of it as one. */
static bool add_reshape(maker *m) {
    pooled x = pick(m, AXES, false);
    int64_t count = shape_count(&x.v->shape), first = 1;
    for (int64_t k = 2; k < 12; k++)
        if (count % k == 0 && chance(m, 50)) first = k;
    reshape_attrs a = {.shape = {.count = (int)within(m, 1, 3)}};
    int64_t second = 1;
    for (int64_t k = 2; k < 9; k++)
        if (count / first % k == 0 && chance(m, 50)) second = k;
    const int64_t sizes[3][3] = {{count}, {first, count / first}, {first, second, count / first / second}};
    memcpy(a.shape.at, sizes[a.shape.count - 1], sizeof sizes[0]);
    if (chance(m, 30)) return add(m, "flatten", &x.v, 1, NULL, x.exact);
    return add(m, "reshape", &x.v, 1, &a, x.exact);
}

static bool add_transpose(maker *m) {
    pooled x = pick(m, AXES, false);
    transpose_attrs a = {.order = {.count = x.v->shape.rank}};
    for (int k = 0; k < a.order.count; k++) a.order.at[k] = k;
    for (int k = a.order.count - 1; k > 1; k--) {
        int64_t i = within(m, 1, k), was = a.order.at[k];
        a.order.at[k] = a.order.at[i];
        a.order.at[i] = was;
    }
    return a.order.count > 2 && add(m, "transpose", &x.v, 1, &a, x.exact);
}

static bool add_idle(maker *m) {
    pooled x = pick(m, AXES, false);
    dropout_attrs a = {0.5};
    bool drops = chance(m, 50);
    return add(m, drops ? "dropout" : "identity", &x.v, 1, drops ? &a : NULL, x.exact);
}

/* ---- scans ---- */

static value *in_body(graph *body, const char *name, value *x, value *y) {
    value *in[2] = {x, y};
    return graph_make(body, name, in, y ? 2 : 1, NULL, NULL, (span){0});
}

/* Carries a vector along a sequence: c' = tanh(W x + c) or so, and yields what it likes. */
static bool add_scan(maker *m) {
    pooled x = pick(m, 3, false);
    int64_t f = x.v->shape.dim[2];
    bool own = chance(m, 50), weights = chance(m, 60);
    graph *body = graph_new(m->g->arena, "scan");
    scan_attrs a = {.body = body,
                    .sequences = 1,
                    .carries = 1,
                    .yields = (int64_t)chance(m, 80),
                    .reversed = chance(m, 40)};
    value *in[3] = {x.v,
                    own ? new_input(m, dims(2, DIM_N, f, 0, 0)) : graph_splat(m->g, DT_F32, vector(f), 0)};
    value *e = graph_argument(body, "e", DT_F32, dims(2, DIM_N, f, 0, 0));
    value *c = graph_argument(body, "c", DT_F32, dims(2, DIM_N, f, 0, 0)), *w = NULL;
    if (weights) {
        in[2] = new_weight(m, dims(2, f, f, 0, 0), f);
        w = graph_argument(body, "w", DT_F32, dims(2, f, f, 0, 0));
    }
    static const char *const joins[] = {"add", "sub", "mul", "max"};
    value *t =
        weights ? in_body(body, "linear", chance(m, 50) ? e : c, w) : in_body(body, "sigmoid", e, NULL);
    t = in_body(body, joins[below(m, 4)], t, chance(m, 50) ? e : c);
    value *next_carry = in_body(body, "tanh", in_body(body, "add", t, c), NULL);
    graph_output carry = {"c", next_carry}, yield = {"y", chance(m, 50) ? next_carry : chance(m, 50) ? t : c};
    VEC_PUSH(body->arena, &body->outputs, carry);
    if (a.yields) VEC_PUSH(body->arena, &body->outputs, yield);
    return add(m, "scan", in, 2 + weights, &a, false);
}

/* ---- the whole ---- */

static const struct {
    bool (*add)(maker *m);
    int weight;
} ways[] = {
    {add_unary, 8},     {add_binary, 10},   {add_select, 1},         {add_map, 2},
    {add_residual, 4},  {add_conv, 10},     {add_pool, 3},           {add_whole_pool, 3},
    {add_pad, 2},       {add_upsample, 2},  {add_conv_transpose, 2}, {add_lrn, 1},
    {add_linear, 6},    {add_batchnorm, 4}, {add_matmul, 2},         {add_rbf, 1},
    {add_layernorm, 2}, {add_softmax, 2},   {add_reduce, 3},         {add_argmax, 1},
    {add_concat, 5},    {add_split, 4},     {add_slice, 3},          {add_reshape, 4},
    {add_idle, 1},      {add_transpose, 3}, {add_scan, 2},           {add_recurrent, 2},
    {add_embedding, 2},
};

static bool add_any(maker *m) {
    int64_t sum = 0, at;
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) sum += ways[k].weight;
    at = below(m, sum);
    size_t k = 0;
    while (at >= ways[k].weight) at -= ways[k++].weight;
    return ways[k].add(m);
}

/* What nobody reads, and some of what somebody does. */
static void choose_outputs(maker *m) {
    const int *uses = graph_use_counts(m->arena, m->g);
    for (int k = m->pool.count - 1; k >= 0; k--) {
        value *v = m->pool.at[k].v;
        bool first = !m->g->outputs.count;
        if (v->kind != VALUE_NODE || (!first && uses[v->id] && !chance(m, 8))) continue;
        graph_output o = {new_name(m, 'y'), v};
        VEC_PUSH(m->g->arena, &m->g->outputs, o);
    }
}

/* A vector that the next call would find: read here, changed behind. */
static void add_state(maker *m) {
    pooled x = pick(m, 2, false);
    value *state = graph_state(m->g, new_name(m, 's'), x.v->shape, (span){0});
    value *in[2] = {state, x.v};
    if (add(m, "add", in, 2, NULL, false)) state->as.next = bounded(m, m->pool.at[m->pool.count - 1].v);
}

golden random_graph(arena *a, uint64_t seed) {
    golden out = {.name = arena_printf(a, "random-%llu", (unsigned long long)seed)};
    maker m = {.arena = a, .out = &out, .state = seed * 0x2545f4914f6cdd1du, .silent = {.arena = a}};
    out.batch = (int)within(&m, 1, 3);
    out.graph = m.g = graph_new(a, "net");
    new_input(&m, chance(&m, 60) ? images(&m)
                                 : dims(2 + (int)below(&m, 2), DIM_N, within(&m, 1, 5), channels(&m), 0));
    int64_t wanted = within(&m, 2, 9);
    for (int tries = 0; m.made < wanted && tries < TRIES; tries++) m.made += add_any(&m);
    if (chance(&m, 5)) add_state(&m);
    if (!m.made) add_unary(&m);
    choose_outputs(&m);
    graph_prune(m.g);
    return out;
}
