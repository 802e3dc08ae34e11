/* A digest of all that a backend can see of a program for one target: entries, calls, the functions that they
 * reach, buffers, sizes. Names of registers and loops, and what calls compute, are comments. */
#include "ir/base/map.h"
#include "ir/kernel/program.h"

typedef struct digesting {
    digest *to;
    target_id target;
    map seen; /* functions by name */
} digesting;

static void add_function(digesting *g, const kfunc *f);
static void add_block(digesting *g, const kblock *b);

/* Small numbers that stand together: 16 bits each. */
static int64_t packed(int a, int b, int c, int d) {
    return (int64_t)((uint64_t)a << 48 ^ (uint64_t)b << 32 ^ (uint64_t)c << 16 ^ (uint64_t)d);
}

static int64_t type_of(ktype t) {
    return packed(t.base, t.lanes, t.elem, t.writes);
}

static void add_instruction(digesting *g, const kinst *x) {
    bool numbers = x->i || !real_same(x->f, 0), sizes = x->dim[0] || x->dim[1];
    bool blocks = x->body.first || x->otherwise.first || x->op == K_FOR || x->op == K_IF;
    int has = numbers | sizes << 1 | blocks << 2 | (int)x->loop << 3;
    digest_number(g->to, packed(x->op, (int)x->scalar, x->args, has));
    digest_number(g->to, type_of(x->type));
    digest_number(g->to, x->id);
    for (int k = 0; k < x->args; k++) digest_number(g->to, x->arg[k]->id);
    if (numbers) digest_number(g->to, x->i);
    if (numbers) digest_add(g->to, &x->f, sizeof x->f);
    if (sizes) digest_number(g->to, packed(0, 0, x->dim[0], x->dim[1]));
    if (blocks) add_block(g, &x->body);
    if (blocks) add_block(g, &x->otherwise);
    if (x->callee) add_function(g, x->callee);
}

static void add_block(digesting *g, const kblock *b) {
    for (const kinst *x = b->first; x; x = x->next) add_instruction(g, x);
    digest_number(g->to, -1);
}

static void add_function(digesting *g, const kfunc *f) {
    digest_text(g->to, f->name);
    if (map_get(&g->seen, f->name)) return;
    map_put(&g->seen, f->name, g);
    digest_number(g->to, packed(f->micro, 0, f->params, 0));
    for (int k = 0; k < f->params; k++) digest_number(g->to, type_of(f->param[k].type));
    add_block(g, &f->body);
}

static void add_kernel(digesting *g, const kernel *k) {
    digest_number(g->to, k->id);
    digest_number(g->to, k->count.mul);
    digest_number(g->to, k->count.per);
    digest_number(g->to, k->params);
    digest_add(g->to, &k->work, sizeof k->work);
    if (k->body[g->target]) add_function(g, k->body[g->target]);
}

static void add_argument(digesting *g, const call_arg *a) {
    digest_number(g->to, packed((int)a->kind, 0, 0, 0));
    if (a->kind == ARG_BUFFER) digest_number(g->to, a->buffer->id);
    digest_number(g->to, a->offset);
    for (int k = 0; k < MAX_LOOPS; k++) digest_number(g->to, a->stride[k]);
}

static void add_steps(digesting *g, const steps *s) {
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        if (t->is_loop) {
            digest_number(g->to, t->count);
            add_steps(g, t->body);
            continue;
        }
        add_kernel(g, t->call.kernel);
        digest_number(g->to, t->call.args);
        for (int k = 0; k < t->call.args; k++) add_argument(g, &t->call.arg[k]);
    }
    digest_number(g->to, -1);
}

static void add_buffer(digesting *g, const buffer *b) {
    const int64_t all[] = {
        b->id, packed((int)b->area, (int)b->elem, 0, 0), b->fixed, b->per_sample, b->offset, b->index};
    digest_add(g->to, all, sizeof all);
    if (b->area == AREA_CONST) digest_add(g->to, b->data, (size_t)b->fixed * sizeof *b->data);
}

void program_digest(arena *a, const program *p, target_id which, digest *to) {
    digesting g = {.to = to, .target = which, .seen = map_in(a)};
    const int64_t sizes[] = {
        which,           (int64_t)p->real,       p->max_batch,      p->max_threads,   p->params_bytes,
        p->packed_bytes, p->workspace_bytes,     p->scratch_offset, p->scratch_bytes, p->moments_bytes,
        p->step_bytes,   p->step_scratch_offset, p->profiled};
    digest_add(to, sizes, sizeof sizes);
    for (int i = 0; i < p->buffers.count; i++) add_buffer(&g, p->buffers.at[i]);
    for (int k = 0; k < ENTRY_KINDS; k++) {
        digest_number(to, p->entries[k].present ? k : -1);
        if (p->entries[k].present) add_steps(&g, &p->entries[k].steps);
    }
}
