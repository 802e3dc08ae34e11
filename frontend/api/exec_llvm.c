/* Runs nets as machine code that LLVM makes in this process, on threads of their own. */
#include "frontend/api/executor.h"

#ifdef NETC_LLVM

#include "backends/llvm/llvm.h"
#include "frontend/api/cache.h"
#include "frontend/api/step.h"
#include "runtime/pool.h"

#include <stdlib.h>

typedef struct llvm_net {
    llvm_code *code;
    pool *pool;       /* NULL where there is a team of the host's */
    const team *lent; /* NULL without */
    void *kept;       /* code on its way from the cache */
    const program *program;
} llvm_net;

static bool built_in(void) {
    return llvm_can_load();
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
    free(l->kept);
    llvm_unload(l->code);
    pool_free(l->pool);
}

static target_id chosen(const executor_options *o) {
    for (int t = 0; t < TARGET_COUNT; t++)
        if (o->compile.targets[t]) return (target_id)t;
    return compile_host_target();
}

/* ---- code ---- */

static llvm_code *compile(arena *a, program *p, const llvm_options *o, text *image, diags *d) {
    unroll(p);
    legalise(p, o->target, llvm_supported(o->target));
    return llvm_compile(a, p, o, image, d) ? llvm_open(a, p, image->at, image->length, d) : NULL;
}

static bool find_key(cache_key *k, arena *a, const program *p, target_id which) {
    digest d;
    if (!cache_begin(&d)) return false;
    digest_text(&d, llvm_version());
    program_digest(a, p, which, &d);
    *k = cache_end(&d);
    return true;
}

/* Kept code where there is some that fits. */
static void take_kept(llvm_net *l, arena *a, const program *p, const cache_key *key) {
    size_t bytes = 0;
    diags silent = {.arena = a};
    l->kept = cache_read(key, &bytes);
    if (l->kept) l->code = llvm_open(a, p, l->kept, bytes, &silent);
    free(l->kept);
    l->kept = NULL;
}

/* Else it is made, and kept. */
static bool find_code(llvm_net *l, arena *a, program *p, const llvm_options *o, bool no_cache, diags *d) {
    cache_key key;
    bool keeps = !no_cache && find_key(&key, a, p, o->target);
    if (keeps) take_kept(l, a, p, &key);
    if (l->code) return true;
    text image = text_in(a);
    l->code = compile(a, p, o, &image, d);
    if (l->code && keeps) cache_write(&key, image.at, image.length);
    return l->code;
}

static bool open_net(net *n, arena *a, program *p, const executor_options *o, diags *d) {
    llvm_net *l = NEW(a, llvm_net);
    const llvm_options options = {.target = chosen(o), .threads = o->threads < 1 ? 1 : o->threads};
    n->self = l;
    n->close = close_net;
    l->lent = o->team;
    l->program = p;
    if (!find_code(l, a, p, &options, o->no_cache, d)) return false;
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
    .rolled = true,
    .open = open_net,
};
