/* A module while it is filled: its types, and the small things that all instructions are made of. */
#include "backends/llvm/machine.h"

#include <string.h>

void ll_open(unit *u, const char *name) {
    LLVMContextRef c = u->context = LLVMContextCreate();
    u->module = LLVMModuleCreateWithNameInContext(name, c);
    u->builder = LLVMCreateBuilderInContext(c);
    LLVMTypeRef types[KB_BASES] = {
        [KB_VOID] = LLVMVoidTypeInContext(c), [KB_INT] = LLVMInt64TypeInContext(c),
        [KB_I32] = LLVMInt32TypeInContext(c), [KB_U8] = LLVMInt8TypeInContext(c),
        [KB_F32] = LLVMFloatTypeInContext(c), [KB_F64] = LLVMDoubleTypeInContext(c),
        [KB_BOOL] = LLVMInt1TypeInContext(c), [KB_PTR] = LLVMPointerTypeInContext(c, 0),
    };
    memcpy(u->scalar, types, sizeof types);
}

void ll_close(unit *u) {
    if (u->builder) LLVMDisposeBuilder(u->builder);
    if (u->module) LLVMDisposeModule(u->module);
    if (u->context) LLVMContextDispose(u->context);
    u->builder = NULL;
    u->module = NULL;
    u->context = NULL;
}

LLVMTypeRef ll_type(const unit *u, ktype t) {
    LLVMTypeRef scalar = u->scalar[t.base];
    return t.lanes > 1 ? LLVMVectorType(scalar, t.lanes) : scalar;
}

LLVMValueRef ll_int(const unit *u, int64_t x) {
    return LLVMConstInt(u->scalar[KB_INT], (unsigned long long)x, true);
}

LLVMValueRef ll_splat(const unit *u, LLVMValueRef x, int lanes) {
    LLVMTypeRef type = LLVMVectorType(LLVMTypeOf(x), (unsigned)lanes);
    LLVMTypeRef order = LLVMVectorType(u->scalar[KB_I32], (unsigned)lanes);
    LLVMValueRef zero = LLVMConstInt(u->scalar[KB_I32], 0, false), none = LLVMGetPoison(type);
    LLVMValueRef first = LLVMBuildInsertElement(u->builder, none, x, zero, "");
    return LLVMBuildShuffleVector(u->builder, first, none, LLVMConstNull(order), "");
}

LLVMValueRef ll_intrinsic(const unit *u, const char *name, LLVMTypeRef *types, int type_count,
                          LLVMValueRef *args, int count) {
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef f = LLVMGetIntrinsicDeclaration(u->module, id, types, (size_t)type_count);
    return LLVMBuildCall2(u->builder, LLVMGlobalGetValueType(f), f, args, (unsigned)count, "");
}

LLVMValueRef ll_new_function(const unit *u, const char *name, LLVMTypeRef type) {
    LLVMValueRef f = LLVMGetNamedFunction(u->module, name);
    if (f) return f;
    f = LLVMAddFunction(u->module, name, type);
    unsigned kind = LLVMGetEnumAttributeKindForName("nounwind", strlen("nounwind"));
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(u->context, kind, 0));
    if (u->output)
        LLVMSetLinkage(f, LLVMInternalLinkage); /* several nets may be in one program */
    else
        LLVMSetVisibility(f, LLVMHiddenVisibility);
    if (u->by_function) machine_attributes(u, f);
    return f;
}

LLVMBasicBlockRef ll_new_block(const unit *u, const char *name) {
    return LLVMAppendBasicBlockInContext(u->context, u->function, name);
}

LLVMValueRef ll_slot(const unit *u, LLVMTypeRef type, const char *name) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(u->builder), top = LLVMGetEntryBasicBlock(u->function);
    LLVMValueRef first = LLVMGetFirstInstruction(top);
    if (first)
        LLVMPositionBuilderBefore(u->builder, first);
    else
        LLVMPositionBuilderAtEnd(u->builder, top);
    LLVMValueRef slot = LLVMBuildAlloca(u->builder, type, name);
    LLVMPositionBuilderAtEnd(u->builder, here);
    return slot;
}

bool ll_fail(const unit *u, const char *what, ktype t) {
    text type = text_in(u->arena);
    text_printf(&type, "%s", kbase_name((kbase)t.base));
    if (t.lanes > 1) text_printf(&type, "x%d", t.lanes);
    diag_add(u->diags, DIAG_ERROR, (span){0},
             "%s: '%s' on %s is not something that the LLVM backend can express; this is a bug in netc",
             u->f ? u->f->name : u->program->name, what, type.at);
    return false;
}

/* 1 or 0 where it is known whether a < b; −1 elsewhere. */
static int known_less(LLVMValueRef a, LLVMValueRef b) {
    if (!LLVMIsAConstantInt(a) || !LLVMIsAConstantInt(b)) return -1;
    return LLVMConstIntGetSExtValue(a) < LLVMConstIntGetSExtValue(b);
}

/* The test stands at the end, a copy of it before the loop: the form that LLVM's loop passes want. */
unit_loop ll_loop_open(const unit *u, LLVMValueRef lo, LLVMValueRef hi, LLVMValueRef by, const char *name) {
    unit_loop l = {.hi = hi, .by = by};
    LLVMBasicBlockRef before = ll_new_block(u, "");
    l.body = ll_new_block(u, name ? name : "");
    l.exit = ll_new_block(u, "");
    int less = known_less(lo, hi);
    if (less < 0)
        LLVMBuildCondBr(u->builder, LLVMBuildICmp(u->builder, LLVMIntSLT, lo, hi, ""), before, l.exit);
    else
        LLVMBuildBr(u->builder, less ? before : l.exit);
    LLVMPositionBuilderAtEnd(u->builder, before);
    LLVMBuildBr(u->builder, l.body);
    LLVMPositionBuilderAtEnd(u->builder, l.body);
    l.variable = LLVMBuildPhi(u->builder, u->scalar[KB_INT], name ? name : "");
    LLVMAddIncoming(l.variable, &lo, &before, 1);
    return l;
}

void ll_loop_close(const unit *u, const unit_loop *l) {
    LLVMValueRef next = LLVMBuildNSWAdd(u->builder, l->variable, l->by, "");
    /* loop strength reduction can test another variable in place of this one only where the test is != */
    bool single = LLVMIsAConstantInt(l->by) && LLVMConstIntGetSExtValue(l->by) == 1;
    LLVMValueRef more = LLVMBuildICmp(u->builder, single ? LLVMIntNE : LLVMIntSLT, next, l->hi, "");
    LLVMBasicBlockRef last = LLVMGetInsertBlock(u->builder);
    LLVMBuildCondBr(u->builder, more, l->body, l->exit);
    LLVMAddIncoming(l->variable, &next, &last, 1);
    LLVMPositionBuilderAtEnd(u->builder, l->exit);
}
