/* What the ways to compute a transposed convolution share with the reorders that pack for them. */
#ifndef NETC_IR_KERNEL_CONV_TRANSPOSE_H
#define NETC_IR_KERNEL_CONV_TRANSPOSE_H

#include "ir/kernel/lower.h"

/* Lowers a reorder of weights [I,O,KH,KW] to LAYOUT_PHASES16. */
void phases_pack(lower *l, const node *n);

extern const candidate transpose_core_candidate;

#endif
