/* The network language: from a .net text to a graph, and to the same text in canonical form. */
#ifndef NETC_FRONTEND_LANG_LANG_H
#define NETC_FRONTEND_LANG_LANG_H

#include "ir/graph.h"

/* What the command line changes, in the language's own expressions. Lists end with NULL; NULL for none. */
typedef struct lang_options {
    const char *const *defines; /* "classes=10": arguments of the net */
    const char *const *sets; /* "optimizer.lr=0.05", "optimizer=adam(lr=0.001)", or an argument of the net */
    const char *net;         /* which net of the text; NULL: the last */
    int64_t max_nodes;       /* refuse nets of more operations; 0: LANG_MAX_NODES */
} lang_options;

enum {
    LANG_MAX_NODES = 50000,  /* operations: a hundred times the largest net of the zoo */
    LANG_MAX_BYTES = 4 << 20 /* of one text */
};

/* The graph of a net, its recipe in graph->recipe; NULL with errors in d. Files that the text names (`use`,
 * `labels`) are read from the folder of s->path and below. Warnings are added too. options may be NULL. */
graph *lang_compile(arena *a, const source *s, const lang_options *options, diags *d);

/* The text in canonical form: indentation, spacing and blank lines; comments and line breaks are kept.
 * Formatting twice changes nothing more. False, with errors in d, if the text does not parse. */
bool lang_format(arena *a, const source *s, text *out, diags *d);

#endif
