/* Reverse-mode differentiation: a graph grows by the nodes that compute gradients, which are values like any
 * other. What one op's gradient is stands in its record (op.h: grad). */
#ifndef NETC_IR_AUTODIFF_H
#define NETC_IR_AUTODIFF_H

#include "ir/op.h"

/* Extends g by the gradient of one or several values. For i < count: results[i] has the gradient seeds[i] (a
 * value of the same shape). Walks g's nodes as they stand, backwards; gradients that meet are added.
 *
 * grads has room for every value that exists before, by id; it receives the gradient of each value that has one
 * (NULL: none). `wanted` (by id, NULL: every floating point leaf but constants) marks values whose gradient
 * matters; what none of them leads to is left alone. False with an error that names the op and the user's line
 * where a gradient must pass an op that has none. Composite ops without a gradient must have been expanded. */
bool graph_differentiate(graph *g, value *const *results, value *const *seeds, int count, const bool *wanted,
                         value **grads, diags *d);

#endif
