/* Mean and variance of each channel over the batch, in one pass: a sample's sums of what differs from the mean so far,
 * and of its squares, correct mean and squares as Chan, Golub and LeVeque do ("Updating Formulae and a Pairwise Algorithm
 * for Computing Sample Variances", 1979). So do, in their order, the parts of the batch that kernel indices take. */
#include "ir/kernel/sums.h"
#include "ir/ops/candidates.h"

/* Parameters: x, mean, variance, room. */
enum { ARG_X = 2, ARG_MEAN, ARG_VARIANCE, ARG_ROOM };

/* Statistics of some elements: one number or a vector of channels. */
typedef struct stats {
    kinst *mean, *squares; /* registers: Σ (x − mean)² */
} stats;

/* All axes but that of channels are 1. */
static shape result_of(const node *n) {
    shape s = n->in[0]->shape;
    for (int k = 0; k < s.rank; k++)
        if (k != 1) s.dim[k] = 1;
    return s;
}

static int64_t positions_of(const sums_recipe *r) {
    int64_t count = r->lanes_kept ? 1 : r->width;
    for (int64_t k = 0; k < r->loops; k++) count *= r->loop_dim[k];
    return count;
}

static ktype stats_type(const kb *b, const sums_recipe *r) {
    return r->lanes_kept ? kb_vector(b) : kb_real(b);
}

static kinst *get(kb *b, kinst *reg) {
    return kb_get(b, reg, kb_int(b, 0), kb_int(b, 0));
}
static void put(kb *b, kinst *reg, kinst *v) {
    kb_set(b, reg, kb_int(b, 0), kb_int(b, 0), v);
}

/* x − pivot, and its square where two results are wanted. */
static void differences(const sums_run *s, kinst *const *at, kinst **out) {
    kb *b = s->b;
    const sums_recipe *r = s->r;
    kinst *ptr = kb_param(b, ARG_X), *count = s->count;
    kinst *x =
        count ? kb_load_part(b, kb_vector(b), ptr, at[0], count) : kb_load(b, kb_vector(b), ptr, at[0]);
    if (s->pivot) x = kb_sub(b, x, kb_splat(b, s->pivot, b->lanes));
    if (count && !r->lanes_kept)
        x = kb_select(b, kb_tail(b, count, b->lanes), x, kb_const(b, kb_vector(b), 0));
    out[0] = x;
    if (s->results > 1) out[1] = kb_mul(b, x, x);
}

/* Sums of the sample at `at`: [0] Σ (x − pivot), [1] Σ (x − pivot)². */
static void sample_sums(kb *b, const sums_recipe *r, kinst *sums, kinst *const *at, kinst *count,
                        kinst *pivot, int64_t results, kinst **out) {
    sums_run run = {.b = b, .r = r, .values = differences, .results = results, .sums = sums, .count = count};
    run.pivot = pivot;
    sums_of_sample(&run, at, out);
    for (int64_t k = 0; k < results && !r->lanes_kept; k++) out[k] = kb_hsum(b, out[k]);
}

/* Adds `more` numbers of statistics (mean + delta, squares) to `known` ones. */
static void combine(kb *b, const stats *s, kinst *delta, kinst *squares, kinst *known, kinst *more) {
    int lanes = delta->type.lanes;
    kinst *all = kb_max(b, kb_add(b, known, more), kb_const(b, kb_real(b), 1));
    kinst *share = kb_arith(b, S_DIV, more, all, NULL);
    kinst *between = kb_splat(b, kb_mul(b, known, share), lanes);
    put(b, s->mean, kb_fma(b, delta, kb_splat(b, share, lanes), get(b, s->mean)));
    kinst *sum = kb_add(b, get(b, s->squares), squares);
    put(b, s->squares, kb_fma(b, kb_mul(b, delta, delta), between, sum));
}

/* Samples [from, to) of one vector of channels. */
static void part_stats(kb *b, const sums_recipe *r, const sums_spot *p, kinst *from, kinst *to,
                       const stats *s) {
    ktype t = stats_type(b, r);
    int64_t positions = positions_of(r);
    kinst *at[1], *v[2], *count = kb_const(b, t, (double)positions);
    kinst *sums = kb_reg(b, "sums", kb_vector(b), 2, SUMS_WAYS);
    sums_move(b, r, p->at, from, r->batch, at); /* the first sample's mean to begin with */
    sample_sums(b, r, sums, at, p->count, NULL, 1, v);
    put(b, s->mean, kb_arith(b, S_DIV, v[0], count, NULL));
    put(b, s->squares, kb_const(b, t, 0));
    kinst *sample = kb_for(b, "s", from, to, 1, KLOOP_SERIAL);
    sums_move(b, r, p->at, sample, r->batch, at);
    sample_sums(b, r, sums, at, p->count, get(b, s->mean), 2, v);
    kinst *delta = kb_arith(b, S_DIV, v[0], count, NULL);
    kinst *squares = kb_max(b, kb_sub(b, v[1], kb_mul(b, v[0], delta)), kb_const(b, t, 0));
    kinst *known = kb_cast(b, kb_real(b), kb_muli(b, kb_sub(b, sample, from), positions));
    combine(b, s, delta, squares, known, kb_const(b, kb_real(b), (double)positions));
    kb_end(b);
}

/* Where a part keeps mean (k = 0) and squares. */
static kinst *room_at(kb *b, const sums_recipe *r, kinst *part, int k, kinst *element) {
    return kb_add(b, kb_muli(b, kb_addi(b, kb_muli(b, part, 2), k), sums_results(r)), element);
}

static void store_stats(kb *b, const sums_recipe *r, const stats *s, kinst *element) {
    kinst *numbers = kb_cast(b, kb_real(b), kb_muli(b, kb_param(b, 1), positions_of(r)));
    kinst *variance = get(b, s->squares);
    variance = kb_arith(b, S_DIV, variance, kb_splat(b, numbers, variance->type.lanes), NULL);
    kinst *left = kb_sub(b, kb_int(b, r->width), element);
    bool part = r->lanes_kept && r->width % BLOCK;
    kinst *to[2] = {kb_param(b, ARG_MEAN), kb_param(b, ARG_VARIANCE)}, *v[2] = {get(b, s->mean), variance};
    for (int k = 0; k < 2; k++) {
        if (part)
            kb_store_part(b, to[k], element, v[k], left);
        else
            kb_store(b, to[k], element, v[k]);
    }
}

static stats new_stats(kb *b, const sums_recipe *r) {
    return (stats){kb_reg(b, "mean", stats_type(b, r), 1, 1), kb_reg(b, "squares", stats_type(b, r), 1, 1)};
}

static void build_stats(kb *b, const void *recipe) {
    const sums_recipe *r = recipe;
    sums_spot p = sums_find(b, r);
    stats s = new_stats(b, r);
    kinst *from, *to;
    sums_part(b, r, p.outer, &from, &to);
    for (int u = 0; u < (r->lanes_kept ? BLOCK / b->lanes : 1); u++) {
        sums_spot q = sums_vector(b, r, &p, u);
        kinst *element = r->lanes_kept ? kb_addi(b, kb_muli(b, p.block, BLOCK), u * b->lanes) : p.kept;
        part_stats(b, r, &q, from, to, &s);
        if (r->parts == 1) {
            store_stats(b, r, &s, element);
            continue;
        }
        kb_store(b, kb_param(b, ARG_ROOM), room_at(b, r, p.outer, 0, element), get(b, s.mean));
        kb_store(b, kb_param(b, ARG_ROOM), room_at(b, r, p.outer, 1, element), get(b, s.squares));
    }
}

/* The parts of one block of channels (or one channel), in their order. */
static void build_total(kb *b, const void *recipe) {
    const sums_recipe *r = recipe;
    ktype t = stats_type(b, r);
    kinst *i = kb_param(b, 0), *room = kb_param(b, ARG_ROOM);
    stats s = new_stats(b, r);
    for (int u = 0; u < (r->lanes_kept ? BLOCK / b->lanes : 1); u++) {
        kinst *element = r->lanes_kept ? kb_addi(b, kb_muli(b, i, BLOCK), u * b->lanes) : i;
        put(b, s.mean, kb_load(b, t, room, room_at(b, r, kb_int(b, 0), 0, element)));
        put(b, s.squares, kb_load(b, t, room, room_at(b, r, kb_int(b, 0), 1, element)));
        kinst *part = kb_for(b, "part", kb_int(b, 1), kb_int(b, r->parts), 1, KLOOP_SERIAL), *from, *to;
        sums_part(b, r, part, &from, &to);
        kinst *delta = kb_sub(b, kb_load(b, t, room, room_at(b, r, part, 0, element)), get(b, s.mean));
        kinst *squares = kb_load(b, t, room, room_at(b, r, part, 1, element));
        kinst *known = kb_cast(b, kb_real(b), kb_muli(b, from, positions_of(r)));
        kinst *more = kb_cast(b, kb_real(b), kb_muli(b, kb_sub(b, to, from), positions_of(r)));
        combine(b, &s, delta, squares, known, more);
        kb_end(b);
        store_stats(b, r, &s, element);
    }
}

static void lower_stats(lower *l, const node *n) {
    kbase real = l->program->real;
    shape result = result_of(n);
    sums_recipe r = sums_recipe_of(l, n, &result);
    kparam params[] = {
        {"x", k_ptr(real)}, {"mean", k_out(real)}, {"variance", k_out(real)}, {"room", k_out(real)}};
    call_arg args[4] = {lower_value(l, n->in[0]), lower_value(l, n->out[0]), lower_value(l, n->out[1])};
    int count = r.parts > 1 ? 4 : 3;
    if (r.parts > 1) args[3] = lower_room(l, n);
    int64_t blocks = sums_kept(&r) * (r.lanes_kept ? r.blocks : 1);
    double lanes = r.lanes_kept ? BLOCK : 1;
    double work = 3 * lanes * (double)(positions_of(&r) * l->program->max_batch) / (double)r.parts;
    const char *name = arena_printf(l->arena, "batch_stats_%d", (int)n->in[0]->shape.dim[1]);
    kcount runs = {blocks * r.parts, 0};
    lower_call(l, lower_kernel(l, name, build_stats, &r, sizeof r, params, count, runs, work), args, count,
               n);
    if (r.parts == 1) return;
    name = arena_printf(l->arena, "%s_total", name);
    runs = (kcount){blocks, 0};
    work = lanes * 5 * (double)r.parts;
    lower_call(l, lower_kernel(l, name, build_total, &r, sizeof r, params, count, runs, work), args, count,
               n);
}

static int64_t stats_room(const node *n, int64_t max_batch) {
    shape result = result_of(n);
    sums_recipe r = sums_outline(n, &result, max_batch);
    return r.parts > 1 ? r.parts * 2 * sums_results(&r) : 0;
}

static const candidate one_pass = {.name = "one_pass",
                                   .families = FAMILY_CPU,
                                   .layouts = sums_layouts,
                                   .lower = lower_stats,
                                   .room = stats_room};
const candidate *const batch_stats_candidates[] = {&one_pass, NULL};
