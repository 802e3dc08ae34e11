/* Conversion and normalisation of 8-bit images. */
#include "ir/kernel/pixels.h"
#include "ir/kernel/halo.h"

#include <string.h>

enum { MAX_CHANNELS = 8, ARG_PIXELS = 2, ARG_OUT };

typedef struct pixel_recipe {
    view out;
    double mean[MAX_CHANNELS], std[MAX_CHANNELS];
} pixel_recipe;

static void convert_row(kb *b, const pixel_recipe *r, int64_t c, kinst *from, kinst *to) {
    ktype t = kb_real(b);
    kinst *x = kb_for(b, "x", kb_int(b, 0), kb_int(b, r->out.width), 1, KLOOP_SERIAL);
    kinst *at = kb_addi(b, kb_add(b, from, kb_muli(b, x, r->out.channels)), c);
    kinst *v = kb_cast(b, t, kb_load(b, k_scalar(KB_U8), kb_param(b, ARG_PIXELS), at));
    v = kb_arith(b, S_DIV, v, kb_const(b, t, 255), NULL);
    v = kb_arith(b, S_DIV, kb_sub(b, v, kb_const(b, t, r->mean[c])), kb_const(b, t, r->std[c]), NULL);
    kb_store(b, kb_param(b, ARG_OUT), kb_add(b, to, kb_muli(b, x, r->out.pixel)), v);
    kb_end(b);
}

static void build_pixels(kb *b, const void *recipe) {
    const pixel_recipe *r = recipe;
    kinst *i = kb_param(b, 0), *y = kb_modi(b, i, r->out.height), *sample = kb_divi(b, i, r->out.height);
    kinst *from = kb_muli(b, i, r->out.width * r->out.channels);
    for (int64_t c = 0; c < r->out.channels; c++) {
        kinst *to = kb_add(b, kb_muli(b, sample, r->out.batch), kb_muli(b, y, r->out.row));
        to = kb_addi(b, to, r->out.start + c * r->out.channel);
        convert_row(b, r, c, from, to);
        zero_halo(b, &r->out, kb_param(b, ARG_OUT), to);
    }
}

void lower_pixels(lower *l, const node *n, buffer *pixels) {
    const value *image = n->in[0];
    pixel_recipe r;
    memset(&r, 0, sizeof r);
    r.out = lower_view(l, n->out[0]);
    for (int64_t c = 0; c < r.out.channels && c < MAX_CHANNELS; c++) {
        int64_t k = image->as.input.channels == 1 ? 0 : c;
        r.mean[c] = image->as.input.mean[k];
        r.std[c] = image->as.input.std[k];
    }
    kparam params[] = {{"pixels", k_ptr(KB_U8)}, {"out", k_out(l->program->real)}};
    call_arg args[] = {{.kind = ARG_BUFFER, .buffer = pixels}, lower_value(l, n->out[0])};
    const char *name = arena_printf(l->arena, "pixels_%dx%d", (int)r.out.channels, (int)r.out.height);
    kcount runs = {r.out.height, 1};
    double work = (double)(r.out.width * r.out.channels);
    lower_call(l, lower_kernel(l, name, build_pixels, &r, sizeof r, params, 2, runs, work), args, 2, n);
}
