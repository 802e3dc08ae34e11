/* A picture being drawn with Cairo: a PNG of so many pixels, or an SVG where the path ends in .svg. Only this
 * folder includes it, or Cairo. Between canvas_open and canvas_close nothing may use an arena: a jump would lose
 * the surface. */
#ifndef NETC_RUNTIME_DRAW_CANVAS_H
#define NETC_RUNTIME_DRAW_CANVAS_H

#include "ir/base/diag.h"

#include <cairo.h>

enum { CANVAS_MAX_SIDE = 16384 /* pixels */ };

typedef struct canvas {
    cairo_t *to; /* NULL: not open */
    cairo_surface_t *surface;
    int density;          /* pixels an inch, as a PNG says it */
    unsigned char *bytes; /* the file, as Cairo writes it */
    size_t size, room;
    bool vector;
} canvas;

typedef struct rgb {
    double red, green, blue;
} rgb;

/* Width and height in units of 1/72 inch, `density` pixels an inch; white. False with an error that names the
 * path where it would be larger than a side may be, or memory is short. */
bool canvas_open(canvas *c, const char *path, double width, double height, int density, diags *d);
/* Writes the file aside and renames it. */
bool canvas_close(canvas *c, const char *path, diags *d);

void canvas_color(const canvas *c, rgb color);
void canvas_box(const canvas *c, double x, double y, double width, double height, rgb color); /* filled */
void canvas_line(const canvas *c, double x0, double y0, double x1, double y1);

/* Text beside a point: along the line 0 begins at it, 0.5 is centred, 1 ends at it; across the line the middle
 * of digits lies on it. Turned left by `turn` quarters. */
typedef struct lettering {
    double size, along;
    int turn;
    bool bold;
} lettering;

void canvas_text(const canvas *c, const char *s, double x, double y, lettering how);
double canvas_text_width(const canvas *c, const char *s, lettering how);

#endif
