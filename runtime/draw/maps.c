/* Draws grids of maps. */
#include "runtime/maps.h"

#include "runtime/draw/canvas.h"
#include "runtime/shown.h"

#include <math.h>
#include <string.h>

enum { DENSITY = 72 /* a unit is a pixel */, TITLE_SIZE = 12, WORD_SIZE = 10 };
static const double LETTER = 0.62; /* of a font's size: the width of a letter, about */
static const rgb ink = {0.15, 0.15, 0.15}, frame = {0.8, 0.8, 0.8};
static const uint32_t NOT_FINITE = 0xD55E00, ALL_EQUAL = 0x808080;

/* ---- one map ---- */

typedef struct scale {
    float least, most;
} scale;

static scale scale_of(const float *data, int64_t count) {
    scale s = {INFINITY, -INFINITY};
    for (int64_t k = 0; k < count; k++) {
        if (!isfinite(data[k])) continue;
        s.least = fminf(s.least, data[k]);
        s.most = fmaxf(s.most, data[k]);
    }
    return s;
}

static uint32_t color_of(float x, scale s) {
    if (!isfinite(x)) return NOT_FINITE;
    if (!(s.most > s.least)) return ALL_EQUAL;
    double share = ((double)x - (double)s.least) / ((double)s.most - (double)s.least);
    return (uint32_t)lround(share * 255) * 0x010101;
}

/* Numbers as squares of zoom pixels; `count` of them, the last row may be short. */
static void fill(unsigned char *pixels, int stride, const maps_grid *g, const float *data, int64_t count) {
    scale s = scale_of(data, count);
    for (int64_t k = 0; k < count; k++) {
        uint32_t color = color_of(data[k], s);
        unsigned char *corner = pixels + (k / g->width) * g->zoom * stride + (k % g->width) * g->zoom * 4;
        for (int64_t y = 0; y < g->zoom; y++)
            for (int64_t x = 0; x < g->zoom; x++) memcpy(corner + y * stride + x * 4, &color, 4);
    }
}

static void draw_map(const canvas *c, const maps_grid *g, const float *data, int64_t count, double x,
                     double y) {
    cairo_surface_t *map =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(g->width * g->zoom), (int)(g->height * g->zoom));
    if (cairo_surface_status(map) == CAIRO_STATUS_SUCCESS) {
        cairo_surface_flush(map);
        memset(cairo_image_surface_get_data(map), 255,
               (size_t)cairo_image_surface_get_stride(map) * (size_t)(g->height * g->zoom));
        fill(cairo_image_surface_get_data(map), cairo_image_surface_get_stride(map), g, data, count);
        cairo_surface_mark_dirty(map);
    }
    /* a frame, so that white maps end somewhere */
    canvas_box(c, x - 1, y - 1, (double)(g->width * g->zoom + 2), (double)(g->height * g->zoom + 2), frame);
    cairo_set_source_surface(c->to, map, x, y); /* a failed surface makes the canvas fail, which is told */
    cairo_paint(c->to);
    cairo_surface_destroy(map);
}

/* ---- one value ---- */

static double grid_width(const maps_grid *g) {
    return (double)g->indent + (double)g->columns * ((double)g->width * (double)g->zoom + MAPS_GAP) -
           MAPS_GAP;
}

/* With its title and what stands below. */
static double grid_height(const maps_grid *g) {
    return MAPS_TITLE + (double)g->rows * ((double)g->height * (double)g->zoom + MAPS_GAP) +
           (double)g->indent;
}

static int64_t count_of(const maps_value *v) {
    int64_t count = 1;
    for (int k = 0; k < v->rank; k++) count *= v->dims[k];
    return count;
}

static void draw_words(const canvas *c, const maps_grid *g, double y) {
    double width = (double)(g->width * g->zoom), height = (double)(g->height * g->zoom);
    canvas_text(c, "features", MAPS_MARGIN + (double)g->indent + width / 2, y + height + WORD_SIZE,
                (lettering){.size = WORD_SIZE, .along = 0.5});
    canvas_text(c, "time", MAPS_MARGIN + WORD_SIZE / 2.0, y + height / 2,
                (lettering){.size = WORD_SIZE, .along = 0.5, .turn = 1});
}

static void draw_value(const canvas *c, const maps_value *v, const maps_grid *g, const char *title,
                       double y) {
    int64_t each = v->rank < 2 ? count_of(v) : g->height * g->width;
    canvas_color(c, ink);
    canvas_text(c, title, MAPS_MARGIN, y + MAPS_TITLE / 2.0 - 2, (lettering){.size = TITLE_SIZE});
    if (g->indent) draw_words(c, g, y + MAPS_TITLE);
    for (int64_t k = 0; k < g->shown; k++) {
        int64_t row = k / g->columns, column = k % g->columns;
        draw_map(c, g, v->data + k * each, each,
                 (double)(MAPS_MARGIN + g->indent + column * (g->width * g->zoom + MAPS_GAP)),
                 y + (double)(MAPS_TITLE + row * (g->height * g->zoom + MAPS_GAP)));
    }
}

/* "conv1  [32,24,24], the first 20" */
static const char *title_of(arena *a, const maps_value *v, const maps_grid *g) {
    const char *name = shown(a, v->title, strlen(v->title)), *shape = shown_shape(a, v->rank, v->dims);
    if (g->shown == g->maps) return arena_printf(a, "%s  %s", name, shape);
    return arena_printf(a, "%s  %s, the first %lld", name, shape, (long long)g->shown);
}

bool maps_draw(const char *path, const maps_value *values, int count, int most, diags *d) {
    const char **titles = NEW_ARRAY(d->arena, const char *, count + 1);
    double width = 0, height = 0;
    for (int k = 0; k < count; k++) {
        maps_grid g = maps_grid_of(&values[k], most);
        titles[k] = title_of(d->arena, &values[k], &g);
        width = fmax(width, fmax(grid_width(&g), LETTER * TITLE_SIZE * (double)strlen(titles[k])));
        height += grid_height(&g);
    }
    canvas c;
    if (!canvas_open(&c, path, ceil(width) + 2 * MAPS_MARGIN, height + 2 * MAPS_MARGIN, DENSITY, d))
        return false;
    double y = MAPS_MARGIN;
    for (int k = 0; k < count; k++) {
        maps_grid g = maps_grid_of(&values[k], most);
        draw_value(&c, &values[k], &g, titles[k], y);
        y += grid_height(&g);
    }
    return canvas_close(&c, path, d);
}
