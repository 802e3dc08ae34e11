/* Attributes of ops from values of the language: each kind takes the short forms its record allows. */
#include "frontend/lang/elab.h"
#include "ir/base/size.h"

#include <string.h>

bool val_ints(val v, int64_t *out, int most, int *count) {
    if (v.kind == VAL_INT) return out[0] = v.as.integer, *count = 1, true;
    if (v.kind != VAL_LIST || v.as.list->count > most) return false;
    *count = v.as.list->count;
    for (int i = 0; i < *count; i++) {
        if (v.as.list->at[i].kind != VAL_INT) return false;
        out[i] = v.as.list->at[i].as.integer;
    }
    return true;
}

/* One number for all, or rows and columns. */
static bool set_pair(int64_t *p, val v) {
    int64_t x[2];
    int count;
    if (!val_ints(v, x, 2, &count) || count < 1) return false;
    p[0] = x[0];
    p[1] = x[count - 1];
    return count == 2 || v.kind == VAL_INT;
}

/* One number for all sides, [rows, columns], or [top, left, bottom, right]. */
static bool set_pads(int64_t *p, val v) {
    int64_t x[4];
    int count;
    if (!val_ints(v, x, 4, &count) || count < 1 || count == 3 || (count == 1 && v.kind != VAL_INT))
        return false;
    for (int i = 0; i < 4; i++) p[i] = x[i % count];
    return true;
}

static bool set_ints(ints *p, val v) {
    return val_ints(v, p->at, MAX_RANK, &p->count);
}

static bool set_reals(elab *e, reals *p, val v) {
    bool good = v.kind == VAL_LIST;
    int count = good ? v.as.list->count : 1;
    const val *items = good ? v.as.list->at : &v;
    p->count = count;
    p->at = NEW_ARRAY(e->arena, double, count);
    for (int i = 0; i < count; i++) {
        if (!val_is_number(items[i])) return false;
        p->at[i] = val_number(items[i]);
    }
    return true;
}

static bool set_integer(int64_t *p, val v) {
    return v.kind == VAL_INT && (*p = v.as.integer, true);
}

static bool set_real(double *p, val v) {
    return val_is_number(v) && (*p = val_number(v), true);
}

static bool set_bool(bool *p, val v) {
    return v.kind == VAL_BOOL && (*p = v.as.truth, true);
}

/* One of the record's choices; their own copy is kept, so that pointers compare. */
static bool set_choice(elab *e, const op *o, const attr *a, const char **p, const arg *from) {
    int count = 0;
    while (a->choices && a->choices[count]) count++;
    for (int i = 0; i < count; i++)
        if (strcmp(a->choices[i], from->v.as.text) == 0) return *p = a->choices[i], true;
    if (!a->choices) return *p = from->v.as.text, true;
    fail(e, from->at, "'%s' of '%s' cannot be \"%s\"%s", a->name, o->name, from->v.as.text,
         suggest_or_list(e, from->v.as.text, a->choices, count));
    return false;
}

static const char *const wanted[] = {
    [ATTR_INT] = "an integer",
    [ATTR_REAL] = "a number",
    [ATTR_BOOL] = "true or false",
    [ATTR_PAIR] = "an integer or [rows, columns]",
    [ATTR_PADS] = "an integer, [rows, columns] or [top, left, bottom, right]",
    [ATTR_INTS] = "an integer or a list of up to 8",
    [ATTR_REALS] = "a number or a list of numbers",
    [ATTR_NAME] = "a text",
    [ATTR_GRAPH] = "a graph",
};

/* Sizes past this are wrong wherever they stand; ops need not think of overflow. */
static bool in_bounds(val v) {
    if (v.kind == VAL_INT) return v.as.integer <= SIZE_LIMIT && v.as.integer >= -SIZE_LIMIT;
    for (int i = 0; v.kind == VAL_LIST && i < v.as.list->count; i++)
        if (!in_bounds(v.as.list->at[i])) return false;
    return true;
}

bool set_attr(elab *e, const op *o, const attr *a, void *attrs, const arg *from) {
    void *p = (char *)attrs + a->offset;
    val v = from->v;
    bool good = false;
    if (!in_bounds(v)) {
        fail(e, from->at, "'%s' of '%s' is too large: sizes end at 2^46", a->name, o->name);
        return false;
    }
    switch (a->kind) {
    case ATTR_INT: good = set_integer(p, v); break;
    case ATTR_REAL: good = set_real(p, v); break;
    case ATTR_BOOL: good = set_bool(p, v); break;
    case ATTR_PAIR: good = set_pair(p, v); break;
    case ATTR_PADS: good = set_pads(p, v); break;
    case ATTR_INTS: good = set_ints(p, v); break;
    case ATTR_REALS: good = set_reals(e, p, v); break;
    case ATTR_NAME:
        if (v.kind == VAL_TEXT) return set_choice(e, o, a, p, from);
        break;
    case ATTR_GRAPH: break;
    }
    if (!good)
        fail(e, from->at, "'%s' of '%s' must be %s, but this is %s", a->name, o->name, wanted[a->kind],
             val_kind_name(e->arena, v));
    return good;
}
