/* Runs nets on the interpreter of kernels: needs nothing but netc itself. */
#include "backends/interp/interp.h"
#include "frontend/api/executor.h"
#include "frontend/api/step.h"

typedef struct interp_net {
    interp *interp;
    const program *program;
} interp_net;

static bool always(void) {
    return true;
}

/* Plain C's bodies have the widest vectors, which cost the interpreter least. */
static target_id target_of(void) {
    return TARGET_C99;
}

static bool runs_any(target_id t) {
    (void)t;
    return true;
}

static bool prepare(void *self, const float *params, void *packed, diags *d) {
    const interp_net *i = self;
    run_args args = {.n = 1, .params = params, .packed = packed};
    return interp_run(i->interp, ENTRY_PREPARE, &args, d);
}

static bool run(const interp_net *i, entry_kind kind, const net_call *c, diags *d) {
    run_args args = {.n = c->n,
                     .packed = (void *)(uintptr_t)c->packed, /* forward only reads it */
                     .inputs = c->inputs,
                     .outputs = c->outputs,
                     .states = c->states,
                     .workspace = c->workspace};
    return interp_run(i->interp, kind, &args, d);
}

static bool forward(void *self, const net_call *c, diags *d) {
    return run(self, ENTRY_FORWARD, c, d);
}

static bool forward_u8(void *self, const net_call *c, diags *d) {
    return run(self, ENTRY_FORWARD_U8, c, d);
}

static bool run_entry(void *self, entry_kind kind, const run_args *args, diags *d) {
    const interp_net *i = self;
    return interp_run(i->interp, kind, args, d);
}

static net_stepped step_net(void *self, const net_step *s, diags *d) {
    const interp_net *i = self;
    return step_run(i->program, s, run_entry, self, d);
}

static bool open_net(net *n, arena *a, program *p, const executor_options *o, diags *d) {
    interp_net *i = NEW(a, interp_net);
    target_id which = TARGET_C99;
    for (int t = 0; t < TARGET_COUNT; t++)
        if (o->compile.targets[t]) which = (target_id)t;
    i->interp = interp_new(a, p, which, NULL, d);
    i->program = p;
    n->self = i;
    n->prepare = prepare;
    n->forward = forward;
    n->forward_u8 = p->entries[ENTRY_FORWARD_U8].present ? forward_u8 : NULL;
    n->step = p->entries[ENTRY_STEP].present ? step_net : NULL;
    n->shared = false;
    return i->interp;
}

const executor interp_executor = {
    .name = "interp",
    .summary = "interpret the kernels, every access checked; slow, needs no compiler",
    .available = always,
    .target = target_of,
    .runs = runs_any,
    .open = open_net,
};
