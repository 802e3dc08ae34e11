/* Objects linked in this process's memory by ORC, and calls into them. */
#include "backends/llvm/compile.h"

#include <llvm-c/LLJIT.h>
#include <stdlib.h>
#include <string.h>

typedef void entry_function(const team *t, int64_t n, const void *params, void *packed,
                            const void *const *inputs, void *const *outputs, void *workspace);

struct llvm_code {
    const program *program;
    LLVMOrcLLJITRef jit;
    entry_function *entry[ENTRY_KINDS];
};

/* Takes the error. */
static bool succeeded(LLVMErrorRef error, diags *d) {
    if (!error) return true;
    char *message = LLVMGetErrorMessage(error);
    diag_add(d, DIAG_ERROR, (span){0}, "LLVM cannot load what it compiled: %s", message);
    LLVMDisposeErrorMessage(message);
    return false;
}

static bool add_objects(llvm_code *c, objects *o, diags *d) {
    LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(c->jit);
    for (int k = 0; k < o->count; k++) {
        LLVMMemoryBufferRef bytes = o->at[k];
        o->at[k] = NULL; /* the JIT's now, also where it fails */
        if (!succeeded(LLVMOrcLLJITAddObjectFile(c->jit, library, bytes), d)) return false;
    }
    return true;
}

static bool find_entries(llvm_code *c, arena *a, target_id which, diags *d) {
    for (int k = 0; k < ENTRY_KINDS; k++) {
        LLVMOrcExecutorAddress address = 0;
        if (!c->program->entries[k].present) continue;
        if (!succeeded(LLVMOrcLLJITLookup(c->jit, &address, ll_entry_symbol(a, (entry_kind)k, which)), d))
            return false;
        uintptr_t at = (uintptr_t)address;
        memcpy(&c->entry[k], &at, sizeof at); /* ISO C has no cast from numbers of data to functions */
    }
    return true;
}

llvm_code *llvm_load(arena *a, const program *p, const llvm_options *o, diags *d) {
    objects made;
    llvm_code *c = NULL;
    bool good = objects_compile(&made, a, p, o, d);
    if (good) {
        c = calloc(1, sizeof *c);
        good = c;
        if (!c) diag_add(d, DIAG_ERROR, (span){0}, "no memory is left");
    }
    if (good) {
        c->program = p;
        good = succeeded(LLVMOrcCreateLLJIT(&c->jit, NULL), d) && add_objects(c, &made, d) &&
               find_entries(c, a, o->target, d);
    }
    objects_free(&made);
    if (good) return c;
    llvm_unload(c);
    return NULL;
}

void llvm_unload(llvm_code *c) {
    if (!c) return;
    if (c->jit) LLVMConsumeError(LLVMOrcDisposeLLJIT(c->jit));
    free(c);
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

bool llvm_run(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d) {
    const program *p = c->program;
    packed_header header = program_header(p);
    if ((unsigned)kind >= ENTRY_KINDS || !c->entry[kind]) return refuse(d, p, "it has no such entry");
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
