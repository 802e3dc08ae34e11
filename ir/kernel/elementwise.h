/* Elementwise lowering for whoever has an expression of its inputs to compute. */
#ifndef NETC_IR_KERNEL_ELEMENTWISE_H
#define NETC_IR_KERNEL_ELEMENTWISE_H

#include "ir/kernel/lower.h"

/* out[0] = e(inputs), elementwise with broadcasting. */
void lower_strided(lower *l, const node *n, const expr *e);
/* The expression that is its only input. */
expr *expr_identity(arena *a);

#endif
