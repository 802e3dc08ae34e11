/* SGD, Adam, AdamW, RMSprop, and clipping of the gradients' norm, written as nodes. Sutskever and others, "On the
 * importance of initialization and momentum in deep learning", 2013; Kingma and Ba, "Adam", 2015; Loshchilov and
 * Hutter, "Decoupled Weight Decay Regularization", 2019; Tieleman and Hinton, lecture 6.5, 2012. */
#include "passes/optimizer.h"
#include "ir/ops/attrs.h"

#include <string.h>

typedef struct updater {
    graph *g;
    const recipe_call *how;
    value *rate;                      /* input */
    value *correction1, *correction2; /* adam: 1 - βᵗ of this step */
    value *start; /* sgd with dampening: how much of the gradient the first momentum takes */
    span at;
} updater;

/* ---- short forms ---- */

static value *two(updater *u, const char *name, value *a, value *b) {
    value *in[2] = {a, b};
    return graph_make(u->g, name, in, 2, NULL, NULL, u->at);
}

static value *one(updater *u, const char *name, value *a) {
    return graph_make(u->g, name, &a, 1, NULL, NULL, u->at);
}

static value *scaled(updater *u, value *a, double x) {
    return x == 1 ? a : two(u, "mul", a, graph_scalar(u->g, x));
}

/* a·x + b·y */
static value *blend(updater *u, value *a, double x, value *b, double y) {
    return two(u, "add", scaled(u, a, x), scaled(u, b, y));
}

static double number(const recipe_call *c, const char *name, double standard) {
    for (int i = 0; i < c->args.count; i++)
        if (c->args.at[i].name && strcmp(c->args.at[i].name, name) == 0) return c->args.at[i].number;
    return standard;
}

static void set(updater *u, value *old, value *next) {
    update to = {old, next};
    VEC_PUSH(u->g->arena, &u->g->updates, to);
}

/* What is remembered of a parameter under this name, zero at first. */
static value *remembered(updater *u, const value *param, const char *name) {
    return graph_moment(u->g, arena_printf(u->g->arena, "%s.%s", param->name, name), param->shape, u->at);
}

static value *decayed(updater *u, const trained *t, double decay) {
    return decay == 0 ? t->grad : two(u, "add", t->grad, scaled(u, t->param, decay));
}

/* p - rate·by */
static void descend(updater *u, const trained *t, value *by) {
    set(u, t->param, two(u, "sub", t->param, two(u, "mul", by, u->rate)));
}

/* ---- the optimizers ---- */

static void sgd_start(updater *u) {
    double dampening = number(u->how, "dampening", 0);
    if (dampening == 0 || number(u->how, "momentum", 0) == 0) return;
    value *begun = graph_moment(u->g, "netc.begun", (shape){1, {1}}, u->at), *in[3];
    in[0] = two(u, "gt", begun, graph_scalar(u->g, 0));
    in[1] = graph_scalar(u->g, 1 - dampening);
    in[2] = graph_scalar(u->g, 1);
    u->start = graph_make(u->g, "select", in, 3, NULL, NULL, u->at);
    set(u, begun, two(u, "max", begun, graph_scalar(u->g, 1)));
}

static void sgd(updater *u, const trained *t) {
    double momentum = number(u->how, "momentum", 0);
    value *g = decayed(u, t, number(u->how, "weight_decay", 0));
    if (momentum != 0) {
        value *m = remembered(u, t->param, "momentum"), *taken = u->start ? two(u, "mul", g, u->start) : g;
        value *next = two(u, "add", scaled(u, m, momentum), taken);
        set(u, m, next);
        g = number(u->how, "nesterov", 0) != 0 ? two(u, "add", g, scaled(u, next, momentum)) : next;
    }
    descend(u, t, g);
}

/* 1 - βᵗ, which starts from the zero that moments start from. */
static value *correction(updater *u, const char *name, double beta) {
    value *c = graph_moment(u->g, name, (shape){1, {1}}, u->at);
    value *next = two(u, "add", scaled(u, c, beta), graph_scalar(u->g, 1 - beta));
    set(u, c, next);
    return next;
}

static void adam_start(updater *u) {
    u->correction1 = correction(u, "netc.beta1", number(u->how, "beta1", 0.9));
    u->correction2 = one(u, "sqrt", correction(u, "netc.beta2", number(u->how, "beta2", 0.999)));
}

static void adam_step(updater *u, const trained *t, value *g, value *from) {
    double beta1 = number(u->how, "beta1", 0.9), beta2 = number(u->how, "beta2", 0.999);
    value *m = remembered(u, t->param, "exp_avg"), *v = remembered(u, t->param, "exp_avg_sq");
    value *m_next = blend(u, m, beta1, g, 1 - beta1),
          *v_next = blend(u, v, beta2, two(u, "mul", g, g), 1 - beta2);
    set(u, m, m_next);
    set(u, v, v_next);
    value *root = two(u, "div", one(u, "sqrt", v_next), u->correction2);
    value *below = two(u, "add", root, graph_scalar(u->g, number(u->how, "eps", 1e-8)));
    value *by = two(u, "mul", two(u, "div", u->rate, u->correction1), two(u, "div", m_next, below));
    set(u, t->param, two(u, "sub", from, by));
}

static void adam(updater *u, const trained *t) {
    adam_step(u, t, decayed(u, t, number(u->how, "weight_decay", 0)), t->param);
}

/* The decay shrinks the parameter itself, beside the gradient. */
static void adamw(updater *u, const trained *t) {
    double decay = number(u->how, "weight_decay", 1e-2);
    value *shrink = two(u, "sub", graph_scalar(u->g, 1), scaled(u, u->rate, decay));
    adam_step(u, t, t->grad, decay == 0 ? t->param : two(u, "mul", t->param, shrink));
}

static void rmsprop(updater *u, const trained *t) {
    double alpha = number(u->how, "alpha", 0.99), momentum = number(u->how, "momentum", 0);
    value *g = decayed(u, t, number(u->how, "weight_decay", 0)), *v = remembered(u, t->param, "square_avg");
    value *v_next = blend(u, v, alpha, two(u, "mul", g, g), 1 - alpha);
    set(u, v, v_next);
    value *below = two(u, "add", one(u, "sqrt", v_next), graph_scalar(u->g, number(u->how, "eps", 1e-8)));
    value *by = two(u, "div", g, below);
    if (momentum != 0) {
        value *m = remembered(u, t->param, "momentum");
        by = two(u, "add", scaled(u, m, momentum), by);
        set(u, m, by);
    }
    descend(u, t, by);
}

static const struct {
    const char *name;
    void (*start)(updater *u);
    void (*apply)(updater *u, const trained *t);
    double rate; /* PyTorch's default */
} optimizers[] = {
    {"sgd", sgd_start, sgd, 1e-3},
    {"adam", adam_start, adam, 1e-3},
    {"adamw", adam_start, adamw, 1e-3},
    {"rmsprop", NULL, rmsprop, 1e-2},
};

enum { SGD = 0, OPTIMIZERS = sizeof optimizers / sizeof *optimizers };

static int find(const recipe *r) {
    for (int k = 0; r->optimizer.name && k < OPTIMIZERS; k++)
        if (strcmp(optimizers[k].name, r->optimizer.name) == 0) return k;
    return SGD;
}

double optimizer_rate(const recipe *r) {
    return number(&r->optimizer, "lr", optimizers[find(r)].rate);
}

/* ---- clipping ---- */

static ints all_axes(const value *v) {
    ints axes = {.count = v->shape.rank};
    for (int i = 0; i < axes.count; i++) axes.at[i] = i;
    return axes;
}

/* Σ over all elements of g², a number. */
static value *square_sum(updater *u, value *g) {
    reduce_attrs attrs = {.axes = all_axes(g)};
    value *square = two(u, "mul", g, g);
    return g->shape.rank ? graph_make(u->g, "reduce_sum", &square, 1, &attrs, NULL, u->at) : square;
}

/* min(1, clip / (norm + 1e-6)) */
static value *clip_factor(updater *u, const trained *list, int count, double clip) {
    value *sum = square_sum(u, list[0].grad);
    for (int i = 1; i < count; i++) sum = two(u, "add", sum, square_sum(u, list[i].grad));
    value *norm = two(u, "add", one(u, "sqrt", sum), graph_scalar(u->g, 1e-6));
    return two(u, "min", graph_scalar(u->g, 1), two(u, "div", graph_scalar(u->g, clip), norm));
}

static value *input_named(const graph *g, const char *name) {
    for (int i = 0; i < g->inputs.count; i++)
        if (strcmp(g->inputs.at[i]->name, name) == 0) return g->inputs.at[i];
    trap_spring(g->arena->trap, "internal error: a training step without its learning rate");
}

void optimizer_update(graph *g, const recipe *r, const trained *list, int count) {
    updater u = {.g = g, .how = &r->optimizer, .at = r->at};
    int k = find(r);
    u.rate = input_named(g, "netc.learning_rate");
    value *factor = r->clip > 0 ? clip_factor(&u, list, count, r->clip) : NULL;
    if (optimizers[k].start) optimizers[k].start(&u);
    for (int i = 0; i < count; i++) {
        trained t = list[i];
        if (factor) t.grad = two(&u, "mul", t.grad, factor);
        optimizers[k].apply(&u, &t);
    }
}
