/* PNG through libpng: every kind becomes 8 bits grey or RGB. libpng reports by jumping; no jump leaves this
 * file, and all memory of ours is taken before it starts. */
#include "runtime/image_read.h"

#include <png.h>
#include <string.h>

enum { HEADER_BYTES = 33, CHUNK_MEMORY = 8 << 20, DEFLATE_BEST = 1032 };

typedef struct job {
    const picture_file *file;
    size_t at; /* bytes read so far */
    image *image;
    png_bytep *rows;
    char why[120];
} job;

static _Noreturn void on_error(png_structp png, png_const_charp text) {
    job *j = png_get_error_ptr(png);
    snprintf(j->why, sizeof j->why, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png, (void)text; /* of side information only: the pixels are whole */
}

static void read_bytes(png_structp png, png_bytep to, size_t n) {
    job *j = png_get_io_ptr(png);
    if (n > j->file->size - j->at) png_error(png, "the file is truncated");
    memcpy(to, j->file->bytes + j->at, n);
    j->at += n;
}

/* Everything to 8 bits, one or three a pixel; transparency goes. */
static void ask_for_bytes(png_structp png, png_infop info) {
    int color = png_get_color_type(png, info);
    if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static void decode(job *j, png_structp png, png_infop info) {
    png_set_read_fn(png, j, read_bytes);
    png_set_user_limits(png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(png, CHUNK_MEMORY);
    png_read_info(png, info);
    ask_for_bytes(png, info);
    if (png_get_rowbytes(png, info) != (size_t)j->image->width * (size_t)j->image->channels ||
        png_get_image_height(png, info) != (png_uint_32)j->image->height)
        png_error(png, "its header changes underway");
    png_read_image(png, j->rows);
    png_read_end(png, NULL);
}

static bool run(job *j) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, j, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        snprintf(j->why, sizeof j->why, "out of memory");
        return false;
    }
    if (setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, &info, NULL);
        return false;
    }
    decode(j, png, info);
    png_destroy_read_struct(&png, &info, NULL);
    return true;
}

static uint32_t big32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool read_png(image *m, const picture_file *f) {
    const unsigned char *b = f->bytes;
    if (f->size < HEADER_BYTES || memcmp(b + 12, "IHDR", 4) != 0)
        return diag_file(f->diags, f->path, "the PNG picture is truncated or has no header");
    bool gray = b[25] == PNG_COLOR_TYPE_GRAY || b[25] == PNG_COLOR_TYPE_GRAY_ALPHA;
    int pixels_a_byte = DEFLATE_BEST * (b[24] && b[24] < 8 ? 8 / b[24] : 1);
    if (!image_allocate(m, f, big32(b + 16), big32(b + 20), gray ? 1 : 3, pixels_a_byte)) return false;
    job j = {.file = f, .image = m, .rows = NEW_ARRAY(f->arena, png_bytep, m->height)};
    for (int y = 0; y < m->height; y++)
        j.rows[y] = m->pixels + (size_t)y * (size_t)m->width * (size_t)m->channels;
    return run(&j) || diag_file(f->diags, f->path, "the PNG picture is damaged: %s", j.why);
}
