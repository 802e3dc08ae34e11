/* choose-algorithm: fixes how every node will be computed.
 * Does:   sets node->choice to the cheapest legal candidate, in scan bodies too.
 * Needs:  primitives only (expand, eval).
 * Breaks: nothing; later passes must not change what made the choice legal. */
#include "ir/ops/scan.h"
#include "passes/passes.h"

static inexact most_inexact(const pass_state *s) {
    return s->options->exact ? INEXACT_NOT : s->graph->loss ? INEXACT_TWICE : INEXACT_MORE;
}

static const char *preferred(const pass_state *s, const node *n) {
    const pass_options *o = s->options;
    if (!o->tuner || !n->op->candidates) return o->prefer;
    return o->tuner->choose(o->tuner->user, n, o->max_batch, most_inexact(s));
}

static void choose(pass_state *s, graph *g) {
    for (int i = 0; i < g->nodes.count; i++) {
        node *n = g->nodes.at[i];
        if (n->op == op_find("scan")) {
            choose(s, ((scan_attrs *)n->attrs)->body);
            continue;
        }
        n->choice = candidate_choose(n, s->options->max_batch, most_inexact(s), preferred(s, n));
        if (!n->choice && !n->op->view)
            diag_add(s->diags, DIAG_ERROR, n->at, "internal: no way to compute op '%s' on a CPU",
                     n->op->name);
    }
}

void pass_choose_algorithm(pass_state *s) {
    choose(s, s->graph);
}
