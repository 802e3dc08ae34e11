/* Work in an arena of its own that comes back whatever happens: where a jump of the arena must end. */
#ifndef NETC_IR_BASE_GUARD_H
#define NETC_IR_BASE_GUARD_H

#include "ir/base/arena.h"

#include <stdbool.h>

enum { GUARD_REASON = 256 };

/* work(arena, context) with a fresh arena that may hand out `cap` bytes (0: no cap), freed afterwards.
 * Returns what work returns; false with a sentence in `reason` where the arena jumped, reason "" otherwise.
 * What work holds open when the arena jumps stays open: it must keep track of that in its context. */
bool guard_run(size_t cap, bool (*work)(arena *a, void *context), void *context, char reason[GUARD_REASON]);

#endif
