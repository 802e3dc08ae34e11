/* Arguments to the slots they are meant for: in order, then by name. */
#include "frontend/lang/elab.h"

#include <string.h>

static int slot_of(const char *name, const char *const *names, int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

static bool bind_named(elab *e, const char *what, const arg *a, const char *const *names, int count,
                       const arg **slots) {
    int k = slot_of(a->name, names, count);
    if (k < 0) {
        fail(e, a->at, "%s has no argument '%s'%s", what, a->name, suggest_or_list(e, a->name, names, count));
        return false;
    }
    if (slots[k]) {
        fail(e, a->at, "'%s' is given twice to %s", a->name, what);
        return false;
    }
    slots[k] = a;
    return true;
}

bool bind_args(elab *e, const char *what, args given, const char *const *names, int count,
               const arg **slots) {
    bool named = false, good = true;
    for (int i = 0; i < given.count; i++) {
        const arg *a = &given.at[i];
        if (a->name) {
            named = true;
            good = bind_named(e, what, a, names, count, slots) && good;
        } else if (named) {
            fail(e, a->at, "an argument by position comes after one by name: put it before, or name it");
            return false;
        } else if (i >= count) {
            fail(e, a->at, "%s takes at most %d argument%s (%s), but %d are given", what, count,
                 count == 1 ? "" : "s", joined(e->arena, names, count), given.count);
            return false;
        } else {
            slots[i] = a;
        }
    }
    return good;
}
