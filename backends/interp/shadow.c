/* Who wrote and read every 4 bytes, so that what the plan and the kernels promise can be held against them.
 */
#include "backends/interp/code.h"

enum { BEFORE = 1 /* serial of what was there before any call */ };

/* Granules [first, end) of elements [at, at + count). */
typedef struct reach {
    int64_t first, end;
} reach;

static reach reach_of(int64_t at, int64_t count, int bytes) {
    return (reach){at * bytes / 4, ((at + count) * bytes + 3) / 4};
}

static const char *owner_name(const machine *m, int id) {
    return id >= 0 && id < m->program->buffers.count ? m->program->buffers.at[id]->name : "scratch";
}

static bool in_call(const machine *m, uint32_t serial) {
    return serial > m->base;
}

static long long index_of(const machine *m, uint32_t serial) {
    return (long long)serial - m->base - 1;
}

static bool may_read(machine *m, const insn *o, const region *r, const shadow *s, long long at) {
    if (s->writer == 0)
        return machine_fail(m, o, "reads element %lld of %s, which nobody has written", at, r->name);
    if (s->owner != r->id)
        return machine_fail(m, o, "reads element %lld of %s, whose bytes were last written as %s", at,
                            r->name, owner_name(m, s->owner));
    if (s->writer == m->serial) return true;
    if (r->private)
        return machine_fail(m, o, "reads element %lld of %s, which another index has left there", at,
                            r->name);
    if (in_call(m, s->writer))
        return machine_fail(m, o, "reads element %lld of %s, which index %lld of the same call writes", at,
                            r->name, index_of(m, s->writer));
    return true;
}

bool shadow_read(machine *m, const insn *o, const region *r, int64_t at, int64_t count, int bytes) {
    reach g = reach_of(at, count, bytes);
    for (int64_t k = g.first; k < g.end; k++) {
        shadow *s = &r->shadow[k];
        if (!may_read(m, o, r, s, (long long)(k * 4 / bytes))) return false;
        bool other = s->reader == m->base || (in_call(m, s->reader) && s->reader != m->serial);
        s->reader = other ? m->base : m->serial;
    }
    return true;
}

static bool may_write(machine *m, const insn *o, const region *r, const shadow *s, long long at) {
    if (in_call(m, s->writer) && s->writer != m->serial)
        return machine_fail(m, o, "writes element %lld of %s, which index %lld of the same call writes too",
                            at, r->name, index_of(m, s->writer));
    if (s->reader == m->base || (in_call(m, s->reader) && s->reader != m->serial))
        return machine_fail(m, o, "writes element %lld of %s, which another index of the same call reads", at,
                            r->name);
    return true;
}

bool shadow_write(machine *m, const insn *o, const region *r, int64_t at, int64_t count, int bytes) {
    reach g = reach_of(at, count, bytes);
    for (int64_t k = g.first; k < g.end; k++) {
        shadow *s = &r->shadow[k];
        bool shared = !r->private && bytes >= 4; /* smaller elements share a granule */
        if (shared && !may_write(m, o, r, s, (long long)(k * 4 / bytes))) return false;
        *s = (shadow){.writer = m->serial, .reader = s->reader, .owner = r->id};
    }
    return true;
}

int64_t shadow_missing(const region *r, int bytes, bool as_it) {
    reach g = reach_of(0, r->count, bytes);
    for (int64_t k = g.first; k < g.end; k++)
        if (r->shadow[k].writer == 0 || (as_it && r->shadow[k].owner != r->id)) return k * 4 / bytes;
    return -1;
}

void shadow_mark(const region *r, int bytes) {
    reach g = reach_of(0, r->count, bytes);
    for (int64_t k = g.first; k < g.end; k++) r->shadow[k] = (shadow){.writer = BEFORE, .owner = r->id};
}

void shadow_settle(shadow *s, int64_t count) {
    for (int64_t k = 0; k < count; k++)
        if (s[k].writer) s[k] = (shadow){.writer = BEFORE, .owner = s[k].owner};
}
