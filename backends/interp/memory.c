/* Loads and stores, every one checked against its region. */
#include "backends/interp/code.h"

#include <string.h>

static int64_t element(const insn *o) {
    const pointer *p = o->a;
    return (int64_t)((uint64_t)p->offset + (uint64_t) * (const int64_t *)o->b + (uint64_t)o->as.imm);
}

static bool outside(const region *r, int64_t at, int64_t count) {
    return at < 0 || at > r->count - count;
}

static const insn *report(machine *m, const insn *o, const region *r, int64_t at, int64_t count) {
    int64_t last = at > INT64_MAX - count ? INT64_MAX : at + count - 1;
    return machine_fail(m, o, "touches elements %lld to %lld of %s, which has %lld", (long long)at,
                        (long long)last, r->name, (long long)r->count);
}

/* Lanes that a partial access touches. */
static int part_of(const insn *o, const void *count) {
    int64_t c = *(const int64_t *)count;
    return c < 0 ? 0 : c < o->lanes ? (int)c : o->lanes;
}

/* Finds the bytes to read, or fails. */
#define READ_FROM(COUNT, BYTES)                                                                              \
    const region *r = ((const pointer *)o->a)->region;                                                       \
    const int64_t at = element(o);                                                                           \
    if (outside(r, at, COUNT)) return report(m, o, r, at, COUNT);                                            \
    if (r->shadow && !shadow_read(m, o, r, at, COUNT, BYTES)) return NULL;                                   \
    const unsigned char *from = r->data + at * BYTES;

static const insn *load16x4(machine *m, const insn *o) {
    READ_FROM(LANES, 4)
    memcpy(o->d, from, LANES * 4);
    return o + 1;
}

/* An index may lie where the result goes, so it is read first. */
#define LOADS(NAME, BYTES)                                                                                   \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        READ_FROM(o->lanes, BYTES)                                                                           \
        memcpy(o->d, from, (size_t)o->lanes *BYTES);                                                         \
        return o + 1;                                                                                        \
    }                                                                                                        \
    static const insn *NAME##_part(machine *m, const insn *o) {                                              \
        const int count = part_of(o, o->c);                                                                  \
        if (count == 0) {                                                                                    \
            memset(o->d, 0, (size_t)o->lanes *BYTES);                                                        \
            return o + 1;                                                                                    \
        }                                                                                                    \
        READ_FROM(count, BYTES)                                                                              \
        memset(o->d, 0, (size_t)o->lanes *BYTES);                                                            \
        memcpy(o->d, from, (size_t)count *BYTES);                                                            \
        return o + 1;                                                                                        \
    }
LOADS(load4, 4)
LOADS(load8, 8)

static const insn *load4_one(machine *m, const insn *o) {
    READ_FROM(1, 4)
    memcpy(o->d, from, 4);
    return o + 1;
}

static const insn *load8_one(machine *m, const insn *o) {
    READ_FROM(1, 8)
    memcpy(o->d, from, 8);
    return o + 1;
}

#define LOAD_SPLAT(NAME, T)                                                                                  \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        READ_FROM(1, (int)sizeof(T))                                                                         \
        T x, *d = o->d;                                                                                      \
        memcpy(&x, from, sizeof x);                                                                          \
        for (int l = 0; l < LANES; l++) d[l] = x;                                                            \
        return o + 1;                                                                                        \
    }
LOAD_SPLAT(load4_splat, lane4)
LOAD_SPLAT(load8_splat, lane8)

static const insn *load1_part(machine *m, const insn *o) {
    int32_t *d = o->d;
    const int count = o->c == o->a ? o->lanes : part_of(o, o->c); /* no count: all */
    memset(d, 0, (size_t)o->lanes * 4);
    if (count == 0) return o + 1;
    READ_FROM(count, 1)
    for (int l = 0; l < count; l++) d[l] = from[l];
    return o + 1;
}

insn_function *load_function(ktype t, bool part, bool splat) {
    int bytes = kbase_bytes(t.base);
    if (bytes == 1) return splat ? NULL : load1_part;
    if (splat) return bytes == 8 ? load8_splat : load4_splat;
    if (part) return bytes == 8 ? load8_part : load4_part;
    if (t.lanes == 1) return bytes == 8 ? load8_one : load4_one;
    if (bytes == 8) return load8;
    return t.lanes == LANES ? load16x4 : load4;
}

/* d is the value; a, b, c are pointer, index, count. */
#define WRITE_TO(COUNT, BYTES)                                                                               \
    const region *r = ((const pointer *)o->a)->region;                                                       \
    const int64_t at = element(o);                                                                           \
    if (outside(r, at, COUNT)) return report(m, o, r, at, COUNT);                                            \
    if (r->shadow && !shadow_write(m, o, r, at, COUNT, BYTES)) return NULL;                                  \
    unsigned char *to = r->data + at * BYTES;

#define STORES(NAME, BYTES)                                                                                  \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        WRITE_TO(o->lanes, BYTES)                                                                            \
        memcpy(to, o->d, (size_t)o->lanes *BYTES);                                                           \
        return o + 1;                                                                                        \
    }                                                                                                        \
    static const insn *NAME##_part(machine *m, const insn *o) {                                              \
        const int count = part_of(o, o->c);                                                                  \
        if (count == 0) return o + 1;                                                                        \
        WRITE_TO(count, BYTES)                                                                               \
        memcpy(to, o->d, (size_t)count *BYTES);                                                              \
        return o + 1;                                                                                        \
    }
STORES(store4, 4)
STORES(store8, 8)

static const insn *store1_part(machine *m, const insn *o) {
    const int32_t *d = o->d;
    const int count = o->c == o->a ? o->lanes : part_of(o, o->c);
    if (count == 0) return o + 1;
    WRITE_TO(count, 1)
    for (int l = 0; l < count; l++) to[l] = (unsigned char)d[l];
    return o + 1;
}

insn_function *store_function(ktype t, bool part) {
    int bytes = kbase_bytes(t.base);
    if (bytes == 1) return store1_part;
    if (bytes == 8) return part ? store8_part : store8;
    return part ? store4_part : store4;
}

const insn *op_offset(machine *m, const insn *o) {
    const pointer *p = o->a;
    (void)m;
    *(pointer *)o->d = (pointer){p->region, element(o)};
    return o + 1;
}

const insn *op_local(machine *m, const insn *o) {
    const region *r = o->as.local;
    (void)m;
    *(pointer *)o->d = (pointer){r, 0};
    if (r->shadow) memset(r->shadow, 0, (size_t)o->lanes * sizeof(shadow));
    return o + 1;
}
