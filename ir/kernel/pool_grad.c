/* Gradients of the input of pooling and upsampling. A kernel index is one sample's plane in a block of channels (or in
 * one channel of a planar image): cleared, then every result adds what it owes where it read, in the results' order.
 * Windows that lie side by side and cover the image are written at once. */
#include "ir/kernel/halo.h"
#include "ir/kernel/pool.h"
#include "ir/kernel/upsample.h"
#include "ir/ops/candidates.h"

#include <stdio.h>
#include <string.h>

typedef struct plane_recipe {
    pool_recipe pool; /* `in` is x of a maximum, `out` the result's gradient */
    view y, dx;       /* the result itself (maxima) */
    int64_t bilinear, align_corners;
    int64_t covers; /* 1: every pixel lies in exactly one window, none of which is clipped */
} plane_recipe;

/* Arguments: dx stands behind the operands. */
enum { ARG_X = 2, ARG_Y, ARG_MAX_DY, ARG_DY = 2 };
enum { UNROLLED = 4 /* rows or columns of a window */ };

static kinst *dy_of(kb *b, const plane_recipe *r) {
    return kb_param(b, r->pool.average ? ARG_DY : ARG_MAX_DY);
}
static kinst *dx_of(kb *b, const plane_recipe *r) {
    return kb_param(b, (r->pool.average ? ARG_DY : ARG_MAX_DY) + 1);
}

static row_spot plane_of(kb *b, const plane_recipe *r) {
    kinst *i = kb_param(b, 0);
    int64_t groups = row_groups(&r->dx);
    return (row_spot){.sample = kb_divi(b, i, groups), .group = kb_modi(b, i, groups)};
}

/* Zeros in the whole plane, halo included. */
static void clear_plane(kb *b, const plane_recipe *r, const row_spot *s) {
    int64_t count = r->dx.height * r->dx.row, whole = count / b->lanes * b->lanes;
    kinst *start = kb_addi(b, row_start(b, &r->dx, s, kb_int(b, 0)), -r->dx.start);
    kinst *ptr = dx_of(b, r), *none = kb_const(b, kb_vector(b), 0);
    kinst *e = kb_for(b, "e", kb_int(b, 0), kb_int(b, whole), b->lanes, KLOOP_SERIAL);
    kb_store(b, ptr, kb_add(b, start, e), none);
    kb_end(b);
    if (whole < count) kb_store_part(b, ptr, kb_addi(b, start, whole), none, kb_int(b, count - whole));
}

/* Element (y, x), vector u, of v's plane. */
static kinst *element(kb *b, const view *v, const row_spot *s, kinst *y, kinst *x, int u) {
    return kb_addi(b, kb_add(b, row_start(b, v, s, y), kb_muli(b, x, v->pixel)), u * b->lanes);
}

static void add_at(kb *b, const plane_recipe *r, kinst *at, kinst *v) {
    kinst *ptr = dx_of(b, r);
    kb_store(b, ptr, at, kb_add(b, kb_load(b, v->type, ptr, at), v));
}

/* ---- pooling ---- */

/* Loops over the window's rows or columns. */
static kinst *each_tap(kb *b, const plane_recipe *r, int axis, const reach *over, kinst *at) {
    int64_t size = r->pool.window.kernel[axis];
    if (!r->covers) return kb_for(b, axis ? "x" : "y", over->first, over->end, over->stride->i, KLOOP_SERIAL);
    kinst *tap =
        kb_for(b, "tap", kb_int(b, 0), kb_int(b, size), 1, size <= UNROLLED ? KLOOP_UNROLL : KLOOP_SERIAL);
    return kb_add(b, kb_muli(b, at, size), tap);
}

/* Loops over the window; the first element that equals the maximum takes all, later ones find nothing left. */
static void give_window(kb *b, const plane_recipe *r, const row_spot *s, const reach over[2],
                        kinst *const at[2], int u, kinst *owed, kinst *largest) {
    kinst *zero = kb_int(b, 0), *none = kb_const(b, owed->type, 0), *left = NULL;
    if (largest) {
        left = kb_reg(b, "left", owed->type, 1, 1);
        kb_set(b, left, zero, zero, owed);
    }
    kinst *y = each_tap(b, r, 0, &over[0], at[0]), *x = each_tap(b, r, 1, &over[1], at[1]);
    if (largest) {
        kinst *v = kb_load(b, owed->type, kb_param(b, ARG_X), element(b, &r->pool.in, s, y, x, u));
        kinst *hit = kb_arith(b, S_EQ, v, largest, NULL), *rest = kb_get(b, left, zero, zero);
        owed = kb_select(b, hit, rest, none);
        kb_set(b, left, zero, zero, kb_select(b, hit, none, rest));
    }
    kinst *to = element(b, &r->dx, s, y, x, u);
    if (r->covers)
        kb_store(b, dx_of(b, r), to, owed);
    else
        add_at(b, r, to, owed);
    kb_end(b);
    kb_end(b);
}

static void clear_halos(kb *b, const plane_recipe *r, const row_spot *s) {
    if (r->dx.left + r->dx.right == 0) return;
    kinst *y = kb_for(b, "y", kb_int(b, 0), kb_int(b, r->dx.height), 1, KLOOP_SERIAL);
    zero_halo(b, &r->dx, dx_of(b, r), row_start(b, &r->dx, s, y));
    kb_end(b);
}

static void build_pool(kb *b, const void *recipe) {
    const plane_recipe *r = recipe;
    const view *out = &r->pool.out;
    row_spot s = plane_of(b, r);
    ktype t = row_type(b, out);
    kinst *at[2];
    reach over[2];
    if (r->covers)
        clear_halos(b, r, &s);
    else
        clear_plane(b, r, &s);
    at[0] = kb_for(b, "oy", kb_int(b, 0), kb_int(b, out->height), 1, KLOOP_SERIAL);
    over[0] = pool_reach(b, &r->pool, 0, at[0]);
    at[1] = kb_for(b, "ox", kb_int(b, 0), kb_int(b, out->width), 1, KLOOP_SERIAL);
    over[1] = pool_reach(b, &r->pool, 1, at[1]);
    for (int u = 0; u < row_vectors(b, out); u++) {
        kinst *owed = kb_load(b, t, dy_of(b, r), element(b, out, &s, at[0], at[1], u)), *largest = NULL;
        if (r->pool.average) {
            kinst *share = kb_cast(b, kb_real(b), kb_mul(b, over[0].count, over[1].count));
            owed = kb_arith(b, S_DIV, owed, kb_splat(b, share, t.lanes), NULL);
        } else {
            largest = kb_load(b, t, kb_param(b, ARG_Y), element(b, &r->y, &s, at[0], at[1], u));
        }
        give_window(b, r, &s, over, at, u, owed, largest);
    }
    kb_end(b);
    kb_end(b);
}

/* ---- upsampling ---- */

/* What (oy, ox) read along one axis: one pixel, or two with their weights. */
typedef struct source_pixels {
    int count;
    kinst *at[2], *weight[2];
} source_pixels;

static source_pixels sources(kb *b, const plane_recipe *r, int axis, kinst *at) {
    int64_t in = axis ? r->dx.width : r->dx.height, out = axis ? r->pool.out.width : r->pool.out.height;
    source_pixels p = {.count = 1};
    if (!r->bilinear) {
        p.at[0] = kb_divi(b, kb_muli(b, at, in), out);
        return p;
    }
    upsampling u = {in, out, r->align_corners};
    p.count = 2;
    upsample_neighbours(b, &u, at, &p.at[0], &p.at[1], &p.weight[1]);
    p.weight[0] = kb_sub(b, kb_const(b, kb_real(b), 1), p.weight[1]);
    return p;
}

static void build_upsample(kb *b, const void *recipe) {
    const plane_recipe *r = recipe;
    const view *out = &r->pool.out;
    row_spot s = plane_of(b, r);
    ktype t = row_type(b, out);
    clear_plane(b, r, &s);
    kinst *oy = kb_for(b, "oy", kb_int(b, 0), kb_int(b, out->height), 1, KLOOP_SERIAL);
    source_pixels rows = sources(b, r, 0, oy);
    kinst *ox = kb_for(b, "ox", kb_int(b, 0), kb_int(b, out->width), 1, KLOOP_SERIAL);
    source_pixels columns = sources(b, r, 1, ox);
    for (int u = 0; u < row_vectors(b, out); u++) {
        kinst *owed = kb_load(b, t, dy_of(b, r), element(b, out, &s, oy, ox, u));
        for (int k = 0; k < rows.count * columns.count; k++) {
            int row = k / columns.count, column = k % columns.count;
            kinst *v = owed;
            if (r->bilinear) {
                kinst *weight = kb_mul(b, rows.weight[row], columns.weight[column]);
                v = kb_mul(b, owed, kb_splat(b, weight, t.lanes));
            }
            add_at(b, r, element(b, &r->dx, &s, rows.at[row], columns.at[column], u), v);
        }
    }
    kb_end(b);
    kb_end(b);
}

/* ---- calls ---- */

static plane_recipe start_recipe(lower *l, const node *n) {
    plane_recipe r;
    memset(&r, 0, sizeof r);
    r.dx = lower_view(l, n->out[0]);
    r.pool.in = lower_view(l, n->inputs > 1 ? n->in[0] : n->out[0]);
    r.pool.out = lower_view(l, n->in[n->inputs - 1]);
    if (n->inputs > 1) r.y = lower_view(l, n->in[1]);
    r.pool.average = n->inputs == 1;
    for (int k = 0; k < 2; k++) r.pool.window.stride[k] = r.pool.window.dilation[k] = 1;
    return r;
}

static void emit_plane(lower *l, const node *n, const plane_recipe *r, kernel_build *build) {
    static const char *const names[] = {"x", "y", "dy"};
    kparam params[4];
    call_arg args[4];
    for (int k = 0; k < n->inputs; k++) {
        params[k] = (kparam){names[3 - n->inputs + k], k_ptr(l->program->real)};
        args[k] = lower_value(l, n->in[k]);
    }
    params[n->inputs] = (kparam){"dx", k_out(l->program->real)};
    args[n->inputs] = lower_value(l, n->out[0]);
    char name[64];
    snprintf(name, sizeof name, "%s_%dx%d", n->op->name, (int)r->dx.channels, (int)r->dx.height);
    kcount runs = {row_groups(&r->dx), 1};
    double window = r->pool.adaptive ? 1 : (double)(r->pool.window.kernel[0] * r->pool.window.kernel[1] + 1);
    double work = window * (double)(r->pool.out.height * r->pool.out.width + r->dx.height * r->dx.width);
    if (r->dx.blocked) work *= BLOCK;
    kernel *k = lower_kernel(l, name, build, r, sizeof *r, params, n->inputs + 1, runs, work);
    lower_call(l, k, args, n->inputs + 1, n);
}

/* Side by side, whole, and up to the edges? */
static bool covers(const plane_recipe *r) {
    const window2d *w = &r->pool.window;
    const view *out = &r->pool.out;
    for (int a = 0; a < 2; a++)
        if (w->kernel[a] != w->stride[a] || w->dilation[a] != 1) return false;
    return !w->top && !w->left && out->height * w->kernel[0] == r->dx.height &&
           out->width * w->kernel[1] == r->dx.width;
}

static void lower_max(lower *l, const node *n) {
    plane_recipe r = start_recipe(l, n);
    pool_set_windows(&r.pool, n->attrs, false);
    r.covers = covers(&r);
    emit_plane(l, n, &r, build_pool);
}

static void lower_avg(lower *l, const node *n) {
    const avgpool_grad_attrs *a = n->attrs;
    plane_recipe r = start_recipe(l, n);
    pool_set_windows(&r.pool, &a->pool, true);
    r.covers = covers(&r);
    emit_plane(l, n, &r, build_pool);
}

static void lower_adaptive(lower *l, const node *n) {
    plane_recipe r = start_recipe(l, n);
    r.pool.adaptive = 1;
    emit_plane(l, n, &r, build_pool);
}

static void lower_upsample(lower *l, const node *n) {
    const upsample_attrs *a = n->attrs;
    plane_recipe r = start_recipe(l, n);
    r.bilinear = strcmp(a->mode, "bilinear") == 0;
    r.align_corners = a->align_corners;
    emit_plane(l, n, &r, build_upsample);
}

/* Blocked where any operand is: the others follow. */
static void plane_layouts(const node *n, layout *in, layout *out) {
    *out = (layout){.kind = LAYOUT_PLANAR};
    for (int k = 0; k < n->inputs; k++)
        if (n->in[k]->layout.kind == LAYOUT_BLOCKED16) out->kind = LAYOUT_BLOCKED16;
    for (int k = 0; k < n->inputs; k++) in[k] = *out;
}

#define PLANE(op, function)                                                                                  \
    static const candidate op##_plane = {                                                                    \
        .name = "plane", .families = FAMILY_CPU, .layouts = plane_layouts, .lower = function};               \
    const candidate *const op##_candidates[] = {&op##_plane, NULL};
PLANE(maxpool_grad, lower_max)
PLANE(avgpool_grad, lower_avg)
PLANE(adaptive_avgpool_grad, lower_adaptive)
PLANE(adaptive_maxpool_grad, lower_adaptive)
PLANE(upsample_grad, lower_upsample)
