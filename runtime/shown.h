/* Names that come out of files, made fit to print: control bytes would speak to the reader's terminal. */
#ifndef NETC_RUNTIME_SHOWN_H
#define NETC_RUNTIME_SHOWN_H

#include "ir/base/arena.h"

#include <stdint.h>

/* The text with control bytes and broken UTF-8 as '?', cut to 120 bytes. */
const char *shown(arena *a, const char *name, size_t length);
/* "[64,3,7,7]", "[]" for a scalar. */
const char *shown_shape(arena *a, int rank, const int64_t *dims);

#endif
