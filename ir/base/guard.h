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
/* The same with memory of `from`. */
bool guard_run_from(const allocator *from, size_t cap, bool (*work)(arena *a, void *context), void *context,
                    char reason[GUARD_REASON]);

/* work(context) in an arena that is in use. Where that jumps, undo(context) comes first: it lets go of what work holds
 * outside of arenas, and asks the arena for nothing. */
bool guard_undo(arena *a, bool (*work)(void *context), void (*undo)(void *context), void *context);

/* What one compilation may take: three quarters of the machine's memory. Beyond it the system would start to kill. */
size_t guard_cap(void);

#endif
