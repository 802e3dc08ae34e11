/* What the language needs besides ops to write its own prelude: parameters, constants, and looking at values.
 */
#include "frontend/lang/elab.h"
#include "ir/base/size.h"

#include <math.h>
#include <string.h>

enum { MAX_SLOTS = 7 };

struct builtin {
    const char *name;
    const char *slots[MAX_SLOTS + 1];
    int required;
    val (*run)(elab *e, const arg *const *slots, span at);
};

/* A shape from a size or a list of sizes, positive and within netc's limits together with all there is. */
static bool shape_from(elab *e, const char *what, const arg *a, shape *out) {
    *out = (shape){0};
    text given = text_in(e->arena);
    val_print(&given, a->v);
    if (!val_ints(a->v, out->dim, MAX_RANK, &out->rank)) {
        fail(e, a->at, "the sizes of %s must be an integer or a list of at most %d integers, not %s", what,
             MAX_RANK, given.at);
        return false;
    }
    int64_t all;
    for (int i = 0; i < out->rank; i++)
        if (out->dim[i] < 1) {
            fail(e, a->at, "the sizes of %s must be positive, but one is %lld", what, (long long)out->dim[i]);
            return false;
        }
    if (shape_valid(out) && size_add(shape_count(out), e->net->numbers, &all)) return true;
    fail(e, a->at, "%s of sizes %s is too large: a net holds at most 2^46 numbers", what, given.at);
    return false;
}

static bool number_in(elab *e, const arg *a, const char *what, double low, double *out) {
    if (!a) return true;
    if (val_is_number(a->v) && val_number(a->v) >= low && isfinite(val_number(a->v)))
        return *out = val_number(a->v), true;
    fail(e, a->at, "'%s' must be a number%s, but this is %s", what, low >= 0 ? " that is not negative" : "",
         val_kind_name(e->arena, a->v));
    return false;
}

static bool size_in(elab *e, const arg *a, const char *what, int64_t *out) {
    if (!a) return true;
    if (a->v.kind == VAL_INT && a->v.as.integer > 0) return *out = a->v.as.integer, true;
    fail(e, a->at, "'%s' must be a positive integer", what);
    return false;
}

static bool init_from(elab *e, const arg *const *slots, const shape *s, init_rule *out) {
    static const char *const rules[] = {"he", "xavier", "uniform", "normal", "zeros", "ones", "constant"};
    enum { RULES = sizeof rules / sizeof *rules };
    int64_t taps = 1; /* kernel positions of [out, in, ...]; sizes are checked, products stay within 2^46 */
    for (int i = 2; i < s->rank; i++) taps *= s->dim[i];
    *out = (init_rule){s->rank > 1 ? "he" : "zeros", 1,
                       s->rank > 1 ? s->dim[1] * taps
                       : s->rank   ? s->dim[0]
                                   : 1,
                       s->rank > 1 ? s->dim[0] * taps
                       : s->rank   ? s->dim[0]
                                   : 1};
    if (!number_in(e, slots[3], "scale", -HUGE_VAL, &out->scale) ||
        !size_in(e, slots[4], "fan_in", &out->fan_in) || !size_in(e, slots[5], "fan_out", &out->fan_out))
        return false;
    if (!slots[2]) return true;
    const char *name = slots[2]->v.kind == VAL_TEXT ? slots[2]->v.as.text : "";
    if (strcmp(name, init_by_recipe) == 0) return out->rule = init_by_recipe, true;
    for (int i = 0; i < RULES; i++)
        if (strcmp(rules[i], name) == 0) return out->rule = rules[i], true;
    fail(e, slots[2]->at, "'init' must be one of the texts %s%s", joined(e->arena, rules, RULES),
         suggest(e, name, rules, RULES));
    return false;
}

static bool plain_name(const char *s) {
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(s) &&
           (*s < '0' || *s > '9');
}

/* param(name, dims, init, scale, fan_in, fan_out, trainable): of the net, under the path of labels. */
static val run_param(elab *e, const arg *const *slots, span at) {
    shape s;
    init_rule init;
    if (slots[0]->v.kind != VAL_TEXT || !plain_name(slots[0]->v.as.text))
        return fail(e, slots[0]->at, "a parameter's name is a text of letters, digits and '_'");
    const char *path = param_path(e, slots[0]->v.as.text);
    if (!shape_from(e, arena_printf(e->arena, "parameter '%s'", path), slots[1], &s)) return val_error();
    if (!init_from(e, slots, &s, &init)) return val_error();
    if (slots[6] && slots[6]->v.kind != VAL_BOOL)
        return fail(e, slots[6]->at, "'trainable' must be true or false");
    if (!claim_field(e, path, at)) return val_error();
    enter_scope(e, e->frame->scope);
    value *v = graph_param(e->net, path, s, !slots[6] || slots[6]->v.as.truth, init, here(e, at));
    return val_tensor(v, 0);
}

/* fill(value, dims): the same number everywhere. */
static val run_fill(elab *e, const arg *const *slots, span at) {
    shape s;
    double x = 0;
    (void)at;
    if (!number_in(e, slots[0], "value", -HUGE_VAL, &x) || !shape_from(e, "a constant", slots[1], &s))
        return val_error();
    return val_tensor(graph_splat(e->bodies[e->level].graph, DT_F32, s, x), e->level);
}

/* Numbers of nested lists, row by row; false where the lists are ragged. */
static bool flatten(const val *v, const shape *s, int axis, double **out) {
    if (axis == s->rank) return val_is_number(*v) && (*(*out)++ = val_number(*v), true);
    if (v->kind != VAL_LIST || v->as.list->count != s->dim[axis]) return false;
    for (int i = 0; i < v->as.list->count; i++)
        if (!flatten(&v->as.list->at[i], s, axis + 1, out)) return false;
    return true;
}

/* constant(list): a tensor of these numbers, [[1, 2], [3, 4]] for [2,2]. */
static val run_constant(elab *e, const arg *const *slots, span at) {
    shape s = {0};
    int64_t count = 1;
    for (const val *v = &slots[0]->v; v->kind == VAL_LIST; v = &v->as.list->at[0]) {
        if (s.rank == MAX_RANK || !v->as.list->count || !size_mul(count, v->as.list->count, &count) ||
            count > MAX_LIST)
            return fail(e, slots[0]->at, "a constant is a list of at most %d numbers, none of it empty",
                        MAX_LIST);
        s.dim[s.rank++] = v->as.list->count;
    }
    double *data = NEW_ARRAY(e->arena, double, count), *end = data;
    if (!tick(e, at, count) || !flatten(&slots[0]->v, &s, 0, &end))
        return fail(e, slots[0]->at, "a constant is a list of numbers, or of lists that are equally long");
    return val_tensor(graph_const(e->bodies[e->level].graph, DT_F32, s, data), e->level);
}

/* type(x): a text that tells what x is. */
static val run_type(elab *e, const arg *const *slots, span at) {
    static const char *const names[] = {
        [VAL_ERROR] = "none", [VAL_NONE] = "none", [VAL_INT] = "int",
        [VAL_REAL] = "real",  [VAL_BOOL] = "bool", [VAL_TEXT] = "text",
        [VAL_LIST] = "list",  [VAL_MANY] = "list", [VAL_TENSOR] = "tensor",
    };
    (void)e, (void)at;
    return val_text(names[slots[0]->v.kind]);
}

/* length(x): of a list or text. */
static val run_length(elab *e, const arg *const *slots, span at) {
    val v = slots[0]->v;
    (void)at;
    if (v.kind == VAL_LIST) return val_int(v.as.list->count);
    if (v.kind == VAL_TEXT) return val_int((int64_t)strlen(v.as.text));
    return fail(e, slots[0]->at, "'length' is of a list or text, but this is %s%s",
                val_kind_name(e->arena, v),
                v.kind == VAL_TENSOR ? "; a tensor has x.length and x.shape" : "");
}

static const builtin builtins[] = {
    {"param", {"name", "dims", "init", "scale", "fan_in", "fan_out", "trainable"}, 2, run_param},
    {"fill", {"value", "dims"}, 2, run_fill},
    {"constant", {"list"}, 1, run_constant},
    {"type", {"x"}, 1, run_type},
    {"length", {"x"}, 1, run_length},
};

const char *const builtin_names[] = {"param", "fill", "constant", "type", "length", NULL};

const builtin *builtin_find(const char *name) {
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (strcmp(builtins[i].name, name) == 0) return &builtins[i];
    return NULL;
}

val call_builtin(elab *e, const builtin *b, args given, span at) {
    const arg *slots[MAX_SLOTS] = {0};
    int count = 0;
    while (b->slots[count]) count++;
    if (!bind_args(e, arena_printf(e->arena, "'%s'", b->name), given, b->slots, count, slots))
        return val_error();
    for (int i = 0; i < b->required; i++)
        if (!slots[i])
            return fail(e, at, "'%s' is not given to %s(%s)", b->slots[i], b->name,
                        joined(e->arena, b->slots, count));
    return b->run(e, slots, at);
}
