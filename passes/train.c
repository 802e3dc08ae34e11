/* train
 * Does:   makes the net what it is in training: batch norm takes the statistics of the batch and updates its running
 *         ones, dropout drops by a mask drawn from (seed, step, position), recurrent state starts from zero, and the
 *         recipe's loss reads one of the outputs; the other outputs go. Then composites that have no gradient of
 *         their own become primitives.
 * Needs:  a recipe with a loss.
 * Breaks: evaluation; that takes a clone of its own. */
#include "ir/ops/attrs.h"
#include "ir/ops/infer.h"
#include "ir/recipe.h"
#include "passes/edit.h"
#include "passes/passes.h"

#include <string.h>

typedef struct trainer {
    pass_state *state;
    graph *graph;
    edit r;
    value *counter; /* input: words of step and seed; NULL until something is random */
    int masks;      /* streams drawn so far */
} trainer;

static value *step_input(graph *g, const char *name, dtype t, shape s) {
    return graph_input(g, name, t, s, (span){0});
}

static value *counter(trainer *t) {
    if (!t->counter) t->counter = step_input(t->graph, "netc.counter", DT_I32, (shape){1, {4}});
    return t->counter;
}

/* ---- batch norm ---- */

/* new = old + momentum·(x - old) */
static value *running(graph *g, const node *n, value *old, value *x, double momentum) {
    value *change = make_scaled(g, n, make_two(g, n, "sub", x, old), momentum);
    return make_two(g, n, "add", old, change);
}

/* Numbers of a channel in the whole batch. */
static value *channel_count(graph *g, const node *n, const value *x) {
    double each = (double)(shape_count(&x->shape) / x->shape.dim[1]);
    return make_scaled(g, n, make_one(g, n, "samples", (value *)x), each);
}

static void update_statistics(trainer *t, const node *n, node *trained) {
    graph *g = t->graph;
    const norm_attrs *a = n->attrs;
    value *count = channel_count(g, n, n->in[0]), *one = graph_scalar(g, 1);
    value *rest = make_two(g, n, "max", make_two(g, n, "sub", count, one), one);
    value *unbiased = make_two(g, n, "mul", trained->out[2], make_two(g, n, "div", count, rest));
    update mean = {n->in[3], running(g, n, n->in[3], trained->out[1], a->momentum)};
    update var = {n->in[4], running(g, n, n->in[4], unbiased, a->momentum)};
    if (mean.target->kind == VALUE_PARAM) VEC_PUSH(g->arena, &g->updates, mean);
    if (var.target->kind == VALUE_PARAM) VEC_PUSH(g->arena, &g->updates, var);
}

static void train_batchnorm(trainer *t, node *n) {
    const norm_attrs *a = n->attrs;
    value *y =
        graph_make(t->graph, "batchnorm_train", n->in, 3, &(norm_attrs){.eps = a->eps}, n->scope, n->at);
    update_statistics(t, n, y->def);
    edit_replace(&t->r, n, &y);
}

/* ---- dropout ---- */

static void train_dropout(trainer *t, node *n) {
    const dropout_attrs *a = n->attrs;
    const shape *s = &n->in[0]->shape;
    random_keep_attrs mask = {.p = a->p, .stream = t->masks++, .shape.count = s->rank};
    for (int i = 0; i < s->rank; i++) mask.shape.at[i] = s->dim[i];
    value *keep = make_with(t->graph, n, "random_keep", counter(t), &mask);
    value *y = make_two(t->graph, n, "mul", n->in[0], keep);
    edit_replace(&t->r, n, &y);
}

/* ---- the whole ---- */

static bool named(const node *n, const char *name) {
    return strcmp(n->op->name, name) == 0;
}

/* What differs between training and evaluation cannot differ from step to step of a scan. */
static void refuse_in_bodies(trainer *t, const graph *body) {
    for (int i = 0; i < body->nodes.count; i++) {
        const node *n = body->nodes.at[i];
        if (named(n, "batchnorm") || named(n, "dropout"))
            diag_add(
                t->state->diags, DIAG_ERROR, n->at,
                "cannot train %s inside a scan: put it before or after the scan, over the whole sequence",
                n->op->name);
        if (node_body(n)) refuse_in_bodies(t, node_body(n));
    }
}

static void train_nodes(trainer *t) {
    t->r = edit_begin(t->graph);
    for (node *n; (n = edit_next(&t->r));) {
        if (node_body(n)) refuse_in_bodies(t, node_body(n));
        if (named(n, "batchnorm"))
            train_batchnorm(t, n);
        else if (named(n, "dropout"))
            train_dropout(t, n);
        else
            edit_keep(&t->r, n);
    }
    edit_end(&t->r);
}

/* Every sample starts from zero state, and none is kept. */
static void zero_states(graph *g) {
    const node *first = g->nodes.count ? g->nodes.at[0] : NULL;
    for (int i = 0; i < g->states.count && first; i++) {
        value *s = g->states.at[i];
        graph_replace(g, s, make_broadcast(g, first, graph_scalar(g, 0), s->shape));
        s->as.next = NULL;
    }
    g->states.count = 0;
    graph_sort(g);
}

/* ---- the loss ---- */

static const recipe_arg *given(const recipe_call *c, const char *name) {
    for (int i = 0; i < c->args.count; i++)
        if (strcmp(c->args.at[i].name, name) == 0) return &c->args.at[i];
    return NULL;
}

static bool loss_takes_classes(const char *loss) {
    return strcmp(loss, "cross_entropy") == 0 || strcmp(loss, "nll") == 0;
}

/* Classes lie along axis 1 of [N,C] and of pictures [N,C,H,W], along the last of sequences [N,T,C]. */
static shape label_shape(const shape *s) {
    shape label = {0};
    int classes = s->rank == 3 ? 2 : 1;
    for (int i = 0; i < s->rank; i++)
        if (i != classes) label.dim[label.rank++] = s->dim[i];
    return label;
}

static value *target_for(graph *g, const recipe *r, const value *y) {
    if (!loss_takes_classes(r->loss.name)) return step_input(g, "netc.target", DT_F32, y->shape);
    value *label = step_input(g, "netc.target", DT_I32, label_shape(&y->shape));
    label->as.input.bound = y->shape.dim[y->shape.rank == 3 ? 2 : 1];
    return label;
}

/* The recipe's loss of output y. Errors are the user's: a shape that the loss cannot take. */
static void add_loss(trainer *t, const recipe *r, value *y) {
    graph *g = t->graph;
    const op *o = op_find(r->loss.name);
    loss_attrs a = {0};
    const recipe_arg *smoothing = given(&r->loss, "label_smoothing"), *weight = given(&r->loss, "weight");
    bool classes = loss_takes_classes(r->loss.name);
    if (smoothing) a.label_smoothing = smoothing->number;
    if (weight) a.weight = (reals){weight->count, (double *)weight->list};
    if (!shape_batched(&y->shape) || (classes && (y->shape.rank < 2 || y->shape.rank > 4))) {
        text s = text_in(t->state->arena);
        shape_print(&s, &y->shape);
        diag_add(t->state->diags, DIAG_ERROR, r->loss.at,
                 "%s cannot read %s: it takes [N,classes], [N,T,classes] or [N,classes,height,width]",
                 r->loss.name, s.at);
        return;
    }
    value *in[2] = {y, target_for(g, r, y)};
    node *n = graph_node(g, o, in, 2, classes ? &a : NULL, NULL, r->loss.at, t->state->diags);
    if (n) g->loss = n->out[0];
}

static void keep_loss_output(graph *g, const recipe *r) {
    int k = 0;
    while (k + 1 < g->outputs.count && strcmp(g->outputs.at[k].name, r->loss_output) != 0) k++;
    g->outputs.at[0] = g->outputs.at[k];
    g->outputs.count = 1;
}

static bool without_gradient(const op *o) {
    return !o->grad;
}

static void expand_graph(graph *g) {
    expand_nodes(g, without_gradient);
}

void pass_train(pass_state *s) {
    trainer t = {.state = s, .graph = s->graph};
    const recipe *r = s->graph->recipe;
    keep_loss_output(t.graph, r);
    train_nodes(&t);
    zero_states(t.graph);
    if (s->diags->errors) return;
    add_loss(&t, r, t.graph->outputs.at[0].value);
    if (!t.graph->loss) return;
    step_input(t.graph, "netc.learning_rate", DT_F32, (shape){0});
    each_graph(t.graph, expand_graph);
}
