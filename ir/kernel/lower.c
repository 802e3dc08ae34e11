/* Kernels by recipe, calls, and where values lie. */
#include "ir/kernel/lower.h"

#include <string.h>

static bool same_params(const kernel *k, const kparam *args, int count) {
    if (k->params != count + 2) return false;
    for (int i = 0; i < count; i++)
        if (!ktype_equal(k->param[i + 2].type, args[i].type)) return false;
    return true;
}

static kernel *find_kernel(const program *p, kernel_build *build, const void *recipe, size_t bytes,
                           const kparam *args, int count, kcount runs) {
    for (int i = 0; i < p->kernels.count; i++) {
        kernel *k = p->kernels.at[i];
        if (k->build == build && k->recipe_bytes == bytes && memcmp(k->recipe, recipe, bytes) == 0 &&
            k->count.mul == runs.mul && k->count.per == runs.per && same_params(k, args, count))
            return k;
    }
    return NULL;
}

static const char *unique_name(program *p, const char *name) {
    for (int suffix = 1;; suffix++) {
        const char *full = suffix == 1 ? name : arena_printf(p->arena, "%s_%d", name, suffix);
        bool taken = false;
        for (int i = 0; i < p->kernels.count && !taken; i++)
            taken = strcmp(p->kernels.at[i]->name, full) == 0;
        if (!taken) return full;
    }
}

static kfunc *build_body(program *p, const kernel *k, target_id t) {
    kfunc *f = NEW(p->arena, kfunc);
    *f = (kfunc){.name = k->name, .params = k->params, .param = (kparam *)k->param, .target = &targets[t]};
    kb b = {.arena = p->arena, .f = f, .program = p, .target = &targets[t], .real = p->real};
    b.lanes = target_lanes(&targets[t], p->real);
    b.at[0] = &f->body;
    k->build(&b, k->recipe);
    return f;
}

kernel *lower_kernel(lower *l, const char *name, kernel_build *build, const void *recipe, size_t bytes,
                     const kparam *args, int count, kcount runs, double work) {
    program *p = l->program;
    kernel *k = find_kernel(p, build, recipe, bytes, args, count, runs);
    if (k) return k;
    k = NEW(p->arena, kernel);
    kparam *param = NEW_ARRAY(p->arena, kparam, count + 2);
    param[0] = (kparam){"i", k_scalar(KB_INT)};
    param[1] = (kparam){"n", k_scalar(KB_INT)};
    if (count) memcpy(param + 2, args, (size_t)count * sizeof *args);
    *k = (kernel){.id = p->kernels.count,
                  .name = unique_name(p, arena_text(p->arena, name, strlen(name))),
                  .count = runs,
                  .params = count + 2,
                  .param = param,
                  .work = work,
                  .build = build,
                  .recipe = arena_copy(p->arena, recipe, bytes),
                  .recipe_bytes = bytes};
    for (int t = 0; t < TARGET_COUNT; t++)
        if (p->wanted[t]) k->body[t] = build_body(p, k, (target_id)t);
    VEC_PUSH(p->arena, &p->kernels, k);
    return k;
}

void lower_call(lower *l, kernel *k, const call_arg *args, int count, const node *n) {
    step s = {.call = {.kernel = k, .args = count, .node = n}};
    s.call.arg = arena_copy(l->arena, args, (size_t)count * sizeof *args);
    VEC_PUSH(l->arena, &l->steps->list, s);
}

call_arg lower_value(const lower *l, const value *v) {
    const place *p = &l->places[v->id];
    call_arg a = {.kind = ARG_BUFFER, .buffer = p->buffer, .offset = p->offset};
    memcpy(a.stride, p->loop_stride, sizeof a.stride);
    return a;
}

call_arg lower_room(const lower *l, const node *n) {
    return (call_arg){.kind = ARG_BUFFER, .buffer = l->places[n->out[0]->id].room};
}

call_arg lower_int(int64_t x) {
    return (call_arg){.kind = ARG_INT, .offset = x};
}

call_arg lower_scratch(lower *l, int64_t bytes) {
    int64_t rounded = round_up(bytes, BUFFER_ALIGN);
    if (rounded > l->program->scratch_bytes) l->program->scratch_bytes = rounded;
    return (call_arg){.kind = ARG_SCRATCH};
}

const expr *lower_expr(lower *l, const expr *e) {
    if (!e) return NULL;
    program *p = l->program;
    for (int i = 0; i < p->exprs.count; i++)
        if (expr_equal(p->exprs.at[i], e)) return p->exprs.at[i];
    VEC_PUSH(p->arena, &p->exprs, e);
    return e;
}

view lower_view(const lower *l, const value *v) {
    int first = v->shape.rank == 4 ? 1 : 0; /* rank 3 is C,H,W */
    view w = {.batch = l->places[v->id].batch_stride,
              .channels = v->shape.dim[first],
              .height = v->shape.dim[first + 1],
              .width = v->shape.dim[first + 2],
              .left = v->layout.left,
              .right = v->layout.right,
              .blocked = v->layout.kind == LAYOUT_BLOCKED16};
    w.pixel = w.blocked ? BLOCK : 1;
    w.row = (w.left + w.width + w.right) * w.pixel;
    w.channel = w.height * w.row;
    w.start = w.left * w.pixel;
    return w;
}

desc lower_desc(const lower *l, const value *v) {
    desc d = {.rank = v->shape.rank, .batched = shape_batched(&v->shape)};
    d.blocked = v->layout.kind == LAYOUT_BLOCKED16;
    d.axis = d.rank - 3;
    d.left = v->layout.left;
    d.right = v->layout.right;
    int64_t pixel = d.blocked ? BLOCK : 1, stride = pixel;
    d.start = d.left * pixel;
    for (int k = (int)d.rank - 1; k >= 0; k--) {
        d.dim[k] = v->shape.dim[k];
        d.stride[k] = stride;
        int64_t extent = d.dim[k];
        if (k == d.rank - 1) extent += d.left + d.right;
        if (d.blocked && k == d.axis) extent = ceil_div(extent, BLOCK);
        stride *= extent;
    }
    if (d.batched) {
        d.dim[0] = 1;
        d.stride[0] = l->places[v->id].batch_stride;
    }
    return d;
}

kinst *kb_address(kb *b, const desc *d, kinst *const *idx) {
    kinst *a = kb_int(b, d->start);
    for (int k = 0; k < d->rank; k++) {
        if (d->blocked && k == d->axis) {
            a = kb_add(b, a, kb_muli(b, kb_divi(b, idx[k], BLOCK), d->stride[k]));
            a = kb_add(b, a, kb_modi(b, idx[k], BLOCK));
        } else {
            a = kb_add(b, a, kb_muli(b, idx[k], d->stride[k]));
        }
    }
    return a;
}

bool candidate_possible(const candidate *c, const node *n, inexact most) {
    return (c->families & FAMILY_CPU) && (!c->legal || c->legal(n)) && c->inexact <= most;
}

const candidate *candidate_choose(const node *n, int64_t batch, inexact most, const char *prefer) {
    const candidate *best = NULL;
    double least = 0;
    if (node_elementwise(n)) return elementwise_candidate.legal(n) ? &elementwise_candidate : NULL;
    for (const candidate *const *c = n->op->candidates; c && *c; c++) {
        if (!candidate_possible(*c, n, most)) continue;
        if (prefer && strcmp((*c)->name, prefer) == 0) return *c;
        double cost = (*c)->cost ? (*c)->cost(n, batch) : (double)node_work(n);
        if (!best || cost < least) {
            best = *c;
            least = cost;
        }
    }
    return best;
}

const candidate *candidate_of(const node *n) {
    return n->choice ? n->choice : candidate_choose(n, 1, INEXACT_MORE, NULL);
}
