/* What an expression of the language is worth while a net is elaborated: sizes, texts and lists are known,
 * tensors stand for values of the graph. */
#ifndef NETC_FRONTEND_LANG_VAL_H
#define NETC_FRONTEND_LANG_VAL_H

#include "ir/graph.h"

typedef enum val_kind {
    VAL_ERROR, /* something was reported; what is computed from it is silent */
    VAL_NONE,
    VAL_INT,
    VAL_REAL,
    VAL_BOOL,
    VAL_TEXT,
    VAL_LIST,
    VAL_TENSOR,
    VAL_MANY /* several results; where one is wanted it is the first */
} val_kind;

typedef struct val_list val_list;

typedef struct val {
    val_kind kind;
    int level; /* VAL_TENSOR: 0 is of the net, n of the n-th scan's body around */
    union {
        int64_t integer;
        double real;
        bool truth;
        const char *text;
        const val_list *list; /* VAL_LIST, VAL_MANY */
        value *tensor;
    } as;
} val;

struct val_list {
    int count;
    val *at;
};

static inline val val_error(void) {
    return (val){VAL_ERROR, 0, {0}};
}
static inline val val_none(void) {
    return (val){VAL_NONE, 0, {0}};
}
static inline val val_int(int64_t i) {
    return (val){VAL_INT, 0, {.integer = i}};
}
static inline val val_real(double r) {
    return (val){VAL_REAL, 0, {.real = r}};
}
static inline val val_bool(bool b) {
    return (val){VAL_BOOL, 0, {.truth = b}};
}
static inline val val_text(const char *s) {
    return (val){VAL_TEXT, 0, {.text = s}};
}
static inline val val_tensor(value *v, int level) {
    return (val){VAL_TENSOR, level, {.tensor = v}};
}
val val_list_of(arena *a, val_kind kind, const val *items, int count); /* VAL_LIST, VAL_MANY; copies */

static inline bool val_is_number(val v) {
    return v.kind == VAL_INT || v.kind == VAL_REAL;
}
static inline double val_number(val v) {
    return v.kind == VAL_INT ? (double)v.as.integer : v.as.real;
}
val val_first(val v); /* of several results; a single one is itself */
bool val_equal(val a, val b);
/* "an integer", "a tensor [N,3,8,8]" */
const char *val_kind_name(arena *a, val v);
/* As a text with {expressions} prints it. */
void val_print(text *t, val v);

/* Sizes of one sample: the shape without its batch axis. Returns how many. */
int sample_sizes(const shape *s, const int64_t **sizes);
const char *shape_string(arena *a, const shape *s);

#endif
