/* Opens pictures by content; conversions that need no library. */
#include "runtime/image.h"

#include "ir/base/file.h"
#include "runtime/image_read.h"

#include <string.h>

bool image_allocate(image *m, const picture_file *f, int64_t width, int64_t height, int channels, int most) {
    if (width < 1 || height < 1 || width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE ||
        width * height > IMAGE_MAX_PIXELS)
        return diag_file(f->diags, f->path,
                         "the picture is %lld x %lld: netc reads up to %d a side and %d million pixels",
                         (long long)width, (long long)height, IMAGE_MAX_SIDE, IMAGE_MAX_PIXELS / 1000000);
    if (width * height / most > (int64_t)f->size)
        return diag_file(f->diags, f->path,
                         "%zu bytes cannot hold the %lld x %lld pixels that the picture claims", f->size,
                         (long long)width, (long long)height);
    *m = (image){(int)width, (int)height, channels,
                 arena_alloc(f->arena, (size_t)(width * height), (size_t)channels)};
    return true;
}

static const struct format {
    const char *magic;
    size_t bytes;
    bool (*read)(image *, const picture_file *);
    const char *name; /* of what is known but not read */
} formats[] = {
    {"\x89PNG\r\n\x1a\n", 8, read_png, NULL},
    {"\xff\xd8\xff", 3, read_jpeg, NULL},
    {"GIF8", 4, NULL, "GIF"},
    {"BM", 2, NULL, "BMP"},
    {"RIFF", 4, NULL, "WebP"},
    {"II*\0", 4, NULL, "TIFF"},
    {"MM\0*", 4, NULL, "TIFF"},
    {"P5", 2, NULL, "PGM"},
    {"P6", 2, NULL, "PPM"},
};

bool image_decode(image *m, arena *a, const unsigned char *bytes, size_t size, const char *path, diags *d) {
    const picture_file f = {path, bytes, size, a, d};
    *m = (image){0};
    if (size == 0) return diag_file(d, path, "the file is empty: expected a picture");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const struct format *k = &formats[i];
        if (size < k->bytes || memcmp(bytes, k->magic, k->bytes) != 0) continue;
        if (k->read) return k->read(m, &f);
        return diag_file(d, path, "this is a %s picture: netc reads PNG and JPEG; convert it first", k->name);
    }
    return diag_file(d, path, "this is neither a PNG nor a JPEG picture");
}

/* The arena's jump is caught on its way out, so that the map does not stay behind. */
bool image_open(image *m, arena *a, const char *path, diags *d) {
    file_map map;
    if (!file_open(&map, path, d)) return false;
    trap here, *outer = a->trap;
    a->trap = &here;
    if (setjmp(here.jump)) {
        a->trap = outer;
        file_close(&map);
        trap_spring(outer, here.reason);
    }
    bool ok = image_decode(m, a, map.bytes, map.size, path, d);
    a->trap = outer;
    file_close(&map);
    return ok;
}

image image_convert(arena *a, const image *m, int channels) {
    if (channels == m->channels) return *m;
    size_t count = (size_t)m->width * (size_t)m->height;
    image out = {m->width, m->height, channels, arena_alloc(a, count, (size_t)channels)};
    const unsigned char *p = m->pixels;
    for (size_t i = 0; i < count; i++) {
        if (channels == 1)
            out.pixels[i] =
                (unsigned char)((p[3 * i] * 19595 + p[3 * i + 1] * 38470 + p[3 * i + 2] * 7471 + 0x8000) >>
                                16);
        else
            memset(out.pixels + 3 * i, p[i], 3);
    }
    return out;
}

image_levels image_levels_of(const image_norm *norm) {
    image_levels l;
    for (int c = 0; c < 3; c++)
        for (int x = 0; x < 256; x++) l.of[c][x] = ((float)x / norm->divisor - norm->mean[c]) / norm->std[c];
    return l;
}

void image_planar(float *out, const image *m, const image_levels *levels) {
    size_t plane = (size_t)m->width * (size_t)m->height, channels = (size_t)m->channels;
    const unsigned char *p = m->pixels;
    if (channels == 3) {
        for (size_t i = 0; i < plane; i++, p += 3) {
            out[i] = levels->of[0][p[0]];
            out[plane + i] = levels->of[1][p[1]];
            out[2 * plane + i] = levels->of[2][p[2]];
        }
    } else {
        for (size_t i = 0; i < plane; i++) out[i] = levels->of[0][p[i]];
    }
}
