/* Changes of colour, as PIL's ImageEnhance and its HSV mode make them. */
#include "runtime/image_change.h"

#include <math.h>

static size_t bytes_of(const image *m) {
    return (size_t)m->width * (size_t)m->height * (size_t)m->channels;
}

static image like(arena *a, const image *m) {
    return (image){m->width, m->height, m->channels, arena_alloc(a, bytes_of(m), 1)};
}

/* PIL's blend of two levels: from `base` (factor 0) to `level` (1) and beyond; fractions are dropped. */
static unsigned char blend(int base, int level, float factor) {
    float x = (float)base + factor * (float)(level - base);
    return (unsigned char)(x <= 0 ? 0 : x >= 255 ? 255 : x);
}

/* Every level blended with one `base`. */
static image blend_all(arena *a, const image *m, int base, double factor) {
    image out = like(a, m);
    unsigned char table[256];
    size_t bytes = bytes_of(m);
    for (int x = 0; x < 256; x++) table[x] = blend(base, x, (float)factor);
    for (size_t k = 0; k < bytes; k++) out.pixels[k] = table[m->pixels[k]];
    return out;
}

image image_brightness(arena *a, const image *m, double factor) {
    return blend_all(a, m, 0, factor);
}

image image_contrast(arena *a, const image *m, double factor) {
    image gray = image_convert(a, m, 1);
    size_t bytes = bytes_of(&gray);
    uint64_t sum = 0;
    for (size_t k = 0; k < bytes; k++) sum += gray.pixels[k];
    return blend_all(a, m, (int)((double)sum / (double)bytes + 0.5), factor);
}

image image_saturation(arena *a, const image *m, double factor) {
    if (m->channels == 1) return *m;
    image gray = image_convert(a, m, 1), out = like(a, m);
    size_t bytes = bytes_of(m);
    for (size_t k = 0; k < bytes; k++) out.pixels[k] = blend(gray.pixels[k / 3], m->pixels[k], (float)factor);
    return out;
}

image image_grayscale(arena *a, const image *m) {
    image gray = image_convert(a, m, 1);
    return image_convert(a, &gray, m->channels);
}

/* ---- hue ---- */

typedef struct hsv {
    unsigned char hue, saturation, value;
} hsv;

static unsigned char level(double x) {
    return (unsigned char)(x < 0 ? 0 : x > 255 ? 255 : x);
}

static hsv to_hsv(const unsigned char *p) {
    int r = p[0], g = p[1], b = p[2];
    int most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b);
    if (most == least) return (hsv){0, 0, (unsigned char)most};
    float range = (float)(most - least), h;
    float red = (float)(most - r) / range, green = (float)(most - g) / range,
          blue = (float)(most - b) / range;
    if (r == most)
        h = blue - green;
    else if (g == most)
        h = (float)(2.0 + (double)red - (double)blue);
    else
        h = (float)(4.0 + (double)green - (double)red);
    h = (float)fmod((double)h / 6.0 + 1.0, 1.0);
    return (hsv){level((double)h * 255.0), level((double)(range / (float)most) * 255.0), (unsigned char)most};
}

static void from_hsv(unsigned char *p, hsv c) {
    double six = (float)c.hue * 6.0 / 255.0, s = (double)((float)c.saturation / 255.0F), v = c.value;
    int sector = (int)six;
    double f = (double)(float)(six - sector);
    unsigned char all = c.value, none = level(round(v * (1 - s))), down = level(round(v * (1 - s * f))),
                  up = level(round(v * (1 - s * (1 - f))));
    const unsigned char rgb[6][3] = {{all, up, none},   {down, all, none}, {none, all, up},
                                     {none, down, all}, {up, none, all},   {all, none, down}};
    for (int k = 0; k < 3; k++) p[k] = c.saturation ? rgb[sector % 6][k] : all;
}

image image_hue(arena *a, const image *m, double turn) {
    if (m->channels == 1) return *m;
    image out = like(a, m);
    size_t bytes = bytes_of(m);
    unsigned char by = (unsigned char)(int)(turn * 255);
    for (size_t k = 0; k < bytes; k += 3) {
        hsv c = to_hsv(m->pixels + k);
        c.hue = (unsigned char)(c.hue + by);
        from_hsv(out.pixels + k, c);
    }
    return out;
}
