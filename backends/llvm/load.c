/* Objects linked in this process's memory by ORC, and calls into them. */
#include "backends/llvm/compile.h"
#include "ir/base/guard.h"

#include <llvm-c/LLJIT.h>
#include <string.h>

typedef void entry_function(const team *t, int64_t n, const void *params, void *packed,
                            const void *const *inputs, void *const *outputs, void *workspace);

struct llvm_code {
    const program *program;
    LLVMOrcLLJITRef jit;
    entry_function *entry[ENTRY_KINDS];
};

/* What is held while code is loaded: an arena that jumps lets go of it. */
typedef struct loading {
    arena *arena;
    const llvm_options *options;
    diags *diags;
    llvm_code *code;
    objects made;
    char *message; /* LLVM's */
} loading;

/* Takes the error. */
static bool succeeded(loading *l, LLVMErrorRef error) {
    if (!error) return true;
    l->message = LLVMGetErrorMessage(error);
    diag_add(l->diags, DIAG_ERROR, (span){0}, "LLVM cannot load what it compiled: %s", l->message);
    return false;
}

static bool add_objects(loading *l) {
    LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(l->code->jit);
    for (int k = 0; k < l->made.count; k++) {
        LLVMMemoryBufferRef bytes = l->made.at[k];
        l->made.at[k] = NULL; /* the JIT's now, also where it fails */
        if (!succeeded(l, LLVMOrcLLJITAddObjectFile(l->code->jit, library, bytes))) return false;
    }
    return true;
}

static bool find_entries(loading *l) {
    llvm_code *c = l->code;
    for (int k = 0; k < ENTRY_KINDS; k++) {
        LLVMOrcExecutorAddress address = 0;
        if (!c->program->entries[k].present) continue;
        const char *symbol = ll_entry_symbol(l->arena, (entry_kind)k, l->options->target);
        if (!succeeded(l, LLVMOrcLLJITLookup(c->jit, &address, symbol))) return false;
        uintptr_t at = (uintptr_t)address;
        memcpy(&c->entry[k], &at, sizeof at); /* ISO C has no cast from numbers of data to functions */
    }
    return true;
}

static bool load(void *context) {
    loading *l = context;
    if (!objects_compile(&l->made, l->arena, l->code->program, l->options, l->diags)) return false;
    return succeeded(l, LLVMOrcCreateLLJIT(&l->code->jit, NULL)) && add_objects(l) && find_entries(l);
}

static void drop(void *context) {
    loading *l = context;
    LLVMDisposeErrorMessage(l->message);
    objects_free(&l->made);
    llvm_unload(l->code);
}

llvm_code *llvm_load(arena *a, const program *p, const llvm_options *o, diags *d) {
    loading l = {.arena = a, .options = o, .diags = d, .code = NEW(a, llvm_code)};
    l.code->program = p;
    bool good = guard_undo(a, load, drop, &l);
    LLVMDisposeErrorMessage(l.message);
    objects_free(&l.made);
    if (good) return l.code;
    llvm_unload(l.code);
    return NULL;
}

void llvm_unload(llvm_code *c) {
    if (!c) return;
    if (c->jit) LLVMConsumeError(LLVMOrcDisposeLLJIT(c->jit));
    c->jit = NULL;
}

/* ---- running ---- */

static bool refuse(diags *d, const program *p, const char *why) {
    diag_add(d, DIAG_ERROR, (span){0}, "net %s cannot run: %s", p->name, why);
    return false;
}

static char *state_at(const run_args *args, const buffer *b) {
    switch (b->area) {
    case AREA_INPUT: return (char *)(uintptr_t)args->inputs[b->index];
    case AREA_OUTPUT: return args->outputs[b->index];
    case AREA_PACKED: return (char *)args->packed + b->offset;
    default: return (char *)args->workspace + b->offset;
    }
}

static void *state_of(const run_args *args, int k) {
    return args->states ? args->states[k] : NULL;
}

static size_t state_bytes(const state_slot *s, int64_t n) {
    return (size_t)(s->per_sample * n) * (size_t)kbase_bytes(s->now->elem);
}

static void start_states(const program *p, const run_args *args) {
    for (int k = 0; k < p->states.count; k++) {
        const state_slot *s = &p->states.at[k];
        const void *from = state_of(args, k);
        if (from)
            memcpy(state_at(args, s->now), from, state_bytes(s, args->n));
        else
            memset(state_at(args, s->now), 0, state_bytes(s, args->n));
    }
}

static void keep_states(const program *p, const run_args *args) {
    for (int k = 0; k < p->states.count; k++) {
        const state_slot *s = &p->states.at[k];
        void *to = state_of(args, k);
        if (to) memcpy(to, state_at(args, s->next ? s->next : s->now), state_bytes(s, args->n));
    }
}

static bool run_prepare(const llvm_code *c, const run_args *args, const team *t) {
    packed_header header = program_header(c->program);
    memset(args->packed, 0, sizeof header);
    c->entry[ENTRY_PREPARE](t, 1, args->params, args->packed, NULL, NULL, NULL);
    memcpy(args->packed, &header, sizeof header);
    return true;
}

static bool unaligned(const void *at) {
    return (uintptr_t)at % BUFFER_ALIGN != 0;
}

static bool run_forward(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d) {
    const program *p = c->program;
    packed_header header = program_header(p);
    if (!args->packed || unaligned(args->packed) || unaligned(args->workspace))
        return refuse(d, p, "packed weights or workspace are missing or not aligned");
    if (kind == ENTRY_PREPARE) return run_prepare(c, args, t);
    if (args->n < 1 || args->n > p->max_batch) return refuse(d, p, "the number of samples is out of range");
    if (memcmp(args->packed, &header, sizeof header) != 0)
        return refuse(d, p, "the packed weights were not prepared for it");
    start_states(p, args);
    c->entry[kind](t, args->n, NULL, args->packed, args->inputs, args->outputs, args->workspace);
    keep_states(p, args);
    return true;
}

static bool run_training(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d) {
    const program *p = c->program;
    const void *const seed[1] = {args->init};
    void *const loss[1] = {args->loss};
    bool init = kind == ENTRY_INIT;
    if (!init && (args->n < 1 || args->n > p->max_batch))
        return refuse(d, p, "the number of samples is out of range");
    if ((!args->params && p->params_bytes) || (init ? !args->init : !args->loss || !args->inputs))
        return refuse(d, p, "what is trained, its inputs or the place of the loss are missing");
    if (!init && (unaligned(args->workspace) || (!args->workspace && p->step_bytes)))
        return refuse(d, p, "the workspace is missing or not aligned");
    c->entry[kind](t, init ? 1 : args->n, args->params, args->moments, init ? seed : args->inputs, loss,
                   args->workspace);
    return true;
}

bool llvm_run(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d) {
    if ((unsigned)kind >= ENTRY_KINDS || !c->entry[kind])
        return refuse(d, c->program, "it has no such entry");
    return kind < ENTRY_STEP ? run_forward(c, kind, args, t, d) : run_training(c, kind, args, t, d);
}
