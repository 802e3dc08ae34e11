/* The table of augmentations: what each draws, what it does in training and in testing. */
#include "runtime/augment_rows.h"

#include "runtime/random.h"

#include <math.h>

enum { CROP_ATTEMPTS = 10 };

static bool may_be(const changing *c, const augmentation *g, int64_t height, int64_t width) {
    return (height <= IMAGE_MAX_SIDE && width <= IMAGE_MAX_SIDE && height * width <= IMAGE_MAX_PIXELS) ||
           diag_file(c->diags, c->path, "%s would make this picture %lld x %lld, which is too large",
                     g->row->name, (long long)width, (long long)height);
}

/* ---- sizes ---- */

static void to_size(const augmentation *g, int *height, int *width) {
    *height = g->height;
    *width = g->width;
}

static void to_shorter_side(const augmentation *g, int *height, int *width) {
    const image m = {.height = *height, .width = *width};
    if (!g->single)
        to_size(g, height, width);
    else if (*height)
        image_shorter_side(&m, g->height, height, width);
}

static void to_padded(const augmentation *g, int *height, int *width) {
    if (*height) *height += 2 * g->pad, *width += 2 * g->pad;
}

static void to_input(const augmentation *g, int *height, int *width) {
    *height = g->to.height;
    *width = g->to.width;
}

/* ---- crops ---- */

static bool fit(const changing *c, const augmentation *g, image *out, const image *m) {
    return image_fit(out, c->arena, m, m->channels, g->height, g->width, c->path, c->diags);
}

static bool center_crop(const changing *c, const augmentation *g, image *out, const image *m) {
    if (!may_be(c, g, g->height, g->width)) return false;
    *out = image_center_crop(c->arena, m, g->height, g->width);
    return true;
}

static bool random_crop(const changing *c, const augmentation *g, image *out, const image *m) {
    int64_t height = m->height + 2 * (int64_t)g->pad, width = m->width + 2 * (int64_t)g->pad;
    if (!may_be(c, g, height, width)) return false;
    if (g->height > height || g->width > width)
        return diag_file(
            c->diags, c->path,
            "random_crop takes %d x %d of a picture that is only %lld x %lld: add pad, or resize "
            "before it",
            g->width, g->height, (long long)width, (long long)height);
    image_window w = {0, 0, g->width, g->height};
    w.y = draw_below(c->draws, (int)height - g->height + 1);
    w.x = draw_below(c->draws, (int)width - g->width + 1);
    *out = image_pad(c->arena, m, g->pad, g->pad, g->pad, g->pad);
    *out = image_crop(c->arena, out, w);
    return true;
}

/* The middle, of a shape as near to the picture's as the ratios allow. */
static image_window middle_window(const augmentation *g, const image *m) {
    double ratio = (double)m->width / m->height, low = fmin(g->ratio[0], g->ratio[1]),
           high = fmax(g->ratio[0], g->ratio[1]);
    int width = m->width, height = m->height;
    if (ratio < low) height = (int)rint(width / low);
    if (ratio > high) width = (int)rint(height * high);
    width = width < 1 ? 1 : width, height = height < 1 ? 1 : height;
    return (image_window){(m->width - width) / 2, (m->height - height) / 2, width, height};
}

static image_window random_window(const changing *c, const augmentation *g, const image *m) {
    double area = (double)m->width * m->height;
    double low = steady_log(g->ratio[0]), high = steady_log(g->ratio[1]);
    for (int k = 0; k < CROP_ATTEMPTS; k++) {
        double part = area * draw_between(c->draws, g->scale[0], g->scale[1]);
        double ratio = steady_exp(draw_between(c->draws, low, high));
        double width = rint(sqrt(part * ratio)), height = rint(sqrt(part / ratio));
        if (!(width > 0 && width <= m->width && height > 0 && height <= m->height)) continue;
        image_window w = {0, 0, (int)width, (int)height};
        w.y = draw_below(c->draws, m->height - w.height + 1);
        w.x = draw_below(c->draws, m->width - w.width + 1);
        return w;
    }
    return middle_window(g, m);
}

static bool random_resized_crop(const changing *c, const augmentation *g, image *out, const image *m) {
    if (!may_be(c, g, g->height, g->width)) return false;
    *out = image_resized_crop(c->arena, m, random_window(c, g, m), g->height, g->width);
    return true;
}

/* ---- other places ---- */

static bool resize(const changing *c, const augmentation *g, image *out, const image *m) {
    int height = g->height, width = g->width;
    int64_t longer = m->width > m->height ? m->width : m->height;
    int64_t shorter = m->width > m->height ? m->height : m->width;
    if (g->single && !may_be(c, g, g->height, g->height * longer / shorter)) return false;
    if (g->single) image_shorter_side(m, g->height, &height, &width);
    if (!may_be(c, g, height, width)) return false;
    *out = image_resized_crop(c->arena, m, (image_window){0, 0, m->width, m->height}, height, width);
    return true;
}

static bool pad(const changing *c, const augmentation *g, image *out, const image *m) {
    if (!may_be(c, g, m->height + 2 * (int64_t)g->pad, m->width + 2 * (int64_t)g->pad)) return false;
    *out = image_pad(c->arena, m, g->pad, g->pad, g->pad, g->pad);
    return true;
}

static bool random_flip(const changing *c, const augmentation *g, image *out, const image *m) {
    *out = draw_between(c->draws, 0, 1) < g->p ? image_flip(c->arena, m) : *m;
    return true;
}

static bool random_vertical_flip(const changing *c, const augmentation *g, image *out, const image *m) {
    *out = draw_between(c->draws, 0, 1) < g->p ? image_flip_vertical(c->arena, m) : *m;
    return true;
}

/* The permutation is of the input's pixels, so the picture must be as large first. */
static bool permute(const changing *c, const augmentation *g, image *out, const image *m) {
    image fitted;
    if (!image_fit(&fitted, c->arena, m, m->channels, g->to.height, g->to.width, c->path, c->diags))
        return false;
    *out = image_permute(c->arena, &fitted, g->order);
    return true;
}

/* ---- colours ---- */

static bool grayscale(const changing *c, const augmentation *g, image *out, const image *m) {
    (void)g;
    *out = image_grayscale(c->arena, m);
    return true;
}

/* Four changes in an order that is drawn too; an amount of 0 leaves one out. */
static bool color_jitter(const changing *c, const augmentation *g, image *out, const image *m) {
    static image (*const change[])(arena *, const image *, double) = {image_brightness, image_contrast,
                                                                      image_saturation, image_hue};
    const double amount[] = {g->brightness, g->contrast, g->saturation, g->hue};
    int order[] = {0, 1, 2, 3};
    double factor[4];
    for (int k = 3; k > 0; k--) {
        int other = draw_below(c->draws, k + 1), held = order[k];
        order[k] = order[other];
        order[other] = held;
    }
    for (int k = 0; k < 3; k++) factor[k] = draw_between(c->draws, fmax(0, 1 - amount[k]), 1 + amount[k]);
    factor[3] = draw_between(c->draws, -amount[3], amount[3]);
    *out = *m;
    for (int k = 0; k < 4; k++)
        if (amount[order[k]] > 0) *out = change[order[k]](c->arena, out, factor[order[k]]);
    return true;
}

const augment_row augment_rows[] = {
    {"random_resized_crop", true, random_resized_crop, fit, to_size},
    {"random_crop", true, random_crop, center_crop, to_size},
    {"center_crop", false, center_crop, center_crop, to_size},
    {"resize", false, resize, resize, to_shorter_side},
    {"pad", false, pad, pad, to_padded},
    {"random_flip", true, random_flip, NULL, NULL},
    {"random_vertical_flip", true, random_vertical_flip, NULL, NULL},
    {"color_jitter", true, color_jitter, NULL, NULL},
    {"grayscale", false, grayscale, grayscale, NULL},
    {"permute", false, permute, permute, to_input},
    {0},
};
