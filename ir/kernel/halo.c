/* Zero columns around a row. */
#include "ir/kernel/halo.h"

/* `columns` zero pixels from element `at` on. */
static void zero_columns(kb *b, int64_t pixel, int64_t columns, kinst *out, kinst *at) {
    int64_t lanes = pixel == BLOCK ? b->lanes : 1;
    ktype type = lanes > 1 ? kb_vector(b) : kb_real(b);
    if (!columns) return;
    kinst *x = kb_for(b, "h", kb_int(b, 0), kb_int(b, columns * pixel), lanes, KLOOP_SERIAL);
    kb_store(b, out, kb_add(b, at, x), kb_const(b, type, 0));
    kb_end(b);
}

void zero_halo(kb *b, const view *v, kinst *out, kinst *at) {
    zero_columns(b, v->pixel, v->left, out, kb_addi(b, at, -v->left * v->pixel));
    zero_columns(b, v->pixel, v->right, out, kb_addi(b, at, v->width * v->pixel));
}
