/* Gathers a graph's nodes into layers and prints them with their edges. */
#include "frontend/api/picture.h"

#include "frontend/api/layers.h"
#include "ir/op.h"

#include <string.h>

/* How nodes look, by what their op's name holds; the first that fits. */
static const struct {
    const char *part, *fill;
} fills[] = {
    {"conv", "#cfe2f3"}, {"linear", "#fce5cd"},    {"pool", "#d9ead3"},    {"norm", "#eeeeee"},
    {"lstm", "#ead1dc"}, {"gru", "#ead1dc"},       {"rnn", "#ead1dc"},     {"scan", "#ead1dc"},
    {"drop", "#eeeeee"}, {"embedding", "#fff2cc"}, {"softmax", "#fff2cc"}, {"", "#ffffff"},
};

typedef struct picture {
    text *out;
    const graph *graph;
    const bool *weights;  /* by value id: of weights alone, which is not drawn */
    int *maker;           /* by value id: the index of the node that makes it */
    const node **last_of; /* by scope's order: the layer's last node */
    VEC(uint64_t) edges;  /* drawn already */
} picture;

/* ---- names ---- */

/* A node's number in the picture: a layer's is its scope's; then come nodes without a layer, then values. */
static int number_of_node(const picture *p, int index) {
    const scope *layer = layer_around(p->graph->nodes.at[index]->scope);
    return layer && layer->order >= 0 ? layer->order : p->graph->scopes.count + index;
}

static int number_of_value(const picture *p, const value *v) {
    if (v->kind == VALUE_NODE) return number_of_node(p, p->maker[v->id]);
    return p->graph->scopes.count + p->graph->nodes.count + v->id;
}

static void put_escaped(text *t, const char *s) {
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') text_puts(t, "\\");
        text_add(t, s, 1);
    }
}

/* "64x112x112": a sample's. */
static void put_shape(text *t, const shape *s) {
    for (int k = shape_batched(s); k < s->rank; k++)
        text_printf(t, k > shape_batched(s) ? "x%lld" : "%lld", (long long)s->dim[k]);
}

static const char *fill_of(const char *what) {
    size_t k = 0;
    while (!strstr(what, fills[k].part)) k++;
    return fills[k].fill;
}

static void put_node(const picture *p, int number, const char *name, const char *what, const shape *s,
                     const char *style) {
    text_printf(p->out, "    n%d [label=\"", number);
    put_escaped(p->out, name);
    text_puts(p->out, "\\n");
    put_escaped(p->out, what);
    if (*what) text_puts(p->out, "  ");
    put_shape(p->out, s);
    text_printf(p->out, "\"%s fillcolor=\"%s\"];\n", style, fill_of(what));
}

/* ---- nodes and edges ---- */

static void put_values(const picture *p) {
    const graph *g = p->graph;
    for (int k = 0; k < g->inputs.count; k++)
        put_node(p, number_of_value(p, g->inputs.at[k]), g->inputs.at[k]->name, "input",
                 &g->inputs.at[k]->shape, " shape=ellipse");
    for (int k = 0; k < g->states.count; k++)
        put_node(p, number_of_value(p, g->states.at[k]), g->states.at[k]->name, "state",
                 &g->states.at[k]->shape, " shape=ellipse");
}

static bool is_drawn(const picture *p, const node *n) {
    return !p->weights[n->out[0]->id];
}

/* A layer where its last node stands, so that nodes come in order. */
static void put_layers(const picture *p) {
    for (int i = 0; i < p->graph->nodes.count; i++) {
        const node *n = p->graph->nodes.at[i];
        const scope *layer = layer_around(n->scope);
        if (!is_drawn(p, n)) continue;
        if (!layer || layer->order < 0)
            put_node(p, number_of_node(p, i), n->op->name, "", &n->out[0]->shape,
                     " style=\"rounded,filled\"");
        else if (p->last_of[layer->order] == n)
            put_node(p, layer->order, layer->path, layer->block, &n->out[0]->shape, "");
    }
}

static void put_edge(picture *p, int from, int to, const char *style) {
    uint64_t edge = (uint64_t)(uint32_t)from << 32 | (uint32_t)to;
    if (from == to) return;
    for (int k = p->edges.count; k-- > 0 && p->edges.count - k < 64;) /* of one node, so a few back */
        if (p->edges.at[k] == edge) return;
    VEC_PUSH(p->out->arena, &p->edges, edge);
    text_printf(p->out, "    n%d -> n%d%s;\n", from, to, style);
}

static void put_edges(picture *p) {
    const graph *g = p->graph;
    for (int i = 0; i < g->nodes.count; i++)
        for (int k = 0; k < g->nodes.at[i]->inputs && is_drawn(p, g->nodes.at[i]); k++) {
            const value *v = g->nodes.at[i]->in[k];
            if (!p->weights[v->id]) put_edge(p, number_of_value(p, v), number_of_node(p, i), "");
        }
    for (int k = 0; k < g->states.count; k++)
        if (g->states.at[k]->as.next)
            put_edge(p, number_of_value(p, g->states.at[k]->as.next), number_of_value(p, g->states.at[k]),
                     " [style=dashed constraint=false]");
}

/* After all other numbers. */
static void put_outputs(picture *p) {
    const graph *g = p->graph;
    for (int k = 0; k < g->outputs.count; k++) {
        int number = g->scopes.count + g->nodes.count + g->next_id + k;
        put_node(p, number, g->outputs.at[k].name, "output", &g->outputs.at[k].value->shape,
                 " shape=ellipse");
        put_edge(p, number_of_value(p, g->outputs.at[k].value), number, "");
    }
}

static void find_makers(picture *p, arena *a) {
    const graph *g = p->graph;
    p->maker = NEW_ARRAY(a, int, g->next_id + 1);
    p->last_of = NEW_ARRAY(a, const node *, g->scopes.count + 1);
    for (int i = 0; i < g->nodes.count; i++) {
        const node *n = g->nodes.at[i];
        const scope *layer = layer_around(n->scope);
        for (int k = 0; k < n->outputs; k++) p->maker[n->out[k]->id] = i;
        if (layer && layer->order >= 0 && !p->weights[n->out[0]->id]) p->last_of[layer->order] = n;
    }
}

void picture_dot(text *t, arena *a, const graph *g) {
    picture p = {.out = t, .graph = g, .weights = graph_weight_region(a, g)};
    find_makers(&p, a);
    text_puts(t, "digraph \"");
    put_escaped(t, g->name);
    text_puts(t, "\" {\n    node [shape=box style=filled fontname=\"Helvetica\" fontsize=11];\n"
                 "    edge [color=\"#555555\" arrowsize=0.7];\n");
    put_values(&p);
    put_layers(&p);
    put_outputs(&p);
    put_edges(&p);
    text_puts(t, "}\n");
}
