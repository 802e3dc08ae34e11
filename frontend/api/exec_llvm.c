/* Runs nets as machine code that LLVM makes in this process, on threads of their own. */
#include "frontend/api/executor.h"

#ifdef NETC_LLVM

#include "backends/llvm/llvm.h"
#include "frontend/api/step.h"
#include "runtime/pool.h"

typedef struct llvm_net {
    llvm_code *code;
    pool *pool;       /* NULL where there is a team of the host's */
    const team *lent; /* NULL without */
    const program *program;
} llvm_net;

static bool built_in(void) {
    return true;
}

/* A caller that finds the pool taken works alone. */
static bool run(const llvm_net *l, entry_kind kind, const run_args *args, diags *d) {
    if (l->lent) return llvm_run(l->code, kind, args, l->lent, d);
    const team *t = pool_take(l->pool);
    bool good = llvm_run(l->code, kind, args, t, d);
    pool_give(l->pool, t);
    return good;
}

static bool prepare(void *self, const float *params, void *packed, diags *d) {
    const run_args args = {.n = 1, .params = params, .packed = packed};
    return run(self, ENTRY_PREPARE, &args, d);
}

static run_args args_of(const net_call *c) {
    return (run_args){.n = c->n,
                      .packed = (void *)(uintptr_t)c->packed, /* forward only reads it */
                      .inputs = c->inputs,
                      .outputs = c->outputs,
                      .states = c->states,
                      .workspace = c->workspace};
}

static bool forward(void *self, const net_call *c, diags *d) {
    const run_args args = args_of(c);
    return run(self, ENTRY_FORWARD, &args, d);
}

static bool forward_u8(void *self, const net_call *c, diags *d) {
    const run_args args = args_of(c);
    return run(self, ENTRY_FORWARD_U8, &args, d);
}

static bool run_entry(void *self, entry_kind kind, const run_args *args, diags *d) {
    return run(self, kind, args, d);
}

static net_stepped step_net(void *self, const net_step *s, diags *d) {
    const llvm_net *l = self;
    return step_run(l->program, s, run_entry, self, d);
}

static void close_net(void *self) {
    const llvm_net *l = self;
    llvm_unload(l->code);
    pool_free(l->pool);
}

static target_id chosen(const executor_options *o) {
    for (int t = 0; t < TARGET_COUNT; t++)
        if (o->compile.targets[t]) return (target_id)t;
    return compile_host_target();
}

static bool open_net(net *n, arena *a, program *p, const executor_options *o, diags *d) {
    llvm_net *l = NEW(a, llvm_net);
    const llvm_options options = {.target = chosen(o), .threads = o->threads < 1 ? 1 : o->threads};
    legalise(p, options.target, llvm_supported(options.target));
    n->self = l;
    n->close = close_net;
    l->lent = o->team;
    l->program = p;
    l->code = llvm_load(a, p, &options, d);
    if (!l->code) return false;
    if (!l->lent && !(l->pool = pool_new(options.threads, d))) return false;
    n->prepare = prepare;
    n->forward = forward;
    n->forward_u8 = p->entries[ENTRY_FORWARD_U8].present ? forward_u8 : NULL;
    n->step = p->entries[ENTRY_STEP].present ? step_net : NULL;
    n->shared = true;
    return true;
}

#else

static bool built_in(void) {
    return false;
}

static bool open_net(net *n, arena *a, program *p, const executor_options *o, diags *d) {
    (void)n, (void)a, (void)p, (void)o;
    diag_add(d, DIAG_ERROR, (span){0},
             "--backend llvm: this netc was built without LLVM; take --backend c or interp, or install "
             "llvm-19-dev and build netc again");
    return false;
}

#endif

const executor llvm_executor = {
    .name = "llvm",
    .summary = "compile in this process with LLVM; starts at once, needs no compiler",
    .available = built_in,
    .target = compile_host_target,
    .runs = compile_host_runs,
    .open = open_net,
};
