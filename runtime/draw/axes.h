/* A panel of a chart: axes with round ticks, grid, curves. All lengths in units of 1/72 inch. */
#ifndef NETC_RUNTIME_DRAW_AXES_H
#define NETC_RUNTIME_DRAW_AXES_H

#include "runtime/draw/canvas.h"

typedef struct axis {
    double low, high, step; /* ticks are the multiples of step within */
} axis;

/* An axis over low..high with about `ticks` ticks, all at multiples of 1, 2 or 5 times a power of ten. `rounded`:
 * it begins and ends at a tick. `whole`: ticks are whole numbers. */
typedef struct axis_wish {
    int ticks;
    bool rounded, whole;
} axis_wish;
axis axis_over(double low, double high, axis_wish wish);

typedef struct panel {
    const canvas *canvas;
    double left, top, width, height; /* of the field between the axes */
    axis x, y;
    const char *title, *x_title, *y_title;
} panel;

double panel_x(const panel *p, double x);
double panel_y(const panel *p, double y);

/* Colours that the colour-blind tell apart (Okabe and Ito's), in an order in which neighbours differ in grey too,
 * with dashes that tell them apart without any. */
enum { PANEL_STYLES = 7 };
rgb panel_color(int style);

void panel_draw(const panel *p);
/* Breaks where a number is not finite; points are marked where they are few. */
void panel_curve(const panel *p, const double *x, const double *y, int count, int style);
/* A sample of a curve of this style and its name, right of x; the width that it takes, with a gap behind. */
void panel_key(const panel *p, const char *name, double x, double y, int style);
double panel_key_width(const panel *p, const char *name);

#endif
