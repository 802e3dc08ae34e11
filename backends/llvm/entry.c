/* An entry as one function: its calls in order. A call worth it is cut into parts for the team, and done when
 * all of them are; others run on the caller's thread. How a call is cut never changes a bit of its results. */
#include "backends/llvm/runner.h"

enum { PARTS = 4 /* a thread's, so that one which the system stops for a while holds up little */ };

typedef struct walk {
    unit *u;
    entry_kind kind;
    LLVMValueRef threads; /* of the team, 1 without; */
    LLVMValueRef few;     /* … 1 too where the workspace has no scratch for so many */
    LLVMValueRef loop[MAX_LOOPS];
    int loops;
} walk;

const char *ll_entry_symbol(arena *a, entry_kind kind, target_id t) {
    static const char *const names[ENTRY_KINDS] = {"prepare", "forward", "forward_u8",
                                                   "step",    "update",  "init"};
    return arena_printf(a, "netc_%s_%s", names[kind], targets[t].name);
}

static LLVMValueRef param(const walk *w, int k) {
    return LLVMGetParam(w->u->function, (unsigned)k);
}

static bool fail(const walk *w, const call *c, const char *why) {
    diag_add(w->u->diags, DIAG_ERROR, (span){0}, "entry %d, kernel %s: %s; this is a bug in netc",
             (int)w->kind, c->kernel->name, why);
    return false;
}

/* ---- arguments ---- */

static LLVMValueRef bytes_from(const walk *w, LLVMValueRef base, int64_t bytes) {
    LLVMValueRef offset = ll_int(w->u, bytes);
    return bytes ? LLVMBuildGEP2(w->u->builder, w->u->scalar[KB_U8], base, &offset, 1, "") : base;
}

static LLVMValueRef pointer_in(const walk *w, int table, int index) {
    LLVMTypeRef pointer = w->u->scalar[KB_PTR];
    LLVMValueRef k = ll_int(w->u, index);
    LLVMValueRef at = LLVMBuildGEP2(w->u->builder, pointer, param(w, table), &k, 1, "");
    return LLVMBuildLoad2(w->u->builder, pointer, at, "");
}

/* Known numbers, as a constant of the module. */
static LLVMValueRef constant(const walk *w, const buffer *b) {
    const unit *u = w->u;
    const char *name = arena_printf(u->arena, "constant_%d", b->id);
    LLVMValueRef g = LLVMGetNamedGlobal(u->module, name);
    if (g) return g;
    LLVMTypeRef type = u->scalar[b->elem];
    LLVMValueRef *numbers = NEW_ARRAY(u->arena, LLVMValueRef, b->fixed + 1);
    for (int64_t k = 0; k < b->fixed; k++)
        numbers[k] = kbase_is_float(b->elem)
                         ? LLVMConstReal(type, b->data[k])
                         : LLVMConstInt(type, (unsigned long long)(int64_t)b->data[k], true);
    g = LLVMAddGlobal(u->module, LLVMArrayType2(type, (uint64_t)b->fixed), name);
    LLVMSetInitializer(g, LLVMConstArray2(type, numbers, (uint64_t)b->fixed));
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, LLVMInternalLinkage);
    LLVMSetAlignment(g, BUFFER_ALIGN);
    return g;
}

static LLVMValueRef base_of(const walk *w, const buffer *b) {
    switch (b->area) {
    case AREA_INPUT:
    case AREA_STEP_INPUT:
    case AREA_PIXELS: return pointer_in(w, ENTRY_INPUTS, b->index);
    case AREA_INIT: return pointer_in(w, ENTRY_INPUTS, 0);
    case AREA_OUTPUT: return pointer_in(w, ENTRY_OUTPUTS, b->index);
    case AREA_LOSS: return pointer_in(w, ENTRY_OUTPUTS, 0);
    case AREA_MOMENTS: return bytes_from(w, param(w, ENTRY_MOMENTS), b->offset);
    case AREA_PARAMS: return bytes_from(w, param(w, ENTRY_PARAMS), b->offset);
    case AREA_PACKED: return bytes_from(w, param(w, ENTRY_PACKED), b->offset);
    case AREA_STEP:
    case AREA_WORKSPACE: return bytes_from(w, param(w, ENTRY_WORKSPACE), b->offset);
    case AREA_CONST: return constant(w, b);
    }
    return NULL;
}

/* offset + Σ stride · variable */
static LLVMValueRef position(const walk *w, const call_arg *a) {
    LLVMBuilderRef b = w->u->builder;
    LLVMValueRef at = ll_int(w->u, a->offset);
    for (int k = 0; k < w->loops; k++)
        if (a->stride[k])
            at = LLVMBuildAdd(b, at, LLVMBuildMul(b, w->loop[k], ll_int(w->u, a->stride[k]), ""), "");
    return at;
}

static LLVMValueRef argument(const walk *w, const call_arg *a, ktype type) {
    LLVMValueRef at = position(w, a);
    if (a->kind == ARG_INT) return at;
    int64_t scratch = entry_scratch_offset(w->u->program, w->kind);
    LLVMValueRef base =
        a->kind == ARG_BUFFER ? base_of(w, a->buffer) : bytes_from(w, param(w, ENTRY_WORKSPACE), scratch);
    return LLVMBuildGEP2(w->u->builder, w->u->scalar[type.elem], base, &at, 1, "");
}

/* Scratch is part of a workspace, which not every entry has. */
static bool allowed(const walk *w, const call *c, int k) {
    const call_arg *a = &c->arg[k];
    ktype type = c->kernel->param[k + 2].type;
    bool without = w->kind == ENTRY_PREPARE || w->kind == ENTRY_INIT;
    if ((type.base == KB_PTR) != (a->kind != ARG_INT)) return fail(w, c, "an argument of another type");
    if (a->kind == ARG_BUFFER ? !entry_allows(w->kind, a->buffer->area, type.writes)
                              : a->kind == ARG_SCRATCH && without)
        return fail(w, c, "an argument lies where this entry has nothing");
    if (program_scratch(w->u->program, c->kernel, k) != (a->kind == ARG_SCRATCH))
        return fail(w, c, "an argument is scratch in one call and not in another");
    return true;
}

/* ---- calls ---- */

/* mul · ⌈n / per⌉ */
static LLVMValueRef count_of(const walk *w, kcount c) {
    LLVMBuilderRef b = w->u->builder;
    LLVMValueRef n = param(w, ENTRY_N);
    if (!c.per) return ll_int(w->u, c.mul);
    if (c.per > 1)
        n = LLVMBuildSDiv(b, LLVMBuildAdd(b, n, ll_int(w->u, c.per - 1), ""), ll_int(w->u, c.per), "");
    return LLVMBuildMul(b, n, ll_int(w->u, c.mul), "");
}

static void call_alone(const walk *w, const kernel *k, LLVMValueRef count, LLVMValueRef *arg) {
    arg[0] = ll_int(w->u, 0);
    arg[1] = count;
    arg[2] = param(w, ENTRY_N);
    LLVMValueRef f = ll_declaration(w->u, k->body[w->u->target]);
    LLVMBuildCall2(w->u->builder, LLVMGlobalGetValueType(f), f, arg, (unsigned)k->params + 1, "");
}

static void set_field(const walk *w, LLVMTypeRef record, LLVMValueRef at, int field, LLVMValueRef x) {
    LLVMBuildStore(w->u->builder, x, LLVMBuildStructGEP2(w->u->builder, record, at, (unsigned)field, ""));
}

static LLVMTypeRef hand_out_type(const unit *u) {
    LLVMTypeRef pointer = u->scalar[KB_PTR], integer = u->scalar[KB_INT];
    LLVMTypeRef types[6] = {pointer, integer, pointer, pointer, integer, integer};
    return LLVMFunctionType(u->scalar[KB_VOID], types, 6, false);
}

static const char *hand_out_symbol(const unit *u) {
    return arena_printf(u->arena, "netc_hand_out_%s", targets[u->target].name);
}

static LLVMValueRef hand_out(const unit *u) {
    LLVMValueRef f = ll_new_function(u, hand_out_symbol(u), hand_out_type(u));
    LLVMSetLinkage(f, LLVMInternalLinkage);
    LLVMSetVisibility(f, LLVMDefaultVisibility);
    return f;
}

static void call_team(const walk *w, const kernel *k, LLVMValueRef count, LLVMValueRef *arg, bool scratch) {
    unit *u = w->u;
    LLVMTypeRef record = runner_record(u, k);
    LLVMValueRef at = ll_slot(u, record, ""), f = hand_out(u);
    set_field(w, record, at, RECORD_COUNT, count);
    set_field(w, record, at, RECORD_N, param(w, ENTRY_N));
    for (int i = 0; i < k->params - 2; i++) set_field(w, record, at, RECORD_ARGS + i, arg[i + 3]);
    int64_t grain = k->work < 1               ? RUNNER_GRAIN
                    : k->work >= RUNNER_GRAIN ? 1
                                              : (int64_t)(RUNNER_GRAIN / k->work);
    LLVMValueRef args[6] = {
        param(w, ENTRY_TEAM), scratch ? w->few : w->threads, runner_declaration(u, k), at, count,
        ll_int(u, grain)};
    LLVMBuildCall2(u->builder, hand_out_type(u), f, args, 6, "");
}

/* Tells who profiles that a call begins: program.h, profile_mark. */
static void ll_mark(const walk *w, int number) {
    const unit *u = w->u;
    if (!entry_marked(u->program, w->kind)) return;
    LLVMTypeRef pointer = u->scalar[KB_PTR], pair[2] = {pointer, pointer};
    LLVMTypeRef types[3] = {pointer, u->scalar[KB_I32], u->scalar[KB_I32]};
    LLVMTypeRef record = LLVMStructTypeInContext(u->context, pair, 2, false);
    LLVMTypeRef type = LLVMFunctionType(u->scalar[KB_VOID], types, 3, false);
    LLVMValueRef at = bytes_from(w, param(w, ENTRY_WORKSPACE), entry_mark_offset(u->program, w->kind));
    LLVMValueRef user = LLVMBuildStructGEP2(u->builder, record, at, 1, "");
    LLVMValueRef args[3] = {LLVMBuildLoad2(u->builder, pointer, user, ""),
                            LLVMConstInt(u->scalar[KB_I32], (unsigned)w->kind, false),
                            LLVMConstInt(u->scalar[KB_I32], (unsigned)number, false)};
    LLVMBuildCall2(u->builder, type, LLVMBuildLoad2(u->builder, pointer, at, ""), args, 3, "");
}

static bool ll_call(walk *w, const call *c) {
    const kernel *k = c->kernel;
    LLVMValueRef *arg = NEW_ARRAY(w->u->arena, LLVMValueRef, c->args + 4);
    bool scratch = false;
    if (c->args != k->params - 2) return fail(w, c, "it is called with another number of arguments");
    for (int i = 0; i < c->args; i++) {
        if (!allowed(w, c, i)) return false;
        arg[i + 3] = argument(w, &c->arg[i], k->param[i + 2].type);
        scratch |= c->arg[i].kind == ARG_SCRATCH;
    }
    LLVMValueRef count = count_of(w, k->count);
    ll_mark(w, c->number);
    if (runner_wanted(w->u->program, k))
        call_team(w, k, count, arg, scratch);
    else
        call_alone(w, k, count, arg);
    return true;
}

static bool ll_steps(walk *w, const steps *s) {
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        if (!t->is_loop) {
            if (!ll_call(w, &t->call)) return false;
            continue;
        }
        unit_loop l = ll_loop_open(w->u, ll_int(w->u, 0), ll_int(w->u, t->count), ll_int(w->u, 1), "t");
        w->loop[w->loops++] = l.variable;
        if (!ll_steps(w, t->body)) return false;
        w->loops--;
        ll_loop_close(w->u, &l);
    }
    return true;
}

/* ---- functions ---- */

/* struct team: user, threads, run */
static LLVMTypeRef team_type(const unit *u) {
    LLVMTypeRef types[3] = {u->scalar[KB_PTR], u->scalar[KB_I32], u->scalar[KB_PTR]};
    return LLVMStructTypeInContext(u->context, types, 3, false);
}

static LLVMValueRef team_field(const unit *u, LLVMValueRef from, int field) {
    LLVMTypeRef type = team_type(u);
    LLVMValueRef at = LLVMBuildStructGEP2(u->builder, type, from, (unsigned)field, "");
    return LLVMBuildLoad2(u->builder, LLVMStructGetTypeAtIndex(type, (unsigned)field), at, "");
}

/* w->threads and w->few. */
static void find_threads(walk *w) {
    unit *u = w->u;
    LLVMBuilderRef b = u->builder;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(b), given = ll_new_block(u, ""), after = ll_new_block(u, "");
    LLVMValueRef none = LLVMBuildIsNull(b, param(w, ENTRY_TEAM), ""), one = ll_int(u, 1);
    LLVMBuildCondBr(b, none, after, given);
    LLVMPositionBuilderAtEnd(b, given);
    LLVMValueRef threads = team_field(u, param(w, ENTRY_TEAM), 1);
    threads = LLVMBuildSExt(b, threads, u->scalar[KB_INT], "");
    LLVMBuildBr(b, after);
    LLVMPositionBuilderAtEnd(b, after);
    w->threads = LLVMBuildPhi(b, u->scalar[KB_INT], "threads");
    LLVMAddIncoming(w->threads, &one, &here, 1);
    LLVMAddIncoming(w->threads, &threads, &given, 1);
    LLVMValueRef most = ll_int(u, u->program->max_threads);
    LLVMValueRef more = LLVMBuildICmp(b, LLVMIntSGT, w->threads, most, "");
    w->few = LLVMBuildSelect(b, more, one, w->threads, "few");
}

static LLVMValueRef least(const unit *u, LLVMValueRef x, LLVMValueRef y) {
    return LLVMBuildSelect(u->builder, LLVMBuildICmp(u->builder, LLVMIntSLT, x, y, ""), x, y, "");
}

/* void hand_out(team, threads, runner, record, count, grain): one part where there is no more than one thread
 * or too little to do, run here; else at most PARTS a thread, none smaller than grain, by the team. */
static void ll_hand_out(unit *u) {
    LLVMBuilderRef b = u->builder;
    LLVMTypeRef pair[2] = {u->scalar[KB_INT], u->scalar[KB_INT]};
    LLVMTypeRef head = LLVMStructTypeInContext(u->context, pair, 2, false);
    LLVMValueRef f = u->function = hand_out(u), one = ll_int(u, 1), parts, zero, at;
    LLVMPositionBuilderAtEnd(b, ll_new_block(u, ""));
    LLVMBasicBlockRef many = ll_new_block(u, ""), alone = ll_new_block(u, "");
    LLVMValueRef threads = LLVMGetParam(f, 1), record = LLVMGetParam(f, 3);
    LLVMValueRef most = LLVMBuildMul(b, threads, ll_int(u, PARTS), "");
    parts = least(u, most, LLVMBuildSDiv(b, LLVMGetParam(f, 4), LLVMGetParam(f, 5), ""));
    at = LLVMBuildStructGEP2(b, head, record, RECORD_PARTS, "");
    LLVMValueRef both = LLVMBuildAnd(b, LLVMBuildICmp(b, LLVMIntSGT, threads, one, ""),
                                     LLVMBuildICmp(b, LLVMIntSGT, parts, one, ""), "");
    LLVMBuildStore(b, LLVMBuildSelect(b, both, parts, one, ""), at);
    LLVMBuildCondBr(b, both, many, alone);
    LLVMPositionBuilderAtEnd(b, many);
    LLVMTypeRef pointer = u->scalar[KB_PTR], types[4] = {pointer, pointer, pointer, u->scalar[KB_I32]};
    LLVMTypeRef run = LLVMFunctionType(u->scalar[KB_VOID], types, 4, false);
    LLVMValueRef args[4] = {team_field(u, LLVMGetParam(f, 0), 0), LLVMGetParam(f, 2), record,
                            LLVMBuildTrunc(b, parts, u->scalar[KB_I32], "")};
    LLVMBuildCall2(b, run, team_field(u, LLVMGetParam(f, 0), 2), args, 4, "");
    LLVMBuildRetVoid(b);
    LLVMPositionBuilderAtEnd(b, alone);
    zero = LLVMConstInt(u->scalar[KB_I32], 0, false);
    LLVMValueRef first[3] = {record, zero, zero};
    LLVMBuildCall2(b, runner_type(u), LLVMGetParam(f, 2), first, 3, "");
    LLVMBuildRetVoid(b);
}

LLVMValueRef ll_entry_declaration(const unit *u, entry_kind kind) {
    LLVMTypeRef types[ENTRY_ARGS];
    for (int k = 0; k < ENTRY_ARGS; k++) types[k] = u->scalar[KB_PTR];
    types[ENTRY_N] = u->scalar[KB_INT];
    LLVMTypeRef type = LLVMFunctionType(u->scalar[KB_VOID], types, ENTRY_ARGS, false);
    return ll_new_function(u, ll_entry_symbol(u->arena, kind, u->target), type);
}

bool ll_entry(unit *u, entry_kind kind) {
    u->function = ll_entry_declaration(u, kind);
    if (!u->output) LLVMSetVisibility(u->function, LLVMDefaultVisibility);
    walk w = {.u = u, .kind = kind};
    LLVMBasicBlockRef top = ll_new_block(u, ""), start = ll_new_block(u, "");
    LLVMPositionBuilderAtEnd(u->builder, start);
    find_threads(&w);
    if (!ll_steps(&w, &u->program->entries[kind].steps)) return false;
    ll_mark(&w, u->program->entries[kind].calls);
    LLVMBuildRetVoid(u->builder);
    LLVMPositionBuilderAtEnd(u->builder, top);
    LLVMBuildBr(u->builder, start);
    if (LLVMGetNamedFunction(u->module, hand_out_symbol(u)) && !LLVMCountBasicBlocks(hand_out(u)))
        ll_hand_out(u);
    return true;
}
