/* Programs of one kernel. */
#include "tests/support/one_kernel.h"
#include "passes/passes.h"

#include <string.h>

/* Offsets follow one another within an area; inputs and outputs are counted. */
static buffer *place_buffer(program *p, const one_arg *g) {
    buffer *b = program_buffer(p, g->name, g->area, (kbase)g->type.elem, g->fixed, g->per_sample);
    int64_t bytes = round_up((g->fixed + g->per_sample * p->max_batch) * kbase_bytes(b->elem), BUFFER_ALIGN);
    int64_t *room = g->area == AREA_PACKED      ? &p->packed_bytes
                    : g->area == AREA_WORKSPACE ? &p->workspace_bytes
                    : g->area == AREA_PARAMS    ? &p->params_bytes
                                                : NULL;
    if (room) {
        b->offset = *room;
        *room += bytes;
    }
    for (int i = 0; i < b->id; i++) b->index += p->buffers.at[i]->area == g->area;
    return b;
}

static call_arg argument(program *p, const one_arg *g) {
    if (g->type.base == KB_INT) return (call_arg){.kind = ARG_INT, .offset = g->fixed};
    if (g->area == AREA_CONST && !g->fixed) return (call_arg){.kind = ARG_SCRATCH};
    return (call_arg){.kind = ARG_BUFFER, .buffer = place_buffer(p, g)};
}

program *one_kernel_program(arena *a, const one_kernel *k) {
    program *p = NEW(a, program);
    *p = (program){.arena = a, .name = "one", .real = k->real ? k->real : KB_F32, .max_batch = k->max_batch};
    p->max_threads = 1;
    p->wanted[k->which] = true;
    p->packed_bytes = PACKED_HEADER;
    kparam *params = NEW_ARRAY(a, kparam, k->count + 1);
    call_arg *args = NEW_ARRAY(a, call_arg, k->count + 1);
    for (int i = 0; i < k->count; i++) {
        params[i] = (kparam){k->args[i].name, k->args[i].type};
        args[i] = argument(p, &k->args[i]);
    }
    p->scratch_offset = p->workspace_bytes;
    p->scratch_bytes = k->scratch;
    p->workspace_bytes += k->scratch;
    entry_kind kind = k->prepare ? ENTRY_PREPARE : ENTRY_FORWARD;
    lower l = {.arena = a, .program = p, .steps = &p->entries[kind].steps};
    kernel *made = lower_kernel(&l, "one", k->build, k->recipe, k->bytes, params, k->count, k->runs, 1);
    lower_call(&l, made, args, k->count, NULL);
    for (int e = ENTRY_PREPARE; e <= ENTRY_FORWARD; e++) {
        p->entries[e].kind = (entry_kind)e;
        p->entries[e].present = true;
    }
    return p;
}

void one_kernel_call(program *p, entry_kind e, int k, const char *const *buffers) {
    kernel *f = p->kernels.at[k];
    call_arg *args = NEW_ARRAY(p->arena, call_arg, f->params);
    for (int i = 0; i + 2 < f->params; i++)
        for (int b = 0; b < p->buffers.count; b++)
            if (strcmp(p->buffers.at[b]->name, buffers[i]) == 0)
                args[i] = (call_arg){.kind = ARG_BUFFER, .buffer = p->buffers.at[b]};
    lower l = {.arena = p->arena, .program = p, .steps = &p->entries[e].steps};
    lower_call(&l, f, args, f->params - 2, NULL);
}

static void *aligned(arena *a, int64_t bytes) {
    char *p = arena_alloc(a, (size_t)bytes + 2 * BUFFER_ALIGN, 1);
    return p + (BUFFER_ALIGN - (uintptr_t)p % BUFFER_ALIGN) % BUFFER_ALIGN;
}

run_args one_kernel_args(arena *a, const program *p, int64_t n) {
    const void **inputs = NEW_ARRAY(a, const void *, p->buffers.count + 1);
    void **outputs = NEW_ARRAY(a, void *, p->buffers.count + 1);
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        int64_t bytes = (b->fixed + b->per_sample * n) * kbase_bytes(b->elem);
        if (b->area == AREA_INPUT || b->area == AREA_PIXELS) inputs[b->index] = aligned(a, bytes);
        if (b->area == AREA_OUTPUT) outputs[b->index] = aligned(a, bytes);
    }
    packed_header header = program_header(p);
    run_args r = {.n = n, .inputs = inputs, .outputs = outputs};
    r.params = aligned(a, p->params_bytes);
    r.packed = aligned(a, p->packed_bytes);
    r.workspace = aligned(a, p->workspace_bytes);
    memcpy(r.packed, &header, sizeof header);
    return r;
}

void *one_kernel_run(arena *a, const one_kernel *k, const void *const *inputs, bool check, diags *d) {
    program *p = one_kernel_program(a, k);
    interp_options o = {.check = check};
    interp *in = interp_new(a, p, k->which, &o, d);
    if (!in) return NULL;
    run_args args = one_kernel_args(a, p, k->max_batch);
    if (inputs) args.inputs = inputs;
    return interp_run(in, k->prepare ? ENTRY_PREPARE : ENTRY_FORWARD, &args, d) ? args.outputs[0] : NULL;
}

void one_kernel_unroll(program *p) {
    pass_state s = {.arena = p->arena, .program = p};
    pass_unroll(&s);
}

bool diags_have(const diags *d, const char *part) {
    for (const diag *e = d->first; e; e = e->next)
        if (strstr(e->text, part)) return true;
    return false;
}
