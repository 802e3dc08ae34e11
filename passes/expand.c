/* expand
 * Does:   writes composite ops (layernorm, softmax, lstm, ...) in terms of primitives, in bodies of scans
 *         too, each expansion where the composite stood and with its scope and place.
 * Needs:  a graph as elaborated.
 * Breaks: nothing. Leaves alone what means one thing in evaluation and another in training (eval's
 *         business). */
#include "passes/edit.h"
#include "passes/passes.h"

#include <string.h>

static bool neutral(const op *o) {
    static const char *const two_sided[] = {"batchnorm", "dropout"};
    for (size_t i = 0; i < sizeof two_sided / sizeof *two_sided; i++)
        if (strcmp(o->name, two_sided[i]) == 0) return false;
    return true;
}

/* Outer graphs first: expansions bring new bodies. */
static void expand_graph(graph *g) {
    expand_nodes(g, neutral);
    for (int i = 0; i < g->nodes.count; i++) {
        graph *body = node_body(g->nodes.at[i]);
        if (body) expand_graph(body);
    }
}

void pass_expand(pass_state *s) {
    expand_graph(s->graph);
}
