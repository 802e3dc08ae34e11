/* Kernels that draw random numbers, the same as the runtime's (ir/base/random.def). */
#ifndef NETC_IR_KERNEL_RANDOM_H
#define NETC_IR_KERNEL_RANDOM_H

#include "ir/base/draw.h"
#include "ir/kernel/lower.h"

/* `count` numbers into `to`, by a draw under the seed whose words `from` has: ENTRY_INIT's. */
void lower_draw(lower *l, const draw *d, uint32_t stream, int64_t count, call_arg from, call_arg to);

#endif
