/* From a function to code: gives every value a slot, then writes one operation an instruction. */
#include "backends/interp/facts.h"
#include "ir/kernel/emit.h"

#include <string.h>

enum { DEPTH_MAX = 64, CHUNK = 64 << 10 };

struct compiler {
    interp *in;
    arena *arena;
    diags *d;
    VEC(code *) done;
    int depth;
    unsigned char *chunk; /* where the next slots lie */
    size_t left;
    const void *zero; /* KB_INT 0 */
};

/* One function. */
typedef struct writer {
    compiler *c;
    code *code;
    facts f;
    VEC(insn) insns;
} writer;

compiler *compiler_new(interp *in, diags *d) {
    compiler *c = NEW(in->arena, compiler);
    *c = (compiler){.in = in, .arena = in->arena, .d = d};
    c->zero = NEW(in->arena, int64_t);
    return c;
}

static void *slots(compiler *c, size_t bytes) {
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes >= SLOT) { /* vectors begin on a cache line */
        size_t skip = (size_t)(-(uintptr_t)c->chunk & (SLOT - 1));
        skip = skip < c->left ? skip : c->left;
        c->chunk += skip;
        c->left -= skip;
    }
    if (bytes > c->left) {
        size_t room = bytes + SLOT > CHUNK ? bytes + SLOT : CHUNK;
        unsigned char *p = arena_alloc(c->arena, room, 1);
        size_t skip = (size_t)(-(uintptr_t)p & (SLOT - 1));
        c->chunk = p + skip;
        c->left = room - skip;
    }
    void *slot = c->chunk;
    c->chunk += bytes;
    c->left -= bytes;
    return slot;
}

static insn *add(writer *w, insn_function *run, const kinst *x) {
    VEC_PUSH(w->c->arena, &w->insns, ((insn){.run = run, .id = x->id, .lanes = 1}));
    return &w->insns.at[w->insns.count - 1];
}

static void *slot_of(const writer *w, const kinst *x) {
    return FACT(&w->f, x)->slot;
}

/* Element k of a register. */
static void *element_slot(const writer *w, const kinst *reg, int k) {
    return (unsigned char *)slot_of(w, reg) + (size_t)k * (size_t)slot_bytes(reg->type);
}

static void *own_slot(writer *w, const kinst *x) {
    return FACT(&w->f, x)->slot = slots(w->c, (size_t)slot_bytes(x->type));
}

/* Where x goes: into the register that the next instruction sets, or a slot of its own. */
static void *place(writer *w, const kinst *x) {
    const kinst *set = set_of(&w->f, x);
    if (!set) return own_slot(w, x);
    FACT(&w->f, set)->done = true;
    return FACT(&w->f, x)->slot = element_slot(w, set->arg[0], register_element(set));
}

static void fill_constant(void *slot, const kinst *x) {
    for (int l = 0; l < (x->type.lanes > 1 ? LANES : 1); l++) {
        switch (x->type.base) {
        case KB_F32: ((float *)slot)[l] = (float)x->f; break;
        case KB_F64: ((double *)slot)[l] = x->f; break;
        case KB_INT: ((int64_t *)slot)[l] = x->i; break;
        case KB_BOOL: ((int32_t *)slot)[l] = x->i ? -1 : 0; break;
        default: ((int32_t *)slot)[l] = (int32_t)(uint32_t)x->i; break;
        }
    }
}

static void write_constant(writer *w, const kinst *x) {
    fill_constant(place(w, x), x);
}

static void write_param(writer *w, const kinst *x) {
    FACT(&w->f, x)->slot = w->code->param[x->i];
}

static void write_arith(writer *w, const kinst *x) {
    ktype operand = x->arg[x->scalar == S_SELECT]->type;
    insn *o = add(w, arith_function(x->scalar, operand, w->c->in->which != TARGET_C99), x);
    o->a = slot_of(w, x->arg[0]);
    o->b = x->args > 1 ? slot_of(w, x->arg[1]) : o->a;
    o->c = x->args > 2 ? slot_of(w, x->arg[2]) : o->b;
    o->lanes = operand.lanes;
    o->as.scalar = x->scalar;
    o->d = place(w, x);
}

static void move(writer *w, const kinst *x, void *to, const void *from, ktype t) {
    insn *o = add(w, op_move, x);
    o->d = to;
    o->a = o->b = o->c = from;
    bool word = t.lanes == 1 && t.base != KB_PTR;
    o->as.imm = word ? 8 : slot_bytes(t);
}

static void write_convert(writer *w, const kinst *x) {
    const kinst *from = x->arg[0];
    if (x->op == K_BITS) {
        move(w, x, place(w, x), slot_of(w, from), from->type);
        return;
    }
    bool cast = x->op == K_CAST;
    insn *o = add(w, cast ? cast_function(from->type, x->type) : lanes_function(x->op, from->type), x);
    o->a = o->b = o->c = slot_of(w, from);
    o->lanes = cast || x->op == K_TAIL ? x->type.lanes : from->type.lanes;
    o->d = place(w, x);
}

/* a, b and the number of a pointer and an index; c of a count. */
static void address(writer *w, insn *o, const kinst *x, const kinst *count) {
    const kinst *base;
    o->as.imm = index_parts(x->arg[1], &base);
    o->a = slot_of(w, x->arg[0]);
    o->b = base ? slot_of(w, base) : w->c->zero;
    o->c = count ? slot_of(w, count) : o->a;
}

static void write_load(writer *w, const kinst *x) {
    const kinst *splat = splat_of(&w->f, x), *count = x->args == 3 ? x->arg[2] : NULL;
    insn *o = add(w, load_function(x->type, count != NULL, splat != NULL), x);
    address(w, o, x, count);
    o->lanes = x->type.lanes;
    if (!splat) {
        o->d = place(w, x);
        return;
    }
    bool next = follows(&w->f, x, splat);
    FACT(&w->f, splat)->done = true;
    o->d = next ? place(w, splat) : own_slot(w, splat);
}

static void write_store(writer *w, const kinst *x) {
    const kinst *count = x->args == 4 ? x->arg[3] : NULL;
    insn *o = add(w, store_function(x->arg[2]->type, count != NULL), x);
    address(w, o, x, count);
    o->lanes = x->arg[2]->type.lanes;
    o->d = slot_of(w, x->arg[2]);
}

static void write_offset(writer *w, const kinst *x) {
    insn *o = add(w, op_offset, x);
    address(w, o, x, NULL);
    o->d = place(w, x);
}

static void write_register(writer *w, const kinst *x) {
    size_t bytes = (size_t)x->dim[0] * (size_t)x->dim[1] * (size_t)slot_bytes(x->type);
    void *slot = FACT(&w->f, x)->slot = slots(w->c, bytes);
    if (!w->c->in->machine.check) return;
    insn *o = add(w, op_forget, x);
    o->d = slot;
    o->as.imm = (int64_t)bytes;
}

static void write_access(writer *w, const kinst *x, insn_function *run) {
    insn *o = add(w, run, x);
    o->b = slot_of(w, x->arg[1]);
    o->c = slot_of(w, x->arg[2]);
    o->as.reg = x->arg[0];
    if (x->op == K_SET) {
        o->d = slot_of(w, x->arg[0]);
        o->a = slot_of(w, x->arg[3]);
    } else {
        o->a = slot_of(w, x->arg[0]);
        o->d = place(w, x);
    }
}

static void write_get(writer *w, const kinst *x) {
    int k = register_element(x);
    if (k < 0)
        write_access(w, x, op_get_at);
    else if (get_is_register(&w->f, x))
        FACT(&w->f, x)->slot = element_slot(w, x->arg[0], k);
    else
        move(w, x, place(w, x), element_slot(w, x->arg[0], k), x->type);
}

static void write_set(writer *w, const kinst *x) {
    int k = register_element(x);
    if (k < 0)
        write_access(w, x, op_set_at);
    else
        move(w, x, element_slot(w, x->arg[0], k), slot_of(w, x->arg[3]), x->arg[3]->type);
}

static void write_local(writer *w, const kinst *x) {
    size_t bytes = (size_t)x->i * (size_t)kbase_bytes(x->type.elem);
    region *r = NEW(w->c->arena, region);
    *r = (region){.data = slots(w->c, bytes), .count = x->i, .id = -1, .private = true};
    r->name = x->name ? x->name : "a local array";
    insn *o = add(w, op_local, x);
    o->lanes = (int)((bytes + 3) / 4);
    if (w->c->in->machine.check) r->shadow = NEW_ARRAY(w->c->arena, shadow, o->lanes);
    o->as.local = r;
    o->d = place(w, x);
}

static void write_block(writer *w, const kblock *b);

static void write_for(writer *w, const kinst *x) {
    int begin = w->insns.count;
    insn *o = add(w, op_begin, x);
    o->a = slot_of(w, x->arg[0]);
    o->b = slot_of(w, x->arg[1]);
    void *variable = o->d = place(w, x);
    write_block(w, &x->body);
    o = add(w, op_next, x);
    o->d = variable;
    o->b = slot_of(w, x->arg[1]);
    o->as.imm = x->arg[2]->i;
    int next = w->insns.count - 1;
    o->lanes = begin + 1 - next;
    w->insns.at[begin].lanes = next + 1 - begin;
}

static void write_if(writer *w, const kinst *x) {
    int unless = w->insns.count;
    add(w, op_unless, x)->a = slot_of(w, x->arg[0]);
    write_block(w, &x->body);
    int jump = w->insns.count;
    if (x->otherwise.first) add(w, op_jump, x);
    w->insns.at[unless].lanes = w->insns.count - unless;
    if (!x->otherwise.first) return;
    write_block(w, &x->otherwise);
    w->insns.at[jump].lanes = w->insns.count - jump;
}

/* The callee's code is known: compile_function made it first. */
static code *code_of(const compiler *c, const kfunc *f) {
    for (int i = 0; i < c->done.count; i++)
        if (c->done.at[i]->f == f) return c->done.at[i];
    return NULL;
}

static void write_call(writer *w, const kinst *x) {
    code *callee = code_of(w->c, x->callee);
    for (int k = 0; k < x->args; k++) move(w, x, callee->param[k], slot_of(w, x->arg[k]), x->arg[k]->type);
    add(w, op_call, x)->as.callee = callee;
}

static void write_nothing(writer *w, const kinst *x) {
    (void)w;
    (void)x;
}

static void (*const writers[K_OPS])(writer *, const kinst *) = {
    [K_PARAM] = write_param,   [K_CONST] = write_constant,  [K_ARITH] = write_arith,
    [K_CAST] = write_convert,  [K_BITS] = write_convert,    [K_SPLAT] = write_convert,
    [K_TAIL] = write_convert,  [K_LOAD] = write_load,       [K_STORE] = write_store,
    [K_OFFSET] = write_offset, [K_HSUM] = write_convert,    [K_HMAX] = write_convert,
    [K_REG] = write_register,  [K_GET] = write_get,         [K_SET] = write_set,
    [K_LOCAL] = write_local,   [K_FOR] = write_for,         [K_IF] = write_if,
    [K_CALL] = write_call,     [K_BARRIER] = write_nothing, [K_PREFETCH] = write_nothing,
};

static void write_block(writer *w, const kblock *b) {
    for (const kinst *x = b->first; x; x = x->next)
        if (!FACT(&w->f, x)->done) writers[x->op](w, x);
}

typedef struct callees {
    compiler *c;
    bool failed;
} callees;

static void compile_callee(void *context, kinst *x) {
    callees *s = context;
    if (x->op == K_CALL && !s->failed) s->failed = !compile_function(s->c, x->callee);
}

static code *write_function(compiler *c, const kfunc *f) {
    writer w = {.c = c, .code = NEW(c->arena, code), .f = facts_of(c->arena, f)};
    w.code->f = f;
    w.code->param = NEW_ARRAY(c->arena, void *, f->params + 1);
    for (int k = 0; k < f->params; k++) w.code->param[k] = slots(c, (size_t)slot_bytes(f->param[k].type));
    write_block(&w, &f->body);
    VEC_PUSH(c->arena, &w.insns, ((insn){.run = op_end}));
    w.code->insns = w.insns.at;
    VEC_PUSH(c->arena, &c->done, w.code);
    return w.code;
}

code *compile_function(compiler *c, const kfunc *f) {
    code *known = code_of(c, f);
    if (known) return known;
    if (c->depth == DEPTH_MAX) {
        diag_add(c->d, DIAG_ERROR, (span){0},
                 "internal error: functions call one another more than %d deep at %s", DEPTH_MAX, f->name);
        return NULL;
    }
    if (!kfunc_check(f, c->d)) return NULL;
    callees s = {.c = c};
    c->depth++;
    kblock_visit(&f->body, compile_callee, &s);
    c->depth--;
    return s.failed ? NULL : write_function(c, f);
}
