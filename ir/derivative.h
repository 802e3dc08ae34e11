/* The derivative column of scalar.def as expressions. */
#ifndef NETC_IR_DERIVATIVE_H
#define NETC_IR_DERIVATIVE_H

#include "ir/scalar.h"

/* What of an elementwise node its gradient may read. */
enum { READS_A, READS_B, READS_C, READS_RESULT, READS_GRADIENT, READS_MOST };

typedef struct derivative {
    int reads[READS_MOST]; /* what input k of the expression is: READS_A, ...; each at most once */
    expr gradient; /* of the operand: the partial derivative times the result's gradient; no step: that */
} derivative;

/* Of operand 0.. of a row. False where the derivative is zero everywhere it is defined. */
bool derivative_of(arena *a, scalar_op op, int operand, derivative *out);

#endif
