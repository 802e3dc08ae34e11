/* Runs nets as C: printed, compiled by the machine's C compiler, loaded into this process. */
#include "backends/c/load.h"
#include "frontend/api/executor.h"
#include "frontend/api/step.h"
#include "frontend/api/version.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct c_net {
    c_library library;
    const program *program;
} c_net;

/* ---- is there a compiler? ---- */

static bool on_path(const char *name) {
    const char *path = getenv("PATH");
    char file[4096];
    if (strchr(name, '/')) return access(name, X_OK) == 0;
    for (const char *at = path ? path : ""; *at; at += *at == ':') {
        size_t length = strcspn(at, ":");
        int written = snprintf(file, sizeof file, "%.*s/%s", (int)length, at, name);
        if (written > 0 && written < (int)sizeof file && access(file, X_OK) == 0) return true;
        at += length;
    }
    return false;
}

static bool compiler_found(void) {
    const char *given = getenv("CC");
    char first[256] = "";
    if (given) given += strspn(given, " \t");
    if (!given || !*given) return on_path("cc") || on_path("gcc") || on_path("clang");
    snprintf(first, sizeof first, "%.*s", (int)strcspn(given, " \t"), given);
    return on_path(first);
}

/* ---- entries ---- */

static bool check(int code, diags *d) {
    if (code)
        diag_add(d, DIAG_ERROR, (span){0}, "internal: the compiled net refused a call with code %d", code);
    return !code;
}

static bool prepare(void *self, const float *params, void *packed, diags *d) {
    const c_net *c = self;
    return check(c->library.invoke(ENTRY_PREPARE, 1, params, packed, NULL, NULL, NULL, NULL, 0), d);
}

static bool run(const c_net *c, entry_kind kind, const net_call *args, diags *d) {
    return check(c->library.invoke(kind, (int)args->n, NULL, (void *)(uintptr_t)args->packed, args->inputs,
                                   args->outputs, args->states, args->workspace,
                                   (size_t)c->program->workspace_bytes),
                 d);
}

static bool forward(void *self, const net_call *args, diags *d) {
    return run(self, ENTRY_FORWARD, args, d);
}

static bool forward_u8(void *self, const net_call *args, diags *d) {
    return run(self, ENTRY_FORWARD_U8, args, d);
}

/* NET_step checks and counts by itself; of its inputs only those of the runtime's record are given. */
static net_stepped step_net(void *self, const net_step *s, diags *d) {
    const c_net *c = self;
    const program *p = c->program;
    const void *all[STEP_INPUTS_MAX], *inputs[STEP_INPUTS_MAX];
    void *const outputs[1] = {s->loss};
    int given = 0;
    step_fill(p, s, NULL, NULL, all);
    for (int k = 0; k < p->step_graph->inputs.count; k++)
        if (k != p->step_inputs.learning_rate && k != p->step_inputs.counter) inputs[given++] = all[k];
    inputs[given] = &s->learning_rate;
    int code = c->library.invoke(ENTRY_STEP, (int)s->n, s->params, s->optimizer, inputs, outputs, NULL,
                                 s->workspace, (size_t)p->step_bytes);
    if (code == C_BAD_LABEL) return STEP_BAD_LABEL;
    if (code == C_NOT_FINITE) return STEP_NOT_FINITE;
    if (!check(code, d)) return STEP_FAILED;
    step_hand_over(p, s);
    return STEP_DONE;
}

static void close_net(void *self) {
    c_net *c = self;
    c_unload(&c->library);
}

/* ---- opening ---- */

/* The code asks OpenMP how many threads to take; where it was compiled without, it has one. */
static void set_threads(const c_library *l, int threads) {
    void (*set)(int) = NULL;
    void *symbol = dlsym(l->handle, "omp_set_num_threads");
    memcpy(&set, &symbol, sizeof symbol);
    if (set && threads > 0) set(threads);
}

static bool open_net(net *n, arena *a, program *p, const executor_options *o, diags *d) {
    c_net *c = NEW(a, c_net);
    text code = text_in(a), header = text_in(a);
    c_options options = {
        .prefix = "netc_run", .header_name = "net.h", .version = NETC_VERSION, .invoke = true};
    memcpy(options.targets, o->compile.targets, sizeof options.targets);
    compile_legalise(p);
    if (!c_emit(a, p, &options, &code, &header, d)) return false;
    if (!c_load(&c->library, a, p, &options, &code, &header, d)) return false;
    set_threads(&c->library, o->threads);
    c->program = p;
    n->self = c;
    n->prepare = prepare;
    n->forward = forward;
    n->forward_u8 = p->entries[ENTRY_FORWARD_U8].present ? forward_u8 : NULL;
    n->step = p->entries[ENTRY_STEP].present ? step_net : NULL;
    n->shared = true;
    n->close = close_net;
    return true;
}

const executor c_executor = {
    .name = "c",
    .summary = "compile C with the machine's compiler and load it",
    .available = compiler_found,
    .target = compile_host_target,
    .runs = compile_host_runs,
    .open = open_net,
};
