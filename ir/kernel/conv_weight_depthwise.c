/* The gradient of a depthwise convolution's weight: every channel has a filter of its own, so a vector of channels of dy
 * is multiplied by one of x, for the taps of one row side by side. A kernel index is a block of channels, a row of taps
 * and one of a fixed number of parts of the batch. */
#include "ir/kernel/conv_weight.h"
#include "ir/ops/attrs.h"

#include <stdio.h>
#include <string.h>

enum { WAYS = 4 /* pixels side by side */, MOST_COLUMNS = 7, INDICES = 16, MOST_PARTS = 8 };

typedef struct depth_recipe {
    view x, dy;
    window2d window;
    int64_t blocks, parts;
} depth_recipe;

enum { P_X = 2, P_DY, P_SUMS, P_OUT };

/* Sums of a part lie [block][row of taps][tap][16]. */
static int64_t taps_count(const depth_recipe *r) {
    return r->window.kernel[1] * BLOCK;
}
static int64_t part_count(const depth_recipe *r) {
    return r->blocks * r->window.kernel[0] * taps_count(r);
}

/* `pixels` pixels from column `column` on, each into a way of its own. */
static void add_pixels(kb *b, const depth_recipe *r, kinst *sums, kinst *x, kinst *dy, kinst *column,
                       int64_t pixels) {
    const window2d *w = &r->window;
    ktype t = kb_vector(b);
    for (int64_t k = 0; k < pixels; k++) {
        kinst *at = kb_addi(b, column, k), *way = kb_int(b, k);
        kinst *g = kb_load(b, t, kb_param(b, P_DY), kb_add(b, dy, kb_muli(b, at, BLOCK)));
        kinst *from = kb_add(b, x, kb_muli(b, at, w->stride[1] * BLOCK));
        for (int64_t tap = 0; tap < w->kernel[1]; tap++) {
            kinst *i = kb_int(b, tap);
            kinst *v = kb_load(b, t, kb_param(b, P_X), kb_addi(b, from, tap * w->dilation[1] * BLOCK));
            kb_set(b, sums, i, way, kb_fma(b, g, v, kb_get(b, sums, i, way)));
        }
    }
}

static void add_row(kb *b, const depth_recipe *r, kinst *sums, kinst *x, kinst *dy) {
    int64_t width = r->dy.width, whole = width / WAYS * WAYS;
    if (whole) {
        kinst *column = kb_for(b, "x", kb_int(b, 0), kb_int(b, whole), WAYS, KLOOP_SERIAL);
        add_pixels(b, r, sums, x, dy, column, WAYS);
        kb_end(b);
    }
    add_pixels(b, r, sums, x, dy, kb_int(b, whole), width - whole);
}

static void set_all(kb *b, const depth_recipe *r, kinst *reg, int ways) {
    for (int64_t tap = 0; tap < r->window.kernel[1]; tap++)
        for (int way = 0; way < ways; way++)
            kb_set(b, reg, kb_int(b, tap), kb_int(b, way), kb_const(b, kb_vector(b), 0));
}

/* Vector u of the block: the sums of all samples [from, to) for row ky of taps. */
static void sum_taps(kb *b, const depth_recipe *r, kinst *block, kinst *ky, kinst *from, kinst *to, int u,
                     kinst *total) {
    const window2d *w = &r->window;
    kinst *first, *end, *zero = kb_int(b, 0);
    clip_results(b, w, 0, r->x.height, r->dy.height, ky, &first, &end);
    set_all(b, r, total, 1);
    kinst *s = kb_for(b, "s", from, to, 1, KLOOP_SERIAL);
    kinst *sums = kb_reg(b, "sums", kb_vector(b), (int)w->kernel[1], WAYS);
    set_all(b, r, sums, WAYS);
    kinst *y = kb_for(b, "y", first, end, 1, KLOOP_SERIAL);
    kinst *row = kb_add(b, kb_addi(b, kb_muli(b, y, w->stride[0]), -w->top), kb_muli(b, ky, w->dilation[0]));
    row_spot at = {.sample = s, .group = block};
    kinst *x = kb_addi(b, row_start(b, &r->x, &at, row), u * b->lanes - w->left * BLOCK);
    add_row(b, r, sums, x, kb_addi(b, row_start(b, &r->dy, &at, y), u * b->lanes));
    kb_end(b);
    for (int64_t tap = 0; tap < w->kernel[1]; tap++) {
        kinst *i = kb_int(b, tap), *v = kb_get(b, total, i, zero);
        for (int way = 0; way < WAYS; way++) v = kb_add(b, v, kb_get(b, sums, i, kb_int(b, way)));
        kb_set(b, total, i, zero, v);
    }
    kb_end(b);
}

static void build_rows(kb *b, const void *recipe) {
    const depth_recipe *r = recipe;
    kinst *i = kb_param(b, 0), *n = kb_param(b, 1), *ky = kb_modi(b, i, r->window.kernel[0]);
    kinst *rest = kb_divi(b, i, r->window.kernel[0]), *block = kb_modi(b, rest, r->blocks);
    kinst *part = kb_divi(b, rest, r->blocks);
    kinst *from = kb_divi(b, kb_mul(b, part, n), r->parts);
    kinst *to = kb_divi(b, kb_mul(b, kb_addi(b, part, 1), n), r->parts);
    kinst *total = kb_reg(b, "total", kb_vector(b), (int)r->window.kernel[1], 1);
    for (int u = 0; u < BLOCK / b->lanes; u++) {
        sum_taps(b, r, block, ky, from, to, u, total);
        for (int64_t tap = 0; tap < r->window.kernel[1]; tap++) {
            kinst *at = kb_addi(b, kb_muli(b, i, taps_count(r)), tap * BLOCK + u * b->lanes);
            kb_store(b, kb_param(b, P_SUMS), at, kb_get(b, total, kb_int(b, tap), kb_int(b, 0)));
        }
    }
}

/* The parts of one block added up, and written channel by channel. */
static void build_total(kb *b, const void *recipe) {
    const depth_recipe *r = recipe;
    int64_t taps = r->window.kernel[0] * r->window.kernel[1];
    kinst *block = kb_param(b, 0), *first = kb_muli(b, block, BLOCK), *zero = kb_int(b, 0);
    kinst *count = kb_min(b, kb_int(b, BLOCK), kb_sub(b, kb_int(b, r->dy.channels), first));
    kinst *lane = kb_for(b, "lane", zero, count, 1, KLOOP_SERIAL);
    kinst *tap = kb_for(b, "tap", zero, kb_int(b, taps), 1, KLOOP_SERIAL);
    kinst *at = kb_add(b, kb_muli(b, kb_add(b, kb_muli(b, block, taps), tap), BLOCK), lane), *v = NULL;
    for (int64_t k = 0; k < r->parts; k++) {
        kinst *x = kb_load(b, kb_real(b), kb_param(b, P_SUMS), kb_addi(b, at, k * part_count(r)));
        v = v ? kb_add(b, v, x) : x;
    }
    kb_store(b, kb_param(b, P_OUT), kb_add(b, kb_muli(b, kb_add(b, first, lane), taps), tap), v);
    kb_end(b);
    kb_end(b);
}

static depth_recipe outline(const node *n, int64_t max_batch) {
    depth_recipe r;
    memset(&r, 0, sizeof r);
    r.window = weight_window(n);
    r.blocks = ceil_div(n->in[1]->shape.dim[1], BLOCK);
    r.parts = ceil_div(INDICES, r.blocks * r.window.kernel[0]);
    if (r.parts > MOST_PARTS) r.parts = MOST_PARTS;
    if (r.parts > max_batch) r.parts = max_batch;
    return r;
}

static void lower_depthwise(lower *l, const node *n) {
    kbase real = l->program->real;
    depth_recipe r = outline(n, l->program->max_batch);
    r.x = lower_view(l, n->in[0]);
    r.dy = lower_view(l, n->in[1]);
    kparam params[] = {{"x", k_ptr(real)}, {"dy", k_ptr(real)}, {"sums", k_out(real)}, {"out", k_out(real)}};
    call_arg args[] = {lower_value(l, n->in[0]), lower_value(l, n->in[1]), lower_room(l, n),
                       lower_value(l, n->out[0])};
    char name[64];
    snprintf(name, sizeof name, "depthwise_weight%d_%dx%d", (int)r.window.kernel[0], (int)r.dy.channels,
             (int)r.dy.height);
    kcount runs = {r.blocks * r.window.kernel[0] * r.parts, 0};
    double work = (double)node_work(n) * (double)l->program->max_batch / (double)runs.mul;
    lower_call(l, lower_kernel(l, name, build_rows, &r, sizeof r, params, 4, runs, work), args, 4, n);
    snprintf(name, sizeof name, "depthwise_weight%d_%dx%d_total", (int)r.window.kernel[0], (int)r.dy.channels,
             (int)r.dy.height);
    work = (double)(r.parts * BLOCK * r.window.kernel[0] * r.window.kernel[1]);
    kernel *k = lower_kernel(l, name, build_total, &r, sizeof r, params, 4, (kcount){r.blocks, 0}, work);
    lower_call(l, k, args, 4, n);
}

static int64_t depthwise_room(const node *n, int64_t max_batch) {
    depth_recipe r = outline(n, max_batch);
    return r.parts * part_count(&r);
}

static bool depthwise_legal(const node *n) {
    const conv_weight_attrs *a = n->attrs;
    int64_t channels = n->in[0]->shape.dim[1];
    return channels > 1 && a->conv.groups == channels && n->in[1]->shape.dim[1] == channels &&
           a->kernel[1] <= MOST_COLUMNS;
}

static double depthwise_cost(const node *n, int64_t batch) {
    (void)batch;
    return (double)node_work(n) / 4; /* against the core, which would multiply mostly zeros */
}

static void depthwise_layouts(const node *n, layout *in, layout *out) {
    weight_halo(n, &in[0]);
    in[0].kind = LAYOUT_BLOCKED16;
    in[1] = (layout){.kind = LAYOUT_BLOCKED16};
    *out = (layout){.kind = LAYOUT_PLANAR};
}

const candidate weight_depthwise_candidate = {.name = "depthwise",
                                              .families = FAMILY_CPU,
                                              .legal = depthwise_legal,
                                              .cost = depthwise_cost,
                                              .layouts = depthwise_layouts,
                                              .lower = lower_depthwise,
                                              .room = depthwise_room};
