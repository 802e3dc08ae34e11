/* Finds layers by name and makes their values outputs. */
#include "frontend/api/inner.h"

#include "frontend/api/layers.h"

#include <string.h>

/* The last node made inside a call of this path, and whether there is such a call at all. */
static const node *last_inside(const graph *g, const char *path, bool *called) {
    const node *last = NULL;
    for (int i = 0; i < g->nodes.count; i++)
        for (const scope *s = g->nodes.at[i]->scope; s; s = s->parent)
            if (s->path && strcmp(s->path, path) == 0) last = g->nodes.at[i];
    for (int i = 0; i < g->scopes.count; i++)
        *called |= g->scopes.at[i]->path && strcmp(g->scopes.at[i]->path, path) == 0;
    return last;
}

static bool unknown(arena *a, const graph *g, const char *layer, diags *d) {
    layer_table t = layers_of(a, g);
    const char **names = NEW_ARRAY(a, const char *, t.count + 1);
    for (int k = 0; k < t.count; k++) names[k] = t.at[k].name;
    const char *near = nearest_name(layer, names, t.count);
    diag_add(d, DIAG_ERROR, (span){0}, "--layer: the net has no layer '%s'%s%s%s; 'netc show' lists them",
             layer, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
}

bool inner_output(graph *g, const char *layer, diags *d) {
    bool called = false;
    const node *last = last_inside(g, layer, &called);
    for (int k = 0; k < g->inputs.count; k++)
        if (strcmp(g->inputs.at[k]->name, layer) == 0) {
            diag_add(d, DIAG_ERROR, (span){0}, "--layer: '%s' is an input of the net, not a layer", layer);
            return false;
        }
    if (!last && !called) return unknown(d->arena, g, layer, d);
    if (last) {
        graph_output o = {layer, last->out[0]};
        VEC_PUSH(g->arena, &g->outputs, o);
        return true;
    }
    diag_add(d, DIAG_ERROR, (span){0},
             "--layer: '%s' has no value of its own: it works inside a scan, or leaves its input as it is; "
             "ask for "
             "the layer around or before it",
             layer);
    return false;
}

static bool is_pooling(const layer_row *r) {
    return strstr(r->op, "pool") && r->output.rank == 4; /* one that leaves maps */
}

int inner_usual(arena *a, const graph *g, const char *names[INNER_USUAL]) {
    layer_table t = layers_of(a, g);
    int first = g->inputs.count, pool;
    while (first < t.count && strcmp(t.at[first].op, "conv") != 0) first++;
    bool convolves = first < t.count;
    for (int k = t.count; k-- > g->inputs.count && !convolves;)
        if (t.at[k].multiply_adds || first == t.count) first = k;
    if (first >= t.count) return 0;
    names[0] = t.at[first].name;
    for (pool = first + 1; convolves && pool < t.count; pool++)
        if (is_pooling(&t.at[pool])) return names[1] = t.at[pool].name, 2;
    return 1;
}
