/* Back-propagation through time (Werbos, 1990): the gradient of a scan is a scan that walks the other way. Its body is
 * the gradient of the body, it carries the gradients of the carries, and what it reads of the forward steps the
 * forward scan yields. Gradients of captured values that are sums over rows (a linear layer's weight and bias) are
 * formed behind the loop, for all steps at once; others add up in a carry. */
#include "ir/autodiff.h"
#include "ir/ops/gradient.h"
#include "ir/ops/scan.h"

#include <string.h>

typedef VEC(value *) values;

/* An addend of a captured value's gradient. */
typedef struct term {
    int captured; /* operand of the scan */
    value *value;
} term;

typedef struct back {
    graph *g;
    arena *arena;
    node *scan;
    scan_attrs was; /* before anything more was yielded */
    value *const *out_grads;

    graph *body; /* the scan's, for a while extended by its gradient */
    graph *to;   /* the new scan's, where the gradient goes */
    int forward; /* nodes and arguments of the body that stay there */
    value **grads, **dcarry, **dyield;
    VEC(term) later;  /* formed behind the loop */
    values sums;      /* carries of the new scan besides dcarry: what adds up */
    VEC(int) sums_of; /* which captured values' */
    values next;      /* what becomes of the carries */

    /* by id of the body's values */
    bool *invariant;  /* no step changes it */
    bool *steps;      /* the forward steps make it, or carry it */
    bool *needed;     /* nodes of the new body make it, or something reads its stack */
    bool *yielded;    /* by the new scan */
    value **outside;  /* an invariant outside of the loop */
    value **stack;    /* its values of all steps */
    value **argument; /* what stands for it in the new body */
    values sequences, captured, saved, yields;
} back;

static bool is_float(const value *v) {
    return v->type == DT_F32 || v->type == DT_F64;
}

static value *argument_of(const back *b, int k) {
    return b->body->arguments.at[k];
}

static int first_captured(const back *b) {
    return (int)(b->was.sequences + b->was.carries);
}

/* ---- the gradient of one step ---- */

static void seed(back *b, value *result, value **slot, values *results, values *seeds) {
    *slot = graph_argument(b->body, NULL, result->type, result->shape);
    VEC_PUSH(b->arena, results, result);
    VEC_PUSH(b->arena, seeds, *slot);
}

/* What has no gradient in there was found when the body was differentiated on trial (autodiff.c). */
static void differentiate(back *b) {
    const graph_output *out = b->body->outputs.at;
    values results = {0}, seeds = {0};
    diags d = {.arena = b->arena};
    b->dcarry = NEW_ARRAY(b->arena, value *, b->was.carries);
    b->dyield = NEW_ARRAY(b->arena, value *, b->was.yields);
    for (int64_t k = 0; k < b->was.carries; k++)
        if (is_float(out[k].value)) seed(b, out[k].value, &b->dcarry[k], &results, &seeds);
    for (int64_t k = 0; k < b->was.yields; k++)
        if (b->out_grads[k]) seed(b, out[b->was.carries + k].value, &b->dyield[k], &results, &seeds);
    b->grads = NEW_ARRAY(b->arena, value *, b->body->next_id);
    if (!graph_differentiate(b->body, results.at, seeds.at, results.count, NULL, b->grads, &d))
        trap_spring(b->arena->trap, arena_printf(b->arena, "internal error: %s", d.first->text));
}

static void find_invariants(back *b) {
    const graph *body = b->body;
    b->invariant = NEW_ARRAY(b->arena, bool, body->next_id);
    for (int k = first_captured(b); k < b->scan->inputs; k++) b->invariant[argument_of(b, k)->id] = true;
    for (int i = 0; i < body->nodes.count; i++) {
        const node *n = body->nodes.at[i];
        bool fixed = !node_body(n);
        for (int k = 0; k < n->inputs; k++)
            fixed &= n->in[k]->kind == VALUE_CONST || b->invariant[n->in[k]->id];
        for (int k = 0; k < n->outputs; k++) b->invariant[n->out[k]->id] = fixed;
    }
}

/* ---- what the new scan gives ---- */

static bool has_stack(const back *b, const value *v) {
    return v->kind != VALUE_CONST && !b->invariant[v->id] && v->shape.rank < MAX_RANK;
}

/* Is the sum over all steps the same op of the stacks? */
static bool sums_rows(const back *b, const value *v) {
    static const char *const sums[] = {"linear_weight", "embedding_weight", "sum_to"};
    bool good = false;
    if (v->kind != VALUE_NODE || shape_batched(&v->shape)) return false;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) good |= strcmp(v->def->op->name, sums[i]) == 0;
    for (int k = 0; good && k < v->def->inputs; k++) good = has_stack(b, v->def->in[k]);
    return good;
}

static void add_to_sum(back *b, value *v, value **sum) {
    *sum = *sum ? make_two(b->body, b->scan, "add", *sum, v) : v;
}

/* Takes a captured value's gradient apart into what can wait and what must add up step by step. */
static void divide(back *b, int captured, value *gradient) {
    values open = {0};
    value *sum = NULL;
    VEC_PUSH(b->arena, &open, gradient);
    while (open.count) {
        value *v = open.at[--open.count];
        bool add = v->kind == VALUE_NODE && strcmp(v->def->op->name, "add") == 0;
        for (int k = 0; add && k < 2; k++) add = shape_equal(&v->def->in[k]->shape, &v->shape);
        if (sums_rows(b, v)) {
            VEC_PUSH(b->arena, &b->later, ((term){captured, v}));
        } else if (add) {
            VEC_PUSH(b->arena, &open, v->def->in[0]);
            VEC_PUSH(b->arena, &open, v->def->in[1]);
        } else {
            add_to_sum(b, v, &sum);
        }
    }
    if (!sum) return;
    value *before = graph_argument(b->body, NULL, sum->type, sum->shape);
    VEC_PUSH(b->arena, &b->sums, before);
    VEC_PUSH(b->arena, &b->sums_of, captured);
    add_to_sum(b, before, &sum);
    VEC_PUSH(b->arena, &b->next, sum);
}

static void divide_all(back *b) {
    for (int64_t k = 0; k < b->was.carries; k++) {
        value *carry = argument_of(b, (int)(b->was.sequences + k)), *before = b->grads[carry->id];
        if (!b->dcarry[k]) continue;
        if (!before) before = make_zeros(b->body, b->scan, carry->shape);
        VEC_PUSH(b->arena, &b->next, before);
    }
    for (int k = first_captured(b); k < b->scan->inputs; k++) {
        value *gradient = b->grads[argument_of(b, k)->id];
        if (gradient) divide(b, k, gradient);
    }
}

/* ---- the new body ---- */

static value *copy_const(graph *g, const value *v) {
    const double *x = v->as.constant.data;
    return v->as.constant.splat ? graph_splat(g, v->type, v->shape, x[0])
                                : graph_const(g, v->type, v->shape, x);
}

static void make_tables(back *b) {
    int ids = b->body->next_id;
    b->outside = NEW_ARRAY(b->arena, value *, ids);
    b->stack = NEW_ARRAY(b->arena, value *, ids);
    b->argument = NEW_ARRAY(b->arena, value *, ids);
    b->steps = NEW_ARRAY(b->arena, bool, ids);
    b->needed = NEW_ARRAY(b->arena, bool, ids);
    b->yielded = NEW_ARRAY(b->arena, bool, ids);
    for (int i = 0; i < b->forward; i++)
        for (int k = 0; k < b->body->nodes.at[i]->outputs; k++)
            b->steps[b->body->nodes.at[i]->out[k]->id] = true;
    for (int64_t k = 0; k < b->was.carries; k++)
        b->steps[argument_of(b, (int)(b->was.sequences + k))->id] = true;
}

static void find_stacks(back *b) {
    for (int64_t k = 0; k < b->was.sequences; k++) b->stack[argument_of(b, (int)k)->id] = b->scan->in[k];
    for (int64_t k = 0; k < b->was.yields; k++) {
        if (b->dyield[k]) b->stack[b->dyield[k]->id] = b->out_grads[k];
        b->stack[b->body->outputs.at[b->was.carries + k].value->id] = b->scan->out[k];
    }
}

/* The node outside, where all it reads is. */
static void move_invariant(back *b, const node *n) {
    diags d = {.arena = b->arena};
    value **in = NEW_ARRAY(b->arena, value *, n->inputs);
    bool any = false;
    for (int k = 0; k < n->inputs; k++) {
        if (!b->invariant[n->in[k]->id] && n->in[k]->kind != VALUE_CONST) return;
        in[k] = b->outside[n->in[k]->id];
        if (!in[k] && n->in[k]->kind != VALUE_CONST) return; /* made of constants alone */
        any |= in[k] != NULL;
    }
    if (!any || node_body(n)) return;
    for (int k = 0; k < n->inputs; k++)
        if (!in[k]) in[k] = copy_const(b->g, n->in[k]);
    node *m = graph_node(b->g, n->op, in, n->inputs, n->attrs, n->scope, n->at, &d);
    if (!m) trap_spring(b->arena->trap, arena_printf(b->arena, "internal error: %s", d.first->text));
    m->epilogue = n->epilogue;
    for (int k = 0; k < n->outputs; k++) b->outside[n->out[k]->id] = m->out[k];
}

static void move_invariants(back *b, int nodes) {
    for (int k = first_captured(b); k < b->scan->inputs; k++)
        b->outside[argument_of(b, k)->id] = b->scan->in[k];
    for (int i = 0; i < nodes; i++) move_invariant(b, b->body->nodes.at[i]);
}

static void stand_for(back *b, const value *v) {
    b->argument[v->id] = graph_argument(b->to, v->name, v->type, v->shape);
}

/* The new body reads v, or gives it. */
static void read(back *b, value *v) {
    if (b->argument[v->id] || b->needed[v->id]) return;
    if (v->kind == VALUE_CONST) {
        b->argument[v->id] = copy_const(b->to, v);
    } else if (b->outside[v->id]) {
        VEC_PUSH(b->arena, &b->captured, v);
        stand_for(b, v);
    } else if (b->stack[v->id] || b->steps[v->id]) {
        if (!b->stack[v->id]) VEC_PUSH(b->arena, &b->saved, v);
        if (!b->stack[v->id]) b->stack[v->id] = v; /* until there is one */
        VEC_PUSH(b->arena, &b->sequences, v);
        stand_for(b, v);
    } else {
        b->needed[v->id] = true;
    }
}

/* Somebody outside reads v of all steps. */
static void read_stack(back *b, value *v) {
    if (b->yielded[v->id]) return;
    if (b->steps[v->id] && !b->stack[v->id]) {
        VEC_PUSH(b->arena, &b->saved, v);
        b->stack[v->id] = v;
    }
    if (b->stack[v->id]) return;
    b->yielded[v->id] = true;
    VEC_PUSH(b->arena, &b->yields, v);
    read(b, v);
}

static void demand(back *b) {
    for (int64_t k = 0; k < b->was.carries; k++)
        if (b->dcarry[k]) stand_for(b, b->dcarry[k]);
    for (int i = 0; i < b->sums.count; i++) stand_for(b, b->sums.at[i]);
    for (int i = 0; i < b->next.count; i++) read(b, b->next.at[i]);
    for (int64_t k = 0; k < b->was.sequences; k++) {
        value *gradient = b->grads[argument_of(b, (int)k)->id];
        if (gradient) read_stack(b, gradient);
    }
    for (int i = 0; i < b->later.count; i++) {
        const node *n = b->later.at[i].value->def;
        for (int k = 0; k < n->inputs; k++) read_stack(b, n->in[k]);
    }
}

/* Takes what the new scan needs out of the body, and the rest of the gradient, too. */
static void cut(back *b) {
    graph *body = b->body;
    VEC(node *) kept = {0};
    for (int i = body->nodes.count; i-- > b->forward;) {
        node *n = body->nodes.at[i];
        bool any = false;
        for (int k = 0; k < n->outputs; k++) any |= b->needed[n->out[k]->id];
        for (int k = 0; any && k < n->inputs; k++) read(b, n->in[k]);
        if (any) VEC_PUSH(b->arena, &kept, n);
    }
    body->nodes.count = b->forward;
    body->arguments.count = b->scan->inputs;
    while (kept.count) {
        node *n = kept.at[--kept.count];
        for (int k = 0; k < n->inputs; k++)
            if (b->argument[n->in[k]->id]) n->in[k] = b->argument[n->in[k]->id];
        VEC_PUSH(b->arena, &b->to->nodes, n);
    }
}

/* ---- the two scans ---- */

/* What was saved becomes further yields; results keep their values. */
static void extend_scan(back *b) {
    node *n = b->scan;
    scan_attrs *a = n->attrs;
    value **old = n->out;
    diags d = {.arena = b->arena};
    int yields = (int)b->was.yields;
    for (int i = 0; i < b->saved.count; i++)
        VEC_PUSH(b->arena, &b->body->outputs, ((graph_output){NULL, b->saved.at[i]}));
    a->yields += b->saved.count;
    if (!n->op->infer(b->g, n, &d))
        trap_spring(b->arena->trap, arena_printf(b->arena, "internal error: %s", d.first->text));
    for (int k = 0; k < b->was.yields + b->was.carries; k++) {
        int at = k < yields ? k : k + b->saved.count;
        n->out[at] = old[k];
        old[k]->result = at;
    }
    for (int i = 0; i < b->saved.count; i++) b->stack[b->saved.at[i]->id] = n->out[yields + i];
}

typedef struct operands {
    values outer, inner;
} operands;

static void hand_over(back *b, operands *o, value *outer, const value *v) {
    VEC_PUSH(b->arena, &o->outer, outer);
    VEC_PUSH(b->arena, &o->inner, b->argument[v->id]);
}

/* The gradient of a last carry that nobody reads is zero. */
static operands list_operands(back *b) {
    operands o = {0};
    for (int i = 0; i < b->sequences.count; i++)
        hand_over(b, &o, b->stack[b->sequences.at[i]->id], b->sequences.at[i]);
    for (int64_t k = 0; k < b->was.carries; k++) {
        value *last = b->out_grads[b->was.yields + k];
        if (b->dcarry[k]) hand_over(b, &o, last ? last : graph_scalar(b->g, 0), b->dcarry[k]);
    }
    for (int i = 0; i < b->sums.count; i++) hand_over(b, &o, graph_scalar(b->g, 0), b->sums.at[i]);
    for (int i = 0; i < b->captured.count; i++)
        hand_over(b, &o, b->outside[b->captured.at[i]->id], b->captured.at[i]);
    return o;
}

static void give_all(back *b, const values *list) {
    for (int i = 0; i < list->count; i++) {
        value *v = list->at[i], *stand = b->argument[v->id];
        VEC_PUSH(b->arena, &b->to->outputs, ((graph_output){NULL, stand ? stand : v}));
    }
}

static node *new_scan(back *b) {
    diags d = {.arena = b->arena};
    operands o = list_operands(b);
    scan_attrs a = {.body = b->to,
                    .sequences = b->sequences.count,
                    .carries = b->next.count,
                    .yields = b->yields.count,
                    .steps = b->was.steps,
                    .reversed = !b->was.reversed};
    give_all(b, &b->next);
    give_all(b, &b->yields);
    b->to->arguments.count = 0;
    for (int i = 0; i < o.inner.count; i++) VEC_PUSH(b->arena, &b->to->arguments, o.inner.at[i]);
    if (b->to->next_id < b->body->next_id) b->to->next_id = b->body->next_id;
    node *m = graph_node(b->g, b->scan->op, o.outer.at, o.outer.count, &a, b->scan->scope, b->scan->at, &d);
    if (!m) trap_spring(b->arena->trap, arena_printf(b->arena, "internal error: %s", d.first->text));
    for (int i = 0; i < b->yields.count; i++) b->stack[b->yields.at[i]->id] = m->out[i];
    return m;
}

/* ---- gradients outside ---- */

static void add_gradient(back *b, value **sum, value *v) {
    *sum = *sum ? make_two(b->g, b->scan, "add", *sum, v) : v;
}

/* The sum over rows of all steps. */
static value *of_all_steps(back *b, const node *n) {
    value **in = NEW_ARRAY(b->arena, value *, n->inputs);
    for (int k = 0; k < n->inputs; k++) in[k] = b->stack[n->in[k]->id];
    return graph_make(b->g, n->op->name, in, n->inputs, n->attrs, n->scope, n->at);
}

static void give_gradients(back *b, const node *m, value **in_grads) {
    int carry = b->yields.count; /* of m's results */
    for (int64_t k = 0; k < b->was.sequences; k++) {
        const value *gradient = b->grads[argument_of(b, (int)k)->id];
        if (gradient) in_grads[k] = b->stack[gradient->id];
    }
    for (int64_t k = 0; k < b->was.carries; k++) {
        value **to = &in_grads[b->was.sequences + k];
        if (b->dcarry[k])
            *to = make_sum_to(b->g, b->scan, m->out[carry++], b->scan->in[b->was.sequences + k]->shape);
    }
    for (int i = 0; i < b->sums.count; i++) add_gradient(b, &in_grads[b->sums_of.at[i]], m->out[carry++]);
    for (int i = 0; i < b->later.count; i++)
        add_gradient(b, &in_grads[b->later.at[i].captured], of_all_steps(b, b->later.at[i].value->def));
}

void scan_grad(graph *g, node *n, value *const *out_grads, value **in_grads) {
    back b = {
        .g = g, .arena = g->arena, .scan = n, .was = *(const scan_attrs *)n->attrs, .out_grads = out_grads};
    b.body = b.was.body;
    b.forward = b.body->nodes.count;
    differentiate(&b);
    find_invariants(&b);
    int nodes = b.body->nodes.count;
    divide_all(&b);
    b.to = graph_new(g->arena, b.body->name);
    b.to->next_id = b.body->next_id; /* its nodes come with their ids */
    make_tables(&b);
    find_stacks(&b);
    move_invariants(&b, nodes);
    demand(&b);
    cut(&b);
    extend_scan(&b);
    if (b.next.count + b.yields.count) give_gradients(&b, new_scan(&b), in_grads);
}
