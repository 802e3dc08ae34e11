/* Gradients checked: those that graph_differentiate writes, computed by the whole pipeline in double on the
 * interpreter, against central differences of the graph's results. */
#ifndef NETC_TESTS_SUPPORT_GRADIENT_H
#define NETC_TESTS_SUPPORT_GRADIENT_H

#include "tests/support/golden.h"

typedef struct gradient_options {
    double eps, atol, rtol; /* |gradient - difference| ≤ atol + rtol·|difference| */
    int elements;           /* of each input and parameter; and all of them once, in a random direction */
    bool plain;             /* the gradient's graph through every optional pass or through none */
} gradient_options;

/* The graph with ∂(Σ out·r)/∂v as further outputs d_NAME, for every floating point input and parameter v; r:
 * parameters and inputs r_NAME of random numbers, one for each floating point output. Composite ops without a gradient
 * are expanded. NULL with errors in d. */
graph *gradient_graph(arena *a, const graph *g, diags *d);
/* Whether all of g's gradients are right; prints what is not. */
bool gradient_matches(arena *a, const golden *g, const gradient_options *o);
/* The numbers of d_NAME; NULL with errors in d where there are none. */
const double *gradient_numbers(arena *a, const golden *g, const char *name, diags *d);
/* Whether g's gradients are those it expects (tests/goldens/make_backward.py says what of them a case has). */
bool gradient_expected(arena *a, const golden *g, bool plain);

#endif
