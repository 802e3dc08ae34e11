/* scan: a body graph run once for every step of a sequence, carrying values from a step to the next.
 *
 * inputs:  sequences..., first carries..., captured...
 * body:    arguments in that order: an element of every sequence, the carries, the captured values as they
 * are; outputs: the next carries..., then one element of every yield... results: stacked yields..., last
 * carries...
 *
 * A sequence is [N,T,...] and its element [N,...], or, where it does not depend on the input, [T,...] and
 * [...]; yields are stacked likewise. A first carry has the shape of its argument or one that broadcasts to
 * it (zeros [H] for [N,H]). Reversed, steps run from T-1 down to 0; element t of a yield is still that of
 * step t. */
#ifndef NETC_IR_OPS_SCAN_H
#define NETC_IR_OPS_SCAN_H

#include "ir/op.h"

typedef struct scan_attrs {
    graph *body;
    int64_t sequences, carries, yields;
    int64_t steps; /* T; 0: that of the sequences, which inference fills in */
    bool reversed;
} scan_attrs;

/* The record's grad: back-propagation through time (scan_grad.c). */
void scan_grad(graph *g, node *n, value *const *out_grads, value **in_grads);

#endif
