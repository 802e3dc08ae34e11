/* Operators: on integers (every overflow is an error), numbers, texts and lists at once; on tensors as nodes.
 */
#include "frontend/lang/elab.h"

#include <math.h>

/* How an operator is written, and the op that tensors get. */
static const struct {
    const char *sign, *op;
} operators[OPERATOR_COUNT] = {
    [OPERATOR_OR] = {"or", NULL},  [OPERATOR_AND] = {"and", NULL},     [OPERATOR_NOT] = {"not", NULL},
    [OPERATOR_EQ] = {"==", "eq"},  [OPERATOR_NE] = {"!=", "ne"},       [OPERATOR_LT] = {"<", "lt"},
    [OPERATOR_LE] = {"<=", "le"},  [OPERATOR_GT] = {">", "gt"},        [OPERATOR_GE] = {">=", "ge"},
    [OPERATOR_ADD] = {"+", "add"}, [OPERATOR_SUB] = {"-", "sub"},      [OPERATOR_MUL] = {"*", "mul"},
    [OPERATOR_DIV] = {"/", "div"}, [OPERATOR_FLOORDIV] = {"//", NULL}, [OPERATOR_MOD] = {"%", NULL},
    [OPERATOR_NEG] = {"-", "neg"},
};

static int64_t floor_divide(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static val too_large(elab *e, const ast_expr *x) {
    return fail(e, x->as.operation.op_at, "the result is too large: integers end at 2^63 - 1");
}

static val divide_integers(elab *e, const ast_expr *x, int64_t a, int64_t b) {
    ast_operator o = x->as.operation.op;
    span at = x->as.operation.op_at;
    if (b == 0) return fail(e, at, "division of %lld by zero", (long long)a);
    if (b == -1) return o == OPERATOR_MOD ? val_int(0) : a == INT64_MIN ? too_large(e, x) : val_int(-a);
    if (o == OPERATOR_MOD) return val_int(a - b * floor_divide(a, b));
    if (o == OPERATOR_DIV && a % b)
        return fail(e, at, "%lld / %lld is not whole: write '//' to round down, or %lld.0 for a number",
                    (long long)a, (long long)b, (long long)a);
    return val_int(floor_divide(a, b));
}

static val compare(ast_operator o, double a, double b) {
    return val_bool(o == OPERATOR_LT ? a < b : o == OPERATOR_LE ? a <= b : o == OPERATOR_GT ? a > b : a >= b);
}

static val compare_integers(ast_operator o, int64_t a, int64_t b) {
    return val_bool(o == OPERATOR_LT ? a < b : o == OPERATOR_LE ? a <= b : o == OPERATOR_GT ? a > b : a >= b);
}

static val operate_integers(elab *e, const ast_expr *x, int64_t a, int64_t b) {
    ast_operator o = x->as.operation.op;
    int64_t r;
    switch (o) {
    case OPERATOR_ADD: return __builtin_add_overflow(a, b, &r) ? too_large(e, x) : val_int(r);
    case OPERATOR_SUB: return __builtin_sub_overflow(a, b, &r) ? too_large(e, x) : val_int(r);
    case OPERATOR_MUL: return __builtin_mul_overflow(a, b, &r) ? too_large(e, x) : val_int(r);
    case OPERATOR_DIV:
    case OPERATOR_FLOORDIV:
    case OPERATOR_MOD: return divide_integers(e, x, a, b);
    default: return compare_integers(o, a, b);
    }
}

static val operate_numbers(elab *e, const ast_expr *x, double a, double b) {
    ast_operator o = x->as.operation.op;
    if ((o == OPERATOR_DIV || o == OPERATOR_FLOORDIV || o == OPERATOR_MOD) && b == 0)
        return fail(e, x->as.operation.op_at, "division by zero");
    switch (o) {
    case OPERATOR_ADD: return val_real(a + b);
    case OPERATOR_SUB: return val_real(a - b);
    case OPERATOR_MUL: return val_real(a * b);
    case OPERATOR_DIV: return val_real(a / b);
    case OPERATOR_FLOORDIV: return val_real(floor(a / b));
    case OPERATOR_MOD: return val_real(a - b * floor(a / b));
    default: return compare(o, a, b);
    }
}

static val join_lists(elab *e, const ast_expr *x, const val_list *a, const val_list *b) {
    int count = a->count + b->count;
    if (count > MAX_LIST) return fail(e, x->at, "this list grows past %d elements", MAX_LIST);
    if (!tick(e, x->at, count)) return val_error();
    val *items = NEW_ARRAY(e->arena, val, count);
    for (int i = 0; i < count; i++) items[i] = i < a->count ? a->at[i] : b->at[i - a->count];
    return val_list_of(e->arena, VAL_LIST, items, count);
}

static val operate_tensors(elab *e, const ast_expr *x, val left, val right) {
    const char *name = operators[x->as.operation.op].op;
    span at = x->as.operation.op_at;
    if (!name || !(left.kind == VAL_TENSOR || val_is_number(left)) ||
        !(right.kind == VAL_TENSOR || val_is_number(right)))
        return fail(e, at, "'%s' does not go with %s and %s", operators[x->as.operation.op].sign,
                    val_kind_name(e->arena, left), val_kind_name(e->arena, right));
    val in[] = {left, right};
    return make_node(e, op_find(name), in, 2, NULL, e->frame->scope, at, x->as.operation.left,
                     x->as.operation.right);
}

val operate(elab *e, const ast_expr *x, val left, val right) {
    ast_operator o = x->as.operation.op;
    bool tensors = left.kind == VAL_TENSOR || right.kind == VAL_TENSOR,
         equality = o == OPERATOR_EQ || o == OPERATOR_NE;
    bool with_none = left.kind == VAL_NONE || right.kind == VAL_NONE;
    if (equality && (!tensors || with_none)) return val_bool(val_equal(left, right) == (o == OPERATOR_EQ));
    if (tensors) return operate_tensors(e, x, left, right);
    if (left.kind == VAL_INT && right.kind == VAL_INT)
        return operate_integers(e, x, left.as.integer, right.as.integer);
    if (val_is_number(left) && val_is_number(right))
        return operate_numbers(e, x, val_number(left), val_number(right));
    if (left.kind == VAL_LIST && right.kind == VAL_LIST && o == OPERATOR_ADD)
        return join_lists(e, x, left.as.list, right.as.list);
    return fail(e, x->as.operation.op_at, "'%s' does not go with %s and %s%s", operators[o].sign,
                val_kind_name(e->arena, left), val_kind_name(e->arena, right),
                left.kind == VAL_TEXT || right.kind == VAL_TEXT ? "; texts are joined as \"{a}{b}\"" : "");
}

val negate(elab *e, const ast_expr *x, val v) {
    if (v.kind == VAL_INT) return v.as.integer == INT64_MIN ? too_large(e, x) : val_int(-v.as.integer);
    if (v.kind == VAL_REAL) return val_real(-v.as.real);
    if (v.kind == VAL_TENSOR)
        return make_node(e, op_find("neg"), &v, 1, NULL, e->frame->scope, x->as.operation.op_at,
                         x->as.operation.left, NULL);
    return fail(e, x->as.operation.op_at, "'-' does not go with %s", val_kind_name(e->arena, v));
}
