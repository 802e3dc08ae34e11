/* How integer arithmetic folds while a kernel is built. Constants move to the right and outwards, (x + c1) +
 * c2 becomes x + c, so that what is left of an unrolled address is one variable part and one number. Nothing
 * here needs to know a sign: C's division truncates, and the rules for it hold for either. */
#include "ir/kernel/emit.h"

static bool is_const(const kinst *x) {
    return x->op == K_CONST;
}

/* x is `op` of something and a constant: the constant. */
static bool with_const(const kinst *x, scalar_op op) {
    return x->op == K_ARITH && x->scalar == op && is_const(x->arg[1]);
}

static int64_t wrap(scalar_op op, int64_t x, int64_t y) {
    uint64_t a = (uint64_t)x, b = (uint64_t)y;
    if (op == S_ADD) return (int64_t)(a + b);
    return (int64_t)(op == S_SUB ? a - b : a * b);
}

/* False where the operation has no value: division by zero, or one that is not for integers. */
static bool evaluate(scalar_op op, int64_t x, int64_t y, int64_t *r) {
    switch ((int)op) {
    case S_ADD:
    case S_SUB:
    case S_MUL: *r = wrap(op, x, y); return true;
    case S_DIV:
    case S_MOD:
        if (y == 0 || y == -1) return false;
        *r = op == S_DIV ? x / y : x % y;
        return true;
    case S_MIN: *r = x < y ? x : y; return true;
    case S_MAX: *r = x > y ? x : y; return true;
    case S_LT: *r = x < y; return true;
    case S_LE: *r = x <= y; return true;
    case S_GT: *r = x > y; return true;
    case S_GE: *r = x >= y; return true;
    case S_EQ: *r = x == y; return true;
    case S_NE: *r = x != y; return true;
    case S_AND: *r = x & y; return true;
    case S_OR: *r = x | y; return true;
    case S_XOR: *r = x ^ y; return true;
    default: return false;
    }
}

static kinst *fold_add(kb *b, kinst *x, kinst *y) {
    if (is_const(x)) return kb_add(b, y, x);
    if (kinst_is_int(y, 0)) return x;
    if (with_const(x, S_ADD)) {
        if (is_const(y)) return kb_addi(b, x->arg[0], wrap(S_ADD, x->arg[1]->i, y->i));
        return kb_addi(b, kb_add(b, x->arg[0], y), x->arg[1]->i);
    }
    if (with_const(y, S_ADD)) return kb_addi(b, kb_add(b, x, y->arg[0]), y->arg[1]->i);
    return NULL;
}

static kinst *fold_sub(kb *b, kinst *x, kinst *y) {
    if (x == y) return kb_int(b, 0);
    if (is_const(y)) return kb_addi(b, x, wrap(S_SUB, 0, y->i));
    if (with_const(x, S_ADD)) return kb_addi(b, kb_sub(b, x->arg[0], y), x->arg[1]->i);
    if (with_const(y, S_ADD) && is_const(x))
        return kb_sub(b, kb_int(b, wrap(S_SUB, x->i, y->arg[1]->i)), y->arg[0]);
    if (with_const(y, S_ADD)) return kb_addi(b, kb_sub(b, x, y->arg[0]), wrap(S_SUB, 0, y->arg[1]->i));
    return NULL;
}

static kinst *fold_mul(kb *b, kinst *x, kinst *y) {
    if (is_const(x)) return kb_mul(b, y, x);
    if (!is_const(y)) return NULL;
    if (y->i == 0) return kb_int(b, 0);
    if (y->i == 1) return x;
    if (with_const(x, S_MUL)) return kb_muli(b, x->arg[0], wrap(S_MUL, x->arg[1]->i, y->i));
    if (with_const(x, S_ADD)) return kb_addi(b, kb_mul(b, x->arg[0], y), wrap(S_MUL, x->arg[1]->i, y->i));
    return NULL;
}

/* Divisor y is a positive constant. */
static kinst *fold_div(kb *b, kinst *x, int64_t y) {
    int64_t both;
    if (y == 1 || kinst_is_int(x, 0)) return x;
    if (with_const(x, S_MUL) && x->arg[1]->i % y == 0) return kb_muli(b, x->arg[0], x->arg[1]->i / y);
    if (with_const(x, S_DIV) && x->arg[1]->i > 0 && !__builtin_mul_overflow(x->arg[1]->i, y, &both))
        return kb_divi(b, x->arg[0], both);
    return NULL;
}

static kinst *fold_mod(kb *b, kinst *x, int64_t y) {
    if (y == 1 || kinst_is_int(x, 0)) return kb_int(b, 0);
    if (with_const(x, S_MUL) && x->arg[1]->i % y == 0) return kb_int(b, 0);
    if (with_const(x, S_MOD) && x->arg[1]->i > 0 && y % x->arg[1]->i == 0) return x;
    return NULL;
}

static kinst *fold_bound(kb *b, scalar_op op, kinst *x, kinst *y) {
    int64_t r;
    if (x == y) return x;
    if (is_const(x)) return kb_arith(b, op, y, x, NULL);
    if (!is_const(y) || !with_const(x, op) || !evaluate(op, x->arg[1]->i, y->i, &r)) return NULL;
    return kb_arith(b, op, x->arg[0], kb_int(b, r), NULL);
}

static kinst *fold_logic(kb *b, scalar_op op, kinst *x, kinst *y) {
    if (is_const(x)) return kb_arith(b, op, y, x, NULL);
    if (!is_const(y)) return op != S_XOR && x == y ? x : NULL;
    if (op == S_AND) return y->i ? x : y;
    if (op == S_OR) return y->i ? y : x;
    return y->i ? NULL : x;
}

static kinst *fold_int(kb *b, scalar_op op, kinst *x, kinst *y) {
    switch ((int)op) {
    case S_ADD: return fold_add(b, x, y);
    case S_SUB: return fold_sub(b, x, y);
    case S_MUL: return fold_mul(b, x, y);
    case S_DIV: return is_const(y) && y->i > 0 ? fold_div(b, x, y->i) : NULL;
    case S_MOD: return is_const(y) && y->i > 0 ? fold_mod(b, x, y->i) : NULL;
    case S_MIN:
    case S_MAX: return fold_bound(b, op, x, y);
    case S_LE:
    case S_GE:
    case S_EQ: return x == y ? kb_truth(b, true, 1) : NULL;
    case S_LT:
    case S_GT:
    case S_NE: return x == y ? kb_truth(b, false, 1) : NULL;
    default: return NULL;
    }
}

kinst *kb_fold(kb *b, scalar_op op, kinst *x, kinst *y, kinst *z) {
    int64_t r;
    if (op == S_SELECT) {
        if (is_const(x)) return x->i ? y : z;
        return y == z ? y : NULL;
    }
    if (x->type.lanes != 1 || (x->type.base != KB_INT && x->type.base != KB_BOOL)) return NULL;
    if (op == S_NEG && x->type.base == KB_INT) return kb_sub(b, kb_int(b, 0), x);
    if (scalars[op].arity != 2) return NULL;
    if (is_const(x) && is_const(y) && evaluate(op, x->i, y->i, &r))
        return scalar_is_compare(op) || x->type.base == KB_BOOL ? kb_truth(b, r, 1) : kb_int(b, r);
    if (x->type.base == KB_INT) return fold_int(b, op, x, y);
    return op == S_AND || op == S_OR || op == S_XOR ? fold_logic(b, op, x, y) : NULL;
}
