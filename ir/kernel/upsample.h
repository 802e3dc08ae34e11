/* Where bilinear interpolation along one axis reads. */
#ifndef NETC_IR_KERNEL_UPSAMPLE_H
#define NETC_IR_KERNEL_UPSAMPLE_H

#include "ir/kernel/build.h"

typedef struct upsampling {
    int64_t in, out, align_corners;
} upsampling;

/* Both neighbours of result position `at` and the weight of the second. */
void upsample_neighbours(kb *b, const upsampling *u, kinst *at, kinst **low, kinst **high, kinst **part);

#endif
