/* Scalar operations, on scalars and on vectors: one row an operation. No fast-math flag is ever set, and LLVM
 * joins no multiplication with an addition by itself, so numbers are those of the C backend. */
#include "backends/llvm/emit.h"

typedef struct row row;
struct row {
    LLVMValueRef (*make)(const unit *u, const row *r, LLVMValueRef *arg, bool real);
    int real, integer;     /* opcodes or predicates; 0: there is none */
    const char *intrinsic; /* on floats */
    int args;
};

static LLVMValueRef make_plain(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    int opcode = real ? r->real : r->integer;
    return opcode ? LLVMBuildBinOp(u->builder, (LLVMOpcode)opcode, arg[0], arg[1], "") : NULL;
}

static LLVMValueRef make_compare(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    if (real) return LLVMBuildFCmp(u->builder, (LLVMRealPredicate)r->real, arg[0], arg[1], "");
    return LLVMBuildICmp(u->builder, (LLVMIntPredicate)r->integer, arg[0], arg[1], "");
}

static LLVMValueRef make_intrinsic(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    LLVMTypeRef type = LLVMTypeOf(arg[0]);
    return real ? ll_intrinsic(u, r->intrinsic, &type, 1, arg, r->args) : NULL;
}

static LLVMValueRef make_neg(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    (void)r;
    return real ? LLVMBuildFNeg(u->builder, arg[0], "") : LLVMBuildNeg(u->builder, arg[0], "");
}

static LLVMValueRef make_abs(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    LLVMTypeRef type = LLVMTypeOf(arg[0]);
    LLVMValueRef both[2] = {arg[0], LLVMConstInt(u->scalar[KB_BOOL], 0, false)};
    if (real) return make_intrinsic(u, r, arg, real);
    return ll_intrinsic(u, "llvm.abs", &type, 1, both, 2);
}

/* a > b ? a : b, which on x86 is one instruction. */
static LLVMValueRef make_choice(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    return LLVMBuildSelect(u->builder, make_compare(u, r, arg, real), arg[0], arg[1], "");
}

static LLVMValueRef make_select(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    (void)r;
    (void)real;
    return LLVMBuildSelect(u->builder, arg[0], arg[1], arg[2], "");
}

/* The upper half of the product of unsigned numbers, i32. */
static LLVMValueRef make_mulhi(const unit *u, const row *r, LLVMValueRef *arg, bool real) {
    (void)r;
    (void)real;
    LLVMBuilderRef b = u->builder;
    LLVMTypeRef narrow = LLVMTypeOf(arg[0]), wide = u->scalar[KB_INT];
    if (LLVMGetTypeKind(narrow) == LLVMVectorTypeKind) wide = LLVMVectorType(wide, LLVMGetVectorSize(narrow));
    LLVMValueRef x = LLVMBuildZExt(b, arg[0], wide, ""), y = LLVMBuildZExt(b, arg[1], wide, "");
    LLVMValueRef half = ll_int(u, 32);
    if (wide != u->scalar[KB_INT]) half = ll_splat(u, half, (int)LLVMGetVectorSize(wide));
    LLVMValueRef product = LLVMBuildLShr(b, LLVMBuildMul(b, x, y, ""), half, "");
    return LLVMBuildTrunc(b, product, narrow, "");
}

static const row rows[S_COUNT] = {
    [S_ADD] = {make_plain, LLVMFAdd, LLVMAdd, NULL, 2},
    [S_SUB] = {make_plain, LLVMFSub, LLVMSub, NULL, 2},
    [S_MUL] = {make_plain, LLVMFMul, LLVMMul, NULL, 2},
    [S_DIV] = {make_plain, LLVMFDiv, LLVMSDiv, NULL, 2},
    [S_MOD] = {make_plain, 0, LLVMSRem, NULL, 2},
    [S_AND] = {make_plain, 0, LLVMAnd, NULL, 2},
    [S_OR] = {make_plain, 0, LLVMOr, NULL, 2},
    [S_XOR] = {make_plain, 0, LLVMXor, NULL, 2},
    [S_SHL] = {make_plain, 0, LLVMShl, NULL, 2},
    [S_SHR] = {make_plain, 0, LLVMAShr, NULL, 2},
    [S_NEG] = {make_neg, 0, 0, NULL, 1},
    [S_ABS] = {make_abs, 0, 0, "llvm.fabs", 1},
    [S_SQRT] = {make_intrinsic, 0, 0, "llvm.sqrt", 1},
    [S_FLOOR] = {make_intrinsic, 0, 0, "llvm.floor", 1},
    [S_FMA] = {make_intrinsic, 0, 0, "llvm.fma", 3},
    [S_MAX] = {make_choice, LLVMRealOGT, LLVMIntSGT, NULL, 2},
    [S_MIN] = {make_choice, LLVMRealOLT, LLVMIntSLT, NULL, 2},
    [S_LT] = {make_compare, LLVMRealOLT, LLVMIntSLT, NULL, 2},
    [S_LE] = {make_compare, LLVMRealOLE, LLVMIntSLE, NULL, 2},
    [S_GT] = {make_compare, LLVMRealOGT, LLVMIntSGT, NULL, 2},
    [S_GE] = {make_compare, LLVMRealOGE, LLVMIntSGE, NULL, 2},
    [S_EQ] = {make_compare, LLVMRealOEQ, LLVMIntEQ, NULL, 2},
    [S_NE] = {make_compare, LLVMRealUNE, LLVMIntNE, NULL, 2},
    [S_SELECT] = {make_select, 0, 0, NULL, 3},
    [S_MULHI] = {make_mulhi, 0, 0, NULL, 2},
};

/* Plain C's numbers come from a multiplication and an addition, and where a processor may lack an instruction
 * for it LLVM would call libm's. */
const bool *llvm_supported(target_id t) {
    static const bool plain[S_COUNT] = {
        [S_ADD] = true,    [S_SUB] = true, [S_MUL] = true,  [S_DIV] = true, [S_NEG] = true,   [S_MAX] = true,
        [S_MIN] = true,    [S_ABS] = true, [S_SQRT] = true, [S_LT] = true,  [S_LE] = true,    [S_GT] = true,
        [S_GE] = true,     [S_EQ] = true,  [S_NE] = true,   [S_MOD] = true, [S_AND] = true,   [S_OR] = true,
        [S_SELECT] = true, [S_XOR] = true, [S_SHL] = true,  [S_SHR] = true, [S_MULHI] = true,
    };
    static const bool rich[S_COUNT] = {
        [S_ADD] = true, [S_SUB] = true, [S_MUL] = true,   [S_DIV] = true,    [S_NEG] = true,
        [S_MAX] = true, [S_MIN] = true, [S_ABS] = true,   [S_SQRT] = true,   [S_LT] = true,
        [S_LE] = true,  [S_GT] = true,  [S_GE] = true,    [S_EQ] = true,     [S_NE] = true,
        [S_MOD] = true, [S_AND] = true, [S_OR] = true,    [S_SELECT] = true, [S_XOR] = true,
        [S_SHL] = true, [S_SHR] = true, [S_MULHI] = true, [S_FMA] = true,    [S_FLOOR] = true,
    };
    return t == TARGET_C99 ? plain : rich;
}

LLVMValueRef ll_arith(const unit *u, const kinst *x, LLVMValueRef *arg) {
    const row *r = &rows[x->scalar];
    ktype t = x->arg[x->scalar == S_SELECT]->type;
    LLVMValueRef v = r->make ? r->make(u, r, arg, kbase_is_float((kbase)t.base)) : NULL;
    if (!v) ll_fail(u, scalars[x->scalar].name, t);
    return v;
}

LLVMValueRef ll_max(const unit *u, LLVMValueRef a, LLVMValueRef b, bool real) {
    LLVMValueRef both[2] = {a, b};
    return make_choice(u, &rows[S_MAX], both, real);
}

static int bits_of(kbase b) {
    return b == KB_BOOL ? 1 : 8 * kbase_bytes(b);
}

/* What is out of an integer's range gives some number: freeze keeps LLVM from giving any other each time. */
LLVMValueRef ll_cast(const unit *u, const kinst *x, LLVMValueRef a) {
    kbase from = (kbase)x->arg[0]->type.base, to = (kbase)x->type.base;
    LLVMTypeRef type = ll_type(u, x->type);
    LLVMBuilderRef b = u->builder;
    bool natural = from == KB_U8 || from == KB_BOOL;
    if (from == to) return a;
    if (kbase_is_float(from) && kbase_is_float(to)) return LLVMBuildFPCast(b, a, type, "");
    if (kbase_is_float(from)) return LLVMBuildFreeze(b, LLVMBuildFPToSI(b, a, type, ""), "");
    if (kbase_is_float(to))
        return natural ? LLVMBuildUIToFP(b, a, type, "") : LLVMBuildSIToFP(b, a, type, "");
    if (bits_of(to) < bits_of(from)) return LLVMBuildTrunc(b, a, type, "");
    return natural ? LLVMBuildZExt(b, a, type, "") : LLVMBuildSExt(b, a, type, "");
}

/* Lanes [begin, begin + count) of v. */
static LLVMValueRef lanes_of(const unit *u, LLVMValueRef v, int begin, int count) {
    LLVMValueRef order[16];
    for (int k = 0; k < count; k++) order[k] = LLVMConstInt(u->scalar[KB_I32], (unsigned)(begin + k), false);
    return LLVMBuildShuffleVector(u->builder, v, LLVMGetPoison(LLVMTypeOf(v)),
                                  LLVMConstVector(order, (unsigned)count), "");
}

LLVMValueRef ll_fold(const unit *u, const kinst *x, LLVMValueRef a) {
    for (int half = x->arg[0]->type.lanes / 2; half > 0; half /= 2) {
        LLVMValueRef low = lanes_of(u, a, 0, half), high = lanes_of(u, a, half, half);
        a = x->op == K_HSUM ? LLVMBuildFAdd(u->builder, low, high, "") : ll_max(u, low, high, true);
    }
    return LLVMBuildExtractElement(u->builder, a, LLVMConstInt(u->scalar[KB_I32], 0, false), "");
}
