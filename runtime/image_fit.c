/* A picture as a net's input: the rules that stand in image.h. */
#include "ir/base/size.h"
#include "runtime/image_change.h"

enum { DIGIT_SIDE = 28, EDGE = 2, PADDED_SIDE = DIGIT_SIDE + 2 * EDGE, LARGE_NET = 96 };

/* What the shorter side becomes before the crop to `side`. */
static int64_t resized_side(int64_t side) {
    return side < LARGE_NET ? side : (side * 256 + 112) / 224;
}

/* torchvision's round((whole − part) / 2.0): Python rounds halves to even. */
static int middle(int64_t whole, int64_t part) {
    int64_t odd = (whole - part) % 2, half = (whole - part) / 2;
    return (int)(half + (odd && half % 2));
}

static image resize_and_crop(arena *a, const image *m, int height, int width) {
    int64_t h = m->height, w = m->width, th = resized_side(height), tw = resized_side(width);
    if (th * w >= tw * h) /* the height is the side that decides */
        w = (int64_t)((double)(th * w) / (double)h), h = th;
    else
        h = (int64_t)((double)(tw * h) / (double)w), w = tw;
    image_window window = {middle(w, width), middle(h, height), width, height};
    return image_resize(a, m, (int)w, (int)h, window);
}

bool image_fit(image *out, arena *a, const image *m, int channels, int height, int width, const char *path,
               diags *d) {
    if (channels != 1 && channels != 3)
        return diag_file(d, path,
                         "a picture has 1 or 3 channels, but the net's input has %d: give it a .npy array",
                         channels);
    if (height < 1 || width < 1 || height > IMAGE_MAX_SIDE / 2 || width > IMAGE_MAX_SIDE / 2)
        return diag_file(d, path, "the net's input of %d x %d is no size for a picture: give it a .npy array",
                         width, height);
    image c = image_convert(a, m, channels);
    bool digit = c.channels == 1 && c.width == DIGIT_SIDE && c.height == DIGIT_SIDE;
    if (c.width == width && c.height == height)
        *out = c;
    else if (digit && width == PADDED_SIDE && height == PADDED_SIDE)
        *out = image_pad(a, &c, EDGE, EDGE, EDGE, EDGE);
    else if (digit)
        *out = image_resize(a, &c, width, height, (image_window){0, 0, width, height});
    else
        *out = resize_and_crop(a, &c, height, width);
    return true;
}
