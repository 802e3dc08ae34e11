/* How far a window (of a convolution or pooling) walks over an image. */
#include "ir/base/size.h"
#include "ir/ops/infer.h"

/* Far above any real kernel, stride or padding, far below where products of a few of them overflow. */
enum { WINDOW_LIMIT = 1 << 24 };

int64_t window_extent(const window *w, int axis) {
    int64_t reach;
    if (!size_mul(w->kernel[axis] - 1, w->dilation[axis], &reach)) return -1;
    return reach + 1;
}

static bool numbers_fit(const node *n, const window *w, diags *d) {
    for (int a = 0; a < 2; a++)
        if (!want_within(n, "kernel", w->kernel[a], 1, WINDOW_LIMIT, d) ||
            !want_within(n, "stride", w->stride[a], 1, WINDOW_LIMIT, d) ||
            !want_within(n, "dilation", w->dilation[a], 1, WINDOW_LIMIT, d) ||
            !want_within(n, "pad", w->pad[a], 0, WINDOW_LIMIT, d) ||
            !want_within(n, "pad", w->pad[a + 2], 0, WINDOW_LIMIT, d))
            return false;
    return true;
}

/* Steps of the window over `padded` elements. PyTorch's rule in ceil mode: a window that would start beyond
 * the image and its left padding is dropped. */
static int64_t steps_over(const window *w, int axis, int64_t in, int64_t spare) {
    int64_t stride = w->stride[axis], count = spare / stride + 1;
    if (!w->ceil) return count;
    count = ceil_div(spare, stride) + 1;
    if ((count - 1) * stride >= in + w->pad[axis]) count--;
    return count;
}

bool window_output(graph *g, const node *n, const window *w, int64_t out[2], diags *d) {
    static const char *const names[2] = {"high", "wide"};
    const shape *x = &n->in[0]->shape;
    if (!numbers_fit(n, w, d)) return false;
    for (int a = 0; a < 2; a++) {
        int64_t in = x->dim[x->rank - 2 + a], padded = in + w->pad[a] + w->pad[a + 2];
        int64_t extent = window_extent(w, a);
        if (extent < 0 || extent > padded)
            return op_error(n, d,
                            "cannot %s %s: a kernel %lld %s does not fit into %lld with padding; "
                            "pad more or take a smaller kernel",
                            n->op->name, shape_text(g, x), (long long)extent, names[a], (long long)padded);
        out[a] = steps_over(w, a, in, padded - extent);
    }
    return true;
}
