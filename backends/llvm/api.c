/* What a net compiled ahead of time offers: the functions of its header. They check as those of the C output
 * do, keep recurrent state, and call the entry made for the best instructions that the processor has. */
#include "backends/llvm/api.h"
#include "ir/op.h"

#include <string.h>

enum { MARK_WORDS = 4, HEADER_WORDS = PACKED_HEADER / 8 /* of 64 bits; the mark is what is not zero */ };

LLVMValueRef api_i32(const api *a, int64_t x) {
    return LLVMConstInt(a->u->scalar[KB_I32], (unsigned long long)x, true);
}

LLVMTypeRef api_size_type(const api *a) {
    return a->u->scalar[a->u->big_words ? KB_INT : KB_I32];
}

LLVMValueRef api_size(const api *a, int64_t x) {
    return LLVMConstInt(api_size_type(a), (unsigned long long)x, false);
}

LLVMValueRef api_arg(const api *a, int k) {
    return LLVMGetParam(a->f, (unsigned)k);
}

/* A public function, its builder at its start. */
void api_begin(api *a, const char *name, LLVMTypeRef result, LLVMTypeRef *types, int count) {
    unit *u = a->u;
    LLVMTypeRef type = LLVMFunctionType(result, types, (unsigned)count, false);
    bool by_function = u->by_function;
    u->by_function = false; /* any processor may run it */
    a->f = ll_new_function(u, arena_printf(u->arena, "%s_%s", a->prefix, name), type);
    u->by_function = by_function;
    LLVMSetLinkage(a->f, LLVMExternalLinkage);
    u->function = a->f;
    LLVMPositionBuilderAtEnd(u->builder, ll_new_block(u, ""));
}

/* Returns `code` where the condition holds. */
void api_refuse_if(const api *a, LLVMValueRef condition, int code) {
    LLVMBasicBlockRef out = ll_new_block(a->u, ""), on = ll_new_block(a->u, "");
    LLVMBuildCondBr(a->u->builder, condition, out, on);
    LLVMPositionBuilderAtEnd(a->u->builder, out);
    LLVMBuildRet(a->u->builder, api_i32(a, code));
    LLVMPositionBuilderAtEnd(a->u->builder, on);
}

void api_refuse_null(const api *a, LLVMValueRef pointer) {
    api_refuse_if(a, LLVMBuildIsNull(a->u->builder, pointer, ""), NULL_POINTER);
}

void api_refuse_unaligned(const api *a, LLVMValueRef pointer) {
    LLVMBuilderRef b = a->u->builder;
    LLVMValueRef at = LLVMBuildPtrToInt(b, pointer, api_size_type(a), "");
    LLVMValueRef low = LLVMBuildAnd(b, at, api_size(a, BUFFER_ALIGN - 1), "");
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntNE, low, api_size(a, 0), ""), UNALIGNED);
}

/* ---- the head of packed weights ---- */

static void mark_of(const program *p, uint64_t word[HEADER_WORDS]) {
    packed_header h = program_header(p);
    memcpy(word, &h, PACKED_HEADER);
}

static LLVMValueRef word_at(const api *a, LLVMValueRef packed, int k) {
    LLVMValueRef index = ll_int(a->u, k);
    return LLVMBuildGEP2(a->u->builder, a->u->scalar[KB_INT], packed, &index, 1, "");
}

static void refuse_unprepared(const api *a, LLVMValueRef packed) {
    uint64_t word[HEADER_WORDS];
    LLVMBuilderRef b = a->u->builder;
    mark_of(a->u->program, word);
    for (int k = 0; k < MARK_WORDS; k++) {
        LLVMValueRef is = LLVMBuildLoad2(b, a->u->scalar[KB_INT], word_at(a, packed, k), "");
        api_refuse_if(a, LLVMBuildICmp(b, LLVMIntNE, is, ll_int(a->u, (int64_t)word[k]), ""), NOT_PREPARED);
    }
}

static void write_words(const api *a, LLVMValueRef packed, const uint64_t *word, int count) {
    for (int k = 0; k < count; k++) {
        LLVMValueRef s = LLVMBuildStore(a->u->builder, ll_int(a->u, (int64_t)word[k]), word_at(a, packed, k));
        LLVMSetVolatile(s, true); /* before and after the kernels, not only in the end */
    }
}

/* ---- calls of entries ---- */

static void call_entry(const api *a, entry_kind kind, target_id t, LLVMValueRef *args) {
    target_id now = a->u->target;
    a->u->target = t;
    LLVMValueRef f = ll_entry_declaration(a->u, kind);
    a->u->target = now;
    LLVMBuildCall2(a->u->builder, LLVMGlobalGetValueType(f), f, args, ENTRY_ARGS, "");
}

/* __cpu_model and __cpu_indicator_init are the compiler's (libgcc, compiler-rt): what __builtin_cpu_supports
 * reads. Bits of its first word of features: */
enum { CPU_AVX2 = 1 << 10, CPU_FMA = 1 << 14, CPU_AVX512F = 1 << 15, CPU_AVX512VL = 1 << 20 };

static LLVMValueRef cpu_features(const api *a) {
    const unit *u = a->u;
    LLVMTypeRef none = LLVMFunctionType(u->scalar[KB_VOID], NULL, 0, false), i = u->scalar[KB_I32];
    LLVMValueRef start = LLVMGetNamedFunction(u->module, "__cpu_indicator_init");
    LLVMValueRef model = LLVMGetNamedGlobal(u->module, "__cpu_model");
    LLVMTypeRef four = LLVMArrayType2(i, 4);
    if (!start) start = LLVMAddFunction(u->module, "__cpu_indicator_init", none);
    if (!model) model = LLVMAddGlobal(u->module, four, "__cpu_model");
    LLVMSetVisibility(start, LLVMHiddenVisibility); /* the library's are hidden: every object has its own */
    LLVMSetVisibility(model, LLVMHiddenVisibility);
    LLVMBuildCall2(u->builder, none, start, NULL, 0, "");
    LLVMValueRef third = ll_int(u, 3);
    return LLVMBuildLoad2(u->builder, i, LLVMBuildGEP2(u->builder, i, model, &third, 1, ""), "");
}

static LLVMValueRef has_all(const api *a, LLVMValueRef features, int bits) {
    LLVMBuilderRef b = a->u->builder;
    return LLVMBuildICmp(b, LLVMIntEQ, LLVMBuildAnd(b, features, api_i32(a, bits), ""), api_i32(a, bits), "");
}

/* The entry for the best target that the processor has; the last of several needs no question. */
void api_call_best(const api *a, entry_kind kind, LLVMValueRef *args) {
    static const struct {
        target_id target;
        int bits;
    } order[] = {{TARGET_AVX512, CPU_AVX512F | CPU_AVX512VL},
                 {TARGET_AVX2, CPU_AVX2 | CPU_FMA},
                 {TARGET_NEON, 0},
                 {TARGET_C99, 0}};
    LLVMBuilderRef b = a->u->builder;
    LLVMBasicBlockRef done = ll_new_block(a->u, "");
    LLVMValueRef features = NULL;
    int left = 0;
    for (int t = 0; t < TARGET_COUNT; t++) left += a->targets[t];
    for (int k = 0; k < TARGET_COUNT && left; k++) {
        if (!a->targets[order[k].target]) continue;
        if (--left && !order[k].bits) left = 0; /* NEON is in every processor of its kind */
        if (left) {
            if (!features) features = cpu_features(a);
            LLVMBasicBlockRef has = ll_new_block(a->u, ""), next = ll_new_block(a->u, "");
            LLVMBuildCondBr(b, has_all(a, features, order[k].bits), has, next);
            LLVMPositionBuilderAtEnd(b, has);
            call_entry(a, kind, order[k].target, args);
            LLVMBuildBr(b, done);
            LLVMPositionBuilderAtEnd(b, next);
        } else {
            call_entry(a, kind, order[k].target, args);
            LLVMBuildBr(b, done);
        }
    }
    LLVMPositionBuilderAtEnd(b, done);
}

/* ---- prepare and forward ---- */

/* int NET_prepare(const NET_executor *executor, const NET_params *params, void *packed) */
static void make_prepare(api *a) {
    LLVMTypeRef pointer = a->u->scalar[KB_PTR], types[3] = {pointer, pointer, pointer};
    uint64_t mark[HEADER_WORDS];
    const uint64_t zeros[HEADER_WORDS] = {0};
    api_begin(a, "prepare", a->u->scalar[KB_I32], types, 3);
    api_refuse_null(a, api_arg(a, 1));
    api_refuse_null(a, api_arg(a, 2));
    api_refuse_unaligned(a, api_arg(a, 2));
    LLVMValueRef null = LLVMConstNull(pointer), args[ENTRY_ARGS];
    for (int k = 0; k < ENTRY_ARGS; k++) args[k] = null;
    args[ENTRY_TEAM] = api_arg(a, 0);
    args[ENTRY_N] = ll_int(a->u, 1);
    args[ENTRY_PARAMS] = api_arg(a, 1);
    args[ENTRY_PACKED] = api_arg(a, 2);
    mark_of(a->u->program, mark);
    write_words(a, api_arg(a, 2), zeros, HEADER_WORDS);
    api_call_best(a, ENTRY_PREPARE, args);
    write_words(a, api_arg(a, 2), mark, MARK_WORDS);
    LLVMBuildRet(a->u->builder, api_i32(a, OK));
}

/* Arguments of forward, by place. */
typedef struct places {
    int inputs, outputs, state /* −1: none */, workspace, bytes, count;
} places;

static places places_of(const program *p) {
    places at = {.inputs = 3, .outputs = 3 + p->graph->inputs.count, .state = -1};
    at.workspace = at.outputs + p->graph->outputs.count;
    if (p->states.count) at.state = at.workspace++;
    at.bytes = at.workspace + 1;
    at.count = at.bytes + 1;
    return at;
}

static void check_forward(const api *a, const places *at) {
    const program *p = a->u->program;
    LLVMBuilderRef b = a->u->builder;
    LLVMValueRef n = api_arg(a, 2);
    api_refuse_null(a, api_arg(a, 1));
    if (p->workspace_bytes) api_refuse_null(a, api_arg(a, at->workspace));
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntSLT, n, api_i32(a, 1), ""), BAD_BATCH);
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntSGT, n, api_i32(a, p->max_batch), ""), BAD_BATCH);
    api_refuse_unaligned(a, api_arg(a, 1));
    api_refuse_unaligned(a, api_arg(a, at->workspace));
    LLVMValueRef least = api_size(a, p->workspace_bytes);
    api_refuse_if(a, LLVMBuildICmp(b, LLVMIntULT, api_arg(a, at->bytes), least, ""), SMALL_WORKSPACE);
    refuse_unprepared(a, api_arg(a, 1));
    for (int k = at->inputs; k < at->inputs + p->graph->inputs.count + p->graph->outputs.count; k++)
        api_refuse_null(a, api_arg(a, k));
}

/* `count` of the arguments from `first` on, as an array. */
static LLVMValueRef table(const api *a, int first, int count) {
    const unit *u = a->u;
    LLVMValueRef at = ll_slot(u, LLVMArrayType2(u->scalar[KB_PTR], (uint64_t)count + 1), "");
    for (int k = 0; k < count; k++) {
        LLVMValueRef index = ll_int(u, k);
        LLVMBuildStore(u->builder, api_arg(a, first + k),
                       LLVMBuildGEP2(u->builder, u->scalar[KB_PTR], at, &index, 1, ""));
    }
    return at;
}

LLVMValueRef api_bytes_on(const api *a, LLVMValueRef base, int64_t bytes) {
    LLVMValueRef offset = ll_int(a->u, bytes);
    return LLVMBuildGEP2(a->u->builder, a->u->scalar[KB_U8], base, &offset, 1, "");
}

static LLVMValueRef state_buffer(const api *a, const places *at, const buffer *b) {
    switch (b->area) {
    case AREA_INPUT: return api_arg(a, at->inputs + b->index);
    case AREA_OUTPUT: return api_arg(a, at->outputs + b->index);
    case AREA_PACKED: return api_bytes_on(a, api_arg(a, 1), b->offset);
    default: return api_bytes_on(a, api_arg(a, at->workspace), b->offset);
    }
}

/* to[k] = from[k], or 0 where from is NULL, for n·per_sample numbers. */
static void copy_numbers(const api *a, LLVMValueRef to, LLVMValueRef from, const state_slot *s) {
    const unit *u = a->u;
    LLVMTypeRef type = u->scalar[s->now->elem];
    LLVMValueRef n = LLVMBuildSExt(u->builder, api_arg(a, 2), u->scalar[KB_INT], "");
    LLVMValueRef count = LLVMBuildMul(u->builder, n, ll_int(u, s->per_sample), "");
    unit_loop l = ll_loop_open(u, ll_int(u, 0), count, ll_int(u, 1), "");
    LLVMValueRef x = LLVMConstNull(type);
    if (from) {
        LLVMValueRef p = LLVMBuildGEP2(u->builder, type, from, &l.variable, 1, "");
        x = LLVMBuildLoad2(u->builder, type, p, "");
    }
    LLVMBuildStore(u->builder, x, LLVMBuildGEP2(u->builder, type, to, &l.variable, 1, ""));
    ll_loop_close(u, &l);
}

/* Between the branches: what to do with a state, and what without. */
static void each_state(const api *a, const places *at, bool start) {
    const unit *u = a->u;
    const program *p = u->program;
    if (at->state < 0) return;
    LLVMBasicBlockRef with = ll_new_block(u, ""), without = ll_new_block(u, ""), on = ll_new_block(u, "");
    LLVMBuildCondBr(u->builder, LLVMBuildIsNull(u->builder, api_arg(a, at->state), ""), without, with);
    LLVMPositionBuilderAtEnd(u->builder, with);
    int64_t offset = 0;
    for (int k = 0; k < p->states.count; k++) {
        const state_slot *s = &p->states.at[k];
        LLVMValueRef kept = api_bytes_on(a, api_arg(a, at->state), offset);
        if (start)
            copy_numbers(a, state_buffer(a, at, s->now), kept, s);
        else
            copy_numbers(a, kept, state_buffer(a, at, s->next ? s->next : s->now), s);
        offset += p->max_batch * s->per_sample * kbase_bytes(s->now->elem);
    }
    LLVMBuildBr(u->builder, on);
    LLVMPositionBuilderAtEnd(u->builder, without);
    for (int k = 0; start && k < p->states.count; k++)
        copy_numbers(a, state_buffer(a, at, p->states.at[k].now), NULL, &p->states.at[k]);
    LLVMBuildBr(u->builder, on);
    LLVMPositionBuilderAtEnd(u->builder, on);
}

/* int NET_forward(const NET_executor *, const void *packed, int n, inputs, outputs, [state,] workspace, bytes) */
static void make_forward(api *a, entry_kind kind) {
    unit *u = a->u;
    places at = places_of(u->program);
    LLVMTypeRef *types = NEW_ARRAY(u->arena, LLVMTypeRef, at.count);
    for (int k = 0; k < at.count; k++) types[k] = u->scalar[KB_PTR];
    types[2] = u->scalar[KB_I32];
    types[at.bytes] = api_size_type(a);
    api_begin(a, kind == ENTRY_FORWARD ? "forward" : "forward_u8", u->scalar[KB_I32], types, at.count);
    LLVMBasicBlockRef start = ll_new_block(u, ""), top = LLVMGetInsertBlock(u->builder);
    LLVMPositionBuilderAtEnd(u->builder, start);
    check_forward(a, &at);
    each_state(a, &at, true);
    LLVMValueRef args[ENTRY_ARGS] = {
        [ENTRY_TEAM] = api_arg(a, 0),
        [ENTRY_N] = LLVMBuildSExt(u->builder, api_arg(a, 2), u->scalar[KB_INT], ""),
        [ENTRY_PARAMS] = LLVMConstNull(u->scalar[KB_PTR]),
        [ENTRY_PACKED] = api_arg(a, 1),
        [ENTRY_INPUTS] = table(a, at.inputs, u->program->graph->inputs.count),
        [ENTRY_OUTPUTS] = table(a, at.outputs, u->program->graph->outputs.count),
        [ENTRY_WORKSPACE] = api_arg(a, at.workspace),
    };
    api_call_best(a, kind, args);
    each_state(a, &at, false);
    LLVMBuildRet(u->builder, api_i32(a, OK));
    LLVMPositionBuilderAtEnd(u->builder, top);
    LLVMBuildBr(u->builder, start);
}

/* ---- tables ---- */

LLVMValueRef api_constant(const api *a, const char *name, LLVMValueRef x, bool public) {
    LLVMValueRef g = LLVMAddGlobal(a->u->module, LLVMTypeOf(x), name);
    LLVMSetInitializer(g, x);
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, public ? LLVMExternalLinkage : LLVMPrivateLinkage);
    return g;
}

/* const char *NET_error(int code) */
static void make_error(api *a) {
    unit *u = a->u;
    const char *made = u->output->packed ? "weights" : "prepare";
    bool trains = u->program->entries[ENTRY_STEP].present;
    char *upper = arena_text(u->arena, a->prefix, strlen(a->prefix));
    for (char *c = upper; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    const char *const texts[CODES + 1] = {
        "no error",
        "a pointer is NULL",
        arena_printf(u->arena, "n is not within 1..%s_MAX_BATCH", upper),
        arena_printf(u->arena, "packed or workspace does not begin at a multiple of %s_ALIGN", upper),
        arena_printf(u->arena, "workspace_bytes is less than %s_%s", upper,
                     trains ? "WORKSPACE_BYTES, or STEP_WORKSPACE_BYTES for a step" : "WORKSPACE_BYTES"),
        arena_printf(u->arena, "packed does not come from this net's %s_%s", a->prefix, made),
        "a label is not a class",
        "the loss or the learning rate is infinite or not a number",
        "not a code of this net"};
    api_begin(a, "error", u->scalar[KB_PTR], &u->scalar[KB_I32], 1);
    LLVMBasicBlockRef other = ll_new_block(u, "");
    LLVMValueRef choice = LLVMBuildSwitch(u->builder, api_arg(a, 0), other, CODES);
    for (int k = 0; k <= CODES; k++) {
        LLVMBasicBlockRef at = k < CODES ? ll_new_block(u, "") : other;
        LLVMValueRef words = LLVMConstStringInContext2(u->context, texts[k], strlen(texts[k]), false);
        if (k < CODES) LLVMAddCase(choice, api_i32(a, k), at);
        LLVMPositionBuilderAtEnd(u->builder, at);
        LLVMBuildRet(u->builder, api_constant(a, "", words, false));
    }
}

LLVMValueRef api_row(const api *a, const char *name, const shape *s, int64_t offset, bool trainable) {
    const unit *u = a->u;
    char words[NAME_ROOM] = "";
    LLVMValueRef dims[MAX_RANK];
    int type = u->program->real == KB_F64;
    if (name) snprintf(words, sizeof words, "%s", name);
    for (int k = 0; k < MAX_RANK; k++) dims[k] = api_i32(a, s && k < s->rank ? s->dim[k] : 0);
    LLVMValueRef fields[7] = {LLVMConstStringInContext2(u->context, words, sizeof words, true),
                              api_size(a, offset),
                              api_size(a, s ? shape_count(s) : 0),
                              api_i32(a, s ? type : 0),
                              api_i32(a, trainable),
                              api_i32(a, s ? s->rank : 0),
                              LLVMConstArray2(u->scalar[KB_I32], dims, MAX_RANK)};
    return LLVMConstStructInContext(u->context, fields, 7, false);
}

bool api_name_fits(const api *a, const char *kind, const char *name, span at) {
    if (strlen(name) < NAME_ROOM) return true;
    diag_add(a->u->diags, DIAG_ERROR, at, "%s '%s' cannot be named in C: names have at most 95 characters",
             kind, name);
    return false;
}

void api_table(const api *a, const char *name, LLVMValueRef *rows, int count) {
    rows[count] = api_row(a, NULL, NULL, 0, false);
    LLVMValueRef all = LLVMConstArray2(LLVMTypeOf(rows[0]), rows, (uint64_t)count + 1);
    api_constant(a, arena_printf(a->u->arena, "%s_%s", a->prefix, name), all, true);
}

static bool make_tensors(const api *a) {
    const unit *u = a->u;
    const graph *g = u->program->graph;
    LLVMValueRef *rows = NEW_ARRAY(u->arena, LLVMValueRef, g->params.count + 1);
    int64_t offset = 0;
    for (int k = 0; k < g->params.count; k++) {
        const value *v = g->params.at[k];
        if (!api_name_fits(a, "parameter", v->name, v->at)) return false;
        rows[k] = api_row(a, v->name, &v->shape, offset, v->as.param.trainable);
        offset += shape_count(&v->shape) * kbase_bytes(u->program->real);
    }
    api_table(a, "tensors", rows, g->params.count);
    return true;
}

/* const void *NET_weights(void) */
static void make_weights(api *a) {
    unit *u = a->u;
    int64_t bytes = u->program->packed_bytes;
    uint64_t mark[HEADER_WORDS];
    mark_of(u->program, mark);
    char *all = arena_copy(u->arena, u->output->packed, (size_t)bytes);
    memcpy(all, mark, PACKED_HEADER);
    LLVMValueRef g =
        api_constant(a, "", LLVMConstStringInContext2(u->context, all, (size_t)bytes, true), false);
    LLVMSetAlignment(g, BUFFER_ALIGN);
    api_begin(a, "weights", u->scalar[KB_PTR], NULL, 0);
    LLVMBuildRet(u->builder, g);
}

bool ll_api(unit *u, const bool which[TARGET_COUNT]) {
    api a = {.u = u, .targets = which, .prefix = u->output->prefix ? u->output->prefix : u->program->name};
    if (!make_tensors(&a)) return false;
    make_error(&a);
    if (u->output->packed)
        make_weights(&a);
    else
        make_prepare(&a);
    for (int k = ENTRY_FORWARD; k <= ENTRY_FORWARD_U8; k++)
        if (u->program->entries[k].present) make_forward(&a, (entry_kind)k);
    return api_training(&a);
}
