/* A train {} block, elaborated: what to minimise, how, and on what. Checked by the frontend, followed by the
 * runtime; names are PyTorch's. */
#ifndef NETC_IR_RECIPE_H
#define NETC_IR_RECIPE_H

#include "ir/graph.h"

/* NAME(key = value, ...) with numbers, lists or names, as optimizer, schedule, loss and augmentations are. */
typedef struct recipe_arg {
    const char *name; /* NULL: positional */
    double number;
    const char *text; /* a string or name, else NULL */
    const double *list;
    int count; /* of list, 0 without */
    span at;
} recipe_arg;

typedef struct recipe_call {
    const char *name;
    VEC(recipe_arg) args;
    span at;
} recipe_call;

typedef struct recipe {
    recipe_call loss, optimizer, schedule, init; /* name NULL where the text is silent */
    VEC(recipe_call) augment;
    const char *loss_output; /* name of the output that the loss reads */
    int64_t batch, epochs;
    double clip; /* gradient norm, 0 without */
    span at;
} recipe;

#endif
