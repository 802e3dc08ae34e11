/* Rows of one block of channels. */
#include "ir/kernel/rows.h"

enum { LARGE = 2048 /* pixels */ };

int64_t row_groups(const view *v) {
    return v->blocked ? ceil_div(v->channels, BLOCK) : v->channels;
}

int row_vectors(const kb *b, const view *v) {
    return v->blocked ? BLOCK / b->lanes : 1;
}

ktype row_type(const kb *b, const view *v) {
    return v->blocked ? kb_vector(b) : kb_real(b);
}

/* Large images are made row by row in all their channels, so that a thread finds in its cache what it made of the
 * layer before; small ones channel by channel, as convolutions make them. */
row_spot row_spot_of(kb *b, const view *out) {
    kinst *i = kb_param(b, 0);
    row_spot s = {.sample = kb_divi(b, i, row_groups(out) * out->height)};
    bool by_row = out->height * out->width >= LARGE;
    kinst *at = kb_divi(b, i, by_row ? row_groups(out) : out->height);
    s.group = kb_modi(b, by_row ? i : at, row_groups(out));
    s.row = kb_modi(b, by_row ? at : i, out->height);
    return s;
}

kinst *row_start(kb *b, const view *v, const row_spot *s, kinst *row) {
    kinst *at = kb_add(b, kb_muli(b, s->sample, v->batch), kb_muli(b, s->group, v->channel));
    return kb_addi(b, kb_add(b, at, kb_muli(b, row, v->row)), v->start);
}

kcount row_count(const view *out, bool batched) {
    return (kcount){row_groups(out) * out->height, batched};
}

void clip_taps(kb *b, const window2d *w, int axis, int64_t size, kinst *at, kinst **first, kinst **end) {
    int64_t before = axis ? w->left : w->top, taps = w->kernel[axis], dilation = w->dilation[axis];
    kinst *from = kb_muli(b, at, w->stride[axis]), *zero = kb_int(b, 0), *all = kb_int(b, taps);
    *first = zero;
    if (before > 0) {
        kinst *outside = kb_max(b, kb_sub(b, kb_int(b, before + dilation - 1), from), zero);
        *first = kb_min(b, kb_divi(b, outside, dilation), all);
    }
    kinst *inside = kb_max(b, kb_sub(b, kb_int(b, size + before + dilation - 1), from), zero);
    *end = kb_max(b, kb_min(b, all, kb_divi(b, inside, dilation)), *first);
}

static kinst *row_operand(kb *b, const operand *o, const view *out, const row_spot *s, kinst *ptr, kinst *x,
                          int u) {
    ktype t = row_type(b, out);
    kinst *lane = kb_int(b, u * b->lanes);
    if (o->kind == OPERAND_SCALAR) {
        kinst *one = kb_load(b, kb_real(b), ptr, kb_int(b, 0));
        return out->blocked ? kb_splat(b, one, b->lanes) : one;
    }
    if (o->kind == OPERAND_CHANNEL)
        return kb_load(b, t, ptr, kb_add(b, kb_muli(b, s->group, out->blocked ? BLOCK : 1), lane));
    kinst *at = kb_add(b, row_start(b, &o->view, s, s->row), kb_muli(b, x, o->view.pixel));
    return kb_load(b, t, ptr, kb_add(b, at, lane));
}

kinst *row_epilogue(kb *b, const epilogue *ep, const view *out, const row_spot *s, int first_param, kinst *x,
                    int u, kinst *result) {
    kinst *input[1 + MAX_OPERANDS] = {result};
    for (int k = 0; k < ep->operands; k++)
        input[1 + k] = row_operand(b, &ep->operand[k], out, s, kb_param(b, first_param + k), x, u);
    kinst *y = ep->e ? kb_expr(b, ep->e, input) : result;
    if (!out->blocked || !ep->mask || out->channels % BLOCK == 0) return y;
    kinst *left = kb_sub(b, kb_int(b, out->channels - u * b->lanes), kb_muli(b, s->group, BLOCK));
    return kb_select(b, kb_tail(b, left, b->lanes), y, kb_const(b, kb_vector(b), 0));
}
