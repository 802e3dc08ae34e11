/* Arithmetic on ranges. Numbers are cut at ± RANGE_INF; what would overflow becomes unknown. */
#include "ir/kernel/range.h"

#include "ir/kernel/emit.h"

__extension__ typedef __int128 wide; /* no product of two numbers overflows */

static int64_t cut(wide x) {
    return x < -RANGE_INF ? -RANGE_INF : x > RANGE_INF ? RANGE_INF : (int64_t)x;
}

range range_const(int64_t x) {
    return (range){.lo = cut(x), .hi = cut(x), .base = cut(x)};
}

range range_new(range_space *s, int64_t lo, int64_t hi) {
    if (lo == hi) return range_const(lo);
    range_bounds b = {cut(lo), cut(hi)};
    range r = {.lo = b.lo, .hi = b.hi, .terms = 1, .term = {{s->variables.count, 1}}};
    VEC_PUSH(s->arena, &s->variables, b);
    return r;
}

range range_unknown(range_space *s, kbase b) {
    switch (b) {
    case KB_BOOL: return range_new(s, 0, 1);
    case KB_U8: return range_new(s, 0, UINT8_MAX);
    case KB_I32: return range_new(s, INT32_MIN, INT32_MAX);
    default: return range_new(s, -RANGE_INF, RANGE_INF);
    }
}

/* Bounds of the sum from those of its variables. An end that lies at ± RANGE_INF stays there. */
static void bound(const range_space *s, range *r) {
    wide lo = r->base, hi = r->base;
    bool low_open = false, high_open = false;
    for (int k = 0; k < r->terms; k++) {
        range_bounds v = s->variables.at[r->term[k].variable];
        wide a = (wide)v.lo * r->term[k].factor, b = (wide)v.hi * r->term[k].factor;
        bool from_low = v.lo <= -RANGE_INF, to_high = v.hi >= RANGE_INF, up = r->term[k].factor > 0;
        low_open |= up ? from_low : to_high;
        high_open |= up ? to_high : from_low;
        lo += a < b ? a : b;
        hi += a < b ? b : a;
    }
    r->lo = low_open ? -RANGE_INF : cut(lo);
    r->hi = high_open ? RANGE_INF : cut(hi);
}

/* Adds factor × variable; false where there is no room or a number overflows. */
static bool add_term(range *r, int variable, int64_t factor) {
    int at = 0;
    while (at < r->terms && r->term[at].variable < variable) at++;
    if (at < r->terms && r->term[at].variable == variable) {
        if (__builtin_add_overflow(r->term[at].factor, factor, &r->term[at].factor)) return false;
        if (r->term[at].factor) return true;
        r->terms--;
        for (int k = at; k < r->terms; k++) r->term[k] = r->term[k + 1];
        return true;
    }
    if (r->terms == RANGE_TERMS) return false;
    for (int k = r->terms++; k > at; k--) r->term[k] = r->term[k - 1];
    r->term[at] = (range_term){variable, factor};
    return true;
}

range range_add(range_space *s, const range *x, const range *y) {
    if (!x->terms && !y->terms) return range_const(cut((wide)x->base + y->base));
    range r = *x;
    bool exact = !__builtin_add_overflow(x->base, y->base, &r.base);
    for (int k = 0; k < y->terms && exact; k++) exact = add_term(&r, y->term[k].variable, y->term[k].factor);
    if (!exact) return range_new(s, cut((wide)x->lo + y->lo), cut((wide)x->hi + y->hi));
    bound(s, &r);
    return r;
}

static range product(range_space *s, const range *x, const range *y) {
    wide p[4] = {(wide)x->lo * y->lo, (wide)x->lo * y->hi, (wide)x->hi * y->lo, (wide)x->hi * y->hi};
    wide lo = p[0], hi = p[0];
    for (int k = 1; k < 4; k++) {
        if (p[k] < lo) lo = p[k];
        if (p[k] > hi) hi = p[k];
    }
    return range_new(s, cut(lo), cut(hi));
}

range range_scale(range_space *s, const range *x, int64_t factor) {
    range r = *x, f = range_const(factor);
    if (factor == 0) return f;
    bool exact = !__builtin_mul_overflow(x->base, factor, &r.base);
    for (int k = 0; k < x->terms && exact; k++)
        exact = !__builtin_mul_overflow(x->term[k].factor, factor, &r.term[k].factor);
    if (!exact) return product(s, x, &f);
    bound(s, &r);
    return r;
}

static range difference(range_space *s, const range *x, const range *y) {
    range minus = range_scale(s, y, -1);
    return range_add(s, x, &minus);
}

/* x = d · quotient + rest, taking to the quotient every term that d divides. Only exact where the rest lies
 * in [0, d) and x is not negative. */
static bool split(const range_space *s, const range *x, int64_t d, range *quotient, range *rest) {
    *quotient = (range){.base = 0};
    *rest = (range){.base = x->base};
    for (int k = 0; k < x->terms; k++) {
        range_term t = x->term[k];
        if (t.factor % d == 0)
            add_term(quotient, t.variable, t.factor / d);
        else
            add_term(rest, t.variable, t.factor);
    }
    int64_t whole = x->base / d - (x->base % d < 0);
    quotient->base = whole;
    rest->base = x->base - whole * d;
    bound(s, quotient);
    bound(s, rest);
    return x->lo >= 0 && rest->lo >= 0 && rest->hi < d;
}

static range divide(range_space *s, const range *x, int64_t d) {
    range quotient, rest;
    if (split(s, x, d, &quotient, &rest)) return quotient;
    return range_new(s, x->lo <= -RANGE_INF ? x->lo : x->lo / d, x->hi >= RANGE_INF ? x->hi : x->hi / d);
}

static range modulo(range_space *s, const range *x, int64_t d) {
    range quotient, rest;
    if (split(s, x, d, &quotient, &rest)) return rest;
    if (x->lo >= 0 && x->hi < RANGE_INF && x->lo / d == x->hi / d) {
        range whole = range_const(-(x->lo / d) * d);
        return range_add(s, x, &whole);
    }
    int64_t most = x->hi < d - 1 ? x->hi : d - 1;
    return x->lo >= 0 ? range_new(s, 0, most) : range_new(s, -(d - 1), d - 1);
}

static range least(range_space *s, const range *x, const range *y) {
    range d = difference(s, x, y);
    if (d.hi <= 0) return *x;
    if (d.lo >= 0) return *y;
    return range_new(s, x->lo < y->lo ? x->lo : y->lo, x->hi < y->hi ? x->hi : y->hi);
}

static range most(range_space *s, const range *x, const range *y) {
    range d = difference(s, x, y);
    if (d.lo >= 0) return *x;
    if (d.hi <= 0) return *y;
    return range_new(s, x->lo > y->lo ? x->lo : y->lo, x->hi > y->hi ? x->hi : y->hi);
}

static range truth(range_space *s, bool always, bool never) {
    return range_new(s, always, !never);
}

static range compare(range_space *s, scalar_op op, const range *x, const range *y) {
    range d = difference(s, x, y);
    switch ((int)op) {
    case S_LT: return truth(s, d.hi < 0, d.lo >= 0);
    case S_LE: return truth(s, d.hi <= 0, d.lo > 0);
    case S_GT: return truth(s, d.lo > 0, d.hi <= 0);
    case S_GE: return truth(s, d.lo >= 0, d.hi < 0);
    case S_EQ: return truth(s, d.lo == 0 && d.hi == 0, d.lo > 0 || d.hi < 0);
    default: return truth(s, d.lo > 0 || d.hi < 0, d.lo == 0 && d.hi == 0);
    }
}

static range choose(range_space *s, const range *condition, const range *x, const range *y) {
    if (condition->lo == 1) return *x;
    if (condition->hi == 0) return *y;
    return range_new(s, x->lo < y->lo ? x->lo : y->lo, x->hi > y->hi ? x->hi : y->hi);
}

/* Bitwise operations: of constants, and of truth values by their bounds. */
static range bits(range_space *s, scalar_op op, kbase b, const range *x, const range *y) {
    bool known = range_is_const(x) && range_is_const(y);
    int64_t p = x->lo, q = y->lo;
    if (op == S_AND && known) return range_const(p & q);
    if (op == S_OR && known) return range_const(p | q);
    if (op == S_XOR && known) return range_const(p ^ q);
    if (op == S_AND && b == KB_BOOL) return range_new(s, p & q, x->hi & y->hi);
    if (op == S_AND && (p >= 0 || q >= 0)) { /* clears the sign; not above what is not negative */
        int64_t top = p < 0 ? y->hi : q < 0 ? x->hi : x->hi < y->hi ? x->hi : y->hi;
        return range_new(s, 0, top);
    }
    if (op == S_OR && b == KB_BOOL) return range_new(s, x->lo | y->lo, x->hi | y->hi);
    if (op == S_SHL && range_is_const(y) && q >= 0 && q < 62) return range_scale(s, x, (int64_t)1 << q);
    if (op == S_SHR && range_is_const(y) && q >= 0 && q < 62 && x->lo >= 0)
        return divide(s, x, (int64_t)1 << q);
    return range_unknown(s, b);
}

static range any_arith(range_space *s, scalar_op op, kbase b, const range *x, const range *y,
                       const range *z) {
    bool divisor = (op == S_DIV || op == S_MOD) && range_is_const(y) && y->lo > 0;
    range zero = range_const(0), minus;
    if (scalar_is_compare(op)) return compare(s, op, x, y);
    switch ((int)op) {
    case S_ADD: return range_add(s, x, y);
    case S_SUB: return difference(s, x, y);
    case S_MUL:
        return range_is_const(y)   ? range_scale(s, x, y->lo)
               : range_is_const(x) ? range_scale(s, y, x->lo)
                                   : product(s, x, y);
    case S_DIV: return divisor ? divide(s, x, y->lo) : range_unknown(s, b);
    case S_MOD: return divisor ? modulo(s, x, y->lo) : range_unknown(s, b);
    case S_NEG: return range_scale(s, x, -1);
    case S_MIN: return least(s, x, y);
    case S_MAX: return most(s, x, y);
    case S_RELU: return most(s, x, &zero);
    case S_ABS: minus = range_scale(s, x, -1); return most(s, x, &minus);
    case S_SELECT: return choose(s, x, y, z);
    case S_AND:
    case S_OR:
    case S_XOR:
    case S_SHL:
    case S_SHR: return bits(s, op, b, x, y);
    default: return range_unknown(s, b);
    }
}

/* Whole numbers of this size are floats of either width, so rounding never leaves them. */
enum { FLOAT_EXACT = 1 << 24 };

range range_float(range_space *s, double lo, double hi) {
    if (!(lo >= -FLOAT_EXACT && hi <= FLOAT_EXACT)) return range_new(s, -RANGE_INF, RANGE_INF);
    int64_t below = (int64_t)lo, above = (int64_t)hi;
    return range_new(s, below - ((double)below > lo), above + ((double)above < hi));
}

static bool is_wide(const range *x) {
    return x->lo < -FLOAT_EXACT || x->hi > FLOAT_EXACT;
}

/* Between whole numbers. What may be anything may be NaN, which no minimum bounds. */
static range float_arith(range_space *s, scalar_op op, const range *x, const range *y, const range *z) {
    range r = range_new(s, -RANGE_INF, RANGE_INF);
    for (int k = op == S_SELECT; k < scalars[op].arity; k++)
        if (is_wide(k == 0 ? x : k == 1 ? y : z)) return r;
    switch ((int)op) {
    case S_ADD:
    case S_SUB:
    case S_MUL:
    case S_NEG:
    case S_MIN:
    case S_MAX:
    case S_RELU:
    case S_ABS:
    case S_SELECT: r = any_arith(s, op, KB_INT, x, y, z); break;
    case S_FLOOR: r = *x; break;
    case S_FMA:
        r = product(s, x, y);
        r = range_add(s, &r, z);
        break;
    default: break;
    }
    return range_float(s, (double)r.lo, (double)r.hi);
}

range range_arith(range_space *s, scalar_op op, kbase b, const range *x, const range *y, const range *z) {
    if (kbase_is_float(b)) return scalar_is_compare(op) ? range_new(s, 0, 1) : float_arith(s, op, x, y, z);
    range r = any_arith(s, op, b, x, y, z);
    bool wraps = b == KB_I32 && !scalar_is_compare(op) && (r.lo < INT32_MIN || r.hi > INT32_MAX);
    return wraps ? range_unknown(s, b) : r;
}
