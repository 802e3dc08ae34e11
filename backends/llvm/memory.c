/* Constants, loads and stores. Vectors need no more alignment in memory than their elements have. */
#include "backends/llvm/emit.h"

static LLVMValueRef scalar_const(const unit *u, const kinst *x) {
    LLVMTypeRef type = u->scalar[x->type.base];
    if (kbase_is_float((kbase)x->type.base)) return LLVMConstReal(type, x->f);
    return LLVMConstInt(type, (unsigned long long)x->i, true);
}

static LLVMValueRef repeated(LLVMValueRef x, int lanes) {
    LLVMValueRef all[16];
    for (int k = 0; k < lanes; k++) all[k] = x;
    return LLVMConstVector(all, (unsigned)lanes);
}

LLVMValueRef ll_const(const unit *u, const kinst *x) {
    LLVMValueRef one = scalar_const(u, x);
    return x->type.lanes > 1 ? repeated(one, x->type.lanes) : one;
}

/* lane < count, on lanes of 32 bits, which count fits once it is within 0..lanes. */
LLVMValueRef ll_tail(const unit *u, LLVMValueRef count, int lanes) {
    LLVMTypeRef narrow = u->scalar[KB_I32], wide = u->scalar[KB_INT];
    LLVMValueRef most[2] = {count, ll_int(u, lanes)}, within[2] = {NULL, ll_int(u, 0)}, order[16];
    within[0] = ll_intrinsic(u, "llvm.smin", &wide, 1, most, 2);
    within[0] = ll_intrinsic(u, "llvm.smax", &wide, 1, within, 2);
    for (int k = 0; k < lanes; k++) order[k] = LLVMConstInt(narrow, (unsigned)k, false);
    LLVMValueRef all = ll_splat(u, LLVMBuildTrunc(u->builder, within[0], narrow, ""), lanes);
    return LLVMBuildICmp(u->builder, LLVMIntSLT, LLVMConstVector(order, (unsigned)lanes), all, "");
}

static LLVMValueRef address(const unit *u, ktype pointer, LLVMValueRef ptr, LLVMValueRef index) {
    return LLVMBuildGEP2(u->builder, u->scalar[pointer.elem], ptr, &index, 1, "");
}

static LLVMValueRef align_of(const unit *u, ktype t) {
    return LLVMConstInt(u->scalar[KB_I32], (unsigned)kbase_bytes((kbase)t.base), false);
}

static LLVMValueRef load_part(const unit *u, ktype t, LLVMValueRef at, LLVMValueRef count) {
    LLVMTypeRef types[2] = {ll_type(u, t), u->scalar[KB_PTR]};
    LLVMValueRef args[4] = {at, align_of(u, t), ll_tail(u, count, t.lanes), LLVMConstNull(types[0])};
    return ll_intrinsic(u, "llvm.masked.load", types, 2, args, 4);
}

LLVMValueRef ll_load(const unit *u, const kinst *x, LLVMValueRef *arg) {
    ktype t = x->type;
    LLVMValueRef at = address(u, x->arg[0]->type, arg[0], arg[1]);
    if (x->args > 2 && t.lanes == 1) {
        ll_fail(u, "load of a part", t);
        return NULL;
    }
    if (x->args > 2) return load_part(u, t, at, arg[2]);
    LLVMValueRef v = LLVMBuildLoad2(u->builder, ll_type(u, t), at, "");
    LLVMSetAlignment(v, (unsigned)kbase_bytes((kbase)t.base));
    return v;
}

void ll_store(const unit *u, const kinst *x, LLVMValueRef *arg) {
    ktype t = x->arg[2]->type;
    LLVMValueRef at = address(u, x->arg[0]->type, arg[0], arg[1]);
    if (x->args > 3 && t.lanes == 1) {
        ll_fail(u, "store of a part", t);
        return;
    }
    if (x->args > 3) {
        LLVMTypeRef types[2] = {ll_type(u, t), u->scalar[KB_PTR]};
        LLVMValueRef args[4] = {arg[2], at, align_of(u, t), ll_tail(u, arg[3], t.lanes)};
        ll_intrinsic(u, "llvm.masked.store", types, 2, args, 4);
        return;
    }
    LLVMValueRef s = LLVMBuildStore(u->builder, arg[2], at);
    LLVMSetAlignment(s, (unsigned)kbase_bytes((kbase)t.base));
}

/* To be read, into the second-level cache, as data. */
void ll_prefetch(const unit *u, const kinst *x, LLVMValueRef *arg) {
    LLVMTypeRef type = u->scalar[KB_PTR], number = u->scalar[KB_I32];
    LLVMValueRef args[4] = {address(u, x->arg[0]->type, arg[0], arg[1]), LLVMConstInt(number, 0, false),
                            LLVMConstInt(number, 2, false), LLVMConstInt(number, 1, false)};
    ll_intrinsic(u, "llvm.prefetch", &type, 1, args, 4);
}
