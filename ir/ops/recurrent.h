/* What rnn, lstm and gru share: their operands, and the scan that they expand into. */
#ifndef NETC_IR_OPS_RECURRENT_H
#define NETC_IR_OPS_RECURRENT_H

#include "ir/ops/attrs.h"

/* inputs: x [N,T,F], carries [N,H] (or what broadcasts to that), w_ih [gates·H,F], w_hh [gates·H,H] and, both
 * or neither, b_ih and b_hh [gates·H]; results: y [N,T,H] and the last carries. The first carry is h. */
typedef struct cell {
    int gates, carries;
    bool one_bias; /* both biases may be added before the step */
    /* In the body: next carries from x·w_ih + bias and h·w_hh (+ bias), [N,gates·H] each. */
    void (*step)(graph *body, const node *n, value *gx, value *gh, value *const *carry, value **next);
} cell;

enum { CARRIES_MAX = 2 };

bool recurrent_infer(graph *g, node *n, const cell *c, diags *d);
int64_t recurrent_work(const node *n, const cell *c);
void recurrent_expand(graph *g, node *n, const cell *c, value **results);
/* [N,gates·H] taken apart. */
void recurrent_gates(graph *body, const node *n, value *v, int gates, value **out);

#endif
