/* A guard around an arena, and messages that outlive it. */
#include "runtime/scratch.h"

#include "ir/base/guard.h"

typedef struct task {
    bool (*work)(diags *d, void *context);
    void *context;
    diags *diags;
} task;

static bool run(arena *a, void *context) {
    const task *t = context;
    diags d = {.arena = a};
    bool good = t->work(&d, t->context);
    for (const diag *g = d.first; g; g = g->next) diag_add(t->diags, g->severity, (span){0}, "%s", g->text);
    return good;
}

bool scratch_run(bool (*work)(diags *d, void *context), void *context, const char *path, diags *d) {
    char reason[GUARD_REASON];
    bool good = guard_run(0, run, &(task){work, context, d}, reason);
    return *reason ? diag_file(d, path, "%s", reason) : good;
}
