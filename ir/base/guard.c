/* Sets the trap. */
#include "ir/base/guard.h"

#include <stdio.h>
#include <unistd.h>

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

bool guard_run_from(const allocator *from, size_t cap, bool (*work)(arena *a, void *context), void *context,
                    char reason[GUARD_REASON]) {
    guarded g = {.result = false};
    arena_init(&g.arena, cap, &g.trap);
    g.arena.from = *from;
    bool jumped = caught(&g, work, context);
    snprintf(reason, GUARD_REASON, "%s", jumped ? g.trap.reason : "");
    arena_free(&g.arena);
    return !jumped && g.result;
}

bool guard_run(size_t cap, bool (*work)(arena *a, void *context), void *context, char reason[GUARD_REASON]) {
    const allocator usual = {0};
    return guard_run_from(&usual, cap, work, context, reason);
}

bool guard_undo(arena *a, bool (*work)(void *context), void (*undo)(void *context), void *context) {
    trap here, *outer = a->trap;
    a->trap = &here;
    if (setjmp(here.jump)) {
        a->trap = outer;
        undo(context);
        trap_spring(outer, here.reason);
    }
    bool result = work(context);
    a->trap = outer;
    return result;
}

size_t guard_cap(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages / 4 * 3 * (size_t)page : 0;
}
