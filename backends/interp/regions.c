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
    in->outputs = NEW_ARRAY(in->arena, shadow *, p->buffers.count + 1);
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        if (b->area != AREA_OUTPUT) continue;
        int64_t bytes = elements(b, p->max_batch) * kbase_bytes(b->elem);
        in->outputs[i] = NEW_ARRAY(in->arena, shadow, bytes / 4 + 1);
    }
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
    return b->area == (kind == ENTRY_FORWARD_U8 && b->index == 0 ? AREA_PIXELS : AREA_INPUT);
}

/* Where a buffer's bytes are in this run; NULL where they are not given. */
static unsigned char *buffer_bytes(const interp *in, const buffer *b, entry_kind kind, const run_args *args) {
    switch (b->area) {
    case AREA_INPUT:
    case AREA_PIXELS:
        return args->inputs && is_input(b, kind) ? (unsigned char *)(uintptr_t)args->inputs[b->index] : NULL;
    case AREA_OUTPUT: return args->outputs ? args->outputs[b->index] : NULL;
    case AREA_PARAMS: return args->params ? (unsigned char *)(uintptr_t)args->params + b->offset : NULL;
    case AREA_PACKED: return args->packed ? (unsigned char *)args->packed + b->offset : NULL;
    case AREA_WORKSPACE: return args->workspace ? (unsigned char *)args->workspace + b->offset : NULL;
    case AREA_CONST: return in->constants[b->id];
    }
    return NULL;
}

static shadow *buffer_shadow(const interp *in, const buffer *b, const run_args *args, entry_kind kind) {
    if (!in->machine.check) return NULL;
    switch ((int)b->area) {
    case AREA_OUTPUT: return in->outputs[b->id];
    case AREA_PACKED:
        return kind == ENTRY_PREPARE || args->packed == in->packed_known ? in->packed + b->offset / 4 : NULL;
    case AREA_WORKSPACE: return in->workspace + b->offset / 4;
    default: return NULL;
    }
}

static void reset_shadows(interp *in, entry_kind kind, const run_args *args) {
    const program *p = in->machine.program;
    memset(in->workspace, 0, (size_t)(p->workspace_bytes / 4) * sizeof(shadow));
    for (int i = 0; i < p->buffers.count; i++) {
        const buffer *b = p->buffers.at[i];
        if (b->area != AREA_OUTPUT) continue;
        memset(in->outputs[i], 0, (size_t)(elements(b, args->n) * kbase_bytes(b->elem) / 4) * sizeof(shadow));
    }
    if (kind != ENTRY_PREPARE) return;
    memset(in->packed, 0, (size_t)(p->packed_bytes / 4) * sizeof(shadow));
    in->packed_known = args->packed;
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
    for (int e = KB_INT; e <= KB_F64; e++) {
        region *r = &in->scratch[e];
        *r = (region){.name = "scratch", .id = -1, .private = true};
        if (!args->workspace) continue;
        r->data = (unsigned char *)args->workspace + p->scratch_offset;
        r->count = p->scratch_bytes / kbase_bytes((kbase)e);
        if (in->machine.check) r->shadow = in->workspace + p->scratch_offset / 4;
    }
}

bool regions_given(const interp *in, entry_kind kind, const run_args *args, diags *d) {
    const program *p = in->machine.program;
    if (!args->packed) return run_fail(d, p, "there is no memory for packed weights");
    if (kind == ENTRY_PREPARE)
        return args->params || !p->params_bytes || run_fail(d, p, "no parameters are given");
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

bool region_written(const interp *in, const buffer *b) {
    const region *r = &in->regions[b->id];
    if (!r->shadow) return true;
    int64_t missing = shadow_missing(r, kbase_bytes(b->elem), b->area != AREA_PACKED);
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
