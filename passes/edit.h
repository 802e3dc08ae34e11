/* How graph passes edit: one walk over the nodes in their order. The walk takes the list away; the pass puts
 * back what stays (edit_keep) and writes new nodes where the walk stands (graph_make appends there), so
 * the order stays right without sorting. Values that go are replaced by others; later nodes read the new
 * ones.
 *
 *     edit r = edit_begin(g);
 *     for (node *n; (n = edit_next(&r));)
 *         if (unwanted(n)) edit_replace(&r, n, &with); else edit_keep(&r, n);
 *     edit_end(&r);
 */
#ifndef NETC_PASSES_EDIT_H
#define NETC_PASSES_EDIT_H

#include "ir/op.h"

typedef struct edit {
    graph *graph;
    node **old; /* the nodes as they were */
    int count, next;
    int counted;  /* of the graph's new list: nodes whose operands are in `uses` */
    int room;     /* of the tables below, by value id */
    int *uses;    /* places that read it, replaced values counted for what replaces them */
    value **with; /* NULL: itself */
} edit;

edit edit_begin(graph *g);
/* The next of the old nodes, its operands already the new ones; NULL at the end. It must be kept or replaced
 * before the next is asked for. */
node *edit_next(edit *r);
/* n stays, as it is now; its operands must be the ones that edit_next gave. */
void edit_keep(edit *r, node *n);
/* n goes: with[k] (of the same type and shape) is read in place of its result k. Nodes made since
 * edit_next have n as their origin unless they already have one. */
void edit_replace(edit *r, node *n, value *const *with);
/* m, a new node, takes n's place and its results. Their origin stays the caller's business. */
void edit_swap(edit *r, node *n, node *m);
/* Places that read v, those of nodes left without readers not counted. */
int edit_uses(edit *r, const value *v);
/* Outputs and states follow too; nodes that nobody reads any more are dropped. */
void edit_end(edit *r);

/* n's origins (n itself if it has none) join those of `to`, each once, up to 64. */
void origin_add(arena *a, node *to, node *n);

/* Replaces every node whose op is wanted by its expansion, until there is none; not inside bodies. */
void expand_nodes(graph *g, bool (*wanted)(const op *o));

/* Calls pass(g) for every graph inside nodes of g, at any depth, inner ones first, then for g itself. */
void each_graph(graph *g, void (*pass)(graph *g));

/* Known numbers: every element of v is x. */
bool value_is(const value *v, double x);

#endif
