/* Sets the trap. */
#include "ir/base/guard.h"

#include <stdio.h>

typedef struct guarded {
    arena arena;
    trap trap;
    bool result;
} guarded;

/* Nothing of this function's own changes between setjmp and the jump back. */
static bool caught(guarded *g, bool (*work)(arena *a, void *context), void *context) {
    if (setjmp(g->trap.jump)) return true;
    g->result = work(&g->arena, context);
    return false;
}

bool guard_run(size_t cap, bool (*work)(arena *a, void *context), void *context, char reason[GUARD_REASON]) {
    guarded g = {.result = false};
    arena_init(&g.arena, cap, &g.trap);
    bool jumped = caught(&g, work, context);
    snprintf(reason, GUARD_REASON, "%s", jumped ? g.trap.reason : "");
    arena_free(&g.arena);
    return !jumped && g.result;
}
