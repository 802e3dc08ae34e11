/* Sums over the batch: sum_to, and map_sums, which sums steps of an expression of several operands without writing it
 * down. A kernel index is a block of 16 results (of one, where the last axis is summed) and, where those are few, one
 * of a fixed number of parts of the batch; the parts' sums are added in their order. Within a sample four sums run side
 * by side, and samples are added up one by one: so sums of many stay exact. */
#include "ir/kernel/sums.h"
#include "ir/ops/attrs.h"

static kinst *operand_value(kb *b, const sums_recipe *r, int64_t t, kinst *at, kinst *count) {
    kinst *ptr = kb_param(b, 2 + (int)t);
    if (!r->lane[t]) return kb_splat(b, kb_load(b, kb_real(b), ptr, at), b->lanes);
    return count ? kb_load_part(b, kb_vector(b), ptr, at, count) : kb_load(b, kb_vector(b), ptr, at);
}

/* What is summed at these elements: a vector a result. */
static void values_at(const sums_run *s, kinst *const *at, kinst **out) {
    kb *b = s->b;
    const sums_recipe *r = s->r;
    kinst *in[SUMS_OPERANDS] = {NULL}, *count = s->count;
    for (int64_t t = 0; t < r->operands; t++) in[t] = operand_value(b, r, t, at[t], count);
    if (r->e)
        kb_exprs(b, r->e, in, r->step, (int)r->results, out);
    else
        out[0] = in[0];
    if (r->lanes_kept || !count || (!r->e && r->lane[0])) return;
    for (int64_t k = 0; k < r->results; k++)
        out[k] = kb_select(b, kb_tail(b, count, b->lanes), out[k], kb_const(b, kb_vector(b), 0));
}

/* Sums of samples [from, to), into total[result]. */
static void sum_samples(kb *b, const sums_recipe *r, const sums_spot *p, kinst *from, kinst *to,
                        kinst *total) {
    kinst *zero = kb_int(b, 0), *at[SUMS_OPERANDS], *v[SUMS_RESULTS];
    for (int64_t k = 0; k < r->results; k++)
        kb_set(b, total, kb_int(b, k), zero, kb_const(b, kb_vector(b), 0));
    kinst *s = kb_for(b, "s", from, to, 1, KLOOP_SERIAL);
    sums_run run = {.b = b, .r = r, .values = values_at, .results = r->results, .count = p->count};
    run.sums = kb_reg(b, "part", kb_vector(b), (int)r->results, SUMS_WAYS);
    sums_move(b, r, p->at, s, r->batch, at);
    sums_of_sample(&run, at, v);
    for (int64_t k = 0; k < r->results; k++)
        kb_set(b, total, kb_int(b, k), zero, kb_add(b, kb_get(b, total, kb_int(b, k), zero), v[k]));
    kb_end(b);
}

static kinst *result_param(kb *b, const sums_recipe *r, int64_t k) {
    return kb_param(b, 2 + (int)(r->operands + k));
}
static kinst *room_param(kb *b, const sums_recipe *r) {
    return kb_param(b, 2 + (int)(r->operands + r->results));
}

/* One vector of sums where it belongs: a result, or the part's place in the room. */
static void store_sum(kb *b, const sums_recipe *r, const sums_spot *p, int64_t k, kinst *v) {
    if (r->parts > 1) {
        kinst *at = kb_muli(b, kb_addi(b, kb_muli(b, p->outer, r->results), k), sums_results(r));
        int64_t row = r->lanes_kept ? r->blocks * BLOCK : 1;
        at = kb_add(b, kb_add(b, at, kb_muli(b, p->kept, row)), kb_muli(b, p->block, BLOCK));
        kb_store(b, room_param(b, r), kb_addi(b, at, p->u * b->lanes), r->lanes_kept ? v : kb_hsum(b, v));
        return;
    }
    kinst *at = kb_muli(b, p->kept, r->lanes_kept ? r->width : 1);
    if (r->batch_kept) at = kb_add(b, at, kb_muli(b, p->outer, r->out_batch));
    if (!r->lanes_kept) {
        kb_store(b, result_param(b, r, k), at, kb_hsum(b, v));
        return;
    }
    kinst *lane = kb_addi(b, kb_muli(b, p->block, BLOCK), p->u * b->lanes);
    kinst *left = kb_sub(b, kb_int(b, r->width), lane);
    kinst *ptr = result_param(b, r, k);
    at = kb_add(b, at, lane);
    if (r->width % BLOCK)
        kb_store_part(b, ptr, at, v, left);
    else
        kb_store(b, ptr, at, v);
}

static void build_sums(kb *b, const void *recipe) {
    const sums_recipe *r = recipe;
    sums_spot p = sums_find(b, r);
    kinst *from = kb_int(b, 0), *to = kb_int(b, 1);
    if (r->batch_kept) {
        from = p.outer;
        to = kb_addi(b, p.outer, 1);
    } else if (r->batched) {
        sums_part(b, r, p.outer, &from, &to);
    }
    kinst *total = kb_reg(b, "total", kb_vector(b), (int)r->results, 1);
    for (int u = 0; u < (r->lanes_kept ? BLOCK / b->lanes : 1); u++) {
        sums_spot q = sums_vector(b, r, &p, u);
        sum_samples(b, r, &q, from, to, total);
        for (int64_t k = 0; k < r->results; k++)
            store_sum(b, r, &q, k, kb_get(b, total, kb_int(b, k), kb_int(b, 0)));
    }
}

/* The parts' sums added up: a block (or one number) of all results an index. */
static void build_total(kb *b, const void *recipe) {
    const sums_recipe *r = recipe;
    int64_t blocks = r->lanes_kept ? r->blocks : 1, wide = r->lanes_kept ? b->lanes : 1,
            all = sums_results(r);
    kinst *i = kb_param(b, 0), *block = kb_modi(b, i, blocks), *kept = kb_divi(b, i, blocks);
    for (int64_t k = 0; k < r->results; k++) {
        for (int u = 0; u < (r->lanes_kept ? BLOCK / b->lanes : 1); u++) {
            kinst *at = kb_addi(b, kb_muli(b, i, r->lanes_kept ? BLOCK : 1), u * b->lanes), *v = NULL;
            for (int64_t part = 0; part < r->parts; part++) {
                kinst *from = kb_addi(b, at, (part * r->results + k) * all);
                kinst *x = kb_load(b, k_vector(b->real, (int)wide), room_param(b, r), from);
                v = v ? kb_add(b, v, x) : x;
            }
            kinst *lane = kb_addi(b, kb_muli(b, block, BLOCK), u * b->lanes), *ptr = result_param(b, r, k);
            kinst *to = r->lanes_kept ? kb_add(b, kb_muli(b, kept, r->width), lane) : kept;
            if (r->lanes_kept && r->width % BLOCK)
                kb_store_part(b, ptr, to, v, kb_sub(b, kb_int(b, r->width), lane));
            else
                kb_store(b, ptr, to, v);
        }
    }
}

static void emit_sums(lower *l, const node *n, const sums_recipe *r) {
    kbase real = l->program->real;
    kparam params[SUMS_OPERANDS + SUMS_RESULTS + 1];
    call_arg args[SUMS_OPERANDS + SUMS_RESULTS + 1];
    int count = 0;
    for (int t = 0; t < n->inputs + n->outputs; t++, count++) {
        bool out = t >= n->inputs;
        params[t] = (kparam){arena_printf(l->arena, "%s%d", out ? "sum" : "in", out ? t - n->inputs : t),
                             out ? k_out(real) : k_ptr(real)};
        args[t] = lower_value(l, out ? n->out[t - n->inputs] : n->in[t]);
    }
    if (r->parts > 1) {
        params[count] = (kparam){"room", k_out(real)};
        args[count++] = lower_room(l, n);
    }
    int64_t blocks = sums_kept(r) * (r->lanes_kept ? r->blocks : 1);
    double work = (double)(r->lanes_kept ? BLOCK : r->width) * (r->e ? 1 + r->e->steps : 1);
    for (int64_t k = 0; k < r->loops; k++) work *= (double)r->loop_dim[k];
    if (!r->batch_kept && r->batched) work *= (double)l->program->max_batch / (double)r->parts;
    const char *name = arena_printf(l->arena, "%s_%d", n->op->name, (int)shape_count(&n->out[0]->shape));
    kcount runs = r->batch_kept ? (kcount){blocks, 1} : (kcount){blocks * r->parts, 0};
    lower_call(l, lower_kernel(l, name, build_sums, r, sizeof *r, params, count, runs, work), args, count, n);
    if (r->parts == 1) return;
    name = arena_printf(l->arena, "%s_total", name);
    kernel *k = lower_kernel(l, name, build_total, r, sizeof *r, params, count, (kcount){blocks, 0},
                             (double)(BLOCK * r->parts * r->results));
    lower_call(l, k, args, count, n);
}

static void lower_sums(lower *l, const node *n) {
    sums_recipe r = sums_recipe_of(l, n, &n->out[0]->shape);
    emit_sums(l, n, &r);
}

static void lower_map_sums(lower *l, const node *n) {
    const map_sums_attrs *a = n->attrs;
    sums_recipe r = sums_recipe_of(l, n, &n->out[0]->shape);
    r.e = lower_expr(l, n->epilogue);
    for (int k = 0; k < n->outputs; k++) r.step[k] = a->results.at[k];
    emit_sums(l, n, &r);
}

static int64_t sums_room(const node *n, int64_t max_batch) {
    sums_recipe r = sums_outline(n, &n->out[0]->shape, max_batch);
    return r.parts > 1 ? r.parts * r.results * sums_results(&r) : 0;
}

/* ---- the candidate ---- */

/* The result is one number a channel of images (and sample); of everything else any axes may be left. */
static bool sums_legal(const node *n) {
    shape s = sums_shape(n);
    const shape *y = &n->out[0]->shape;
    if (n->inputs > SUMS_OPERANDS || n->outputs > SUMS_RESULTS || s.rank == 0) return false;
    if (s.rank != 4 || !shape_batched(&s)) return true;
    if (!sums_keep(&s, y, 1)) return false;
    for (int k = 2; k < 4; k++)
        if (sums_keep(&s, y, k) && s.dim[k] > 1) return false;
    return true;
}

const candidate sums_candidate = {.name = "sums",
                                  .families = FAMILY_CPU,
                                  .legal = sums_legal,
                                  .layouts = sums_layouts,
                                  .lower = lower_sums,
                                  .room = sums_room};

static const candidate map_candidate = {.name = "sums",
                                        .families = FAMILY_CPU,
                                        .legal = sums_legal,
                                        .layouts = sums_layouts,
                                        .lower = lower_map_sums,
                                        .room = sums_room};
const candidate *const map_sums_candidates[] = {&map_candidate, NULL};
