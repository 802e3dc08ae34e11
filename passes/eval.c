/* eval
 * Does:   makes the net what it is in evaluation: dropout is its input, batchnorm the affine map x·s + t
 *         with s = weight / √(running_var + eps), t = bias - running_mean·s. In bodies of scans too.
 * Needs:  other composites expanded.
 * Breaks: training; that takes a clone of its own. */
#include "passes/edit.h"
#include "passes/passes.h"

#include <string.h>

static bool is_batchnorm(const op *o) {
    return strcmp(o->name, "batchnorm") == 0;
}

static void drop_dropout(graph *g) {
    edit r = edit_begin(g);
    for (node *n; (n = edit_next(&r));) {
        if (strcmp(n->op->name, "dropout") == 0)
            edit_replace(&r, n, n->in);
        else
            edit_keep(&r, n);
    }
    edit_end(&r);
}

static void evaluate(graph *g) {
    drop_dropout(g);
    expand_nodes(g, is_batchnorm);
}

void pass_eval(pass_state *s) {
    each_graph(s->graph, evaluate);
}
