/* The buffers of a run: where their bytes are, how many there are, and their shadows. */
#include "backends/interp/code.h"

#include <string.h>

static int64_t elements(const buffer *b, int64_t n) {
    return b->fixed + b->per_sample * n;
}

bool run_fail(diags *d, const program *p, const char *why) {
    diag_add(d, DIAG_ERROR, (span){0}, "program %s cannot be run: %s", p->name, why);
    return false;
}

/* The numbers of an AREA_CONST buffer as its elements. */
static void *constant_bytes(arena *a, const buffer *b) {
    unsigned char *bytes = arena_alloc(a, (size_t)b->fixed + 1, (size_t)kbase_bytes(b->elem));
    for (int64_t k = 0; k < b->fixed; k++) {
        double x = b->data[k];
        switch (b->elem) {
        case KB_F32: ((float *)(void *)bytes)[k] = (float)x; break;
        case KB_F64: ((double *)(void *)bytes)[k] = x; break;
        case KB_I32: ((int32_t *)(void *)bytes)[k] = (int32_t)x; break;
        case KB_INT: ((int64_t *)(void *)bytes)[k] = (int64_t)x; break;
        default: bytes[k] = (unsigned char)x; break;
        }
    }
    return bytes;
}

static void make_shadows(interp *in) {
    const program *p = in->machine.program;
    in->workspace = NEW_ARRAY(in->arena, shadow, p->workspace_bytes / 4 + 1);
    in->packed = NEW_ARRAY(in->arena, shadow, p->packed_bytes / 4 + 1);
    in->given = NEW_ARRAY(in->arena, shadow *, p->buffers.count + 1);
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        if (b->area != AREA_OUTPUT && b->area != AREA_LOSS) continue;
        int64_t bytes = elements(b, p->max_batch) * kbase_bytes(b->elem);
        in->given[i] = NEW_ARRAY(in->arena, shadow, bytes / 4 + 1);
    }
    if (!p->entries[ENTRY_STEP].present && !p->entries[ENTRY_INIT].present) return;
    in->step = NEW_ARRAY(in->arena, shadow, p->step_bytes / 4 + 1);
    in->params = NEW_ARRAY(in->arena, shadow, p->params_bytes / 4 + 1);
    in->moments = NEW_ARRAY(in->arena, shadow, p->moments_bytes / 4 + 1);
}

void regions_make(interp *in) {
    const program *p = in->machine.program;
    in->regions = NEW_ARRAY(in->arena, region, p->buffers.count + 1);
    in->constants = NEW_ARRAY(in->arena, void *, p->buffers.count + 1);
    for (int i = 0; i < p->buffers.count; i++)
        if (p->buffers.at[i]->area == AREA_CONST)
            in->constants[i] = constant_bytes(in->arena, p->buffers.at[i]);
    if (in->machine.check) make_shadows(in);
}

/* The entry for pixels takes input 0 as such; the others take it as it is declared. */
static bool is_input(const buffer *b, entry_kind kind) {
    if (b->area == AREA_INPUT && b->index == 0 && kind == ENTRY_FORWARD_U8) return false;
    bool input = b->area == AREA_INPUT || b->area == AREA_STEP_INPUT || b->area == AREA_PIXELS;
    return input && entry_allows(kind, b->area, false);
}

static unsigned char *bytes_at(const void *base, int64_t offset) {
    return base ? (unsigned char *)(uintptr_t)base + offset : NULL;
}

/* Where a buffer's bytes are in this run; NULL where they are not given. */
static unsigned char *buffer_bytes(const interp *in, const buffer *b, entry_kind kind, const run_args *args) {
    if (!entry_allows(kind, b->area, false) && !entry_allows(kind, b->area, true)) return NULL;
    switch (b->area) {
    case AREA_INPUT:
    case AREA_STEP_INPUT:
    case AREA_PIXELS: return args->inputs && is_input(b, kind) ? bytes_at(args->inputs[b->index], 0) : NULL;
    case AREA_OUTPUT: return args->outputs ? args->outputs[b->index] : NULL;
    case AREA_PARAMS: return bytes_at(args->params, b->offset);
    case AREA_MOMENTS: return bytes_at(args->moments, b->offset);
    case AREA_PACKED: return bytes_at(args->packed, b->offset);
    case AREA_WORKSPACE:
    case AREA_STEP: return bytes_at(args->workspace, b->offset);
    case AREA_LOSS: return args->loss;
    case AREA_INIT: return bytes_at(args->init, 0);
    case AREA_CONST: return in->constants[b->id];
    }
    return NULL;
}

static shadow *buffer_shadow(const interp *in, const buffer *b, const run_args *args, entry_kind kind) {
    if (!in->machine.check) return NULL;
    bool trains = entry_allows(kind, AREA_PARAMS, true);
    switch ((int)b->area) {
    case AREA_OUTPUT:
    case AREA_LOSS: return in->given[b->id];
    case AREA_PACKED:
        return kind == ENTRY_PREPARE || args->packed == in->packed_known ? in->packed + b->offset / 4 : NULL;
    case AREA_WORKSPACE: return in->workspace + b->offset / 4;
    case AREA_STEP: return in->step + b->offset / 4;
    case AREA_PARAMS: return trains ? in->params + b->offset / 4 : NULL;
    case AREA_MOMENTS: return trains ? in->moments + b->offset / 4 : NULL;
    default: return NULL;
    }
}

static void forget(shadow *s, int64_t bytes) {
    memset(s, 0, (size_t)(bytes / 4) * sizeof(shadow));
}

/* An update goes on where a step has ended, if that was in this workspace. */
static void reset_shadows(interp *in, entry_kind kind, const run_args *args) {
    const program *p = in->machine.program;
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        if (in->given[i] && kind != ENTRY_UPDATE)
            forget(in->given[i], elements(b, in->machine.n) * kbase_bytes(b->elem));
    }
    if (kind < ENTRY_STEP) {
        forget(in->workspace, p->workspace_bytes);
    } else {
        if (kind == ENTRY_STEP || in->step_known != args->workspace) forget(in->step, p->step_bytes);
        forget(in->params, p->params_bytes);
        in->step_known = kind == ENTRY_STEP ? args->workspace : NULL;
    }
    if (kind != ENTRY_PREPARE) return;
    forget(in->packed, p->packed_bytes);
    in->packed_known = args->packed;
}

/* What is trained has numbers already. */
static void mark_trained(const interp *in, entry_kind kind) {
    const program *p = in->machine.program;
    for (int i = 0; kind == ENTRY_UPDATE && i < p->buffers.count; i++) {
        const region *r = &in->regions[i];
        area a = p->buffers.at[i]->area;
        if (r->shadow && (a == AREA_PARAMS || a == AREA_MOMENTS))
            shadow_mark(r, kbase_bytes(p->buffers.at[i]->elem));
    }
}

/* Buffers that this entry is not given have no elements: touching one is an error like any other. */
void regions_find(interp *in, entry_kind kind, const run_args *args) {
    const program *p = in->machine.program;
    if (in->machine.check) reset_shadows(in, kind, args);
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        region *r = &in->regions[i];
        *r = (region){.data = buffer_bytes(in, b, kind, args), .name = b->name, .id = b->id};
        r->count = r->data ? elements(b, in->machine.n) : 0;
        r->shadow = buffer_shadow(in, b, args, kind);
    }
    if (in->machine.check) mark_trained(in, kind);
    shadow *work = kind < ENTRY_STEP ? in->workspace : in->step;
    for (int e = KB_INT; e <= KB_F64; e++) {
        region *r = &in->scratch[e];
        *r = (region){.name = "scratch", .id = -1, .private = true};
        if (!args->workspace) continue;
        r->data = (unsigned char *)args->workspace + entry_scratch_offset(p, kind);
        r->count = p->scratch_bytes / kbase_bytes((kbase)e);
        if (in->machine.check) r->shadow = work + entry_scratch_offset(p, kind) / 4;
    }
}

static bool forward_given(const interp *in, entry_kind kind, const run_args *args, diags *d) {
    const program *p = in->machine.program;
    if (!args->packed) return run_fail(d, p, "there is no memory for packed weights");
    if (!args->workspace && p->workspace_bytes) return run_fail(d, p, "no workspace is given");
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        if (is_input(b, kind) && (!args->inputs || !args->inputs[b->index]))
            return run_fail(d, p, "an input is missing");
        if (b->area == AREA_OUTPUT && (!args->outputs || !args->outputs[b->index]))
            return run_fail(d, p, "an output has no memory");
    }
    packed_header header = program_header(p);
    return memcmp(args->packed, &header, sizeof header) == 0 ||
           run_fail(d, p, "the packed weights were not prepared for it; run prepare first");
}

static bool step_given(const interp *in, entry_kind kind, const run_args *args, diags *d) {
    const program *p = in->machine.program;
    if (!args->params && p->params_bytes) return run_fail(d, p, "no parameters are given");
    if (kind == ENTRY_INIT) return args->init || run_fail(d, p, "no seed is given");
    if (!args->moments && p->moments_bytes) return run_fail(d, p, "no moments are given");
    if (!args->loss) return run_fail(d, p, "there is no place for the loss");
    if (!args->workspace && p->step_bytes) return run_fail(d, p, "no workspace is given");
    for (int i = 0; i < p->buffers.count; i++)
        if (is_input(p->buffers.at[i], kind) && (!args->inputs || !args->inputs[p->buffers.at[i]->index]))
            return run_fail(d, p, "an input is missing");
    return true;
}

bool regions_given(const interp *in, entry_kind kind, const run_args *args, diags *d) {
    const program *p = in->machine.program;
    if (kind >= ENTRY_STEP) return step_given(in, kind, args, d);
    if (kind != ENTRY_PREPARE) return forward_given(in, kind, args, d);
    if (!args->packed) return run_fail(d, p, "there is no memory for packed weights");
    return args->params || !p->params_bytes || run_fail(d, p, "no parameters are given");
}

bool region_written(const interp *in, const buffer *b) {
    const region *r = &in->regions[b->id];
    if (!r->shadow) return true;
    bool as_it = b->area != AREA_PACKED && b->area != AREA_PARAMS; /* several buffers are one parameter */
    int64_t missing = shadow_missing(r, kbase_bytes(b->elem), as_it);
    if (missing < 0) return true;
    diag_add(in->machine.d, DIAG_ERROR, (span){0},
             "internal error: program %s ends without element %lld of %s, of %lld, written",
             in->machine.program->name, (long long)missing, b->name, (long long)r->count);
    return false;
}

bool area_written(const interp *in, area a) {
    const program *p = in->machine.program;
    for (int i = 0; i < p->buffers.count; i++)
        if (p->buffers.at[i]->area == a && !region_written(in, p->buffers.at[i])) return false;
    return true;
}
