/* Antialiased bilinear resizing as PIL computes it on 8-bit pictures: along one axis, then the other, each
 * sum in fixed point with 22 bits and rounded to 8. The triangle filter is as wide as one output pixel
 * covers, so shrinking averages. After Pillow's src/libImaging/Resample.c, whose results it gives bit for
 * bit. */
#include "runtime/image.h"

#include <string.h>

enum { FRACTION_BITS = 22 };

/* For each output position of an axis: the input positions that it sums and their weights. */
typedef struct axis {
    int *first, *count;
    int32_t *weights; /* [positions][most] */
    int most;
} axis;

static double triangle(double x) {
    x = x < 0 ? -x : x;
    return x < 1 ? 1 - x : 0;
}

static void fill_position(const axis *x, double *w, int i, double center, double scale, int in) {
    int first = (int)(center - scale + 0.5), last = (int)(center + scale + 0.5);
    double sum = 0;
    first = first < 0 ? 0 : first;
    last = last > in ? in : last;
    for (int k = first; k < last; k++) sum += w[k - first] = triangle((k - center + 0.5) * (1 / scale));
    for (int k = 0; k < last - first; k++) {
        double v = sum != 0 ? w[k] / sum : w[k];
        x->weights[(size_t)i * (size_t)x->most + (size_t)k] = (int32_t)(0.5 + v * (1 << FRACTION_BITS));
    }
    x->first[i] = first;
    x->count[i] = last - first;
}

/* Output positions [from, from + positions) of an axis that goes from `in` to `out` pixels. */
static axis make_axis(arena *a, int in, int out, int from, int positions) {
    double step = (double)in / out, scale = step < 1 ? 1 : step; /* the filter's reach to either side */
    axis x = {NEW_ARRAY(a, int, positions), NEW_ARRAY(a, int, positions), NULL, 2 * ((int)scale + 1) + 1};
    x.weights = arena_alloc(a, (size_t)positions * (size_t)x.most, sizeof *x.weights);
    double *w = NEW_ARRAY(a, double, x.most);
    for (int i = 0; i < positions; i++) fill_position(&x, w, i, (from + i + 0.5) * step, scale, in);
    return x;
}

static unsigned char rounded(int32_t sum) {
    sum >>= FRACTION_BITS;
    return (unsigned char)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* Sums `count` samples that lie `step` bytes apart. */
static unsigned char sum_up(const unsigned char *p, size_t step, const int32_t *w, int count) {
    int32_t sum = 1 << (FRACTION_BITS - 1);
    for (int k = 0; k < count; k++) sum += p[(size_t)k * step] * w[k];
    return rounded(sum);
}

/* Along x: rows [top, top + rows) of `m`, whose first column is column `left` of the axis. */
static image resize_rows(arena *a, const image *m, const axis *x, int width, int left, int top, int rows) {
    size_t c = (size_t)m->channels, line = (size_t)m->width * c;
    image out = {width, rows, m->channels, arena_alloc(a, (size_t)rows * (size_t)width, c)};
    unsigned char *to = out.pixels;
    for (int y = 0; y < rows; y++) {
        const unsigned char *row = m->pixels + (size_t)(top + y) * line;
        for (int i = 0; i < width; i++) {
            const unsigned char *p = row + (size_t)(x->first[i] - left) * c;
            const int32_t *w = x->weights + (size_t)i * (size_t)x->most;
            for (size_t k = 0; k < c; k++) *to++ = sum_up(p + k, c, w, x->count[i]);
        }
    }
    return out;
}

/* Along y: columns [left, left + width) of `m`, whose first row is row `top` of the axis. */
static image resize_columns(arena *a, const image *m, const axis *y, int height, int top, int left,
                            int width) {
    size_t c = (size_t)m->channels, line = (size_t)m->width * c, part = (size_t)width * c;
    image out = {width, height, m->channels, arena_alloc(a, (size_t)height, part)};
    unsigned char *to = out.pixels;
    for (int i = 0; i < height; i++) {
        const unsigned char *p = m->pixels + (size_t)(y->first[i] - top) * line + (size_t)left * c;
        const int32_t *w = y->weights + (size_t)i * (size_t)y->most;
        for (size_t k = 0; k < part; k++) *to++ = sum_up(p + k, line, w, y->count[i]);
    }
    return out;
}

/* Pillow 13 goes along y first where that shrinks the height by more than twice what the width shrinks by,
 * older ones never; the order shows in the last bit. */
static bool columns_first(const image *m, int width, int height) {
    return height < m->height && 2 * (width - m->width) > height - m->height;
}

image image_resize(arena *a, const image *m, int width, int height, image_window w) {
    axis x = make_axis(a, m->width, width, w.x, w.width), y = make_axis(a, m->height, height, w.y, w.height);
    int left = x.first[0], columns = x.first[w.width - 1] + x.count[w.width - 1] - left;
    int top = y.first[0], rows = y.first[w.height - 1] + y.count[w.height - 1] - top;
    if (columns_first(m, width, height)) {
        image part = resize_columns(a, m, &y, w.height, 0, left, columns);
        return resize_rows(a, &part, &x, w.width, left, 0, w.height);
    }
    image part = resize_rows(a, m, &x, w.width, 0, top, rows);
    return resize_columns(a, &part, &y, w.height, top, 0, w.width);
}
