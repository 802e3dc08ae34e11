/* Names in text that was not run: branches not taken, blocks never called, nets not chosen. Elaboration sees
 * only what it runs; a name that nothing in its block can ever give a value is a mistake there too. */
#include "frontend/lang/elab.h"

typedef struct checking {
    elab *e;
    map known; /* names that something in the block gives a value */
    VEC(const char *) names;
} checking;

static void know(checking *c, const char *name) {
    if (map_get(&c->known, name)) return;
    map_put(&c->known, name, c);
    VEC_PUSH(c->e->arena, &c->names, name);
}

static void know_all(checking *c, const ast_names *names) {
    for (int i = 0; i < names->count; i++) know(c, names->at[i].name);
}

/* Both passes walk the same tree: `use` is false while names are collected, true while they are looked up. */
static void walk(checking *c, const ast_expr *x, bool use);
static void walk_all(checking *c, const ast_stmts *all, bool use);

static void walk_list(checking *c, const ast_exprs *list, bool use) {
    for (int i = 0; i < list->count; i++) walk(c, list->at[i], use);
}

static void walk_args(checking *c, const ast_args *given, bool use) {
    for (int i = 0; i < given->count; i++) walk(c, given->at[i].value, use);
}

static void walk_domain(checking *c, const ast_domain *d, bool use) {
    walk_list(c, &d->over, use);
    walk(c, d->from, use);
    walk(c, d->to, use);
}

static void walk_scan(checking *c, const ast_expr *x, bool use) {
    know_all(c, &x->as.scan.names);
    for (int i = 0; i < x->as.scan.carries.count; i++) know(c, x->as.scan.carries.at[i].name);
    walk_domain(c, &x->as.scan.domain, use);
    walk_args(c, &x->as.scan.carries, use);
    walk_all(c, &x->as.scan.body, use);
}

static void walk_call(checking *c, const ast_call *call, bool use) {
    if (use) check_callee(c->e, call);
    if (call->label) walk(c, call->label->index, use);
    walk_args(c, &call->args, use);
}

static void walk_name(checking *c, const ast_expr *x) {
    if (!map_get(&c->known, x->as.text))
        fail(c->e, x->at, "'%s' has no value here%s", x->as.text,
             suggest(c->e, x->as.text, c->names.at, c->names.count));
}

static void walk_places(checking *c, const ast_indices *places, bool use) {
    for (int i = 0; i < places->count; i++) {
        walk(c, places->at[i].from, use);
        walk(c, places->at[i].to, use);
    }
}

static void walk(checking *c, const ast_expr *x, bool use) {
    if (!x) return;
    switch (x->kind) {
    case AST_NAME:
        if (use) walk_name(c, x);
        break;
    case AST_LIST:
    case AST_JOIN: walk_list(c, &x->as.list, use); break;
    case AST_UNARY:
    case AST_BINARY:
        walk(c, x->as.operation.left, use);
        walk(c, x->as.operation.right, use);
        break;
    case AST_IF:
        walk(c, x->as.choice.condition, use);
        walk(c, x->as.choice.then, use);
        walk(c, x->as.choice.otherwise, use);
        break;
    case AST_FIELD: walk(c, x->as.field.of, use); break;
    case AST_INDEX:
        walk(c, x->as.index.of, use);
        walk_places(c, &x->as.index.places, use);
        break;
    case AST_CALL: walk_call(c, &x->as.call, use); break;
    case AST_PIPE:
        walk(c, x->as.pipe.first, use);
        walk_list(c, &x->as.pipe.stages, use);
        break;
    case AST_SCAN: walk_scan(c, x, use); break;
    default: break; /* literals */
    }
}

static void walk_statement(checking *c, const ast_stmt *s, bool use) {
    switch (s->kind) {
    case STMT_ASSIGN:
    case STMT_OUTPUT:
        know_all(c, &s->as.assign.names);
        walk(c, s->as.assign.value, use);
        break;
    case STMT_INPUT:
    case STMT_STATE:
        know(c, s->as.input.name.name);
        walk_list(c, &s->as.input.dims, use);
        walk_args(c, &s->as.input.statistics, use);
        break;
    case STMT_LABELS: walk(c, s->as.labels, use); break;
    case STMT_RETURN:
    case STMT_YIELD: walk_list(c, &s->as.results, use); break;
    case STMT_ASSERT:
        walk(c, s->as.assertion.condition, use);
        walk(c, s->as.assertion.text, use);
        break;
    case STMT_IF:
        walk(c, s->as.choice.condition, use);
        walk_all(c, &s->as.choice.then, use);
        walk_all(c, &s->as.choice.otherwise, use);
        break;
    case STMT_FOR:
        know_all(c, &s->as.loop.names);
        walk_domain(c, &s->as.loop.domain, use);
        walk_all(c, &s->as.loop.body, use);
        break;
    case STMT_TRAIN: break; /* names of its own: recipe.c */
    }
}

static void walk_all(checking *c, const ast_stmts *all, bool use) {
    for (int i = 0; i < all->count; i++) walk_statement(c, all->at[i], use);
}

void check_names(elab *e, const ast_block *b) {
    checking c = {.e = e, .known = map_in(e->arena)};
    frame f = {.block = b, .variables = map_in(e->arena)};
    frame *around = e->frame;
    e->frame = &f;
    for (int i = 0; i < b->params.count; i++) know(&c, b->params.at[i].name);
    walk_all(&c, &b->body, false);
    walk_args(&c, &b->params, true);
    walk_all(&c, &b->body, true);
    e->frame = around;
}
