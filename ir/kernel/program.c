/* Buffers of a program, and the header that its packed weights carry. */
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
