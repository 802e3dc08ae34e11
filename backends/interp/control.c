/* Moves, loops, branches, calls, and how a failure is told. */
#include "backends/interp/code.h"
#include "ir/op.h"

#include <string.h>

const insn *op_move(machine *m, const insn *o) {
    (void)m;
    if (o->as.imm == 8)
        memcpy(o->d, o->a, 8);
    else if (o->as.imm == SLOT)
        memcpy(o->d, o->a, SLOT);
    else
        memcpy(o->d, o->a, (size_t)o->as.imm);
    return o + 1;
}

/* d: variable; a, b: bounds; lanes: to behind the loop. */
const insn *op_begin(machine *m, const insn *o) {
    const int64_t lo = *(const int64_t *)o->a, hi = *(const int64_t *)o->b;
    (void)m;
    if (lo >= hi) return o + o->lanes;
    *(int64_t *)o->d = lo;
    return o + 1;
}

/* lanes: back to the body. The variable is below the bound, so the difference is no less than 1. */
const insn *op_next(machine *m, const insn *o) {
    int64_t *at = o->d;
    const uint64_t left = (uint64_t) * (const int64_t *)o->b - (uint64_t)*at;
    (void)m;
    if (left <= (uint64_t)o->as.imm) return o + 1;
    *at += o->as.imm;
    return o + o->lanes;
}

const insn *op_unless(machine *m, const insn *o) {
    (void)m;
    return *(const int32_t *)o->a ? o + 1 : o + o->lanes;
}

const insn *op_jump(machine *m, const insn *o) {
    (void)m;
    return o + o->lanes;
}

const insn *op_end(machine *m, const insn *o) {
    (void)m;
    (void)o;
    return NULL;
}

const insn *op_call(machine *m, const insn *o) {
    machine_run(m, o->as.callee);
    return m->failed ? NULL : o + 1;
}

/* The element of a register that indices in slots b and c name; NULL after a report. */
static unsigned char *element(machine *m, const insn *o, const void *registers) {
    const int64_t i = *(const int64_t *)o->b, j = *(const int64_t *)o->c;
    const kinst *reg = o->as.reg;
    if (i < 0 || j < 0 || i >= reg->dim[0] || j >= reg->dim[1]) {
        machine_fail(m, o, "takes element [%lld][%lld] of a register of [%d][%d]", (long long)i, (long long)j,
                     reg->dim[0], reg->dim[1]);
        return NULL;
    }
    return (unsigned char *)registers + (i * reg->dim[1] + j) * slot_bytes(reg->type);
}

const insn *op_get_at(machine *m, const insn *o) {
    const unsigned char *from = element(m, o, o->a);
    if (!from) return NULL;
    memcpy(o->d, from, (size_t)slot_bytes(o->as.reg->type));
    return o + 1;
}

const insn *op_set_at(machine *m, const insn *o) {
    unsigned char *to = element(m, o, o->d);
    if (!to) return NULL;
    memcpy(to, o->a, (size_t)slot_bytes(o->as.reg->type));
    return o + 1;
}

/* With check: a register that is read before it is set holds NaN, which shows. */
const insn *op_forget(machine *m, const insn *o) {
    (void)m;
    memset(o->d, 0xff, (size_t)o->as.imm);
    return o + 1;
}

void machine_run(machine *m, const code *c) {
    const code *caller = m->code;
    m->code = c;
    for (const insn *o = c->insns; o;) o = o->run(m, o);
    m->code = caller;
}

static const char *place(const call *c) {
    const node *n = c->node;
    if (!n) return "no node";
    if (n->scope && n->scope->path && *n->scope->path) return n->scope->path;
    return n->op ? n->op->name : "a node";
}

const insn *machine_fail(machine *m, const insn *o, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *why = arena_vprintf(m->d->arena, format, list);
    va_end(list);
    m->failed = true;
    span at = m->call->node ? m->call->node->at : (span){0};
    diag_add(m->d, DIAG_ERROR, at,
             "internal error: program %s, kernel %s (%s), index %lld of n = %lld: %%%d in %s %s",
             m->program->name, m->call->kernel->name, place(m->call), (long long)m->index, (long long)m->n,
             o->id, m->code->f->name, why);
    return NULL;
}
