/* The builder: appends instructions where it stands. Which integer operations fold is decided in fold.c. */
#include "ir/kernel/emit.h"

#include <string.h>

ktype kb_real(const kb *b) {
    return k_scalar(b->real);
}
ktype kb_vector(const kb *b) {
    return k_vector(b->real, b->lanes);
}

static void append(kblock *to, kinst *x) {
    if (to->last)
        to->last->next = x;
    else
        to->first = x;
    to->last = x;
}

kinst *kb_append(kb *b, kinst like) {
    bool share = b->values && kop_is_pure(like.op);
    kinst *known = share ? kb_value_find(b, &like) : NULL;
    if (known) return known;
    kinst *x = NEW(b->arena, kinst);
    *x = like;
    x->id = b->f->ids++;
    x->arg = like.args ? arena_copy(b->arena, like.arg, (size_t)like.args * sizeof(kinst *)) : NULL;
    x->body = x->otherwise = (kblock){0};
    x->next = NULL;
    append(b->at[b->depth], x);
    if (share) kb_value_keep(b, x);
    return x;
}

kinst *kb_emit(kb *b, kop op, ktype type, int args, kinst *const *arg) {
    return kb_append(b, (kinst){.op = op, .type = type, .args = args, .arg = (kinst **)arg});
}

static kinst *emit1(kb *b, kop op, ktype type, kinst *x) {
    return kb_emit(b, op, type, 1, &x);
}

static kinst *emit2(kb *b, kop op, ktype type, kinst *x, kinst *y) {
    return kb_emit(b, op, type, 2, (kinst *[]){x, y});
}

kinst *kb_param(kb *b, int i) {
    const kparam *p = &b->f->param[i];
    return kb_append(b, (kinst){.op = K_PARAM, .type = p->type, .i = i, .name = p->name});
}

kinst *kb_int(kb *b, int64_t value) {
    return kb_append(b, (kinst){.op = K_CONST, .type = k_scalar(KB_INT), .i = value});
}

kinst *kb_truth(kb *b, bool value, int lanes) {
    return kb_append(b, (kinst){.op = K_CONST, .type = k_vector(KB_BOOL, lanes), .i = value});
}

kinst *kb_const(kb *b, ktype t, double value) {
    kinst like = {.op = K_CONST, .type = t};
    if (t.base == KB_F32)
        like.f = (float)value;
    else if (t.base == KB_F64)
        like.f = value;
    else
        like.i = (int64_t)value;
    return kb_append(b, like);
}

ktype kb_arith_type(scalar_op op, const kinst *x, const kinst *y) {
    if (scalar_is_compare(op)) return k_vector(KB_BOOL, x->type.lanes);
    return op == S_SELECT ? y->type : x->type;
}

kinst *kb_arith(kb *b, scalar_op op, kinst *x, kinst *y, kinst *z) {
    kinst *known = kb_fold(b, op, x, y, z);
    if (known) return known;
    kinst like = {.op = K_ARITH, .scalar = op, .type = kb_arith_type(op, x, y), .args = scalars[op].arity};
    like.arg = (kinst *[]){x, y, z};
    return kb_append(b, like);
}

kinst *kb_add(kb *b, kinst *x, kinst *y) {
    return kb_arith(b, S_ADD, x, y, NULL);
}
kinst *kb_sub(kb *b, kinst *x, kinst *y) {
    return kb_arith(b, S_SUB, x, y, NULL);
}
kinst *kb_mul(kb *b, kinst *x, kinst *y) {
    return kb_arith(b, S_MUL, x, y, NULL);
}
kinst *kb_addi(kb *b, kinst *x, int64_t y) {
    return kb_add(b, x, kb_int(b, y));
}
kinst *kb_muli(kb *b, kinst *x, int64_t y) {
    return kb_mul(b, x, kb_int(b, y));
}
kinst *kb_divi(kb *b, kinst *x, int64_t y) {
    return kb_arith(b, S_DIV, x, kb_int(b, y), NULL);
}
kinst *kb_modi(kb *b, kinst *x, int64_t y) {
    return kb_arith(b, S_MOD, x, kb_int(b, y), NULL);
}
kinst *kb_min(kb *b, kinst *x, kinst *y) {
    return kb_arith(b, S_MIN, x, y, NULL);
}
kinst *kb_max(kb *b, kinst *x, kinst *y) {
    return kb_arith(b, S_MAX, x, y, NULL);
}
kinst *kb_fma(kb *b, kinst *x, kinst *y, kinst *z) {
    return kb_arith(b, S_FMA, x, y, z);
}

kinst *kb_select(kb *b, kinst *condition, kinst *x, kinst *y) {
    if (condition->type.lanes == 1 && x->type.lanes > 1) condition = kb_splat(b, condition, x->type.lanes);
    return kb_arith(b, S_SELECT, condition, x, y);
}

kinst *kb_cast(kb *b, ktype t, kinst *x) {
    if (ktype_equal(t, x->type)) return x;
    bool small = x->op == K_CONST && !kbase_is_float(x->type.base);
    if (small && t.base == KB_INT && t.lanes == 1) return kb_int(b, x->i);
    if (small && kbase_is_float(t.base) && t.lanes == x->type.lanes) return kb_const(b, t, (double)x->i);
    return emit1(b, K_CAST, t, x);
}

kinst *kb_bits(kb *b, ktype t, kinst *x) {
    return ktype_equal(t, x->type) ? x : emit1(b, K_BITS, t, x);
}

kinst *kb_splat(kb *b, kinst *x, int lanes) {
    if (lanes == x->type.lanes) return x;
    ktype t = k_vector(x->type.base, lanes);
    if (x->op != K_CONST) return emit1(b, K_SPLAT, t, x);
    return kb_append(b, (kinst){.op = K_CONST, .type = t, .i = x->i, .f = x->f});
}

static bool covers(const kinst *count, int lanes) {
    return count->op == K_CONST && count->i >= lanes;
}

kinst *kb_tail(kb *b, kinst *count, int lanes) {
    if (covers(count, lanes)) return kb_truth(b, true, lanes);
    if (count->op == K_CONST && count->i <= 0) return kb_truth(b, false, lanes);
    return emit1(b, K_TAIL, k_vector(KB_BOOL, lanes), count);
}

kinst *kb_load(kb *b, ktype t, kinst *ptr, kinst *index) {
    return emit2(b, K_LOAD, t, ptr, index);
}

kinst *kb_load_part(kb *b, ktype t, kinst *ptr, kinst *index, kinst *count) {
    if (covers(count, t.lanes)) return kb_load(b, t, ptr, index);
    return kb_emit(b, K_LOAD, t, 3, (kinst *[]){ptr, index, count});
}

void kb_store(kb *b, kinst *ptr, kinst *index, kinst *value) {
    kb_emit(b, K_STORE, k_scalar(KB_VOID), 3, (kinst *[]){ptr, index, value});
}

void kb_store_part(kb *b, kinst *ptr, kinst *index, kinst *value, kinst *count) {
    if (covers(count, value->type.lanes))
        kb_store(b, ptr, index, value);
    else
        kb_emit(b, K_STORE, k_scalar(KB_VOID), 4, (kinst *[]){ptr, index, value, count});
}

void kb_prefetch(kb *b, kinst *ptr, kinst *index) {
    if (b->target->id != TARGET_C99) emit2(b, K_PREFETCH, k_scalar(KB_VOID), ptr, index);
}

kinst *kb_offset(kb *b, kinst *ptr, kinst *index) {
    return kinst_is_int(index, 0) ? ptr : emit2(b, K_OFFSET, ptr->type, ptr, index);
}

kinst *kb_hsum(kb *b, kinst *x) {
    return x->type.lanes == 1 ? x : emit1(b, K_HSUM, k_scalar(x->type.base), x);
}

kinst *kb_hmax(kb *b, kinst *x) {
    return x->type.lanes == 1 ? x : emit1(b, K_HMAX, k_scalar(x->type.base), x);
}

kinst *kb_reg(kb *b, const char *name, ktype t, int dim0, int dim1) {
    return kb_append(b, (kinst){.op = K_REG, .type = t, .dim = {dim0, dim1}, .name = name});
}

kinst *kb_get(kb *b, kinst *reg, kinst *i, kinst *j) {
    return kb_emit(b, K_GET, reg->type, 3, (kinst *[]){reg, i, j});
}

void kb_set(kb *b, kinst *reg, kinst *i, kinst *j, kinst *value) {
    kb_emit(b, K_SET, k_scalar(KB_VOID), 4, (kinst *[]){reg, i, j, value});
}

kinst *kb_local(kb *b, const char *name, kbase elem, int64_t count) {
    return kb_append(b, (kinst){.op = K_LOCAL, .type = k_out(elem), .i = count, .name = name});
}

static void push(kb *b, kblock *block, kinst *open) {
    if (b->depth + 1 == KB_DEPTH) trap_spring(b->arena->trap, "a kernel nests loops too deeply");
    b->at[++b->depth] = block;
    b->open[b->depth] = open;
    if (b->values) b->values->mark[b->depth] = b->values->undo.count;
}

/* Constants lo, hi with exactly one step between. */
static bool runs_once(const kinst *lo, const kinst *hi, int64_t step, kloop kind) {
    if (kind == KLOOP_GRID || kind == KLOOP_BLOCK || lo->op != K_CONST || hi->op != K_CONST) return false;
    return lo->i < hi->i && hi->i - lo->i <= step;
}

kinst *kb_for(kb *b, const char *name, kinst *lo, kinst *hi, int64_t step, kloop kind) {
    if (runs_once(lo, hi, step, kind)) {
        push(b, b->at[b->depth], NULL);
        return lo;
    }
    kinst like = {.op = K_FOR, .type = k_scalar(KB_INT), .args = 3, .loop = kind, .name = name};
    like.arg = (kinst *[]){lo, hi, kb_int(b, step)};
    kinst *f = kb_append(b, like);
    push(b, &f->body, f);
    return f;
}

/* A condition known beforehand leaves only one branch: it goes where the if stands, the other nowhere. */
void kb_if(kb *b, kinst *condition) {
    if (condition->op == K_CONST) {
        kinst *gone = NEW(b->arena, kinst);
        *gone = (kinst){.op = K_IF, .i = condition->i};
        push(b, condition->i ? b->at[b->depth] : &gone->body, gone);
        return;
    }
    kinst *f = emit1(b, K_IF, k_scalar(KB_VOID), condition);
    push(b, &f->body, f);
}

void kb_else(kb *b) {
    kinst *f = b->open[b->depth];
    if (b->values) kb_value_leave(b);
    bool here = f->args == 0 && !f->i;
    b->at[b->depth] = here ? b->at[b->depth - 1] : &f->otherwise;
}

void kb_end(kb *b) {
    if (b->values) kb_value_leave(b);
    b->depth--;
}

void kb_call(kb *b, kfunc *callee, kinst *const *args, int count) {
    kinst like = {
        .op = K_CALL, .type = k_scalar(KB_VOID), .args = count, .arg = (kinst **)args, .callee = callee};
    kb_append(b, like);
}
