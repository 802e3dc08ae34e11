/* Surfaces, text, and the way to a file. */
#include "runtime/draw/canvas.h"

#include "runtime/aside.h"

#include <cairo-svg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { UNITS = 72 /* an inch */, PNG_HEAD = 8 + 25 /* signature and IHDR */, PHYS_BYTES = 21 };
static const double INCHES_PER_METRE = 39.3700787;

static bool ends_in_svg(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".svg") == 0;
}

/* Called by Cairo: it must return, so memory is malloc's. */
static cairo_status_t gather(void *to, const unsigned char *bytes, unsigned count) {
    canvas *c = to;
    if (c->size + count > c->room) {
        size_t room = 2 * c->room + count;
        unsigned char *more = realloc(c->bytes, room);
        if (!more) return CAIRO_STATUS_NO_MEMORY;
        c->bytes = more;
        c->room = room;
    }
    memcpy(c->bytes + c->size, bytes, count);
    c->size += count;
    return CAIRO_STATUS_SUCCESS;
}

bool canvas_open(canvas *c, const char *path, double width, double height, int density, diags *d) {
    *c = (canvas){.density = density, .vector = ends_in_svg(path)};
    double scale = (double)density / UNITS, across = ceil(width * scale - 1e-6),
           down = ceil(height * scale - 1e-6);
    if (!(across <= CANVAS_MAX_SIDE && down <= CANVAS_MAX_SIDE))
        return diag_file(d, path,
                         "the picture would have %.0f x %.0f pixels; %d a side is the most: draw less in one",
                         across, down, CANVAS_MAX_SIDE);
    c->surface = c->vector ? cairo_svg_surface_create_for_stream(gather, c, width, height)
                           : cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)across, (int)down);
    c->to = cairo_create(c->surface);
    if (!c->vector) cairo_scale(c->to, scale, scale);
    canvas_color(c, (rgb){1, 1, 1});
    cairo_paint(c->to);
    return true;
}

/* ---- the file ---- */

static void big32(unsigned char *to, uint32_t x) {
    for (int k = 0; k < 4; k++) to[k] = (unsigned char)(x >> (24 - 8 * k));
}

/* How large the picture is in print: PNG's pHYs chunk, which Cairo leaves out. */
static void phys_chunk(unsigned char chunk[PHYS_BYTES], int density) {
    uint32_t per_metre = (uint32_t)lround(density * INCHES_PER_METRE);
    static const unsigned char head[] = {0, 0, 0, 9, 'p', 'H', 'Y', 's'};
    memcpy(chunk, head, sizeof head);
    big32(chunk + 8, per_metre);
    big32(chunk + 12, per_metre);
    chunk[16] = 1;
    big32(chunk + 17, (uint32_t)crc32(0, chunk + 4, 13));
}

static bool write_file(const canvas *c, const char *path, diags *d) {
    unsigned char phys[PHYS_BYTES];
    size_t head = c->vector || c->size < PNG_HEAD ? c->size : PNG_HEAD;
    phys_chunk(phys, c->density);
    aside w;
    return aside_open(&w, path, d) && aside_write(&w, c->bytes, head) &&
           (c->vector || aside_write(&w, phys, sizeof phys)) &&
           aside_write(&w, c->bytes + head, c->size - head) && aside_commit(&w);
}

bool canvas_close(canvas *c, const char *path, diags *d) {
    cairo_status_t status = cairo_status(c->to);
    cairo_destroy(c->to);
    if (!status && !c->vector) status = cairo_surface_write_to_png_stream(c->surface, gather, c);
    cairo_surface_finish(c->surface);
    if (!status) status = cairo_surface_status(c->surface);
    cairo_surface_destroy(c->surface);
    bool good = !status && write_file(c, path, d);
    if (status) diag_file(d, path, "cannot draw: %s", cairo_status_to_string(status));
    free(c->bytes);
    *c = (canvas){0};
    return good;
}

/* ---- drawing ---- */

void canvas_color(const canvas *c, rgb color) {
    cairo_set_source_rgb(c->to, color.red, color.green, color.blue);
}

void canvas_box(const canvas *c, double x, double y, double width, double height, rgb color) {
    canvas_color(c, color);
    cairo_rectangle(c->to, x, y, width, height);
    cairo_fill(c->to);
}

void canvas_line(const canvas *c, double x0, double y0, double x1, double y1) {
    cairo_move_to(c->to, x0, y0);
    cairo_line_to(c->to, x1, y1);
    cairo_stroke(c->to);
}

static void set_font(const canvas *c, const lettering *how) {
    cairo_select_font_face(c->to, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           how->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c->to, how->size);
}

double canvas_text_width(const canvas *c, const char *s, lettering how) {
    cairo_text_extents_t size;
    set_font(c, &how);
    cairo_text_extents(c->to, s, &size);
    return size.x_advance;
}

void canvas_text(const canvas *c, const char *s, double x, double y, lettering how) {
    cairo_text_extents_t digit;
    double width = canvas_text_width(c, s, how);
    cairo_text_extents(c->to, "0", &digit);
    cairo_save(c->to);
    cairo_translate(c->to, x, y);
    cairo_rotate(c->to, -M_PI / 2 * how.turn);
    cairo_move_to(c->to, -how.along * width, digit.height / 2);
    cairo_show_text(c->to, s);
    cairo_restore(c->to);
}

#ifdef __SANITIZE_ADDRESS__
/* fontconfig hides its tables of fonts from the checker for leaks, which asks the program for these; it sees what is
 * visible. */
#define SEEN __attribute__((visibility("default")))
SEEN const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libfontconfig\n";
}
SEEN const char *__lsan_default_options(void);
const char *__lsan_default_options(void) {
    return "print_suppressions=0";
}
#endif
