/* Whole functions of the kernel IR. Registers become stack slots here, one an element, which are only ever
 * loaded and stored whole: mem2reg makes values of them. */
#include "backends/llvm/emit.h"

static bool ll_block(unit *u, const kblock *b);

static int elements(const kinst *reg) {
    return reg->dim[0] * reg->dim[1];
}

static const char *name_of(const kinst *x) {
    return x->name ? x->name : "";
}

/* The slot of the element that a GET or SET names; NULL after an error. */
static LLVMValueRef element(const unit *u, const kinst *x) {
    const kinst *reg = x->arg[0], *i = x->arg[1], *j = x->arg[2];
    int64_t e = i->op == K_CONST && j->op == K_CONST ? i->i * reg->dim[1] + j->i : -1;
    if (e < 0 || e >= elements(reg)) {
        ll_fail(u, "an index of a register", reg->type);
        return NULL;
    }
    return u->registers[reg->id][e];
}

static bool ll_reg(unit *u, const kinst *x) {
    u->registers[x->id] = NEW_ARRAY(u->arena, LLVMValueRef, elements(x));
    for (int k = 0; k < elements(x); k++)
        u->registers[x->id][k] = ll_slot(u, ll_type(u, x->type), name_of(x));
    return true;
}

static bool ll_get(unit *u, const kinst *x) {
    LLVMValueRef slot = element(u, x);
    if (slot) u->values[x->id] = LLVMBuildLoad2(u->builder, ll_type(u, x->type), slot, "");
    return slot;
}

static bool ll_set(unit *u, const kinst *x) {
    LLVMValueRef slot = element(u, x);
    if (slot) LLVMBuildStore(u->builder, u->values[x->arg[3]->id], slot);
    return slot;
}

static bool ll_local(unit *u, const kinst *x) {
    LLVMTypeRef type = LLVMArrayType2(u->scalar[x->type.elem], (uint64_t)x->i);
    LLVMValueRef slot = ll_slot(u, type, name_of(x));
    LLVMSetAlignment(slot, BUFFER_ALIGN);
    u->values[x->id] = slot;
    return true;
}

static bool ll_for(unit *u, const kinst *x) {
    LLVMValueRef *v = u->values;
    unit_loop l = ll_loop_open(u, v[x->arg[0]->id], v[x->arg[1]->id], v[x->arg[2]->id], x->name);
    v[x->id] = l.variable;
    if (!ll_block(u, &x->body)) return false;
    ll_loop_close(u, &l);
    return true;
}

static bool ll_if(unit *u, const kinst *x) {
    LLVMBasicBlockRef then = ll_new_block(u, ""), end = ll_new_block(u, "");
    LLVMBasicBlockRef otherwise = x->otherwise.first ? ll_new_block(u, "") : end;
    LLVMBuildCondBr(u->builder, u->values[x->arg[0]->id], then, otherwise);
    LLVMPositionBuilderAtEnd(u->builder, then);
    if (!ll_block(u, &x->body)) return false;
    LLVMBuildBr(u->builder, end);
    if (otherwise != end) {
        LLVMPositionBuilderAtEnd(u->builder, otherwise);
        if (!ll_block(u, &x->otherwise)) return false;
        LLVMBuildBr(u->builder, end);
    }
    LLVMPositionBuilderAtEnd(u->builder, end);
    return true;
}

static LLVMValueRef *operands(const unit *u, const kinst *x) {
    LLVMValueRef *arg = NEW_ARRAY(u->arena, LLVMValueRef, x->args + 1);
    for (int k = 0; k < x->args; k++) arg[k] = u->values[x->arg[k]->id];
    return arg;
}

static bool ll_call(unit *u, const kinst *x) {
    LLVMValueRef f = ll_declaration(u, x->callee);
    LLVMBuildCall2(u->builder, LLVMGlobalGetValueType(f), f, operands(u, x), (unsigned)x->args, "");
    return true;
}

/* i is the loop's variable, set already; n comes after begin and end. */
static LLVMValueRef param_of(const unit *u, const kinst *x) {
    if (u->fixed && u->fixed[x->i]) return ll_const(u, u->fixed[x->i]);
    if (u->f->micro) return LLVMGetParam(u->function, (unsigned)x->i);
    return x->i == 0 ? u->values[u->f->ids] : LLVMGetParam(u->function, (unsigned)x->i + 1);
}

static LLVMValueRef value_of(const unit *u, const kinst *x) {
    LLVMValueRef *arg = operands(u, x);
    switch (x->op) {
    case K_PARAM: return param_of(u, x);
    case K_CONST: return ll_const(u, x);
    case K_ARITH: return ll_arith(u, x, arg);
    case K_CAST: return ll_cast(u, x, arg[0]);
    case K_BITS: return LLVMBuildBitCast(u->builder, arg[0], ll_type(u, x->type), "");
    case K_SPLAT: return ll_splat(u, arg[0], x->type.lanes);
    case K_TAIL: return ll_tail(u, arg[0], x->type.lanes);
    case K_LOAD: return ll_load(u, x, arg);
    case K_OFFSET: return LLVMBuildGEP2(u->builder, u->scalar[x->type.elem], arg[0], &arg[1], 1, name_of(x));
    case K_HSUM:
    case K_HMAX: return ll_fold(u, x, arg[0]);
    default: ll_fail(u, "an unknown instruction", x->type); return NULL;
    }
}

static bool ll_inst(unit *u, const kinst *x) {
    switch (x->op) {
    case K_REG: return ll_reg(u, x);
    case K_GET: return ll_get(u, x);
    case K_SET: return ll_set(u, x);
    case K_LOCAL: return ll_local(u, x);
    case K_FOR: return ll_for(u, x);
    case K_IF: return ll_if(u, x);
    case K_CALL: return ll_call(u, x);
    case K_BARRIER: return true; /* one thread runs a whole kernel */
    case K_PREFETCH: ll_prefetch(u, x, operands(u, x)); return true;
    case K_STORE: ll_store(u, x, operands(u, x)); return u->diags->errors == 0;
    default: u->values[x->id] = value_of(u, x); return u->values[x->id];
    }
}

static bool ll_block(unit *u, const kblock *b) {
    for (const kinst *x = b->first; x; x = x->next)
        if (!ll_inst(u, x)) return false;
    return true;
}

LLVMValueRef ll_declaration(const unit *u, const kfunc *f) {
    int front = f->micro ? 0 : 1; /* begin and end in place of i */
    LLVMTypeRef *types = NEW_ARRAY(u->arena, LLVMTypeRef, f->params + front + 1);
    types[0] = u->scalar[KB_INT];
    for (int k = 0; k < f->params; k++) types[k + front] = ll_type(u, f->param[k].type);
    LLVMTypeRef type = LLVMFunctionType(u->scalar[KB_VOID], types, (unsigned)(f->params + front), false);
    return ll_new_function(u, arena_printf(u->arena, "%s_%s", f->name, targets[u->target].name), type);
}

bool ll_function(unit *u, const kfunc *f) {
    u->f = f;
    u->function = ll_declaration(u, f);
    u->values = NEW_ARRAY(u->arena, LLVMValueRef, f->ids + 1); /* the last one: i of a kernel */
    u->registers = NEW_ARRAY(u->arena, LLVMValueRef *, f->ids + 1);
    LLVMBasicBlockRef top = ll_new_block(u, ""), start = ll_new_block(u, "");
    LLVMPositionBuilderAtEnd(u->builder, start);
    unit_loop all = {0};
    if (!f->micro) {
        all = ll_loop_open(u, LLVMGetParam(u->function, 0), LLVMGetParam(u->function, 1), ll_int(u, 1), "i");
        u->values[f->ids] = all.variable;
    }
    if (!ll_block(u, &f->body)) return false;
    if (!f->micro) ll_loop_close(u, &all);
    LLVMBuildRetVoid(u->builder);
    LLVMPositionBuilderAtEnd(u->builder, top);
    LLVMBuildBr(u->builder, start);
    u->f = NULL;
    return true;
}
