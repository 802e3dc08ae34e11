/* TensorBoard's event files: a few numbers an epoch. The encoding is TFRecord around protocol buffers. */
#ifndef NETC_RUNTIME_EVENTS_H
#define NETC_RUNTIME_EVENTS_H

#include "ir/base/text.h"

#include <stdint.h>

typedef struct event_scalar {
    const char *tag; /* "loss/train" */
    double value;
} event_scalar;

/* The record that every file begins with. */
void events_begin(text *t, double time);
/* One record: these numbers at a step, NaNs left out; time in seconds since 1970. */
void events_add(text *t, double time, int64_t step, const event_scalar *scalars, int count);

#endif
