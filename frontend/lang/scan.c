/* scan: a body run for every step of a sequence. Its text is elaborated once, into a graph of its own; what
 * it reads from outside is captured (at_level), parameters that it makes belong to the net. */
#include "ir/ops/scan.h"
#include "frontend/lang/elab.h"

typedef struct scanning {
    elab *e;
    const ast_expr *x;
    graph *body;
    int outer; /* level around */
    int64_t steps;
    VEC(val) sequences, firsts; /* at most at the outer level */
    VEC(value *) elements, carried;
} scanning;

static bool add_sequence(scanning *s, const ast_expr *from) {
    val v = eval_one(s->e, from);
    if (v.kind == VAL_ERROR) return false;
    const shape *of = v.kind == VAL_TENSOR ? &v.as.tensor->shape : NULL;
    int batch = of ? shape_batched(of) : 0;
    if (!of || of->rank < 1 + batch) {
        fail(s->e, from->at, "a scan runs along a tensor [N,T,...] or a range, but this is %s",
             val_kind_name(s->e->arena, v));
        return false;
    }
    int64_t steps = of->dim[batch];
    if (s->steps && steps != s->steps) {
        fail(s->e, from->at, "the sequences of one scan differ in length: %lld and %lld steps",
             (long long)s->steps, (long long)steps);
        return false;
    }
    s->steps = steps;
    VEC_PUSH(s->e->arena, &s->sequences, v);
    return true;
}

static bool read_range(scanning *s, const ast_domain *d) {
    int64_t from, to;
    if (!eval_range(s->e, d, &from, &to)) return false;
    if (to <= from || to - from > MAX_LIST) {
        fail(s->e, d->at, "a scan takes 1 to %d steps, but this range has %lld", MAX_LIST,
             (long long)(to - from));
        return false;
    }
    s->steps = to - from;
    if (!tick(s->e, d->at, s->steps)) return false;
    double *numbers = NEW_ARRAY(s->e->arena, double, s->steps);
    for (int64_t i = 0; i < s->steps; i++) numbers[i] = (double)(from + i);
    shape all = shape_of(1, &s->steps);
    value *v = graph_const(s->e->bodies[s->outer].graph, DT_F32, all, numbers);
    VEC_PUSH(s->e->arena, &s->sequences, val_tensor(v, s->outer));
    return true;
}

static bool read_domain(scanning *s) {
    const ast_domain *d = &s->x->as.scan.domain;
    int names = s->x->as.scan.names.count;
    bool good = true;
    int wanted = d->from ? 1 : d->over.count;
    if (names != wanted) {
        fail(s->e, s->x->as.scan.names.at[0].at,
             "%d name%s for %d sequence%s: a scan names one element of each", names, names == 1 ? "" : "s",
             wanted, wanted == 1 ? "" : "s");
        return false;
    }
    if (d->from) return read_range(s, d);
    for (int i = 0; i < d->over.count; i++) good = add_sequence(s, d->over.at[i]) && good;
    return good;
}

static bool read_carries(scanning *s) {
    const ast_args *carries = &s->x->as.scan.carries;
    bool good = true;
    for (int i = 0; i < carries->count; i++) {
        val v = eval_one(s->e, carries->at[i].value);
        if (v.kind != VAL_TENSOR && v.kind != VAL_ERROR)
            fail(s->e, carries->at[i].at, "'%s' must start as a tensor, such as zeros(64), but this is %s",
                 carries->at[i].name, val_kind_name(s->e->arena, v));
        good = good && v.kind == VAL_TENSOR;
        VEC_PUSH(s->e->arena, &s->firsts, v);
    }
    return good;
}

/* The shape of one step's element. */
static shape element_shape(const shape *sequence) {
    int batch = shape_batched(sequence);
    shape s = {.rank = sequence->rank - 1};
    for (int i = 0; i < s.rank; i++) s.dim[i] = sequence->dim[i + (i >= batch)];
    return s;
}

/* A carry belongs to a sample: zeros(64) starts [N,64]. */
static bool carry_shape(scanning *s, int i, shape *out) {
    *out = s->firsts.at[i].as.tensor->shape;
    if (shape_batched(out)) return true;
    if (out->rank == MAX_RANK) {
        fail(s->e, s->x->as.scan.carries.at[i].at, "a carried tensor has at most %d sizes", MAX_RANK - 1);
        return false;
    }
    for (int k = out->rank++; k > 0; k--) out->dim[k] = out->dim[k - 1];
    out->dim[0] = DIM_N;
    return true;
}

static bool bind_arguments(scanning *s) {
    elab *e = s->e;
    const ast_names *names = &s->x->as.scan.names;
    const ast_args *carries = &s->x->as.scan.carries;
    for (int i = 0; i < s->sequences.count; i++) {
        const value *from = s->sequences.at[i].as.tensor;
        value *v = graph_argument(s->body, names->at[i].name, from->type, element_shape(&from->shape));
        VEC_PUSH(e->arena, &s->elements, v);
        bind_name(e, names->at[i].name, val_tensor(v, e->level), names->at[i].at);
    }
    for (int i = 0; i < carries->count; i++) {
        shape of;
        if (!carry_shape(s, i, &of)) return false;
        value *v = graph_argument(s->body, carries->at[i].name, s->firsts.at[i].as.tensor->type, of);
        VEC_PUSH(e->arena, &s->carried, v);
        bind_name(e, carries->at[i].name, val_tensor(v, e->level), carries->at[i].at);
    }
    return true;
}

static bool add_body_output(scanning *s, const char *name, val v, span at) {
    elab *e = s->e;
    if (v.kind == VAL_ERROR) return false;
    if (v.kind != VAL_TENSOR) {
        fail(e, at, "'%s' must be a tensor at the end of each step, but it is %s", name,
             val_kind_name(e->arena, v));
        return false;
    }
    graph_output out = {name, at_level(e, v, e->level)};
    VEC_PUSH(e->arena, &s->body->outputs, out);
    return true;
}

static bool end_carries(scanning *s) {
    elab *e = s->e;
    for (int i = 0; i < s->carried.count; i++) {
        const variable *v = map_get(&e->frame->variables, s->x->as.scan.carries.at[i].name);
        const shape *want = &s->carried.at[i]->shape;
        if (v->target) v->target->used = true;
        if (!add_body_output(s, v->name, v->v, v->at)) return false;
        if (shape_equal(&v->v.as.tensor->shape, want)) continue;
        fail(e, v->at, "'%s' is carried as %s, but a step leaves it as %s", v->name,
             shape_string(e->arena, want), shape_string(e->arena, &v->v.as.tensor->shape));
        diag_add(e->diags, DIAG_NOTE, here(e, s->x->as.scan.carries.at[i].at), "it starts here");
        return false;
    }
    return true;
}

static bool end_yields(scanning *s, int *count) {
    frame *f = s->e->frame;
    *count = !f->returned ? 0 : f->result.kind == VAL_MANY ? f->result.as.list->count : 1;
    for (int i = 0; i < *count; i++) {
        val v = f->result.kind == VAL_MANY ? f->result.as.list->at[i] : f->result;
        const char *name = v.kind == VAL_TENSOR && v.as.tensor->name ? v.as.tensor->name : "yield";
        if (!add_body_output(s, name, v, f->result_at)) return false;
    }
    if (*count || s->carried.count) return true;
    fail(s->e, s->x->at, "this scan gives nothing: 'yield' a value of each step, or 'carry' one to the last");
    return false;
}

/* Runs the body's text one level further in, in a frame that sees the names around. */
static bool run_body(scanning *s, int *yields) {
    elab *e = s->e;
    frame *around = e->frame;
    frame *f = NEW(e->arena, frame);
    *f = *around;
    f->caller = around;
    f->body = true;
    f->returned = false;
    f->variables = map_in(e->arena);
    f->names.count = f->names.room = 0;
    s->body = graph_new(e->net->arena, "scan");
    e->bodies[++e->level] = (body){.graph = s->body};
    e->frame = f;
    int errors = e->diags->errors;
    bool good = bind_arguments(s);
    if (good) exec_all(e, &s->x->as.scan.body);
    good = good && e->diags->errors == errors && !e->stopped && end_carries(s) && end_yields(s, yields);
    e->frame = around;
    e->level--;
    return good;
}

/* A range's running number that the body does not read is no sequence: the count of steps says enough. */
static void drop_unread_range(scanning *s) {
    if (!s->x->as.scan.domain.from || graph_uses(s->body, s->elements.at[0])) return;
    s->sequences.count = 0;
    s->body->arguments.count--;
    for (int i = 0; i < s->body->arguments.count; i++)
        s->body->arguments.at[i] = s->body->arguments.at[i + 1];
}

static val add_scan(scanning *s, int yields) {
    elab *e = s->e;
    drop_unread_range(s);
    const body *b = &e->bodies[s->outer + 1];
    VEC(val) in = {0};
    for (int i = 0; i < s->sequences.count; i++) VEC_PUSH(e->arena, &in, s->sequences.at[i]);
    for (int i = 0; i < s->firsts.count; i++) VEC_PUSH(e->arena, &in, s->firsts.at[i]);
    for (int i = 0; i < b->captured.count; i++)
        VEC_PUSH(e->arena, &in, val_tensor(b->captured.at[i], s->outer));
    scan_attrs attrs = {.body = s->body,
                        .sequences = s->sequences.count,
                        .carries = s->carried.count,
                        .yields = yields,
                        .steps = s->steps,
                        .reversed = s->x->as.scan.domain.reversed};
    return make_node(e, op_find("scan"), in.at, in.count, &attrs, e->frame->scope, s->x->at, NULL, NULL);
}

val eval_scan(elab *e, const ast_expr *x) {
    scanning s = {.e = e, .x = x, .outer = e->level};
    int yields = 0;
    if (e->level == MAX_SCANS) return fail(e, x->at, "scans nest deeper than %d", MAX_SCANS);
    bool domain = read_domain(&s), carries = read_carries(&s);
    if (!domain || !carries || !run_body(&s, &yields)) return val_error();
    return add_scan(&s, yields);
}
