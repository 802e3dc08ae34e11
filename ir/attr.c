/* Attribute structs, handled through their descriptions: defaults, copies, comparison, validity. */
#include "ir/op.h"

#include <string.h>

/* Bytes of an attribute of each kind in the op's struct. */
static const size_t sizes[] = {
    [ATTR_INT] = sizeof(int64_t),      [ATTR_REAL] = sizeof(double),       [ATTR_BOOL] = sizeof(bool),
    [ATTR_PAIR] = 2 * sizeof(int64_t), [ATTR_PADS] = 4 * sizeof(int64_t),  [ATTR_INTS] = sizeof(ints),
    [ATTR_REALS] = sizeof(reals),      [ATTR_NAME] = sizeof(const char *), [ATTR_GRAPH] = sizeof(graph *),
};

static void set_standard(const attr *at, void *attrs) {
    char *p = (char *)attrs + at->offset;
    int numbers = at->kind == ATTR_PADS ? 4 : at->kind == ATTR_PAIR ? 2 : 1;
    memset(p, 0, sizes[at->kind]);
    switch (at->kind) {
    case ATTR_INT:
    case ATTR_PAIR:
    case ATTR_PADS:
        for (int i = 0; i < numbers; i++) ((int64_t *)p)[i] = (int64_t)at->standard;
        break;
    case ATTR_REAL: *(double *)p = at->standard; break;
    case ATTR_BOOL: *(bool *)p = at->standard != 0; break;
    case ATTR_NAME: *(const char **)p = at->choices ? at->choices[0] : NULL; break;
    default: break; /* lists are empty, bodies absent */
    }
}

void *op_defaults(arena *a, const op *o) {
    if (!o->attr_size) return NULL;
    void *attrs = arena_alloc(a, 1, o->attr_size);
    for (const attr *at = o->attrs; at && at->name; at++) set_standard(at, attrs);
    return attrs;
}

static bool ints_equal(const ints *a, const ints *b) {
    return a->count == b->count && memcmp(a->at, b->at, (size_t)a->count * sizeof *a->at) == 0;
}

static bool reals_equal(const reals *a, const reals *b) {
    return a->count == b->count && (!a->count || memcmp(a->at, b->at, (size_t)a->count * sizeof *a->at) == 0);
}

static bool names_equal(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool attr_equal(const attr *at, const void *a, const void *b) {
    const void *x = (const char *)a + at->offset, *y = (const char *)b + at->offset;
    switch (at->kind) {
    case ATTR_INTS: return ints_equal(x, y);
    case ATTR_REALS: return reals_equal(x, y);
    case ATTR_NAME: return names_equal(*(const char *const *)x, *(const char *const *)y);
    default: return memcmp(x, y, sizes[at->kind]) == 0;
    }
}

bool attr_standard(const attr *at, const void *attrs) {
    _Alignas(16) char standard[sizeof(ints)];
    attr moved = *at;
    moved.offset = 0;
    set_standard(&moved, standard);
    return attr_equal(&moved, standard, (const char *)attrs + at->offset);
}

bool attrs_equal(const op *o, const void *a, const void *b) {
    for (const attr *at = o->attrs; at && at->name; at++)
        if (!attr_equal(at, a, b)) return false;
    return true;
}

void *attrs_copy(arena *a, const op *o, const void *attrs, bool deep) {
    if (!o->attr_size) return NULL;
    char *copy = arena_copy(a, attrs, o->attr_size);
    for (const attr *at = o->attrs; at && at->name; at++) {
        void *p = copy + at->offset;
        if (at->kind == ATTR_REALS) {
            reals *r = p;
            r->at = arena_copy(a, r->at, (size_t)r->count * sizeof *r->at);
        } else if (at->kind == ATTR_GRAPH && deep && *(graph **)p) {
            *(graph **)p = graph_clone(a, *(graph **)p);
        }
    }
    return copy;
}

static bool name_allowed(const attr *at, const char *name) {
    if (!name) return !at->required;
    if (!at->choices) return true;
    for (const char *const *c = at->choices; *c; c++)
        if (strcmp(*c, name) == 0) return true;
    return false;
}

/* "a, b or c" */
static const char *list_choices(arena *a, const char *const *choices) {
    text t = text_in(a);
    text_puts(&t, "a name");
    t.length = choices ? 0 : t.length;
    for (int i = 0; choices && choices[i]; i++) {
        if (i) text_puts(&t, choices[i + 1] ? ", " : " or ");
        text_puts(&t, choices[i]);
    }
    return t.at;
}

bool attrs_check(const op *o, const void *attrs, span where, diags *d) {
    bool good = true;
    for (const attr *at = o->attrs; at && at->name; at++) {
        const void *p = (const char *)attrs + at->offset;
        const char *name = at->kind == ATTR_NAME ? *(const char *const *)p : NULL;
        if (at->kind == ATTR_NAME && !name_allowed(at, name)) {
            diag_add(d, DIAG_ERROR, where, "%s of '%s' is '%s': give %s", at->name, o->name,
                     name ? name : "missing", list_choices(d->arena, at->choices));
            good = false;
        }
        if (at->kind == ATTR_GRAPH && at->required && !*(graph *const *)p) {
            diag_add(d, DIAG_ERROR, where, "'%s' needs a body '%s'", o->name, at->name);
            good = false;
        }
    }
    return good;
}
