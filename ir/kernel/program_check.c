/* The checker of a whole program: every function by itself, names, the places of buffers, and every call with
 * its own numbers. */
#include "ir/base/map.h"
#include "ir/kernel/bounds.h"
#include "ir/kernel/emit.h"
#include "ir/kernel/program.h"
#include "ir/op.h"

#include <string.h>

typedef struct checker {
    arena *arena;
    const program *p;
    diags *d;
    bounds_walker *walker;
    map proven; /* calls by their numbers: layers of one shape are looked at once */
    int64_t n;
    target_id which;
    entry_kind entry; /* being looked at */
} checker;

static bool wrong(const checker *c, span at, const char *why) {
    diag_add(c->d, DIAG_ERROR, at, "internal error: program %s: %s", c->p->name, why);
    return false;
}

/* ---- functions ---- */

enum { CALLS_DEEP = 16 };

typedef struct depth_walk {
    int depth, most;
} depth_walk;

static void measure_call(void *context, kinst *x) {
    depth_walk *w = context;
    if (x->op != K_CALL || !x->callee || w->most >= CALLS_DEEP) return;
    w->depth++;
    if (w->depth > w->most) w->most = w->depth;
    if (w->depth < CALLS_DEEP) kblock_visit(&x->callee->body, measure_call, w);
    w->depth--;
}

static bool check_function(const checker *c, const kfunc *f, map *names) {
    depth_walk w = {0};
    if (!kfunc_check(f, c->d)) return false;
    if (map_get(names, f->name))
        return wrong(c, (span){0},
                     arena_printf(c->arena, "two functions for %s are called %s", f->target->name, f->name));
    map_put(names, f->name, (void *)(uintptr_t)f);
    kblock_visit(&f->body, measure_call, &w);
    return w.most < CALLS_DEEP ||
           wrong(c, (span){0}, arena_printf(c->arena, "%s calls itself or nests calls too deeply", f->name));
}

static bool check_functions(const checker *c) {
    bool good = true;
    for (int t = 0; t < TARGET_COUNT; t++) {
        map names = map_in(c->arena);
        for (int i = 0; i < c->p->micros[t].count && good; i++)
            good = check_function(c, c->p->micros[t].at[i], &names);
        for (int i = 0; i < c->p->kernels.count && good; i++)
            if (c->p->kernels.at[i]->body[t]) good = check_function(c, c->p->kernels.at[i]->body[t], &names);
    }
    return good;
}

/* ---- buffers ---- */

static int64_t elements(const buffer *b, int64_t n) {
    return b->fixed + b->per_sample * n;
}

static bool check_buffer(const checker *c, const buffer *b) {
    const program *p = c->p;
    int64_t end = b->offset + elements(b, p->max_batch) * kbase_bytes(b->elem), room = INT64_MAX;
    if (b->area == AREA_PACKED) room = p->packed_bytes;
    if (b->area == AREA_WORKSPACE) room = p->scratch_bytes ? p->scratch_offset : p->workspace_bytes;
    if (b->area == AREA_STEP) room = p->step_scratch_offset ? p->step_scratch_offset : p->step_bytes;
    if (b->area == AREA_PARAMS) room = p->params_bytes;
    if (b->area == AREA_MOMENTS) room = p->moments_bytes;
    bool inside = b->fixed >= 0 && b->per_sample >= 0 &&
                  b->offset >= (b->area == AREA_PACKED ? PACKED_HEADER : 0) && end <= room;
    bool numbers = b->area == AREA_PARAMS || b->area == AREA_MOMENTS;
    bool aligned = b->offset % (numbers ? 4 : BUFFER_ALIGN) == 0;
    if (inside && aligned) return true;
    return wrong(c, (span){0},
                 arena_printf(c->arena, "buffer %s at bytes %lld to %lld is %s", b->name,
                              (long long)b->offset, (long long)end,
                              inside ? "not aligned" : "not inside its area"));
}

static bool check_buffers(const checker *c) {
    const program *p = c->p;
    for (int i = 0; i < p->buffers.count; i++)
        if (p->buffers.at[i]->id != i || !check_buffer(c, p->buffers.at[i])) return false;
    int64_t scratch = p->scratch_bytes * p->max_threads;
    bool fits = p->scratch_offset + scratch <= p->workspace_bytes &&
                (!p->step_scratch_offset || p->step_scratch_offset + scratch <= p->step_bytes);
    return !p->scratch_bytes || fits || wrong(c, (span){0}, "scratch does not fit the workspace");
}

/* ---- calls ---- */

static const char *place(const call *k) {
    const node *n = k->node;
    if (!n) return "no node";
    return n->scope && n->scope->path && *n->scope->path ? n->scope->path : n->op ? n->op->name : "a node";
}

static bool call_wrong(const checker *c, const call *k, const char *why) {
    span at = k->node ? k->node->at : (span){0};
    return wrong(c, at, arena_printf(c->arena, "kernel %s (%s): %s", k->kernel->name, place(k), why));
}

/* Only what the entry is given, and changed only what is its own. */
static bool check_area(const checker *c, const call *k, const buffer *b, bool writes) {
    if (entry_allows(c->entry, b->area, writes)) return true;
    bool may_read = entry_allows(c->entry, b->area, false);
    return call_wrong(
        c, k,
        arena_printf(c->arena,
                     may_read ? "writes %s, which may only be read" : "is given %s, which its entry has not",
                     b->name));
}

static bool check_types(const checker *c, const call *k) {
    const kernel *f = k->kernel;
    if (f->params != k->args + 2) return call_wrong(c, k, "the call has another number of arguments");
    for (int i = 0; i < k->args; i++) {
        const call_arg *g = &k->arg[i];
        ktype t = f->param[i + 2].type;
        bool number = g->kind == ARG_INT, known = g->kind != ARG_BUFFER || g->buffer;
        if (!known || number != (t.base == KB_INT) || (!number && t.base != KB_PTR) ||
            (g->kind == ARG_BUFFER && g->buffer->elem != t.elem))
            return call_wrong(c, k,
                              arena_printf(c->arena, "argument %s has another type", f->param[i + 2].name));
        if (g->kind == ARG_BUFFER && !check_area(c, k, g->buffer, t.writes)) return false;
    }
    return true;
}

/* The call's numbers: n, and the argument and room of every parameter. */
typedef struct numbers {
    bounds_region *regions; /* one an argument */
    bounds_arg *args;       /* n first */
} numbers;

static numbers numbers_of(const checker *c, const call *k, const int64_t *loop) {
    numbers r = {NEW_ARRAY(c->arena, bounds_region, k->args + 1),
                 NEW_ARRAY(c->arena, bounds_arg, k->args + 1)};
    r.args[0] = (bounds_arg){-1, c->n};
    for (int i = 0; i < k->args; i++) {
        const call_arg *g = &k->arg[i];
        int64_t at = g->offset;
        for (int v = 0; v < MAX_LOOPS; v++) at += g->stride[v] * loop[v];
        r.args[i + 1] = (bounds_arg){g->kind == ARG_INT ? -1 : i, at};
        kbase e = (kbase)k->kernel->param[i + 2].type.elem;
        if (g->kind == ARG_BUFFER) r.regions[i] = (bounds_region){g->buffer->name, elements(g->buffer, c->n)};
        if (g->kind == ARG_SCRATCH)
            r.regions[i] = (bounds_region){"scratch", c->p->scratch_bytes / kbase_bytes(e)};
    }
    return r;
}

/* Two calls with the same text cannot differ. */
static const char *text_of(const checker *c, const call *k, const numbers *r) {
    text t = text_in(c->arena);
    text_printf(&t, "%d %d %lld", k->kernel->id, (int)c->which, (long long)c->n);
    for (int i = 0; i < k->args; i++)
        text_printf(&t, " %lld:%lld", (long long)r->args[i + 1].number, (long long)r->regions[i].count);
    return t.at;
}

static bool report(const checker *c, const call *k, const bounds_error *e) {
    if (!e->at) return call_wrong(c, k, "calls nest too deeply");
    return call_wrong(
        c, k,
        arena_printf(c->arena,
                     "for %s, n = %lld, index %lld, %%%d in %s touches elements %lld to %lld of %s, which "
                     "has %lld",
                     targets[c->which].name, (long long)c->n, (long long)e->index, e->at->id, e->f->name,
                     (long long)e->lo, (long long)e->hi, e->region, (long long)e->count));
}

static bool check_call(checker *c, const call *k, const int64_t *loop) {
    const kfunc *f = k->kernel->body[c->which];
    bounds_error e = {0};
    if (!f) return true;
    numbers r = numbers_of(c, k, loop);
    const char *key = text_of(c, k, &r);
    if (map_get(&c->proven, key)) return true;
    if (!bounds_check(c->walker, f, kcount_of(k->kernel->count, c->n), r.regions, r.args, &e))
        return report(c, k, &e);
    map_put(&c->proven, key, c);
    return true;
}

/* Offsets are linear in the loops around, so the first and the last turn of each are enough. */
static bool check_steps(checker *c, const steps *s, int64_t *loop, int depth) {
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        if (!t->is_loop) {
            if (!check_types(c, &t->call) || !check_call(c, &t->call, loop)) return false;
            continue;
        }
        if (depth == MAX_LOOPS) return wrong(c, (span){0}, "loops around calls nest too deeply");
        if (t->count < 1) return wrong(c, (span){0}, "a loop around calls has no turn");
        for (int64_t turn = 0;; turn = t->count - 1) {
            loop[depth] = turn;
            if (!check_steps(c, t->body, loop, depth + 1)) return false;
            if (turn == t->count - 1) break;
        }
        loop[depth] = 0;
    }
    return true;
}

static bool check_entries(checker *c) {
    for (int e = 0; e < ENTRY_KINDS; e++) {
        int64_t loop[MAX_LOOPS] = {0};
        c->entry = (entry_kind)e;
        if (c->p->entries[e].present && !check_steps(c, &c->p->entries[e].steps, loop, 0)) return false;
    }
    return true;
}

bool program_check(const program *p, diags *d) {
    checker c = {.arena = d->arena, .p = p, .d = d, .proven = map_in(d->arena)};
    c.walker = bounds_new(d->arena);
    if (!check_functions(&c) || !check_buffers(&c)) return false;
    for (int t = 0; t < TARGET_COUNT; t++) {
        c.which = (target_id)t;
        c.n = 1;
        if (!check_entries(&c)) return false;
        c.n = p->max_batch;
        if (c.n > 1 && !check_entries(&c)) return false;
    }
    return true;
}
