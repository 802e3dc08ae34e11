/* JPEG through libjpeg-turbo, decoded as PIL does it: exact integer DCT, fancy upsampling. libjpeg reports by
 * jumping; no jump leaves this file, and all memory of ours is taken before pixels are read: the file is
 * opened twice, once for its size. */
#include "runtime/image_read.h"

#include <stdio.h> /* jpeglib.h needs it before */

#include <jerror.h>
#include <jpeglib.h>
#include <string.h>

/* A coefficient block of 64 pixels takes a bit at least: 512 pixels a byte, and as much again for headers. */
enum { PIXELS_A_BYTE = 1024, MAX_SCANS = 100, MAX_MEMORY = 512 << 20 };

typedef struct job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf jump;
    const picture_file *file;
    image *image;        /* NULL while only the size is wanted */
    unsigned char *line; /* CMYK, before it becomes RGB */
    char why[JMSG_LENGTH_MAX];
} job;

static _Noreturn void on_error(j_common_ptr c) {
    job *j = c->client_data;
    c->err->format_message(c, j->why);
    longjmp(j->jump, 1);
}

/* Warnings about data that end early mean missing pixels; others are about what does not show. */
static void on_message(j_common_ptr c, int level) {
    int code = c->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(c);
}

/* A small file may ask for any number of passes over a large picture. */
static void on_progress(j_common_ptr c) {
    job *j = c->client_data;
    if (j->jpeg.input_scan_number <= MAX_SCANS) return;
    snprintf(j->why, sizeof j->why, "it has more than %d scans", MAX_SCANS);
    longjmp(j->jump, 1);
}

static J_COLOR_SPACE wanted_space(const struct jpeg_decompress_struct *c) {
    switch (c->jpeg_color_space) {
    case JCS_GRAYSCALE: return JCS_GRAYSCALE;
    case JCS_RGB:
    case JCS_YCbCr: return JCS_RGB;
    case JCS_CMYK:
    case JCS_YCCK: return JCS_CMYK;
    default: return JCS_UNKNOWN;
    }
}

/* a × b / 255, rounded. */
static int times(int a, int b) {
    int t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

/* Adobe writes CMYK inverted, and PIL takes all CMYK for Adobe's; then r = (255 − k) − c × (255 − k). */
static void cmyk_to_rgb(unsigned char *rgb, const unsigned char *cmyk, int width) {
    for (int x = 0; x < width; x++, rgb += 3, cmyk += 4)
        for (int c = 0; c < 3; c++) rgb[c] = (unsigned char)(cmyk[3] - times(255 - cmyk[c], cmyk[3]));
}

static void read_lines(job *j) {
    struct jpeg_decompress_struct *c = &j->jpeg;
    size_t bytes = (size_t)j->image->width * (size_t)j->image->channels;
    while (c->output_scanline < c->output_height) {
        unsigned char *to = j->image->pixels + c->output_scanline * bytes;
        JSAMPROW row = j->line ? j->line : to;
        if (jpeg_read_scanlines(c, &row, 1) == 1 && j->line) cmyk_to_rgb(to, row, j->image->width);
    }
    jpeg_finish_decompress(c);
}

/* Reads the header, and the pixels where there is an image to put them in. */
static bool run(job *j) {
    struct jpeg_decompress_struct *c = &j->jpeg;
    *c = (struct jpeg_decompress_struct){.err = jpeg_std_error(&j->errors), .client_data = j};
    j->errors.error_exit = on_error;
    j->errors.emit_message = on_message;
    j->progress.progress_monitor = on_progress;
    if (setjmp(j->jump)) {
        jpeg_destroy_decompress(c);
        return false;
    }
    jpeg_create_decompress(c);
    c->mem->max_memory_to_use = MAX_MEMORY;
    c->progress = &j->progress;
    jpeg_mem_src(c, j->file->bytes, (unsigned long)j->file->size);
    jpeg_read_header(c, TRUE);
    c->out_color_space = wanted_space(c);
    if (j->image) {
        jpeg_start_decompress(c);
        read_lines(j);
    }
    jpeg_destroy_decompress(c);
    return true;
}

static bool damaged(const job *j) {
    return diag_file(j->file->diags, j->file->path, "the JPEG picture is damaged: %s", j->why);
}

bool read_jpeg(image *m, const picture_file *f) {
    job *j = NEW(f->arena, job);
    j->file = f;
    if (!run(j)) return damaged(j);
    J_COLOR_SPACE space = j->jpeg.out_color_space;
    if (space == JCS_UNKNOWN)
        return diag_file(f->diags, f->path,
                         "netc does not know the colours of this JPEG picture (%d components)",
                         j->jpeg.num_components);
    int64_t width = j->jpeg.image_width, height = j->jpeg.image_height;
    if (!image_allocate(m, f, width, height, space == JCS_GRAYSCALE ? 1 : 3, PIXELS_A_BYTE)) return false;
    if (space == JCS_CMYK) j->line = arena_alloc(f->arena, (size_t)width, 4);
    j->image = m;
    return run(j) || damaged(j);
}
