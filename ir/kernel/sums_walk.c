/* Walking over what a batch's sums are made of: which axes lanes, kernel indices and loops take, and four sums side by
 * side along the innermost run. */
#include "ir/kernel/sums.h"

#include <string.h>

enum {
    INDICES = 16 /* that there are at least, where it pays */,
    MOST_PARTS = 8,
    LITTLE = 1 << 15 /* elements that one index sums as fast */
};

int64_t sums_kept(const sums_recipe *r) {
    int64_t count = 1;
    for (int64_t k = 0; k < r->kept; k++) count *= r->kept_dim[k];
    return count;
}
/* Results of one part side by side, blocks whole. */
int64_t sums_results(const sums_recipe *r) {
    return sums_kept(r) * (r->lanes_kept ? r->blocks * BLOCK : 1);
}

static void add_values(const sums_run *s, int way, kinst *const *at) {
    kb *b = s->b;
    kinst *v[SUMS_RESULTS], *sums = s->sums;
    s->values(s, at, v);
    for (int64_t k = 0; k < s->results; k++) {
        kinst *i = kb_int(b, k), *j = kb_int(b, way);
        kb_set(b, sums, i, j, kb_add(b, kb_get(b, sums, i, j), v[k]));
    }
}

/* at + x·stride for every operand. */
void sums_move(kb *b, const sums_recipe *r, kinst *const *at, kinst *x, const int64_t *stride, kinst **to) {
    for (int64_t t = 0; t < r->operands; t++) to[t] = kb_add(b, at[t], kb_muli(b, x, stride[t]));
}

/* The innermost run: `size` steps of `by` elements each along `stride`. */
static void sum_run(const sums_run *s, kinst *const *at, int64_t size, const int64_t *stride, int64_t by) {
    kb *b = s->b;
    const sums_recipe *r = s->r;
    int64_t turns = size / by, even = turns / SUMS_WAYS * SUMS_WAYS;
    kinst *to[SUMS_OPERANDS];
    if (even) {
        kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, even * by), SUMS_WAYS * by, KLOOP_SERIAL);
        for (int way = 0; way < SUMS_WAYS; way++) {
            sums_move(b, r, at, kb_addi(b, x, way * by), stride, to);
            add_values(s, way, to);
        }
        kb_end(b);
    }
    for (int64_t k = even; k < turns; k++) {
        sums_move(b, r, at, kb_int(b, k * by), stride, to);
        add_values(s, (int)(k - even), to);
    }
    if (turns * by == size) return;
    sums_run last = *s;
    last.count = kb_int(b, size - turns * by);
    sums_move(b, r, at, kb_int(b, turns * by), stride, to);
    add_values(&last, 0, to);
}

static void sum_loops(const sums_run *s, kinst *const *at, int64_t k) {
    const sums_recipe *r = s->r;
    int64_t stride[SUMS_OPERANDS];
    if (k == r->loops) {
        for (int64_t t = 0; t < r->operands; t++) stride[t] = r->lanes_kept ? 0 : r->lane[t];
        sum_run(s, at, r->lanes_kept ? 1 : r->width, stride, r->lanes_kept ? 1 : s->b->lanes);
        return;
    }
    for (int64_t t = 0; t < r->operands; t++) stride[t] = r->loop_stride[t][k];
    if (r->lanes_kept && k == r->loops - 1) {
        sum_run(s, at, r->loop_dim[k], stride, 1);
        return;
    }
    kinst *to[SUMS_OPERANDS];
    kinst *j = kb_for(s->b, "j", kb_int(s->b, 0), kb_int(s->b, r->loop_dim[k]), 1, KLOOP_SERIAL);
    sums_move(s->b, r, at, j, stride, to);
    sum_loops(s, to, k + 1);
    kb_end(s->b);
}

void sums_of_sample(const sums_run *s, kinst *const *at, kinst **out) {
    kb *b = s->b;
    for (int64_t k = 0; k < s->results; k++)
        for (int way = 0; way < SUMS_WAYS; way++)
            kb_set(b, s->sums, kb_int(b, k), kb_int(b, way), kb_const(b, kb_vector(b), 0));
    sum_loops(s, at, 0);
    for (int64_t k = 0; k < s->results; k++) {
        kinst *v[SUMS_WAYS];
        for (int way = 0; way < SUMS_WAYS; way++) v[way] = kb_get(b, s->sums, kb_int(b, k), kb_int(b, way));
        out[k] = kb_add(b, kb_add(b, v[0], v[1]), kb_add(b, v[2], v[3]));
    }
}

sums_spot sums_find(kb *b, const sums_recipe *r) {
    int64_t blocks = r->lanes_kept ? r->blocks : 1;
    kinst *i = kb_param(b, 0), *rest = kb_divi(b, i, blocks);
    sums_spot p = {.block = kb_modi(b, i, blocks), .kept = kb_modi(b, rest, sums_kept(r))};
    p.outer = kb_divi(b, rest, sums_kept(r));
    rest = p.kept;
    for (int64_t t = 0; t < r->operands; t++)
        p.at[t] = kb_addi(b, kb_muli(b, p.block, r->block[t]), r->start[t]);
    for (int64_t k = r->kept - 1; k >= 0; k--) {
        kinst *index = kb_modi(b, rest, r->kept_dim[k]);
        rest = kb_divi(b, rest, r->kept_dim[k]);
        for (int64_t t = 0; t < r->operands; t++)
            p.at[t] = kb_add(b, p.at[t], kb_muli(b, index, r->kept_stride[t][k]));
    }
    return p;
}

sums_spot sums_vector(kb *b, const sums_recipe *r, const sums_spot *p, int u) {
    sums_spot q = *p;
    q.u = u;
    for (int64_t t = 0; t < r->operands && r->lanes_kept; t++)
        q.at[t] = kb_addi(b, q.at[t], u * b->lanes * r->lane[t]);
    if (r->lanes_kept && !r->whole && r->width % BLOCK)
        q.count = kb_sub(b, kb_int(b, r->width - u * b->lanes), kb_muli(b, p->block, BLOCK));
    return q;
}

void sums_part(kb *b, const sums_recipe *r, kinst *part, kinst **from, kinst **to) {
    kinst *n = kb_param(b, 1);
    *from = kb_divi(b, kb_mul(b, part, n), r->parts);
    *to = kb_divi(b, kb_mul(b, kb_addi(b, part, 1), n), r->parts);
}

/* ---- the recipe ---- */

/* The shape that the operands broadcast to. */
shape sums_shape(const node *n) {
    shape s = n->in[0]->shape;
    for (int k = 1; k < n->inputs; k++) {
        shape both;
        if (shape_broadcast(&s, &n->in[k]->shape, &both)) s = both;
    }
    return s;
}

/* Is axis k of s an axis of the result? */
bool sums_keep(const shape *s, const shape *result, int k) {
    int at = k - (s->rank - result->rank);
    return at >= 0 && result->dim[at] == s->dim[k];
}

bool sums_blocked(const node *n) {
    for (int k = 0; k < n->inputs; k++)
        if (n->in[k]->shape.rank == 4 && n->in[k]->layout.kind == LAYOUT_BLOCKED16) return true;
    return false;
}

/* Which axes lanes, kernel indices and loops walk; strides come later. */
typedef struct sums_axes {
    shape s;
    int lane, kept[MAX_RANK], loop[MAX_RANK]; /* axes */
} sums_axes;

static sums_axes axes_of(sums_recipe *r, const node *n, const shape *y) {
    sums_axes a = {.s = sums_shape(n)};
    bool blocked = sums_blocked(n);
    r->batched = shape_batched(&a.s);
    r->batch_kept = r->batched && sums_keep(&a.s, y, 0);
    a.lane = blocked ? 1 : a.s.rank - 1;
    bool none = a.lane == 0 && r->batched; /* [N] */
    r->lanes_kept = !none && sums_keep(&a.s, y, a.lane) && (a.s.dim[a.lane] > 1 || blocked);
    r->width = none ? 1 : a.s.dim[a.lane];
    r->blocks = ceil_div(r->width, BLOCK);
    r->whole = blocked;
    for (int k = (int)r->batched; k < a.s.rank; k++) {
        if (k == a.lane) continue;
        if (sums_keep(&a.s, y, k)) {
            a.kept[r->kept] = k;
            r->kept_dim[r->kept++] = a.s.dim[k];
        } else {
            a.loop[r->loops] = k;
            r->loop_dim[r->loops++] = a.s.dim[k];
        }
    }
    return a;
}

/* How many parts of the batch are summed apart. */
static int64_t parts_of(const sums_recipe *r, int64_t max_batch) {
    int64_t indices = sums_kept(r) * (r->lanes_kept ? r->blocks : 1),
            sample = r->lanes_kept ? BLOCK : r->width;
    if (!r->batched || r->batch_kept) return 1;
    for (int64_t k = 0; k < r->loops; k++) sample *= r->loop_dim[k];
    if (sample * max_batch <= LITTLE || indices >= INDICES) return 1;
    int64_t parts = ceil_div(INDICES, indices);
    if (parts > MOST_PARTS) parts = MOST_PARTS;
    return parts < max_batch ? parts : max_batch;
}

static int64_t stride_of(const desc *d, const shape *s, int axis) {
    int64_t k = axis - (s->rank - d->rank);
    return k < 0 || d->dim[k] == 1 ? 0 : d->stride[k];
}

static void set_operand(sums_recipe *r, const lower *l, const sums_axes *a, int t, const value *v) {
    desc d = lower_desc(l, v);
    r->start[t] = d.start;
    r->batch[t] = d.batched ? d.stride[0] : 0;
    for (int64_t k = 0; k < r->kept; k++) r->kept_stride[t][k] = stride_of(&d, &a->s, a->kept[k]);
    for (int64_t k = 0; k < r->loops; k++) r->loop_stride[t][k] = stride_of(&d, &a->s, a->loop[k]);
    bool none = a->lane == 0 && r->batched;
    int64_t along = none ? 0 : stride_of(&d, &a->s, a->lane);
    int64_t at = a->lane - (a->s.rank - d.rank);
    if (r->whole) { /* blocks lie `along` apart; one channel lies in a block too */
        r->lane[t] = d.blocked && at >= 0 && (d.dim[at] > 1 || a->s.dim[a->lane] == 1);
        r->block[t] = along;
    } else {
        r->lane[t] = along;
        r->block[t] = r->lanes_kept ? along * BLOCK : 0;
    }
}

static void merge_loops(sums_recipe *r) {
    for (int64_t k = r->loops - 2; k >= 0; k--) {
        bool joins = true;
        for (int64_t t = 0; t < r->operands; t++)
            joins &= r->loop_stride[t][k] == r->loop_stride[t][k + 1] * r->loop_dim[k + 1];
        if (!joins) continue;
        r->loop_dim[k] *= r->loop_dim[k + 1];
        for (int64_t t = 0; t < r->operands; t++) r->loop_stride[t][k] = r->loop_stride[t][k + 1];
        for (int64_t j = k + 1; j + 1 < r->loops; j++) {
            r->loop_dim[j] = r->loop_dim[j + 1];
            for (int64_t t = 0; t < r->operands; t++) r->loop_stride[t][j] = r->loop_stride[t][j + 1];
        }
        r->loops--;
        r->loop_dim[r->loops] = 0;
        for (int64_t t = 0; t < r->operands; t++) r->loop_stride[t][r->loops] = 0;
    }
}

sums_recipe sums_outline(const node *n, const shape *result, int64_t max_batch) {
    sums_recipe r;
    memset(&r, 0, sizeof r);
    axes_of(&r, n, result);
    r.operands = n->inputs;
    r.results = n->outputs;
    r.parts = parts_of(&r, max_batch);
    return r;
}

sums_recipe sums_recipe_of(const lower *l, const node *n, const shape *result) {
    sums_recipe r;
    memset(&r, 0, sizeof r);
    sums_axes a = axes_of(&r, n, result);
    r.operands = n->inputs;
    r.results = n->outputs;
    for (int t = 0; t < n->inputs; t++) set_operand(&r, l, &a, t, n->in[t]);
    r.out_batch = l->places[n->out[0]->id].batch_stride;
    r.parts = parts_of(&r, l->program->max_batch);
    merge_loops(&r);
    return r;
}

/* Blocked if any image comes in blocked: then everything that has channels is blocked too. */
void sums_layouts(const node *n, layout *in, layout *out) {
    bool blocked = sums_blocked(n);
    *out = (layout){.kind = LAYOUT_PLANAR};
    for (int k = 0; k < n->inputs; k++) {
        const shape *s = &n->in[k]->shape;
        bool image = s->rank == 4 && shape_batched(s);
        in[k] = (layout){.kind = LAYOUT_PLANAR};
        if (blocked && (image || (s->rank >= 3 && s->dim[s->rank - 3] > 1))) in[k].kind = LAYOUT_BLOCKED16;
    }
}
