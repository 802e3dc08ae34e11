/* A net as `netc show` prints it: a row an input, then a row a layer, in the words of the user's text. */
#ifndef NETC_FRONTEND_API_LAYERS_H
#define NETC_FRONTEND_API_LAYERS_H

#include "ir/graph.h"

typedef struct layer_row {
    const char *name;      /* path of labels, "layer1.0.conv1"; an input's own name */
    const char *op;        /* what was called, "conv"; "input" */
    shape output;          /* of its last result */
    int64_t neurons;       /* elements of that a sample */
    int64_t parameters;    /* trainable numbers */
    int64_t multiply_adds; /* a sample */
    /* How many rows and columns of the net's pictures an element of the output depends on, padding counted;
     * all of them after a layer that mixes places. 0, 0 in nets whose inputs are no pictures. */
    int64_t field[2];
} layer_row;

typedef struct layer_table {
    layer_row *at;
    int count;
    int64_t parameters, multiply_adds; /* of the whole net */
} layer_table;

/* The layer that a call belongs to: the outermost around it, or NULL. */
const scope *layer_around(const scope *s);

layer_table layers_of(arena *a, const graph *g);

#endif
