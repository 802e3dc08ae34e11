/* Scans taken apart and put together. */
#include "passes/scans.h"

#include <string.h>

scan_lists scan_open(arena *a, const node *n) {
    const scan_attrs *s = n->attrs;
    scan_lists l = {0};
    for (int k = 0; k < n->inputs; k++) {
        scan_operand o = {n->in[k], s->body->arguments.at[k]};
        if (k < s->sequences)
            VEC_PUSH(a, &l.sequences, o);
        else if (k < s->sequences + s->carries)
            VEC_PUSH(a, &l.carries, o);
        else
            VEC_PUSH(a, &l.captured, o);
    }
    return l;
}

typedef struct lister {
    arena *arena;
    graph *body;
    VEC(value *) in;
} lister;

static void list(lister *l, scan_operand o) {
    VEC_PUSH(l->arena, &l->in, o.outer);
    VEC_PUSH(l->arena, &l->body->arguments, o.inner);
}

static node *new_scan(graph *g, const node *n, value **in, int inputs, const scan_attrs *attrs) {
    diags d = {.arena = g->arena};
    node *m = graph_node(g, n->op, in, inputs, attrs, n->scope, n->at, &d);
    if (!m) trap_spring(g->arena->trap, arena_printf(g->arena, "internal error: %s", d.first->text));
    return m;
}

void scan_close(edit *r, node *n, const scan_lists *l, const bool *keep) {
    graph *g = r->graph;
    scan_attrs old = *(const scan_attrs *)n->attrs, new = old;
    lister all = {.arena = g->arena, .body = old.body};
    old.body->arguments.count = 0;
    for (int i = 0; i < l->sequences.count; i++) list(&all, l->sequences.at[i]);
    for (int i = 0; i < l->carries.count; i++) list(&all, l->carries.at[i]);
    for (int i = 0; i < l->captured.count; i++) list(&all, l->captured.at[i]);
    new.sequences = l->sequences.count;
    new.yields = old.body->outputs.count - old.carries;
    node *m = new_scan(g, n, all.in.at, all.in.count, &new);
    value **with = arena_copy(g->arena, n->out, (size_t)n->outputs * sizeof *with);
    int next = 0;
    for (int64_t k = 0; k < old.yields; k++)
        if (!keep || keep[k]) with[k] = m->out[next++];
    for (int64_t k = 0; k < old.carries; k++) with[old.yields + k] = m->out[next++];
    edit_replace(r, n, with);
}

/* The body's outputs without the yields that go, and without what only they needed. */
static void drop_yields(const scan_attrs *s, const bool *keep) {
    graph *body = s->body;
    int64_t left = s->carries;
    for (int64_t k = 0; k < s->yields; k++)
        if (keep[k]) body->outputs.at[left++] = body->outputs.at[s->carries + k];
    body->outputs.count = (int)left;
    graph_prune(body);
}

/* Yields with readers; at least one result stays. */
static bool *yields_read(edit *r, const node *n, bool *any_unread) {
    const scan_attrs *s = n->attrs;
    bool *keep = NEW_ARRAY(r->graph->arena, bool, s->yields + 1);
    bool some = s->carries > 0;
    for (int64_t k = 0; k < s->yields; k++) some |= keep[k] = edit_uses(r, n->out[k]) > 0;
    if (!some && s->yields) keep[0] = true;
    for (int64_t k = 0; k < s->yields; k++) *any_unread |= !keep[k];
    return keep;
}

scan_lists scan_read(const graph *body, const scan_lists *l) {
    arena *a = body->arena;
    scan_lists read = {.carries = {l->carries.at, l->carries.count, l->carries.room}};
    const int *uses = graph_use_counts(a, body);
    for (int i = 0; i < l->sequences.count; i++)
        if (uses[l->sequences.at[i].inner->id]) VEC_PUSH(a, &read.sequences, l->sequences.at[i]);
    for (int i = 0; i < l->captured.count; i++)
        if (uses[l->captured.at[i].inner->id]) VEC_PUSH(a, &read.captured, l->captured.at[i]);
    return read;
}

bool scan_trim(edit *r, node *n) {
    const scan_attrs *s = n->attrs;
    bool changed = false, *keep = yields_read(r, n, &changed);
    if (changed) drop_yields(s, keep);
    scan_lists all = scan_open(r->graph->arena, n), read = scan_read(s->body, &all);
    changed |= read.sequences.count < all.sequences.count || read.captured.count < all.captured.count;
    if (changed)
        scan_close(r, n, &read, keep);
    else
        edit_keep(r, n);
    return changed;
}
