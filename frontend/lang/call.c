/* Calls: what a name stands for (a block of the text, of the prelude, a builtin, an op), its arguments, and
 * running a block. */
#include "frontend/lang/elab.h"

#include <string.h>

typedef struct callee {
    const ast_block *block;
    const builtin *builtin;
    const op *op;
} callee;

/* Every name that can be called from here, for "did you mean". */
static const char *near_names(elab *e, const char *name) {
    VEC(const char *) all = {0};
    for (int i = 0; i < e->blocks.all.count; i++) VEC_PUSH(e->arena, &all, e->blocks.all.at[i]->name);
    for (int i = 0; i < e->prelude.all.count; i++) VEC_PUSH(e->arena, &all, e->prelude.all.at[i]->name);
    for (int i = 0; builtin_names[i]; i++) VEC_PUSH(e->arena, &all, builtin_names[i]);
    for (int i = 0; ops[i]; i++)
        if (op_callable(ops[i])) VEC_PUSH(e->arena, &all, ops[i]->name);
    return suggest(e, name, all.at, all.count);
}

static void unknown_callee(elab *e, const ast_call *c) {
    const variable *v = find_variable(e, c->callee);
    if (v)
        fail(e, c->callee_at, "'%s' is %s, not a block: it cannot be called", c->callee,
             val_kind_name(e->arena, v->v));
    else
        fail(e, c->callee_at, "unknown %s '%s'%s", c->primitive ? "op" : "block or op", c->callee,
             near_names(e, c->callee));
}

/* Blocks of the text hide those of the prelude, which hide ops; the prelude sees no block of the text. */
static bool find_callee(elab *e, const ast_call *c, callee *out) {
    *out = (callee){0};
    if (!c->primitive) {
        if (!e->frame->prelude) out->block = map_get(&e->blocks.by_name, c->callee);
        if (!out->block) out->block = map_get(&e->prelude.by_name, c->callee);
        if (!out->block) out->builtin = builtin_find(c->callee);
    }
    if (!out->block && !out->builtin) out->op = op_find(c->callee);
    if (out->op && !op_callable(out->op)) out->op = NULL;
    if (out->block || out->builtin || out->op) return true;
    unknown_callee(e, c);
    return false;
}

void check_callee(elab *e, const ast_call *c) {
    callee ignored;
    find_callee(e, c, &ignored);
}

/* Evaluates all, so that each mistake is reported; false if one was. */
static bool eval_args(elab *e, const ast_call *c, const val *first, const ast_expr *first_from, span at,
                      args *out) {
    bool good = true;
    int lead = first != NULL;
    out->count = c->args.count + lead;
    out->at = NEW_ARRAY(e->arena, arg, out->count);
    if (first) out->at[0] = (arg){NULL, at, *first, first_from};
    for (int i = 0; i < c->args.count; i++) {
        const ast_arg *a = &c->args.at[i];
        out->at[i + lead] = (arg){a->name, a->at, eval_one(e, a->value), a->value};
    }
    for (int i = 0; i < out->count; i++) good = good && out->at[i].v.kind != VAL_ERROR;
    return good;
}

/* "a -> b -> a": from the frame that runs `to` down to the call of it. */
static const char *circle(elab *e, const frame *f, const ast_block *to) {
    if (f->body) return circle(e, f->caller, to);
    const char *before = f->block == to ? "" : circle(e, f->caller, to);
    return arena_printf(e->arena, "%s%s -> ", before, f->block->name);
}

static bool refuse_recursion(elab *e, const ast_block *b, span at) {
    const frame *f = e->frame;
    while (f && f->block != b) f = f->caller;
    if (f)
        fail(e, at,
             "block '%s' calls itself (%s%s): blocks are unrolled when the net is built; use 'for' or 'scan'",
             b->name, circle(e, e->frame, b), b->name);
    else if (e->calls >= MAX_CALLS)
        stop(e, at, "blocks call one another more than %d deep", MAX_CALLS);
    else
        return true;
    return false;
}

static const char *signature(elab *e, const ast_block *b) {
    text t = text_in(e->arena);
    text_printf(&t, "%s(", b->name);
    for (int i = 0; i < b->params.count; i++)
        text_printf(&t, "%s%s%s", i ? ", " : "", b->params.at[i].name, b->params.at[i].value ? " = ..." : "");
    text_puts(&t, ")");
    return t.at;
}

/* Gives the block's names their values, in its own frame: a default may use the names before it. */
static bool bind_params(elab *e, const ast_block *b, const arg *const *slots, span at) {
    for (int i = 0; i < b->params.count; i++) {
        const ast_arg *p = &b->params.at[i];
        if (!slots[i] && !p->value) {
            e->frame = e->frame->caller;
            fail(e, at, "'%s' is not given to %s", p->name, signature(e, b));
            return false;
        }
        val v = slots[i] ? slots[i]->v : eval_one(e, p->value);
        if (v.kind == VAL_ERROR) return e->frame = e->frame->caller, false;
        bind_name(e, p->name, v, p->at);
    }
    return true;
}

static val call_block(elab *e, const ast_block *b, const ast_expr *x, args given) {
    frame *caller = e->frame;
    const ast_call *c = &x->as.call;
    const char **names = NEW_ARRAY(e->arena, const char *, b->params.count);
    const arg **slots = NEW_ARRAY(e->arena, const arg *, b->params.count);
    for (int i = 0; i < b->params.count; i++) names[i] = b->params.at[i].name;
    if (!refuse_recursion(e, b, x->at)) return val_error();
    if (!bind_args(e, arena_printf(e->arena, "'%s'", b->name), given, names, b->params.count, slots))
        return val_error();
    frame *f = NEW(e->arena, frame);
    *f = (frame){.caller = caller, .prelude = b->prelude, .block = b, .call_at = here(e, x->at)};
    f->variables = f->labels = map_in(e->arena);
    f->scope = caller->prelude && !c->label ? caller->scope : open_scope(e, c, b->name, b->prelude, x->at);
    e->frame = f;
    if (!f->scope && !caller->prelude) return e->frame = caller, val_error();
    if (!bind_params(e, b, slots, x->at)) return val_error();
    e->calls++;
    int errors = e->diags->errors;
    exec_all(e, &b->body);
    e->calls--;
    e->frame = caller;
    if (f->returned) return f->result;
    if (e->diags->errors == errors)
        fail(e, x->at, "block '%s' returns nothing: end it with 'return ...'", b->name);
    return val_error();
}

static val dispatch(elab *e, const ast_expr *x, const callee *to, args given) {
    if (to->block) return call_block(e, to->block, x, given);
    if (to->builtin) return call_builtin(e, to->builtin, given, x->at);
    bool quiet = e->frame->prelude && !x->as.call.label;
    scope *s = quiet ? e->frame->scope : open_scope(e, &x->as.call, to->op->name, !e->frame->prelude, x->at);
    if (!s && !quiet) return val_error();
    return call_op(e, to->op, given, s, x->at);
}

val eval_call(elab *e, const ast_expr *x, const val *first, const ast_expr *first_from) {
    callee to;
    args given;
    bool known = find_callee(e, &x->as.call, &to);
    span lead = first_from ? first_from->at : x->at;
    if (!eval_args(e, &x->as.call, first, first_from, lead, &given) || !known || e->stopped)
        return val_error();
    if (e->depth >= MAX_EVALUATION) return eval(e, x); /* reports */
    if (!tick(e, x->at, CALL_STEPS)) return val_error();
    e->depth++;
    val v = dispatch(e, x, &to, given);
    e->depth--;
    return v;
}
