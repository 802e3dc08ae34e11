/* autodiff
 * Does:   extends the step's graph by the gradient of the loss for every trainable parameter that is not frozen, and
 *         by what the recipe's optimizer makes of it: updates of parameters and moments. Then composites that are
 *         left become primitives.
 * Needs:  train; every op on the way has a gradient, or an error names the one that has none.
 * Breaks: nothing. */
#include "ir/autodiff.h"
#include "passes/edit.h"
#include "passes/optimizer.h"

#include <fnmatch.h>

static bool frozen(const pass_options *o, const char *name) {
    for (const char *const *p = o->freeze; p && *p; p++)
        if (fnmatch(*p, name, 0) == 0) return true;
    return false;
}

static bool *wanted_params(const pass_state *s) {
    const graph *g = s->graph;
    bool *wanted = NEW_ARRAY(s->arena, bool, g->next_id);
    for (int i = 0; i < g->params.count; i++) {
        const value *p = g->params.at[i];
        wanted[p->id] = p->as.param.trainable && !frozen(s->options, p->name);
    }
    return wanted;
}

static bool any_op(const op *o) {
    (void)o;
    return true;
}

static void expand_rest(graph *g) {
    expand_nodes(g, any_op);
}

void pass_autodiff(pass_state *s) {
    graph *g = s->graph;
    bool *wanted = wanted_params(s);
    value *one = graph_scalar(g, 1), **grads = NEW_ARRAY(s->arena, value *, g->next_id);
    if (!graph_differentiate(g, &g->loss, &one, 1, wanted, grads, s->diags)) return;
    VEC(trained) list = {0};
    for (int i = 0; i < g->params.count; i++) {
        trained t = {g->params.at[i], wanted[g->params.at[i]->id] ? grads[g->params.at[i]->id] : NULL};
        if (t.grad) VEC_PUSH(s->arena, &list, t);
    }
    if (!list.count) {
        diag_add(s->diags, DIAG_ERROR, g->loss->at,
                 "there is nothing to train: the loss depends on no parameter%s",
                 s->options->freeze && *s->options->freeze ? " that is not frozen" : "");
        return;
    }
    optimizer_update(g, g->recipe, list.at, list.count);
    each_graph(g, expand_rest);
}
