/* Values known at compile time: comparing and printing them. */
#include "frontend/lang/val.h"

#include <string.h>

val val_list_of(arena *a, val_kind kind, const val *items, int count) {
    val_list *list = NEW(a, val_list);
    list->count = count;
    list->at = arena_copy(a, items, (size_t)count * sizeof *items);
    return (val){kind, 0, {.list = list}};
}

val val_first(val v) {
    if (v.kind != VAL_MANY) return v;
    return v.as.list->count ? v.as.list->at[0] : val_none();
}

static bool lists_equal(const val_list *a, const val_list *b) {
    if (a->count != b->count) return false;
    for (int i = 0; i < a->count; i++)
        if (!val_equal(a->at[i], b->at[i])) return false;
    return true;
}

bool val_equal(val a, val b) {
    if (a.kind == VAL_INT && b.kind == VAL_INT) return a.as.integer == b.as.integer;
    if (val_is_number(a) && val_is_number(b)) return val_number(a) == val_number(b);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case VAL_BOOL: return a.as.truth == b.as.truth;
    case VAL_TEXT: return strcmp(a.as.text, b.as.text) == 0;
    case VAL_LIST: return lists_equal(a.as.list, b.as.list);
    case VAL_TENSOR: return a.as.tensor == b.as.tensor;
    default: return true;
    }
}

const char *shape_string(arena *a, const shape *s) {
    text t = text_in(a);
    shape_print(&t, s);
    return t.at;
}

const char *val_kind_name(arena *a, val v) {
    static const char *const names[] = {
        [VAL_ERROR] = "an error", [VAL_NONE] = "none",
        [VAL_INT] = "an integer", [VAL_REAL] = "a number",
        [VAL_BOOL] = "a bool",    [VAL_TEXT] = "a text",
        [VAL_LIST] = "a list",    [VAL_MANY] = "several results",
    };
    if (v.kind == VAL_TENSOR) return arena_printf(a, "a tensor %s", shape_string(a, &v.as.tensor->shape));
    return names[v.kind];
}

static void print_list(text *t, const val_list *list) {
    text_puts(t, "[");
    for (int i = 0; i < list->count && t->length < 1 << 16; i++) {
        if (i) text_puts(t, ",");
        val_print(t, list->at[i]);
    }
    text_puts(t, "]");
}

void val_print(text *t, val v) {
    switch (v.kind) {
    case VAL_ERROR: text_puts(t, "?"); break;
    case VAL_NONE: text_puts(t, "none"); break;
    case VAL_INT: text_printf(t, "%lld", (long long)v.as.integer); break;
    case VAL_REAL: text_real(t, v.as.real, false); break;
    case VAL_BOOL: text_puts(t, v.as.truth ? "true" : "false"); break;
    case VAL_TEXT: text_puts(t, v.as.text); break;
    case VAL_LIST:
    case VAL_MANY: print_list(t, v.as.list); break;
    case VAL_TENSOR: shape_print(t, &v.as.tensor->shape); break;
    }
}

int sample_sizes(const shape *s, const int64_t **sizes) {
    int skip = shape_batched(s);
    *sizes = s->dim + skip;
    return s->rank - skip;
}
