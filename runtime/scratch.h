/* Work that is done again and again and leaves nothing behind but what it reports. */
#ifndef NETC_RUNTIME_SCRATCH_H
#define NETC_RUNTIME_SCRATCH_H

#include "ir/base/diag.h"

/* work(diags, context) with an arena that is freed afterwards; its messages are passed on to d. Where the arena
 * jumps, false with an error about `path`. */
bool scratch_run(bool (*work)(diags *d, void *context), void *context, const char *path, diags *d);

#endif
