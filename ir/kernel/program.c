/* Buffers of a program, what its entries may touch, and the header that its packed weights carry. */
#include "ir/kernel/program.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(packed_header) == PACKED_HEADER, "the header fills what is kept free for it");

packed_header program_header(const program *p) {
    packed_header h = {.abi = PACKED_ABI, .hash = p->hash, .bytes = (uint64_t)p->packed_bytes};
    memcpy(h.magic, PACKED_MAGIC, sizeof h.magic);
    return h;
}

buffer *program_buffer(program *p, const char *name, area a, kbase elem, int64_t fixed, int64_t per_sample) {
    buffer *b = NEW(p->arena, buffer);
    *b = (buffer){.id = p->buffers.count, .name = name, .area = a, .elem = elem};
    b->fixed = fixed;
    b->per_sample = per_sample;
    VEC_PUSH(p->arena, &p->buffers, b);
    return b;
}

#define A(name) (1u << AREA_##name)

bool entry_allows(entry_kind kind, area a, bool writes) {
    static const struct {
        unsigned reads, writes;
    } rules[ENTRY_KINDS] = {
        [ENTRY_PREPARE] = {A(PARAMS) | A(PACKED) | A(CONST), A(PACKED)},
        [ENTRY_FORWARD] = {A(INPUT) | A(PACKED) | A(CONST) | A(WORKSPACE) | A(OUTPUT),
                           A(WORKSPACE) | A(OUTPUT)},
        [ENTRY_FORWARD_U8] = {A(INPUT) | A(PIXELS) | A(PACKED) | A(CONST) | A(WORKSPACE) | A(OUTPUT),
                              A(WORKSPACE) | A(OUTPUT)},
        [ENTRY_STEP] = {A(STEP_INPUT) | A(PARAMS) | A(MOMENTS) | A(CONST) | A(STEP) | A(LOSS),
                        A(STEP) | A(LOSS)},
        [ENTRY_UPDATE] = {A(STEP_INPUT) | A(PARAMS) | A(MOMENTS) | A(CONST) | A(STEP) | A(LOSS),
                          A(STEP) | A(PARAMS) | A(MOMENTS)},
        [ENTRY_INIT] = {A(INIT) | A(CONST), A(PARAMS)},
    };
    return (writes ? rules[kind].writes : rules[kind].reads) >> a & 1;
}

static const call *find_call(const steps *s, const kernel *k) {
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        const call *c = t->is_loop ? find_call(t->body, k) : t->call.kernel == k ? &t->call : NULL;
        if (c) return c;
    }
    return NULL;
}

bool program_scratch(const program *p, const kernel *k, int arg) {
    for (int e = 0; e < ENTRY_KINDS; e++) {
        const call *c = p->entries[e].present ? find_call(&p->entries[e].steps, k) : NULL;
        if (c) return c->arg[arg].kind == ARG_SCRATCH;
    }
    return false;
}
