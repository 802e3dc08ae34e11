/* Buffers of a program. */
#include "ir/kernel/program.h"

buffer *program_buffer(program *p, const char *name, area a, kbase elem, int64_t fixed, int64_t per_sample) {
    buffer *b = NEW(p->arena, buffer);
    *b = (buffer){.id = p->buffers.count, .name = name, .area = a, .elem = elem};
    b->fixed = fixed;
    b->per_sample = per_sample;
    VEC_PUSH(p->arena, &p->buffers, b);
    return b;
}
