/* How a call reaches several threads: its arguments lie in a record that the team hands to every part, and the
 * kernel's runner takes them out and works on its share of the indices.
 *
 *     { count, parts, n, arguments... }, all 8 bytes (pointers may be less) */
#include "backends/llvm/runner.h"

bool runner_wanted(const program *p, const kernel *k) {
    int64_t count = kcount_of(k->count, p->max_batch);
    double work = k->work < 1 ? 1 : k->work;
    return p->max_threads > 1 && count > 1 && (double)count * work >= 2 * RUNNER_GRAIN;
}

LLVMTypeRef runner_record(const unit *u, const kernel *k) {
    int args = k->params - 2;
    LLVMTypeRef *types = NEW_ARRAY(u->arena, LLVMTypeRef, args + RECORD_ARGS);
    for (int i = 0; i < RECORD_ARGS; i++) types[i] = u->scalar[KB_INT];
    for (int i = 0; i < args; i++) types[RECORD_ARGS + i] = ll_type(u, k->param[i + 2].type);
    return LLVMStructTypeInContext(u->context, types, (unsigned)(args + RECORD_ARGS), false);
}

LLVMTypeRef runner_type(const unit *u) {
    LLVMTypeRef types[3] = {u->scalar[KB_PTR], u->scalar[KB_I32], u->scalar[KB_I32]};
    return LLVMFunctionType(u->scalar[KB_VOID], types, 3, false);
}

LLVMValueRef runner_declaration(const unit *u, const kernel *k) {
    const char *name =
        arena_printf(u->arena, "%s_%s.part", k->body[u->target]->name, targets[u->target].name);
    return ll_new_function(u, name, runner_type(u));
}

/* Field `field` of the record that the runner's first parameter points to. */
static LLVMValueRef field_of(const unit *u, LLVMTypeRef record, int field) {
    LLVMValueRef at =
        LLVMBuildStructGEP2(u->builder, record, LLVMGetParam(u->function, 0), (unsigned)field, "");
    return LLVMBuildLoad2(u->builder, LLVMStructGetTypeAtIndex(record, (unsigned)field), at, "");
}

static LLVMValueRef slot_part(const unit *u, LLVMValueRef base) {
    LLVMValueRef slot = LLVMBuildSExt(u->builder, LLVMGetParam(u->function, 2), u->scalar[KB_INT], "");
    LLVMValueRef bytes = LLVMBuildMul(u->builder, slot, ll_int(u, u->program->scratch_bytes), "");
    return LLVMBuildGEP2(u->builder, u->scalar[KB_U8], base, &bytes, 1, "");
}

/* count · part / parts */
static LLVMValueRef share(const unit *u, LLVMValueRef count, LLVMValueRef part, LLVMValueRef parts) {
    return LLVMBuildSDiv(u->builder, LLVMBuildMul(u->builder, count, part, ""), parts, "");
}

bool ll_runner(unit *u, const kernel *k) {
    LLVMBuilderRef b = u->builder;
    LLVMTypeRef record = runner_record(u, k);
    int args = k->params - 2;
    LLVMValueRef *arg = NEW_ARRAY(u->arena, LLVMValueRef, args + 3);
    u->function = runner_declaration(u, k);
    LLVMPositionBuilderAtEnd(b, ll_new_block(u, ""));
    LLVMValueRef count = field_of(u, record, RECORD_COUNT), parts = field_of(u, record, RECORD_PARTS);
    LLVMValueRef part = LLVMBuildSExt(b, LLVMGetParam(u->function, 1), u->scalar[KB_INT], "");
    arg[0] = share(u, count, part, parts);
    arg[1] = share(u, count, LLVMBuildAdd(b, part, ll_int(u, 1), ""), parts);
    arg[2] = field_of(u, record, RECORD_N);
    for (int i = 0; i < args; i++) {
        arg[i + 3] = field_of(u, record, RECORD_ARGS + i);
        if (program_scratch(u->program, k, i)) arg[i + 3] = slot_part(u, arg[i + 3]);
    }
    LLVMValueRef f = ll_declaration(u, k->body[u->target]);
    LLVMBuildCall2(b, LLVMGlobalGetValueType(f), f, arg, (unsigned)args + 3, "");
    LLVMBuildRetVoid(b);
    return true;
}
