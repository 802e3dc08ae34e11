/* Follows one call of a kernel with its real numbers and finds an access outside of its buffer. */
#ifndef NETC_IR_KERNEL_BOUNDS_H
#define NETC_IR_KERNEL_BOUNDS_H

#include "ir/kernel/kernel.h"

/* What a pointer of the call points into. */
typedef struct bounds_region {
    const char *name;
    int64_t count; /* elements */
} bounds_region;

/* A parameter's value: a number, or an element of a region. */
typedef struct bounds_arg {
    int region; /* −1: a number */
    int64_t number;
} bounds_arg;

/* The access that was found. */
typedef struct bounds_error {
    const kfunc *f;
    const kinst *at;
    const char *region;
    int64_t index;         /* of the kernel */
    int64_t lo, hi, count; /* elements touched; those that there are */
} bounds_error;

/* Keeps room for the functions that it meets, so one serves many calls. */
typedef struct bounds_walker bounds_walker;
bounds_walker *bounds_new(arena *a);
/* args are those after i. True if every access for i in 0..count lies inside. */
bool bounds_check(bounds_walker *w, const kfunc *f, int64_t count, const bounds_region *regions,
                  const bounds_arg *args, bounds_error *error);

#endif
