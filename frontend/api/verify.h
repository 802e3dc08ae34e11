/* One net on two backends: what each layer gives, held against each other. */
#ifndef NETC_FRONTEND_API_VERIFY_H
#define NETC_FRONTEND_API_VERIFY_H

#include "frontend/api/executor.h"

/* A layer's value, or an output of the net. */
typedef struct verify_row {
    const char *name;
    const char *op; /* what was called, "conv"; NULL for an output */
    span at;        /* the layer's call in the text; no source for an output */
    double largest; /* of the second's numbers, without their signs */
    double apart; /* the largest difference as a share of that; infinity where only one of two is a number */
    shape shape;
    int64_t where; /* its place among the numbers of all samples, and what the two say there */
    double first, second;
} verify_row;

/* Of the net with its layers as outputs, in the order in which they are computed; then of the net as it is compiled,
 * where layers are fused, its outputs. */
typedef struct verify_table {
    verify_row *at;
    int count, layers;
} verify_table;

typedef struct verify_options {
    executor_options run;      /* max_batch is taken */
    const float *params;       /* in the order of the text */
    int64_t samples;           /* at least 1 */
    const void *const *inputs; /* [samples][count] each */
} verify_options;

/* False with errors where one of them cannot run the net. */
bool verify_backends(verify_table *t, arena *a, const graph *g, const executor *first, const executor *second,
                     const verify_options *o, diags *d);
/* The net's outputs against the same net in double, on the interpreter. */
bool verify_error(verify_table *t, arena *a, const graph *g, const executor *backend, const verify_options *o,
                  diags *d);

/* The first row that is further apart than `tolerance`; NULL: there is none. */
const verify_row *verify_first(const verify_table *t, double tolerance);

#endif
