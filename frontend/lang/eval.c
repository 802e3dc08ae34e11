/* Expressions: every kind but calls, operators, places and scans, which have files of their own. */
#include "frontend/lang/elab.h"

bool tick(elab *e, span at, int64_t steps) {
    e->steps += steps;
    if (e->steps > MAX_STEPS)
        stop(e, at, "building this net takes more than %d steps: a loop here is far too long", MAX_STEPS);
    return !e->stopped;
}

variable *find_variable(elab *e, const char *name) {
    for (frame *f = e->frame; f; f = f->caller) {
        variable *v = map_get(&f->variables, name);
        if (v) return v;
        if (!f->body) return NULL;
    }
    return NULL;
}

static val unknown_name(elab *e, const ast_expr *x) {
    const char *name = x->as.text;
    if (map_get(&e->blocks.by_name, name) || map_get(&e->prelude.by_name, name) || builtin_find(name) ||
        op_find(name))
        return fail(e, x->at, "'%s' is called, not read: write %s(...), or '-> %s'", name, name, name);
    VEC(const char *) all = {0};
    for (frame *f = e->frame; f; f = f->body ? f->caller : NULL)
        for (int i = 0; i < f->names.count; i++) VEC_PUSH(e->arena, &all, f->names.at[i]);
    return fail(e, x->at, "'%s' has no value here%s", name, suggest(e, name, all.at, all.count));
}

static val eval_name(elab *e, const ast_expr *x) {
    variable *v = find_variable(e, x->as.text);
    if (!v) return unknown_name(e, x);
    if (v->target) v->target->used = true;
    return v->v;
}

static val eval_list(elab *e, const ast_expr *x) {
    int count = x->as.list.count;
    val *items = NEW_ARRAY(e->arena, val, count);
    for (int i = 0; i < count; i++) {
        items[i] = eval_one(e, x->as.list.at[i]);
        if (items[i].kind == VAL_ERROR) return val_error();
    }
    return val_list_of(e->arena, VAL_LIST, items, count);
}

static val eval_join(elab *e, const ast_expr *x) {
    text t = text_in(e->arena);
    text_puts(&t, "");
    for (int i = 0; i < x->as.list.count; i++) {
        val v = eval_one(e, x->as.list.at[i]);
        if (v.kind == VAL_ERROR) return v;
        val_print(&t, v);
        if (t.length > MAX_STRING) return fail(e, x->at, "this text grows past %d bytes", MAX_STRING);
    }
    return tick(e, x->at, (int64_t)t.length / 16) ? val_text(t.at) : val_error();
}

static val eval_pipe(elab *e, const ast_expr *x) {
    val v = eval(e, x->as.pipe.first);
    for (int i = 0; i < x->as.pipe.stages.count; i++) {
        val first = val_first(v);
        if (!tick(e, x->at, 1)) return val_error();
        v = eval_call(e, x->as.pipe.stages.at[i], &first, i ? NULL : x->as.pipe.first);
    }
    return v;
}

/* and, or: the right side is read only where it decides. */
static val eval_logic(elab *e, const ast_expr *x) {
    bool either = x->as.operation.op == OPERATOR_OR, truth;
    const char *word = either ? "'or'" : "'and'";
    if (!eval_bool(e, x->as.operation.left, word, &truth)) return val_error();
    if (truth == either) return val_bool(truth);
    return eval_bool(e, x->as.operation.right, word, &truth) ? val_bool(truth) : val_error();
}

static val eval_binary(elab *e, const ast_expr *x) {
    if (x->as.operation.op == OPERATOR_OR || x->as.operation.op == OPERATOR_AND) return eval_logic(e, x);
    val left = eval_one(e, x->as.operation.left), right = eval_one(e, x->as.operation.right);
    if (left.kind == VAL_ERROR || right.kind == VAL_ERROR) return val_error();
    return operate(e, x, left, right);
}

static val eval_unary(elab *e, const ast_expr *x) {
    bool truth;
    if (x->as.operation.op == OPERATOR_NOT)
        return eval_bool(e, x->as.operation.left, "'not'", &truth) ? val_bool(!truth) : val_error();
    val v = eval_one(e, x->as.operation.left);
    return v.kind == VAL_ERROR ? v : negate(e, x, v);
}

static val eval_choice(elab *e, const ast_expr *x) {
    bool truth;
    if (!eval_bool(e, x->as.choice.condition, "'if'", &truth)) return val_error();
    return eval(e, truth ? x->as.choice.then : x->as.choice.otherwise);
}

static val eval_kind(elab *e, const ast_expr *x) {
    switch (x->kind) {
    case AST_INT: return val_int(x->as.integer);
    case AST_REAL: return val_real(x->as.real);
    case AST_BOOL: return val_bool(x->as.truth);
    case AST_NONE: return val_none();
    case AST_TEXT: return val_text(x->as.text);
    case AST_JOIN: return eval_join(e, x);
    case AST_NAME: return eval_name(e, x);
    case AST_LIST: return eval_list(e, x);
    case AST_UNARY: return eval_unary(e, x);
    case AST_BINARY: return eval_binary(e, x);
    case AST_IF: return eval_choice(e, x);
    case AST_FIELD: return eval_field(e, x);
    case AST_INDEX: return eval_index(e, x);
    case AST_CALL: return eval_call(e, x, NULL, NULL);
    case AST_PIPE: return eval_pipe(e, x);
    case AST_SCAN: return eval_scan(e, x);
    }
    return val_error();
}

val eval(elab *e, const ast_expr *x) {
    if (!tick(e, x->at, 1)) return val_error();
    if (e->depth >= MAX_EVALUATION)
        return stop(e, x->at,
                    "calls and expressions nest deeper than %d: this net is built too deep to follow",
                    MAX_EVALUATION);
    e->depth++;
    val v = eval_kind(e, x);
    e->depth--;
    return v;
}

val eval_one(elab *e, const ast_expr *x) {
    return val_first(eval(e, x));
}

bool eval_bool(elab *e, const ast_expr *x, const char *what, bool *out) {
    val v = eval_one(e, x);
    if (v.kind == VAL_BOOL) return *out = v.as.truth, true;
    if (v.kind == VAL_TENSOR)
        fail(e, x->at,
             "%s needs true or false when the net is built, but this is %s: its numbers are known only "
             "when it runs; select(c, a, b) chooses then",
             what, val_kind_name(e->arena, v));
    else if (v.kind != VAL_ERROR)
        fail(e, x->at, "%s needs true or false, but this is %s; compare it, as in 'x != 0'", what,
             val_kind_name(e->arena, v));
    return false;
}

bool eval_size(elab *e, const ast_expr *x, const char *what, int64_t *out) {
    val v = eval_one(e, x);
    if (v.kind == VAL_INT) return *out = v.as.integer, true;
    if (v.kind != VAL_ERROR)
        fail(e, x->at, "%s must be an integer, but this is %s", what, val_kind_name(e->arena, v));
    return false;
}
