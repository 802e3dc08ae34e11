/* Ticks, grid, curves. */
#include "runtime/draw/axes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MARKED_POINTS = 40, MAX_TICKS = 100, NUMBER_BYTES = 32 };
static const double FONT = 8, KEY_LINE = 18, KEY_GAP = 4, KEY_SPACE = 12, TICK = 3, MARK = 2.2;
static const rgb ink = {0.15, 0.15, 0.15}, grid = {0.87, 0.87, 0.87};

static const struct {
    rgb color;
    double dash[2]; /* drawn, left out; zeros: solid */
} styles[PANEL_STYLES] = {
    {{0.000, 0.447, 0.698}, {0, 0}},     /* blue */
    {{0.902, 0.624, 0.000}, {5, 2}},     /* orange */
    {{0.000, 0.000, 0.000}, {1.5, 1.5}}, /* black */
    {{0.337, 0.706, 0.914}, {0, 0}},     /* sky blue */
    {{0.835, 0.369, 0.000}, {7, 2}},     /* vermilion */
    {{0.000, 0.620, 0.451}, {3, 3}},     /* bluish green */
    {{0.800, 0.475, 0.655}, {0, 0}},     /* reddish purple */
};

rgb panel_color(int style) {
    return styles[style % PANEL_STYLES].color;
}

/* ---- numbers on an axis ---- */

static double round_step(double length, int ticks) {
    double raw = length / ticks, power = pow(10, floor(log10(raw))), digit = raw / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

axis axis_over(double low, double high, axis_wish wish) {
    if (!(high - low > 1e-9 * fabs(high))) { /* one number: some room on both sides */
        double room = fabs(low) > 0 ? fabs(low) / 10 : 0.5;
        low -= room;
        high += room;
    }
    axis a = {low, high, round_step(high - low, wish.ticks)};
    if (wish.whole && a.step < 1) a.step = 1;
    if (!wish.rounded) return a;
    a.low = floor(low / a.step + 1e-6) * a.step;
    a.high = ceil(high / a.step - 1e-6) * a.step;
    return a;
}

static void number_words(char *to, double x, double step) {
    double digits = -floor(log10(step) + 1e-9);
    if (fabs(x) < step / 2) x = 0; /* no "-0" */
    if (fabs(x) >= 1e6 || digits > 6)
        snprintf(to, NUMBER_BYTES, "%.6g", x);
    else
        snprintf(to, NUMBER_BYTES, "%.*f", digits > 0 ? (int)digits : 0, x);
}

static int64_t first_tick(const axis *a) {
    return (int64_t)ceil(a->low / a->step - 1e-6);
}
static int64_t last_tick(const axis *a) {
    int64_t last = (int64_t)floor(a->high / a->step + 1e-6), most = first_tick(a) + MAX_TICKS;
    return last < most ? last : most;
}

double panel_x(const panel *p, double x) {
    return p->left + p->width * (x - p->x.low) / (p->x.high - p->x.low);
}
double panel_y(const panel *p, double y) {
    return p->top + p->height * (1 - (y - p->y.low) / (p->y.high - p->y.low));
}

static void draw_x(const panel *p) {
    char number[NUMBER_BYTES];
    double end = p->top + p->height;
    for (int64_t k = first_tick(&p->x); k <= last_tick(&p->x); k++) {
        double x = panel_x(p, (double)k * p->x.step);
        canvas_color(p->canvas, grid);
        canvas_line(p->canvas, x, p->top, x, end);
        canvas_color(p->canvas, ink);
        canvas_line(p->canvas, x, end, x, end + TICK);
        number_words(number, (double)k * p->x.step, p->x.step);
        canvas_text(p->canvas, number, x, end + TICK + FONT, (lettering){.size = FONT, .along = 0.5});
    }
}

static void draw_y(const panel *p) {
    char number[NUMBER_BYTES];
    for (int64_t k = first_tick(&p->y); k <= last_tick(&p->y); k++) {
        double y = panel_y(p, (double)k * p->y.step);
        canvas_color(p->canvas, grid);
        canvas_line(p->canvas, p->left, y, p->left + p->width, y);
        canvas_color(p->canvas, ink);
        canvas_line(p->canvas, p->left - TICK, y, p->left, y);
        number_words(number, (double)k * p->y.step, p->y.step);
        canvas_text(p->canvas, number, p->left - TICK - 2, y, (lettering){.size = FONT, .along = 1});
    }
}

void panel_draw(const panel *p) {
    cairo_set_line_width(p->canvas->to, 0.6);
    draw_x(p);
    draw_y(p);
    canvas_color(p->canvas, ink);
    cairo_set_line_width(p->canvas->to, 0.8);
    canvas_line(p->canvas, p->left, p->top, p->left, p->top + p->height);
    canvas_line(p->canvas, p->left, p->top + p->height, p->left + p->width, p->top + p->height);
    canvas_text(p->canvas, p->title, p->left, p->top - 1.5 * FONT,
                (lettering){.size = FONT + 1, .bold = true});
    canvas_text(p->canvas, p->x_title, p->left + p->width / 2, p->top + p->height + 3.2 * FONT,
                (lettering){.size = FONT, .along = 0.5});
    canvas_text(p->canvas, p->y_title, p->left - 4.4 * FONT, p->top + p->height / 2,
                (lettering){.size = FONT, .along = 0.5, .turn = 1});
}

/* ---- curves ---- */

static void set_style(const panel *p, int style) {
    const double *dash = styles[style % PANEL_STYLES].dash;
    cairo_t *to = p->canvas->to;
    canvas_color(p->canvas, panel_color(style));
    cairo_set_line_width(to, 1.3);
    cairo_set_line_join(to, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(to, dash, dash[0] > 0 ? 2 : 0, 0);
}

/* Round for even styles, square for odd ones. */
static void mark(const panel *p, double x, double y, int style) {
    cairo_t *to = p->canvas->to;
    if (style % 2)
        cairo_rectangle(to, x - MARK * 0.9, y - MARK * 0.9, MARK * 1.8, MARK * 1.8);
    else
        cairo_arc(to, x, y, MARK, 0, 2 * M_PI);
    cairo_fill(to);
}

static bool is_point(double x, double y) {
    return isfinite(x) && isfinite(y);
}

void panel_curve(const panel *p, const double *x, const double *y, int count, int style) {
    cairo_t *to = p->canvas->to;
    bool drawn = false;
    cairo_save(to);
    set_style(p, style);
    for (int k = 0; k < count; k++) {
        bool point = is_point(x[k], y[k]);
        if (point && drawn)
            cairo_line_to(to, panel_x(p, x[k]), panel_y(p, y[k]));
        else if (point)
            cairo_move_to(to, panel_x(p, x[k]), panel_y(p, y[k]));
        drawn = point;
    }
    cairo_stroke(to);
    for (int k = 0; k < count; k++) {
        bool alone =
            (k == 0 || !is_point(x[k - 1], y[k - 1])) && (k + 1 == count || !is_point(x[k + 1], y[k + 1]));
        if (is_point(x[k], y[k]) && (count <= MARKED_POINTS || alone))
            mark(p, panel_x(p, x[k]), panel_y(p, y[k]), style);
    }
    cairo_restore(to);
}

double panel_key_width(const panel *p, const char *name) {
    return KEY_LINE + KEY_GAP + canvas_text_width(p->canvas, name, (lettering){.size = FONT}) + KEY_SPACE;
}

void panel_key(const panel *p, const char *name, double x, double y, int style) {
    cairo_save(p->canvas->to);
    set_style(p, style);
    canvas_line(p->canvas, x, y, x + KEY_LINE, y);
    mark(p, x + KEY_LINE / 2, y, style);
    cairo_restore(p->canvas->to);
    canvas_color(p->canvas, ink);
    canvas_text(p->canvas, name, x + KEY_LINE + KEY_GAP, y, (lettering){.size = FONT});
}
