/* Changes of where pixels lie. */
#include "runtime/image_change.h"

#include <limits.h>
#include <string.h>

static image empty(arena *a, int height, int width, int channels) {
    return (image){width, height, channels, arena_alloc(a, (size_t)height * (size_t)width, (size_t)channels)};
}

static unsigned char *pixel(const image *m, int y, int x) {
    return m->pixels + ((size_t)y * (size_t)m->width + (size_t)x) * (size_t)m->channels;
}

image image_crop(arena *a, const image *m, image_window w) {
    if (w.width == m->width && w.height == m->height) return *m;
    image out = empty(a, w.height, w.width, m->channels);
    size_t line = (size_t)w.width * (size_t)m->channels;
    for (int y = 0; y < w.height; y++) memcpy(pixel(&out, y, 0), pixel(m, w.y + y, w.x), line);
    return out;
}

image image_pad(arena *a, const image *m, int left, int top, int right, int bottom) {
    if (!(left | top | right | bottom)) return *m;
    image out = empty(a, m->height + top + bottom, m->width + left + right, m->channels);
    size_t line = (size_t)m->width * (size_t)m->channels;
    for (int y = 0; y < m->height; y++) memcpy(pixel(&out, y + top, left), pixel(m, y, 0), line);
    return out;
}

/* torchvision's round((whole - part) / 2.0): Python rounds halves to even. */
static int middle(int whole, int part) {
    int odd = (whole - part) % 2, half = (whole - part) / 2;
    return half + (odd && half % 2);
}

static int missing(int size, int has) {
    return size > has ? size - has : 0;
}

image image_center_crop(arena *a, const image *m, int height, int width) {
    int more_x = missing(width, m->width), more_y = missing(height, m->height);
    image padded = image_pad(a, m, more_x / 2, more_y / 2, (more_x + 1) / 2, (more_y + 1) / 2);
    image_window w = {middle(padded.width, width), middle(padded.height, height), width, height};
    return image_crop(a, &padded, w);
}

image image_resized_crop(arena *a, const image *m, image_window w, int height, int width) {
    image part = image_crop(a, m, w);
    if (part.width == width && part.height == height) return part;
    return image_resize(a, &part, width, height, (image_window){0, 0, width, height});
}

image image_flip(arena *a, const image *m) {
    image out = empty(a, m->height, m->width, m->channels);
    size_t c = (size_t)m->channels;
    for (int y = 0; y < m->height; y++) {
        const unsigned char *from = pixel(m, y, 0);
        unsigned char *to = pixel(&out, y, m->width);
        for (int x = 0; x < m->width; x++, from += c) {
            to -= c;
            to[0] = from[0];
            if (c == 3) to[1] = from[1], to[2] = from[2];
        }
    }
    return out;
}

image image_flip_vertical(arena *a, const image *m) {
    image out = empty(a, m->height, m->width, m->channels);
    size_t line = (size_t)m->width * (size_t)m->channels;
    for (int y = 0; y < m->height; y++) memcpy(pixel(&out, m->height - 1 - y, 0), pixel(m, y, 0), line);
    return out;
}

image image_permute(arena *a, const image *m, const int32_t *order) {
    image out = empty(a, m->height, m->width, m->channels);
    size_t c = (size_t)m->channels, count = (size_t)m->height * (size_t)m->width;
    for (size_t k = 0; k < count; k++) memcpy(out.pixels + k * c, m->pixels + (size_t)order[k] * c, c);
    return out;
}

void image_shorter_side(const image *m, int side, int *height, int *width) {
    bool upright = m->width <= m->height;
    int64_t shorter = upright ? m->width : m->height, longer = upright ? m->height : m->width;
    longer = (int64_t)((double)(side * longer) / (double)shorter);
    if (longer > INT_MAX) longer = INT_MAX; /* too large in any case */
    *width = upright ? side : (int)longer;
    *height = upright ? (int)longer : side;
}
