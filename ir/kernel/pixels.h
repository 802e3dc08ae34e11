/* 8-bit pixels as a camera gives them, into the planar image that the first layer reads. */
#ifndef NETC_IR_KERNEL_PIXELS_H
#define NETC_IR_KERNEL_PIXELS_H

#include "ir/kernel/lower.h"

/* Appends the call that fills n's result (a reorder of the input) from `pixels`, u8 [n,H,W,C]: (p / 255 −
 * mean) / std a channel, halo zero. */
void lower_pixels(lower *l, const node *n, buffer *pixels);

#endif
