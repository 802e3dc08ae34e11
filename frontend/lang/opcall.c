/* Calls of ops: operands first, then attributes in the order of the op's record, either also by name; and the
 * node, placed in the graph (of the net, or of a scan's body) that its operands need. */
#include "frontend/lang/elab.h"
#include "ir/ops/list.h"

#include <math.h>
#include <string.h>

/* Ops that only netc itself writes. */
bool op_callable(const op *o) {
#define OWN(name) &op_##name,
    static const op *const own[] = {FOR_EACH_OWN_OP(OWN)};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i] == o) return false;
    return true;
}

value *at_level(elab *e, val v, int level) {
    if (v.level >= level) return v.as.tensor;
    value *outer = at_level(e, v, level - 1);
    body *b = &e->bodies[level];
    while (b->inside.count <= outer->id) VEC_PUSH(e->arena, &b->inside, NULL);
    value **inside = &b->inside.at[outer->id];
    if (*inside) return *inside;
    *inside = graph_argument(b->graph, outer->name, outer->type, outer->shape);
    VEC_PUSH(e->arena, &b->captured, outer);
    return *inside;
}

/* The caret at the operator, its operands underlined where they stand on its line. */
static void underline(diag *d, const ast_expr *operands[2]) {
    for (int k = 0; k < 2; k++) {
        if (!operands[k] || operands[k]->at.source != d->at.source) continue;
        uint32_t low = operands[k]->at.begin, high = d->at.begin;
        if (low > high) low = d->at.begin, high = operands[k]->at.begin;
        if (!memchr(d->at.source->text + low, '\n', high - low)) d->also[k] = operands[k]->at;
    }
}

/* Completes the error that inference has added after `before`. */
static void explain(elab *e, const diag *before, const ast_expr *first, const ast_expr *second, bool binary) {
    diag *d = before ? before->next : e->diags->first;
    const ast_expr *operands[2] = {first, second};
    if (d && binary && d->at.source && !e->frame->prelude) underline(d, operands);
    note_operand(e, first);
    if (!first || !second || first->kind != AST_NAME || second->kind != AST_NAME ||
        strcmp(first->as.text, second->as.text) != 0)
        note_operand(e, second);
    note_chain(e);
}

static val results(elab *e, const node *n, int level) {
    if (n->outputs == 1) return val_tensor(n->out[0], level);
    val *all = NEW_ARRAY(e->arena, val, n->outputs);
    for (int i = 0; i < n->outputs; i++) all[i] = val_tensor(n->out[i], level);
    return val_list_of(e->arena, VAL_MANY, all, n->outputs);
}

val make_node(elab *e, const op *o, const val *in, int count, const void *attrs, scope *s, span at,
              const ast_expr *first, const ast_expr *second) {
    int level = 0;
    value **operands = NEW_ARRAY(e->arena, value *, count);
    if (++e->nodes > e->max_nodes)
        return stop(e, at, "the net has more than %lld operations", (long long)e->max_nodes);
    for (int i = 0; i < count; i++)
        if (in[i].kind == VAL_TENSOR && in[i].level > level) level = in[i].level;
    graph *g = e->bodies[level].graph;
    for (int i = 0; i < count; i++)
        operands[i] =
            in[i].kind == VAL_TENSOR ? at_level(e, in[i], level) : graph_scalar(g, val_number(in[i]));
    enter_scope(e, s);
    const diag *before = e->diags->last;
    node *n = graph_node(g, o, operands, count, attrs, s, here(e, at), e->diags);
    if (n) return results(e, n, level);
    explain(e, before, first, second, first && second);
    return val_error();
}

/* A call being sorted out. */
typedef struct sorting {
    elab *e;
    const op *o;
    const arg **inputs; /* by place; NULL where not given */
    int room, used;
    void *attrs;
    bool *set; /* by attribute */
} sorting;

static int attr_count(const op *o) {
    int n = 0;
    while (o->attrs && o->attrs[n].name) n++;
    return n;
}

static int input_count(const op *o) {
    int n = 0;
    while (o->input_names && o->input_names[n]) n++;
    return n;
}

static bool set_once(sorting *s, int k, const arg *a) {
    if (s->set[k]) {
        fail(s->e, a->at, "'%s' is given twice to '%s'", s->o->attrs[k].name, s->o->name);
        return false;
    }
    s->set[k] = true;
    return set_attr(s->e, s->o, &s->o->attrs[k], s->attrs, a);
}

static bool unknown_argument(sorting *s, const arg *a) {
    int inputs = input_count(s->o), attrs = attr_count(s->o);
    const char **names = NEW_ARRAY(s->e->arena, const char *, inputs + attrs);
    for (int i = 0; i < inputs; i++) names[i] = s->o->input_names[i];
    for (int i = 0; i < attrs; i++) names[inputs + i] = s->o->attrs[i].name;
    fail(s->e, a->at, "'%s' has no argument '%s'%s", s->o->name, a->name,
         suggest_or_list(s->e, a->name, names, inputs + attrs));
    return false;
}

static bool take_named(sorting *s, const arg *a) {
    for (int k = 0; k < attr_count(s->o); k++)
        if (strcmp(s->o->attrs[k].name, a->name) == 0) return set_once(s, k, a);
    for (int k = 0; k < input_count(s->o) && k < s->room; k++) {
        if (strcmp(s->o->input_names[k], a->name) != 0) continue;
        if (s->inputs[k]) {
            fail(s->e, a->at, "'%s' is given twice to '%s'", a->name, s->o->name);
            return false;
        }
        s->inputs[k] = a;
        if (k >= s->used) s->used = k + 1;
        return true;
    }
    return unknown_argument(s, a);
}

/* Is an argument by position an operand still? Numbers are while the op must have more, and so is none. */
static bool is_operand(const sorting *s, const arg *a) {
    if (s->used >= s->room) return false;
    if (a->v.kind == VAL_TENSOR) return true;
    if (s->o->inputs_max < 0) return a->v.kind == VAL_LIST;
    return s->used < s->o->inputs_min || a->v.kind == VAL_NONE;
}

static bool take_positional(sorting *s, const arg *a, int *next) {
    if (*next == 0 && is_operand(s, a)) {
        s->inputs[s->used++] = a;
        return true;
    }
    if (*next >= attr_count(s->o)) {
        fail(s->e, a->at, "'%s' takes no further argument by position, but this is %s", s->o->name,
             val_kind_name(s->e->arena, a->v));
        return false;
    }
    return set_once(s, (*next)++, a);
}

/* Operands as values: lists are laid open (concat([a, b])), none at the end is left out. */
static bool operands_of(sorting *s, val **out, int *count) {
    VEC(val) all = {0};
    while (s->used && (!s->inputs[s->used - 1] || s->inputs[s->used - 1]->v.kind == VAL_NONE)) s->used--;
    for (int i = 0; i < s->used; i++) {
        const arg *a = s->inputs[i];
        const char *name = i < input_count(s->o) ? s->o->input_names[i] : "each operand";
        bool list = a && a->v.kind == VAL_LIST && s->o->inputs_max < 0;
        for (int k = 0; k < (list ? a->v.as.list->count : 1); k++) {
            val v = !a ? val_none() : list ? a->v.as.list->at[k] : a->v;
            bool number = val_is_number(v) && s->o->scalar != S_COUNT;
            if (v.kind != VAL_TENSOR && !number) {
                fail(s->e, a ? a->at : s->inputs[s->used - 1]->at,
                     "'%s' of '%s' must be a tensor, but it is %s", name, s->o->name,
                     val_kind_name(s->e->arena, v));
                return false;
            }
            VEC_PUSH(s->e->arena, &all, v);
        }
    }
    *out = all.at;
    *count = all.count;
    return true;
}

/* An elementwise op of numbers alone is a number. Integers stay integers where the result is one. */
static val fold(elab *e, const op *o, const val *in, int count, span at) {
    double x[3] = {0};
    bool whole = o->scalar == S_FLOOR || o->scalar == S_ADD || o->scalar == S_SUB || o->scalar == S_MUL ||
                 o->scalar == S_MAX || o->scalar == S_MIN || o->scalar == S_ABS || o->scalar == S_NEG;
    for (int i = 0; i < count && i < 3; i++) {
        x[i] = val_number(in[i]);
        whole = whole && (o->scalar == S_FLOOR || in[i].kind == VAL_INT);
    }
    double r = scalar_eval(o->scalar, x[0], x[1], x[2]);
    if (!whole) return val_real(r);
    if (!(fabs(r) < 9007199254740992.0))
        return fail(e, at, "the result of '%s' is too large for an integer here", o->name);
    return val_int((int64_t)r);
}

static bool attrs_given(const sorting *s, span at) {
    for (int k = 0; k < attr_count(s->o); k++)
        if (s->o->attrs[k].required && !s->set[k]) {
            fail(s->e, at, "'%s' is not given to '%s'", s->o->attrs[k].name, s->o->name);
            return false;
        }
    return true;
}

val call_op(elab *e, const op *o, args given, scope *s, span at) {
    int next = 0, count = 0, attrs = attr_count(o);
    sorting sort = {.e = e, .o = o, .room = o->inputs_max < 0 ? given.count : o->inputs_max};
    val *in = NULL;
    bool good = true, numbers = true;
    sort.inputs = NEW_ARRAY(e->arena, const arg *, sort.room + 1);
    sort.set = NEW_ARRAY(e->arena, bool, attrs + 1);
    sort.attrs = op_defaults(e->arena, o);
    for (int i = 0; i < given.count && good; i++)
        good =
            given.at[i].name ? take_named(&sort, &given.at[i]) : take_positional(&sort, &given.at[i], &next);
    if (!good || !operands_of(&sort, &in, &count) || !attrs_given(&sort, at)) return val_error();
    for (int i = 0; i < count; i++) numbers = numbers && in[i].kind != VAL_TENSOR;
    if (numbers && count && count >= o->inputs_min && o->scalar != S_COUNT) return fold(e, o, in, count, at);
    const ast_expr *first = sort.used > 0 && sort.inputs[0] ? sort.inputs[0]->from : NULL;
    const ast_expr *second = sort.used > 1 && sort.inputs[1] ? sort.inputs[1]->from : NULL;
    return make_node(e, o, in, count, sort.attrs, s, at, first, second);
}
