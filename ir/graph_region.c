/* The two regions of a graph: what depends on weights and constants alone, and what depends on the input. */
#include "ir/graph.h"

static bool leaf_is_weight(const value *v) {
    return v->kind == VALUE_PARAM || v->kind == VALUE_CONST;
}

bool *graph_weight_region(arena *a, const graph *g) {
    bool *flags = NEW_ARRAY(a, bool, g->next_id);
    if (g->loss) return flags;
    for (int i = 0; i < g->params.count; i++) flags[g->params.at[i]->id] = true;
    for (int i = 0; i < g->nodes.count; i++) {
        const node *n = g->nodes.at[i];
        bool weights = n->op != NULL;
        for (int k = 0; k < n->inputs; k++) {
            if (leaf_is_weight(n->in[k])) flags[n->in[k]->id] = !shape_batched(&n->in[k]->shape);
            weights &= flags[n->in[k]->id];
        }
        /* what exists once a sample cannot be made before there is a sample */
        for (int k = 0; k < n->outputs; k++)
            flags[n->out[k]->id] = weights && !shape_batched(&n->out[k]->shape);
    }
    return flags;
}
