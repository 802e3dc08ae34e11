/* Changing a graph in place: replace a value, restore the order, drop what nobody uses. */
#include "ir/op.h"

value **graph_root(graph *g, int k) {
    if (k < g->outputs.count) return &g->outputs.at[k].value;
    k -= g->outputs.count;
    if (k < g->states.count) return &g->states.at[k]->as.next;
    k -= g->states.count;
    if (k < g->updates.count) return &g->updates.at[k].next;
    return k == g->updates.count ? &g->loss : NULL;
}

void graph_replace(graph *g, value *old, value *with) {
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; k < g->nodes.at[i]->inputs; k++)
            if (g->nodes.at[i]->in[k] == old) g->nodes.at[i]->in[k] = with;
    value **root;
    for (int k = 0; (root = graph_root(g, k)); k++)
        if (*root == old) *root = with;
}

int *graph_use_counts(arena *a, const graph *g) {
    int *uses = NEW_ARRAY(a, int, g->next_id);
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; g->nodes.at[i]->op && k < g->nodes.at[i]->inputs; k++)
            uses[g->nodes.at[i]->in[k]->id]++;
    value **root;
    for (int k = 0; (root = graph_root((graph *)g, k)); k++)
        if (*root) uses[(*root)->id]++;
    return uses;
}

int graph_uses(const graph *g, const value *v) {
    int uses = 0;
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; g->nodes.at[i]->op && k < g->nodes.at[i]->inputs; k++)
            uses += g->nodes.at[i]->in[k] == v;
    value **root;
    for (int k = 0; (root = graph_root((graph *)g, k)); k++) uses += *root == v;
    return uses;
}

void graph_prune(graph *g) {
    int *uses = graph_use_counts(g->arena, g), kept = g->nodes.count;
    for (int i = g->nodes.count; i-- > 0;) {
        node *n = g->nodes.at[i];
        bool used = false;
        for (int k = 0; k < n->outputs; k++) used |= uses[n->out[k]->id] > 0;
        if (used && n->op) {
            g->nodes.at[--kept] = n; /* kept nodes gather at the end of the array */
            continue;
        }
        for (int k = 0; n->op && k < n->inputs; k++) uses[n->in[k]->id]--;
    }
    for (int i = kept; i < g->nodes.count; i++) g->nodes.at[i - kept] = g->nodes.at[i];
    g->nodes.count -= kept;
}

/* Depth first from each node in the order that is there, so that what already stands right stays. */
typedef struct frame {
    int node, next; /* index in g->nodes, next operand to look at */
} frame;

typedef struct sorter {
    graph *g;
    int *maker; /* by value id: index of the node that makes it, plus 1 */
    char *mark; /* by index of node: 0 new, 1 open, 2 placed */
    VEC(frame) stack;
    VEC(node *) sorted;
} sorter;

static void open_node(sorter *s, int i) {
    if (s->mark[i] == 1) trap_spring(s->g->arena->trap, "internal error: a graph with a cycle");
    if (s->mark[i]) return;
    s->mark[i] = 1;
    frame f = {.node = i};
    VEC_PUSH(s->g->arena, &s->stack, f);
}

static void step(sorter *s) {
    frame *f = &s->stack.at[s->stack.count - 1];
    node *n = s->g->nodes.at[f->node];
    if (f->next == n->inputs) {
        s->mark[f->node] = 2;
        s->stack.count--;
        VEC_PUSH(s->g->arena, &s->sorted, n);
        return;
    }
    const value *v = n->in[f->next++];
    if (v->kind != VALUE_NODE) return;
    if (!s->maker[v->id])
        trap_spring(s->g->arena->trap, "internal error: a value whose node has left the graph is used");
    open_node(s, s->maker[v->id] - 1);
}

void graph_sort(graph *g) {
    sorter s = {.g = g,
                .maker = NEW_ARRAY(g->arena, int, g->next_id),
                .mark = NEW_ARRAY(g->arena, char, g->nodes.count)};
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; g->nodes.at[i]->op && k < g->nodes.at[i]->outputs; k++)
            s.maker[g->nodes.at[i]->out[k]->id] = i + 1;
    for (int i = 0; i < g->nodes.count; i++) {
        if (g->nodes.at[i]->op) open_node(&s, i);
        while (s.stack.count) step(&s);
    }
    g->nodes.count = 0;
    for (int i = 0; i < s.sorted.count; i++) g->nodes.at[i] = s.sorted.at[i];
    g->nodes.count = s.sorted.count;
}
