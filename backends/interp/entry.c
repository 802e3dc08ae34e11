/* Running an entry: calls in order, every index of a kernel after the other. */
#include "backends/interp/code.h"

#include <string.h>

static bool compile_kernels(interp *in, diags *d) {
    const program *p = in->machine.program;
    compiler *c = compiler_new(in, d);
    for (int i = 0; i < p->kernels.count; i++) {
        const kernel *k = p->kernels.at[i];
        if (!k->body[in->which]) {
            diag_add(d, DIAG_ERROR, (span){0}, "internal error: kernel %s was not lowered for %s", k->name,
                     targets[in->which].name);
            return false;
        }
        in->body[k->id] = compile_function(c, k->body[in->which]);
        if (!in->body[k->id]) return false;
    }
    return true;
}

interp *interp_new(arena *a, const program *p, target_id which, const interp_options *options, diags *d) {
    interp *in = NEW(a, interp);
    *in = (interp){.arena = a, .which = which, .machine = {.program = p, .check = options && options->check}};
    in->body = NEW_ARRAY(a, code *, p->kernels.count + 1);
    regions_make(in);
    return compile_kernels(in, d) ? in : NULL;
}

/* Slots of the kernel's parameters get the arguments, given the variables of the loops around. */
static void set_arguments(interp *in, const call *c, const code *body, const int64_t *loop) {
    for (int k = 0; k < c->args; k++) {
        const call_arg *g = &c->arg[k];
        int64_t at = g->offset;
        for (int v = 0; v < MAX_LOOPS; v++) at += g->stride[v] * loop[v];
        void *slot = body->param[k + 2];
        if (g->kind == ARG_INT)
            *(int64_t *)slot = at;
        else if (g->kind == ARG_BUFFER)
            *(pointer *)slot = (pointer){&in->regions[g->buffer->id], at};
        else
            *(pointer *)slot = (pointer){&in->scratch[c->kernel->param[k + 2].type.elem], at};
    }
}

static bool arguments_fit(const interp *in, const call *c, const code *body) {
    const kernel *k = c->kernel;
    bool fit = c->args == k->params - 2 && body->f->params == k->params;
    for (int i = 0; fit && i < c->args; i++) {
        ktype t = body->f->param[i + 2].type;
        const call_arg *g = &c->arg[i];
        if (g->kind == ARG_INT)
            fit = t.base == KB_INT;
        else
            fit = t.base == KB_PTR && (g->kind == ARG_SCRATCH || (g->buffer && g->buffer->elem == t.elem));
    }
    if (!fit)
        diag_add(
            in->machine.d, DIAG_ERROR, (span){0},
            "internal error: program %s calls kernel %s with arguments of other types than its parameters'",
            in->machine.program->name, k->name);
    return fit;
}

static bool run_call(interp *in, const call *c, const int64_t *loop) {
    machine *m = &in->machine;
    const code *body = in->body[c->kernel->id];
    int64_t count = kcount_of(c->kernel->count, m->n);
    if (!arguments_fit(in, c, body)) return false;
    m->call = c;
    for (m->index = 0; m->index < count && !m->failed; m->index++) {
        m->serial = m->base + 1 + (uint32_t)m->index;
        set_arguments(in, c, body, loop);
        *(int64_t *)body->param[0] = m->index;
        *(int64_t *)body->param[1] = m->n;
        machine_run(m, body);
    }
    m->base += (uint32_t)count + 1;
    return !m->failed;
}

/* Tells who profiles that a call begins. */
static void mark(const interp *in, int number) {
    const profile_mark *m = in->marks;
    if (m) m->mark(m->user, (int)in->entry, number);
}

static bool run_steps(interp *in, const steps *s, int64_t *loop, int depth) {
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        if (!t->is_loop) {
            mark(in, t->call.number);
            if (!run_call(in, &t->call, loop)) return false;
            continue;
        }
        if (depth == MAX_LOOPS)
            return run_fail(in->machine.d, in->machine.program, "its loops nest too deeply");
        for (loop[depth] = 0; loop[depth] < t->count; loop[depth]++)
            if (!run_steps(in, t->body, loop, depth + 1)) return false;
        loop[depth] = 0;
    }
    return true;
}

/* Of an entry whose workspace this is. */
static bool run_entry(interp *in, entry_kind kind, const void *workspace) {
    const program *p = in->machine.program;
    const entry *e = &p->entries[kind];
    int64_t loop[MAX_LOOPS] = {0};
    in->entry = kind;
    in->marks =
        entry_marked(p, kind) ? (const void *)((const char *)workspace + entry_mark_offset(p, kind)) : NULL;
    bool good = run_steps(in, &e->steps, loop, 0);
    mark(in, e->calls);
    return good;
}

/* Bytes of a state, or 0 after a report. */
static size_t state_bytes(const interp *in, const state_slot *s, const region *r, int64_t n) {
    if (s->per_sample * n <= r->count) return (size_t)(s->per_sample * n) * (size_t)kbase_bytes(s->now->elem);
    run_fail(in->machine.d, in->machine.program, "a state is larger than its buffer");
    return 0;
}

static bool start_states(interp *in, const run_args *args) {
    const program *p = in->machine.program;
    for (int k = 0; k < p->states.count; k++) {
        const state_slot *s = &p->states.at[k];
        const region *r = &in->regions[s->now->id];
        size_t bytes = state_bytes(in, s, r, args->n);
        if (!bytes) return false;
        if (args->states && args->states[k])
            memcpy(r->data, args->states[k], bytes);
        else
            memset(r->data, 0, bytes);
        if (r->shadow) shadow_mark(r, kbase_bytes(s->now->elem));
    }
    return true;
}

static bool keep_states(const interp *in, const run_args *args) {
    const program *p = in->machine.program;
    for (int k = 0; k < p->states.count; k++) {
        const state_slot *s = &p->states.at[k];
        const buffer *next = s->next ? s->next : s->now;
        const region *r = &in->regions[next->id];
        size_t bytes = state_bytes(in, s, r, args->n);
        if (!bytes || (in->machine.check && !region_written(in, next))) return false;
        if (args->states && args->states[k]) memcpy(args->states[k], r->data, bytes);
    }
    return true;
}

static bool run_prepare(interp *in, const run_args *args) {
    const program *p = in->machine.program;
    memset(args->packed, 0, sizeof(packed_header));
    if (!run_entry(in, ENTRY_PREPARE, NULL)) return false;
    if (in->machine.check) shadow_settle(in->packed, p->packed_bytes / 4); /* a run counts its serials anew */
    packed_header header = program_header(p);
    memcpy(args->packed, &header, sizeof header);
    return true;
}

static bool run_forward(interp *in, entry_kind kind, const run_args *args) {
    if (!start_states(in, args) || !run_entry(in, kind, args->workspace)) return false;
    return keep_states(in, args) && (!in->machine.check || area_written(in, AREA_OUTPUT));
}

/* A step that is over leaves its workspace to the update, which counts its serials anew. */
static bool run_training(interp *in, entry_kind kind, const void *workspace) {
    const program *p = in->machine.program;
    if (!run_entry(in, kind, workspace)) return false;
    if (!in->machine.check || kind == ENTRY_UPDATE) return true;
    if (kind == ENTRY_STEP) shadow_settle(in->step, p->step_bytes / 4);
    return area_written(in, kind == ENTRY_STEP ? AREA_LOSS : AREA_PARAMS);
}

bool interp_run(interp *in, entry_kind kind, const run_args *args, diags *d) {
    machine *m = &in->machine;
    const program *p = m->program;
    bool once = kind == ENTRY_PREPARE || kind == ENTRY_INIT;
    if ((unsigned)kind >= ENTRY_KINDS || !p->entries[kind].present)
        return run_fail(d, p, "it has no such entry");
    if (!once && (args->n < 1 || args->n > p->max_batch))
        return run_fail(d, p, "the number of samples is out of range");
    if (!regions_given(in, kind, args, d)) return false;
    m->d = d;
    m->n = once ? 1 : args->n;
    m->failed = false;
    m->base = 1;
    regions_find(in, kind, args);
    if (kind >= ENTRY_STEP) return run_training(in, kind, args->workspace);
    return kind == ENTRY_PREPARE ? run_prepare(in, args) : run_forward(in, kind, args);
}
