/* The same values in another layout: images between planar and blocked, halos added, weights packed for the
 * matrix core. Reorders of weights run once, in `prepare`. */
#include "ir/kernel/conv_transpose.h"
#include "ir/kernel/elementwise.h"
#include "ir/kernel/nest.h"
#include "ir/kernel/winograd.h"
#include "ir/ops/attrs.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

/* ---- images ---- */

typedef struct image_recipe {
    desc in, out;
} image_recipe;

static kinst *same_element(kb *b, const void *recipe, kinst *const *idx, run r) {
    const image_recipe *p = recipe;
    return nest_load(b, &p->in, kb_param(b, 2), idx, b->real, r);
}

static void build_image(kb *b, const void *recipe) {
    const image_recipe *r = recipe;
    nest_build(b, &r->out, 3, false, same_element, r);
}

static void lower_image(lower *l, const node *n) {
    image_recipe r;
    memset(&r, 0, sizeof r);
    r.in = lower_desc(l, n->in[0]);
    r.out = lower_desc(l, n->out[0]);
    nest_lower(l, n, 0, build_image, &r, sizeof r, 1);
}

/* ---- weights ---- */

/* Packed weights: out[block][row][group][column][step][16] = w[block·16 + lane][channel][row][column], where
 * the channel is group·steps + step from the first that the block reads. */
typedef struct pack_recipe {
    int64_t outputs, inputs /* of one group */, kernel[2];
    int64_t groups;
    int64_t reads; /* blocks of inputs (weights16) or channels (weights1) that a block reads */
    int64_t steps; /* 16 (weights16) or 1 */
} pack_recipe;

/* The channel within its group's weights that block `o`'s lane reads at (read, step); only valid where 0 ≤ it
 * < inputs. */
static kinst *channel_of(kb *b, const pack_recipe *r, kinst *block, kinst *output, kinst *read,
                         kinst *step_) {
    kinst *c = kb_add(b, kb_muli(b, read, r->steps), step_);
    if (r->groups == 1) return c;
    int64_t per_group = r->outputs / r->groups, blocks = ceil_div(r->inputs * r->groups, BLOCK);
    kinst *first = kb_muli(b, kb_divi(b, kb_muli(b, block, BLOCK), per_group), r->inputs);
    first = kb_min(b, kb_divi(b, first, BLOCK), kb_int(b, blocks - r->reads));
    kinst *own =
        kb_muli(b, kb_divi(b, output, per_group), r->inputs); /* first channel of the output's group */
    return kb_sub(b, kb_add(b, c, kb_muli(b, first, BLOCK)), own);
}

static void pack_lane(kb *b, const pack_recipe *r, kinst *block, kinst *row, kinst *read, kinst *column,
                      kinst *step_, kinst *lane, kinst *at) {
    kinst *zero = kb_int(b, 0), *output = kb_add(b, kb_muli(b, block, BLOCK), lane);
    kinst *inside_output = kb_min(b, output, kb_int(b, r->outputs - 1));
    kinst *c = channel_of(b, r, block, inside_output, read, step_);
    kinst *inside = kb_max(b, zero, kb_min(b, c, kb_int(b, r->inputs - 1)));
    kinst *w = kb_add(b, kb_muli(b, inside_output, r->inputs), inside);
    w = kb_add(b, kb_muli(b, kb_add(b, kb_muli(b, w, r->kernel[0]), row), r->kernel[1]), column);
    kinst *v = kb_load(b, kb_real(b), kb_param(b, 2), w), *none = kb_const(b, kb_real(b), 0);
    v = kb_select(b, kb_arith(b, S_EQ, output, inside_output, NULL), v, none);
    v = kb_select(b, kb_arith(b, S_EQ, c, inside, NULL), v, none);
    kb_store(b, kb_param(b, 3), kb_add(b, at, lane), v);
}

static void build_pack(kb *b, const void *recipe) {
    const pack_recipe *r = recipe;
    kinst *i = kb_param(b, 0), *zero = kb_int(b, 0);
    kinst *row = kb_modi(b, i, r->kernel[0]), *block = kb_divi(b, i, r->kernel[0]);
    kinst *read = kb_for(b, "read", zero, kb_int(b, r->reads), 1, KLOOP_SERIAL);
    kinst *column = kb_for(b, "column", zero, kb_int(b, r->kernel[1]), 1, KLOOP_SERIAL);
    kinst *step_ = kb_for(b, "step", zero, kb_int(b, r->steps), 1, KLOOP_SERIAL);
    kinst *at = kb_add(b, kb_muli(b, i, r->reads), read);
    at = kb_add(b, kb_muli(b, at, r->kernel[1]), column);
    at = kb_muli(b, kb_add(b, kb_muli(b, at, r->steps), step_), BLOCK);
    kinst *lane = kb_for(b, "lane", zero, kb_int(b, BLOCK), 1, KLOOP_SERIAL);
    pack_lane(b, r, block, row, read, column, step_, lane, at);
    for (int k = 0; k < 4; k++) kb_end(b);
}

static void lower_pack(lower *l, const node *n) {
    const layout *y = &n->out[0]->layout;
    const shape *w = &n->in[0]->shape;
    pack_recipe r;
    memset(&r, 0, sizeof r);
    r.outputs = w->dim[0];
    r.inputs = w->dim[1];
    r.kernel[0] = w->rank > 2 ? w->dim[2] : 1;
    r.kernel[1] = w->rank > 3 ? w->dim[3] : 1;
    r.groups = y->groups > 0 ? y->groups : 1;
    r.steps = y->kind == LAYOUT_WEIGHTS16 ? BLOCK : 1;
    r.reads = y->kind == LAYOUT_WEIGHTS16 ? weights16_blocks(w, (int)r.groups) : r.inputs;
    kparam params[] = {{"w", k_ptr(l->program->real)}, {"out", k_out(l->program->real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->out[0])};
    kcount runs = {ceil_div(r.outputs, BLOCK) * r.kernel[0], 0};
    char name[64];
    snprintf(name, sizeof name, "pack%d_%dx%d", (int)r.kernel[0], (int)r.outputs, (int)(r.inputs * r.groups));
    double work = (double)(r.reads * r.kernel[1] * r.steps * BLOCK);
    lower_call(l, lower_kernel(l, name, build_pack, &r, sizeof r, params, 2, runs, work), args, 2, n);
}

/* lanes16: dimension 0 innermost. */
typedef struct lanes_recipe {
    int64_t outputs, rest;
} lanes_recipe;

static void build_lanes(kb *b, const void *recipe) {
    const lanes_recipe *r = recipe;
    kinst *block = kb_param(b, 0), *zero = kb_int(b, 0);
    kinst *k = kb_for(b, "k", zero, kb_int(b, r->rest), 1, KLOOP_SERIAL);
    kinst *lane = kb_for(b, "lane", zero, kb_int(b, BLOCK), 1, KLOOP_SERIAL);
    kinst *output = kb_add(b, kb_muli(b, block, BLOCK), lane);
    kinst *inside = kb_min(b, output, kb_int(b, r->outputs - 1));
    kinst *v = kb_load(b, kb_real(b), kb_param(b, 2), kb_add(b, kb_muli(b, inside, r->rest), k));
    v = kb_select(b, kb_arith(b, S_EQ, output, inside, NULL), v, kb_const(b, kb_real(b), 0));
    kinst *at = kb_add(b, kb_muli(b, kb_add(b, kb_muli(b, block, r->rest), k), BLOCK), lane);
    kb_store(b, kb_param(b, 3), at, v);
    kb_end(b);
    kb_end(b);
}

static void lower_lanes(lower *l, const node *n) {
    lanes_recipe r;
    memset(&r, 0, sizeof r);
    r.outputs = n->in[0]->shape.dim[0];
    r.rest = shape_count(&n->in[0]->shape) / r.outputs;
    kparam params[] = {{"w", k_ptr(l->program->real)}, {"out", k_out(l->program->real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->out[0])};
    const char *name = arena_printf(l->arena, "lanes_%d", (int)(r.outputs * r.rest));
    kcount runs = {ceil_div(r.outputs, BLOCK), 0};
    kernel *k = lower_kernel(l, name, build_lanes, &r, sizeof r, params, 2, runs, (double)(r.rest * BLOCK));
    lower_call(l, k, args, 2, n);
}

/* ---- reorder and cast ---- */

static void lower_reorder(lower *l, const node *n) {
    layout_kind from = n->in[0]->layout.kind, to = n->out[0]->layout.kind;
    if (to == LAYOUT_WINOGRAD)
        winograd_pack(l, n);
    else if (to == LAYOUT_PHASES16)
        phases_pack(l, n);
    else if (to == LAYOUT_WEIGHTS16 || to == LAYOUT_WEIGHTS1)
        lower_pack(l, n);
    else if (to == LAYOUT_LANES16)
        lower_lanes(l, n);
    else if (from == to)
        lower_strided(l, n, expr_identity(l->arena));
    else
        lower_image(l, n);
}

static void lower_cast(lower *l, const node *n) {
    lower_strided(l, n, expr_identity(l->arena));
}

/* A reorder was put there for its layouts: they stay. */
static void reorder_layouts(const node *n, layout *in, layout *out) {
    in[0] = n->in[0]->layout;
    *out = n->out[0]->layout;
}

static const candidate reorder_copy = {
    .name = "copy", .families = FAMILY_CPU, .layouts = reorder_layouts, .lower = lower_reorder};
static const candidate cast_copy = {.name = "copy", .families = FAMILY_CPU, .lower = lower_cast};
const candidate *const reorder_candidates[] = {&reorder_copy, NULL};
const candidate *const cast_candidates[] = {&cast_copy, NULL};
