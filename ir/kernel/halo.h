/* The invariant of halos: after a producer's store they are zero. */
#ifndef NETC_IR_KERNEL_HALO_H
#define NETC_IR_KERNEL_HALO_H

#include "ir/kernel/lower.h"

/* Stores zeros left and right of the row of v whose column 0 is element `at` of out. */
void zero_halo(kb *b, const view *v, kinst *out, kinst *at);

#endif
