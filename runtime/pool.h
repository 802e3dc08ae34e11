/* netc's own threads, for the kernels of one model. Between two jobs a thread spins for some microseconds and
 * then sleeps on a futex; a job ends when its last part is done, not when all threads have been there, so one
 * that the system does not run holds nobody up unless it stopped in the middle of a part. */
#ifndef NETC_RUNTIME_POOL_H
#define NETC_RUNTIME_POOL_H

#include "ir/base/diag.h"
#include "ir/base/team.h"

typedef struct pool pool;

enum { POOL_MOST = 1024 /* threads */ };

/* `threads` in all, the caller's own among them: 1..POOL_MOST. NULL with an error. */
pool *pool_new(int threads, diags *d);
/* Nobody may hold it. Takes NULL. */
void pool_free(pool *p);

/* The team, for this caller alone until it gives it back; NULL where another caller has it, or where there is
 * but one thread: then the caller works alone. Never waits. */
const team *pool_take(pool *p);
/* Takes the NULL that pool_take may have given. */
void pool_give(pool *p, const team *t);

#endif
