/* NET_step, NET_init and NET_optimizer_tensors: as those of the C output (backends/c/train.c). */
#include "backends/llvm/api.h"

/* Arguments of step, by place: executor, params, optimizer, n, inputs, rate, loss, workspace, bytes. */
enum { STEP_PARAMS = 1, STEP_OPTIMIZER, STEP_N, STEP_INPUTS };

typedef struct places {
    int given; /* inputs that the caller gives */
    int rate, loss, workspace, bytes, count;
} places;

static bool is_given(const program *p, int input) {
    return input != p->step_inputs.learning_rate && input != p->step_inputs.counter;
}

static places places_of(const program *p) {
    places at = {0};
    for (int k = 0; k < p->step_graph->inputs.count; k++) at.given += is_given(p, k);
    at.rate = STEP_INPUTS + at.given;
    at.loss = at.rate + 1;
    at.workspace = at.loss + 1;
    at.bytes = at.workspace + 1;
    at.count = at.bytes + 1;
    return at;
}

static LLVMValueRef input(const api *a, int index) {
    int place = STEP_INPUTS;
    for (int k = 0; k < index; k++) place += is_given(a->u->program, k);
    return api_arg(a, place);
}

/* ---- checks ---- */

static void refuse_infinite(const api *a, LLVMValueRef x) {
    LLVMBuilderRef b = a->u->builder;
    bool wide = a->u->program->real == KB_F64;
    LLVMTypeRef type = a->u->scalar[wide ? KB_INT : KB_I32];
    LLVMValueRef mask = LLVMConstInt(type, wide ? 0x7ff0000000000000 : 0x7f800000, false);
    LLVMValueRef exponent = LLVMBuildAnd(b, LLVMBuildBitCast(b, x, type, ""), mask, "");
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntEQ, exponent, mask, ""), NOT_FINITE);
}

static void check_labels(const api *a) {
    const unit *u = a->u;
    const step_inputs *own = &u->program->step_inputs;
    if (!own->classes || own->target < 0) return;
    LLVMValueRef n = LLVMBuildSExt(u->builder, api_arg(a, STEP_N), u->scalar[KB_INT], "");
    LLVMValueRef count = LLVMBuildMul(u->builder, n, ll_int(u, own->target_count), "");
    unit_loop l = ll_loop_open(u, ll_int(u, 0), count, ll_int(u, 1), "");
    LLVMValueRef at = LLVMBuildGEP2(u->builder, u->scalar[KB_I32], input(a, own->target), &l.variable, 1, "");
    LLVMValueRef label = LLVMBuildLoad2(u->builder, u->scalar[KB_I32], at, ""); /* below 0: a large one */
    LLVMValueRef most = api_i32(a, own->class_count);
    api_refuse_if(a, LLVMBuildICmp(u->builder, LLVMIntUGE, label, most, ""), BAD_LABEL);
    ll_loop_close(u, &l);
}

static void check_step(const api *a, const places *at) {
    const program *p = a->u->program;
    LLVMBuilderRef b = a->u->builder;
    LLVMValueRef n = api_arg(a, STEP_N);
    api_refuse_null(a, api_arg(a, STEP_PARAMS));
    api_refuse_null(a, api_arg(a, STEP_OPTIMIZER));
    api_refuse_null(a, api_arg(a, at->loss));
    for (int k = 0; k < at->given; k++) api_refuse_null(a, api_arg(a, STEP_INPUTS + k));
    if (p->step_bytes) api_refuse_null(a, api_arg(a, at->workspace));
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntSLT, n, api_i32(a, 1), ""), BAD_BATCH);
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntSGT, n, api_i32(a, p->max_batch), ""), BAD_BATCH);
    api_refuse_unaligned(a, api_arg(a, at->workspace));
    LLVMValueRef least = api_size(a, p->step_bytes);
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntULT, api_arg(a, at->bytes), least, ""), SMALL_WORKSPACE);
    check_labels(a);
    refuse_infinite(a, api_arg(a, at->rate));
}

/* ---- the step ---- */

static LLVMValueRef optimizer_word(const api *a, int64_t bytes) {
    return api_bytes_on(a, api_arg(a, STEP_OPTIMIZER), bytes);
}

/* Words of step and seed, low ones first, as the numbers lie anyway. */
static LLVMValueRef make_counter(const api *a) {
    const unit *u = a->u;
    LLVMTypeRef word = u->scalar[KB_INT];
    LLVMValueRef at = ll_slot(u, LLVMArrayType2(word, 2), "");
    for (int k = 0; k < 2; k++) {
        LLVMValueRef x = LLVMBuildLoad2(u->builder, word, optimizer_word(a, 8 * (int64_t)k), "");
        LLVMBuildStore(u->builder, x, api_bytes_on(a, at, 8 * (int64_t)k));
    }
    return at;
}

static void put(const api *a, LLVMValueRef list, int k, LLVMValueRef x) {
    LLVMValueRef index = ll_int(a->u, k);
    LLVMBuilderRef b = a->u->builder;
    LLVMBuildStore(b, x, LLVMBuildGEP2(b, a->u->scalar[KB_PTR], list, &index, 1, ""));
}

static LLVMValueRef input_table(const api *a, const places *at) {
    const unit *u = a->u;
    const step_inputs *own = &u->program->step_inputs;
    int count = u->program->step_graph->inputs.count;
    LLVMValueRef list = ll_slot(u, LLVMArrayType2(u->scalar[KB_PTR], (uint64_t)count + 1), "");
    for (int k = 0; k < count; k++) {
        if (k == own->learning_rate) {
            LLVMValueRef rate = ll_slot(u, u->scalar[u->program->real], "");
            LLVMBuildStore(u->builder, api_arg(a, at->rate), rate);
            put(a, list, k, rate);
        } else {
            put(a, list, k, k == own->counter ? make_counter(a) : input(a, k));
        }
    }
    return list;
}

static void count_step(const api *a) {
    const unit *u = a->u;
    LLVMTypeRef word = u->scalar[KB_INT];
    LLVMValueRef step_ = LLVMBuildLoad2(u->builder, word, api_arg(a, STEP_OPTIMIZER), "");
    LLVMBuildStore(u->builder, LLVMBuildAdd(u->builder, step_, ll_int(u, 1), ""), api_arg(a, STEP_OPTIMIZER));
}

static void run_step(const api *a, const places *at) {
    const unit *u = a->u;
    LLVMValueRef loss = ll_slot(u, u->scalar[KB_PTR], "");
    LLVMBuildStore(u->builder, api_arg(a, at->loss), loss);
    LLVMValueRef args[ENTRY_ARGS] = {
        [ENTRY_TEAM] = api_arg(a, 0),
        [ENTRY_N] = LLVMBuildSExt(u->builder, api_arg(a, STEP_N), u->scalar[KB_INT], ""),
        [ENTRY_PARAMS] = api_arg(a, STEP_PARAMS),
        [ENTRY_MOMENTS] = optimizer_word(a, 16),
        [ENTRY_INPUTS] = input_table(a, at),
        [ENTRY_OUTPUTS] = loss,
        [ENTRY_WORKSPACE] = api_arg(a, at->workspace),
    };
    api_call_best(a, ENTRY_STEP, args);
    refuse_infinite(a, LLVMBuildLoad2(u->builder, u->scalar[u->program->real], api_arg(a, at->loss), ""));
    api_call_best(a, ENTRY_UPDATE, args);
    count_step(a);
    LLVMBuildRet(u->builder, api_i32(a, OK));
}

/* int NET_step(const NET_executor *, NET_params *, NET_optimizer *, int n, inputs, rate, loss, workspace, bytes) */
static void make_step(api *a) {
    unit *u = a->u;
    places at = places_of(u->program);
    LLVMTypeRef *types = NEW_ARRAY(u->arena, LLVMTypeRef, at.count);
    for (int k = 0; k < at.count; k++) types[k] = u->scalar[KB_PTR];
    types[STEP_N] = u->scalar[KB_I32];
    types[at.rate] = u->scalar[u->program->real];
    types[at.bytes] = api_size_type(a);
    api_begin(a, "step", u->scalar[KB_I32], types, at.count);
    LLVMBasicBlockRef start = ll_new_block(u, ""), top = LLVMGetInsertBlock(u->builder);
    LLVMPositionBuilderAtEnd(u->builder, start);
    check_step(a, &at);
    run_step(a, &at);
    LLVMPositionBuilderAtEnd(u->builder, top);
    LLVMBuildBr(u->builder, start);
}

/* int NET_init(const NET_executor *, NET_params *, uint64_t seed) */
static void make_init(api *a) {
    unit *u = a->u;
    LLVMTypeRef pointer = u->scalar[KB_PTR], word = u->scalar[KB_INT], types[3] = {pointer, pointer, word};
    LLVMValueRef args[ENTRY_ARGS];
    api_begin(a, "init", u->scalar[KB_I32], types, 3);
    LLVMBasicBlockRef start = ll_new_block(u, ""), top = LLVMGetInsertBlock(u->builder);
    LLVMPositionBuilderAtEnd(u->builder, start);
    api_refuse_null(a, api_arg(a, 1));
    LLVMValueRef words = ll_slot(u, LLVMArrayType2(word, 2), ""), list = ll_slot(u, pointer, "");
    LLVMBuildStore(u->builder, api_arg(a, 2), words);
    LLVMBuildStore(u->builder, ll_int(u, 0), api_bytes_on(a, words, 8));
    LLVMBuildStore(u->builder, words, list);
    for (int k = 0; k < ENTRY_ARGS; k++) args[k] = LLVMConstNull(pointer);
    args[ENTRY_TEAM] = api_arg(a, 0);
    args[ENTRY_N] = ll_int(u, 1);
    args[ENTRY_PARAMS] = api_arg(a, 1);
    args[ENTRY_INPUTS] = list;
    api_call_best(a, ENTRY_INIT, args);
    LLVMBuildRet(u->builder, api_i32(a, OK));
    LLVMPositionBuilderAtEnd(u->builder, top);
    LLVMBuildBr(u->builder, start);
}

/* Offsets are from the optimizer's start: step and seed come first. */
static bool make_optimizer_tensors(const api *a) {
    const program *p = a->u->program;
    LLVMValueRef *rows = NEW_ARRAY(a->u->arena, LLVMValueRef, p->moments.count + 1);
    int64_t offset = 16;
    for (int k = 0; k < p->moments.count; k++) {
        const moment *m = &p->moments.at[k];
        if (!api_name_fits(a, "moment", m->name, (span){0})) return false;
        rows[k] = api_row(a, m->name, &m->shape, offset, false);
        offset += shape_count(&m->shape) * kbase_bytes(p->real);
    }
    api_table(a, "optimizer_tensors", rows, p->moments.count);
    return true;
}

bool api_training(api *a) {
    const program *p = a->u->program;
    if (p->entries[ENTRY_INIT].present) make_init(a);
    if (!p->entries[ENTRY_STEP].present || !p->entries[ENTRY_UPDATE].present) return true;
    make_step(a);
    return make_optimizer_tensors(a);
}
