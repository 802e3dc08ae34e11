/* The checker of one function: a walk that keeps, for every instruction, whether it may be used where the
 * walk stands. */
#include "ir/kernel/emit.h"

#include <stdarg.h>
#include <string.h>

enum { LOCAL_BYTES = 16 << 10 };

typedef struct checker {
    const kfunc *f;
    diags *d;
    const kinst **visible; /* by id: the instruction, while the walk is inside the block that made it */
    bool *taken;           /* by id */
    const kinst *at;
    bool failed;
} checker;

static bool __attribute__((format(printf, 2, 3))) wrong(checker *c, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *why = arena_vprintf(c->d->arena, format, list);
    va_end(list);
    c->failed = true;
    const char *name = c->f->name ? c->f->name : "?";
    if (c->at)
        diag_add(c->d, DIAG_ERROR, (span){0}, "internal error: %s, instruction %%%d (%s): %s", name,
                 c->at->id, (unsigned)c->at->op < K_OPS ? kop_names[c->at->op] : "?", why);
    else
        diag_add(c->d, DIAG_ERROR, (span){0}, "internal error: %s: %s", name, why);
    return false;
}

static bool is_int(ktype t) {
    return t.base == KB_INT && t.lanes == 1;
}
static bool is_number(ktype t) {
    return t.base >= KB_INT && t.base <= KB_F64;
}

static bool valid_lanes(ktype t) {
    return t.lanes == 1 || t.lanes == 2 || t.lanes == 4 || t.lanes == 8 || t.lanes == 16;
}

static bool valid_value(ktype t) {
    return (is_number(t) || t.base == KB_BOOL) && valid_lanes(t) && !t.elem;
}

static bool valid_pointer(ktype t) {
    return t.base == KB_PTR && t.lanes == 1 && t.elem >= KB_INT && t.elem <= KB_F64;
}

static bool expect_args(checker *c, int least, int most) {
    if (c->at->args >= least && c->at->args <= most) return true;
    return wrong(c, "has %d operands, takes %d to %d", c->at->args, least, most);
}

/* How many operands an operation takes, at least and at most. */
static const struct {
    signed char least, most;
} arity[K_OPS] = {[K_ARITH] = {1, 3}, [K_CAST] = {1, 1}, [K_BITS] = {1, 1},   [K_SPLAT] = {1, 1},
                  [K_TAIL] = {1, 1},  [K_LOAD] = {2, 3}, [K_STORE] = {3, 4},  [K_OFFSET] = {2, 2},
                  [K_HSUM] = {1, 1},  [K_HMAX] = {1, 1}, [K_GET] = {3, 3},    [K_SET] = {4, 4},
                  [K_FOR] = {3, 3},   [K_IF] = {1, 1},   [K_CALL] = {0, 127}, [K_PREFETCH] = {2, 2}};

/* Operand k is an instruction made before, in this block or one around it. */
static bool operand_in_reach(checker *c, int k) {
    const kinst *y = c->at->arg ? c->at->arg[k] : NULL;
    if (!y) return wrong(c, "operand %d is missing", k);
    if (y->id < 0 || y->id >= c->f->ids || c->visible[y->id] != y)
        return wrong(c, "operand %d, %%%d, is not made before it in a block around it", k, y->id);
    bool registers = k == 0 && (c->at->op == K_GET || c->at->op == K_SET);
    if ((y->op == K_REG) != registers)
        return wrong(c, registers ? "operand 0 is not a register" : "operand %d is a register itself", k);
    return y->type.base != KB_VOID || wrong(c, "operand %d, %%%d, has no value", k, y->id);
}

static bool check_operands(checker *c) {
    if (!expect_args(c, arity[c->at->op].least, arity[c->at->op].most)) return false;
    for (int k = 0; k < c->at->args; k++)
        if (!operand_in_reach(c, k)) return false;
    return true;
}

static bool for_floats(scalar_op op) {
    return op < S_MOD;
}

static bool for_ints(scalar_op op, kbase b) {
    if (op == S_MULHI) return b == KB_I32;
    return op <= S_ABS || op == S_RELU || (op >= S_LT && op <= S_SELECT) || (op >= S_MOD && op <= S_SHR);
}

static bool for_truths(scalar_op op) {
    return op == S_AND || op == S_OR || op == S_XOR || op == S_EQ || op == S_NE || op == S_SELECT;
}

static bool allows(scalar_op op, kbase b) {
    if (kbase_is_float(b)) return for_floats(op);
    if (b == KB_BOOL) return for_truths(op);
    return b != KB_U8 && for_ints(op, b);
}

static bool check_arith(checker *c) {
    const kinst *x = c->at;
    if ((unsigned)x->scalar >= S_COUNT) return wrong(c, "unknown operation %d", (int)x->scalar);
    const scalar_info *s = &scalars[x->scalar];
    if (x->args != s->arity) return wrong(c, "%s takes %d operands, not %d", s->name, s->arity, x->args);
    int first = x->scalar == S_SELECT; /* of the operands of one type */
    for (int k = first + 1; k < x->args; k++)
        if (!ktype_equal(x->arg[k]->type, x->arg[first]->type))
            return wrong(c, "operands of %s differ in type", s->name);
    ktype t = x->arg[first]->type;
    if (first && (x->arg[0]->type.base != KB_BOOL || x->arg[0]->type.lanes != t.lanes))
        return wrong(c, "the condition of select is not a bool of %d lanes", t.lanes);
    if (!valid_value(t) || !allows(x->scalar, t.base))
        return wrong(c, "%s is not for %s", s->name, t.base < KB_BASES ? kbase_name(t.base) : "?");
    ktype want = scalar_is_compare(x->scalar) ? k_vector(KB_BOOL, t.lanes) : t;
    return ktype_equal(x->type, want) || wrong(c, "the result of %s has another type", s->name);
}

static bool check_convert(checker *c) {
    ktype from = c->at->arg[0]->type, to = c->at->type;
    if (!valid_value(from) || !valid_value(to) || from.lanes != to.lanes)
        return wrong(c, "operand and result are not values of as many lanes");
    if (c->at->op == K_CAST)
        return (to.base != KB_U8 && to.base != KB_BOOL) ||
               wrong(c, "nothing is cast to %s", kbase_name(to.base));
    bool plain = is_number(from) && is_number(to);
    return (plain && kbase_bytes(from.base) == kbase_bytes(to.base)) ||
           wrong(c, "the two types differ in size");
}

static bool check_lanes(checker *c) {
    ktype from = c->at->arg[0]->type, to = c->at->type;
    if (!valid_lanes(to)) return wrong(c, "has %d lanes", to.lanes);
    if (c->at->op == K_TAIL) return (is_int(from) && to.base == KB_BOOL) || wrong(c, "is not bool of an int");
    if (c->at->op == K_SPLAT)
        return (valid_value(from) && from.lanes == 1 && to.base == from.base && to.lanes > 1) ||
               wrong(c, "is not a vector of its scalar operand");
    return (kbase_is_float(from.base) && from.lanes > 1 && to.base == from.base && to.lanes == 1) ||
           wrong(c, "is not a number of a vector of floats");
}

static bool check_memory(checker *c) {
    const kinst *x = c->at;
    ktype p = x->arg[0]->type;
    if (!valid_pointer(p)) return wrong(c, "operand 0 is not a pointer");
    if (!is_int(x->arg[1]->type)) return wrong(c, "the index is not an int");
    if (x->op == K_PREFETCH) return true;
    if (x->op == K_OFFSET)
        return ktype_equal(x->type, p) || wrong(c, "the result is not of its pointer's type");
    bool store = x->op == K_STORE;
    ktype t = store ? x->arg[2]->type : x->type;
    if (!valid_value(t) || t.base != p.elem) return wrong(c, "the value is not of the pointer's elements");
    if (store && !p.writes) return wrong(c, "stores through a pointer to read from");
    int count = store ? 3 : 2;
    return x->args <= count || is_int(x->arg[count]->type) || wrong(c, "the count is not an int");
}

/* Made of constants, unrolled variables and arithmetic on them. */
static bool is_static(const kinst *x, int depth) {
    if (x->op == K_CONST || (x->op == K_FOR && x->loop == KLOOP_UNROLL)) return true;
    if (x->op != K_ARITH || depth == 0) return false;
    for (int k = 0; k < x->args; k++)
        if (!is_static(x->arg[k], depth - 1)) return false;
    return true;
}

static bool check_register(checker *c) {
    const kinst *x = c->at, *reg = x->arg[0];
    for (int k = 0; k < 2; k++) {
        const kinst *i = x->arg[1 + k];
        if (!is_int(i->type) || !is_static(i, 8)) return wrong(c, "a register's index is not constant");
        if (i->op == K_CONST && (i->i < 0 || i->i >= reg->dim[k]))
            return wrong(c, "index %lld is outside of register %s[%d][%d]", (long long)i->i,
                         reg->name ? reg->name : "", reg->dim[0], reg->dim[1]);
    }
    ktype t = x->op == K_SET ? x->arg[3]->type : x->type;
    return ktype_equal(t, reg->type) || wrong(c, "the value is not of the register's type");
}

static bool check_call(checker *c) {
    const kinst *x = c->at;
    const kfunc *g = x->callee;
    if (!g || !g->micro || g == c->f) return wrong(c, "calls no micro");
    if (x->args != g->params) return wrong(c, "%s takes %d arguments, not %d", g->name, g->params, x->args);
    for (int k = 0; k < x->args; k++) {
        ktype have = x->arg[k]->type, want = g->param[k].type;
        if (!ktype_equal(have, want) || (want.writes && !have.writes))
            return wrong(c, "argument %s of %s has another type", g->param[k].name, g->name);
    }
    return true;
}

static bool check_loop(checker *c) {
    const kinst *x = c->at;
    for (int k = 0; k < 3; k++)
        if (!is_int(x->arg[k]->type)) return wrong(c, "a loop's bounds and step are ints");
    if (x->arg[2]->op != K_CONST || x->arg[2]->i <= 0) return wrong(c, "the step is not a constant above 0");
    return is_int(x->type) || wrong(c, "the variable is not an int");
}

static bool check_leaf(checker *c) {
    const kinst *x = c->at;
    switch (x->op) {
    case K_CONST: return valid_value(x->type) || wrong(c, "has no type of a value");
    case K_REG:
        if (!valid_value(x->type)) return wrong(c, "has no type of a value");
        return (x->dim[0] > 0 && x->dim[1] > 0 && (int64_t)x->dim[0] * x->dim[1] <= 4096) ||
               wrong(c, "has [%d][%d] elements", x->dim[0], x->dim[1]);
    case K_LOCAL:
        if (!valid_pointer(x->type)) return wrong(c, "is not a pointer");
        return (x->i > 0 && x->i <= LOCAL_BYTES / kbase_bytes(x->type.elem)) ||
               wrong(c, "is not between 1 byte and %d", LOCAL_BYTES);
    case K_PARAM:
        if (x->i < 0 || x->i >= c->f->params) return wrong(c, "there is no parameter %lld", (long long)x->i);
        return ktype_equal(x->type, c->f->param[x->i].type) || wrong(c, "is not of the parameter's type");
    default: return true;
    }
}

static bool (*const checks[K_OPS])(checker *) = {
    [K_PARAM] = check_leaf,      [K_CONST] = check_leaf,   [K_ARITH] = check_arith,
    [K_CAST] = check_convert,    [K_BITS] = check_convert, [K_SPLAT] = check_lanes,
    [K_TAIL] = check_lanes,      [K_LOAD] = check_memory,  [K_STORE] = check_memory,
    [K_OFFSET] = check_memory,   [K_HSUM] = check_lanes,   [K_HMAX] = check_lanes,
    [K_REG] = check_leaf,        [K_GET] = check_register, [K_SET] = check_register,
    [K_LOCAL] = check_leaf,      [K_FOR] = check_loop,     [K_CALL] = check_call,
    [K_PREFETCH] = check_memory,
};

static void check_block(checker *c, const kblock *b, int depth);

static void check_inst(checker *c, const kinst *x, int depth) {
    c->at = x;
    if ((unsigned)x->op >= K_OPS)
        wrong(c, "there is no operation %d", (int)x->op);
    else if (x->id < 0 || x->id >= c->f->ids || c->taken[x->id])
        wrong(c, "its id is taken or too large");
    else if (check_operands(c)) {
        if (x->op == K_IF && (x->arg[0]->type.base != KB_BOOL || x->arg[0]->type.lanes != 1))
            wrong(c, "the condition is not a bool");
        else if (checks[x->op])
            checks[x->op](c);
    }
    if (c->failed) return;
    c->visible[x->id] = x;
    c->taken[x->id] = true;
    check_block(c, &x->body, depth + 1);
    check_block(c, &x->otherwise, depth + 1);
}

/* Stops at the first error: what follows from it would only repeat it. */
static void check_block(checker *c, const kblock *b, int depth) {
    if (depth >= KB_DEPTH) wrong(c, "nests too deeply");
    for (const kinst *x = b->first; x && !c->failed; x = x->next) check_inst(c, x, depth);
    if (c->failed) return;
    for (const kinst *x = b->first; x; x = x->next) c->visible[x->id] = NULL;
}

static bool is_name(const char *s) {
    if (!s || !*s || (*s >= '0' && *s <= '9')) return false;
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(s);
}

static bool check_params(checker *c) {
    const kfunc *f = c->f;
    if (!is_name(f->name)) return wrong(c, "its name is not an identifier");
    if (!f->target) return wrong(c, "it has no target");
    for (int k = 0; k < f->params; k++) {
        if (!is_name(f->param[k].name)) return wrong(c, "parameter %d has no identifier as name", k);
        if (!valid_value(f->param[k].type) && !valid_pointer(f->param[k].type))
            return wrong(c, "parameter %s has no type of a value", f->param[k].name);
        for (int other = 0; other < k; other++)
            if (strcmp(f->param[other].name, f->param[k].name) == 0)
                return wrong(c, "two parameters are called %s", f->param[k].name);
    }
    bool indexed = f->params >= 2 && is_int(f->param[0].type) && is_int(f->param[1].type);
    return f->micro || indexed || wrong(c, "a kernel's first parameters are the ints i and n");
}

bool kfunc_check(const kfunc *f, diags *d) {
    checker c = {.f = f, .d = d};
    if (!check_params(&c)) return false;
    c.visible = NEW_ARRAY(d->arena, const kinst *, f->ids + 1);
    c.taken = NEW_ARRAY(d->arena, bool, f->ids + 1);
    check_block(&c, &f->body, 0);
    return !c.failed;
}
