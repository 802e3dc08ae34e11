/* Between inputs.c, samples.c and the reader of arrays. */
#ifndef NETC_RUNTIME_INPUTS_ARRAY_H
#define NETC_RUNTIME_INPUTS_ARRAY_H

#include "runtime/inputs.h"

/* One file that was named. */
typedef struct item {
    const char *path;
    const net_tensor *to;
    int input;
    int64_t samples;
    bool is_array;
    npy array;
} item;

/* Whether shape and type of its array are the input's; else an error. */
bool item_fits(const item *i, diags *d);
/* Opens and measures; false with an error where shape or type do not fit the input. */
bool item_open_array(item *i, arena *a, diags *d);
/* Converts its numbers to the input's type; false with an error where one is out of bounds. */
bool item_read_array(const item *i, void *to, diags *d);
/* "[samples,3,32,32]" */
const char *item_shape(arena *a, const net_tensor *t);

#endif
