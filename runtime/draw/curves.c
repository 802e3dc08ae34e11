/* Charts of curves: one run's losses and accuracies in two panels, or several runs in one. */
#include "runtime/draw/axes.h"
#include "runtime/plot.h"
#include "runtime/shown.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DENSITY = 300, TICKS = 5, FIELDS = 5 /* numbers of a row: x, then pairs */ };
static const double WIDTH = 540, HEIGHT = 216, LEFT = 52, TOP = 30, RIGHT = 14, BOTTOM = 40;
static const double KEYS = 130, KEY_LINE = 13; /* the column of names beside several runs */
static const double TOO_LARGE = 1e30;          /* a loss beyond this has exploded: no axis reaches it */
static const rgb faint = {0.45, 0.45, 0.45};

/* The least and the most of numbers; low > high where there are none. */
typedef struct range {
    double low, high;
} range;

static void range_add(range *r, const double *at, int count) {
    for (int k = 0; k < count; k++) {
        if (!(fabs(at[k]) < TOO_LARGE)) continue;
        r->low = fmin(r->low, at[k]);
        r->high = fmax(r->high, at[k]);
    }
}

static axis axis_of(range r, axis_wish wish) {
    if (!(r.low <= r.high)) r = (range){0, 1};
    if (wish.rounded && r.low > 0 && r.low < r.high / 3) r.low = 0; /* near enough to show the whole */
    return axis_over(r.low, r.high, wish);
}

/* Room beside the first and the last point. */
static axis x_axis(range r) {
    axis a = axis_of(r, (axis_wish){.ticks = TICKS, .whole = true});
    double room = 0.03 * (a.high - a.low);
    a.low -= room;
    a.high += room;
    return a;
}

/* ---- one run ---- */

typedef struct columns {
    double *at[FIELDS];
    int count;
} columns;

static columns columns_of(arena *a, const plot_row *rows, int count) {
    columns c = {.count = count};
    for (int f = 0; f < FIELDS; f++) c.at[f] = NEW_ARRAY(a, double, count + 1);
    for (int k = 0; k < count; k++) {
        const plot_row *r = &rows[k];
        const double fields[FIELDS] = {r->epoch, r->train_loss, r->test_loss, 100 * r->train_accuracy,
                                       100 * r->test_accuracy};
        for (int f = 0; f < FIELDS; f++) c.at[f][k] = fabs(fields[f]) < TOO_LARGE ? fields[f] : NAN;
    }
    return c;
}

/* In the title's line, ending where the panel ends. */
static void draw_keys(const panel *p) {
    static const char *const names[] = {"train", "test"};
    double x = p->left + p->width + 8;
    for (int k = 2; k-- > 0;) {
        x -= panel_key_width(p, names[k]);
        panel_key(p, names[k], x, p->top - 12, k);
    }
}

/* Fields f and f + 1 against field 0. */
static void draw_pair(panel *p, const columns *c, int f) {
    range x = {INFINITY, -INFINITY}, y = x;
    range_add(&x, c->at[0], c->count);
    range_add(&y, c->at[f], c->count);
    range_add(&y, c->at[f + 1], c->count);
    p->x = x_axis(x);
    p->y = axis_of(y, (axis_wish){.ticks = TICKS, .rounded = true});
    panel_draw(p);
    panel_curve(p, c->at[0], c->at[f], c->count, 0);
    panel_curve(p, c->at[0], c->at[f + 1], c->count, 1);
    draw_keys(p);
}

bool plot_results(const char *path, const plot_row *rows, int count, diags *d) {
    columns c = columns_of(d->arena, rows, count);
    canvas to;
    if (!canvas_open(&to, path, WIDTH, HEIGHT, DENSITY, d)) return false;
    panel p = {
        .canvas = &to, .left = LEFT, .top = TOP, .title = "Loss", .x_title = "epoch", .y_title = "loss"};
    p.width = WIDTH / 2 - LEFT - RIGHT;
    p.height = HEIGHT - TOP - BOTTOM;
    draw_pair(&p, &c, 1);
    p.left += WIDTH / 2;
    p.title = "Accuracy";
    p.y_title = "accuracy (%)";
    draw_pair(&p, &c, 3);
    return canvas_close(&to, path, d);
}

/* ---- several runs ---- */

/* A line down from where the goal is reached, with the x at its foot. */
static void draw_reached(const panel *p, const plot_curve *c, double goal, int style) {
    char words[32];
    int k = plot_first_past(c, goal);
    if (k < 0) return;
    double x = panel_x(p, c->x[k]), end = p->top + p->height;
    static const double dash[] = {2, 2};
    cairo_save(p->canvas->to);
    canvas_color(p->canvas, panel_color(style));
    cairo_set_line_width(p->canvas->to, 0.9);
    cairo_set_dash(p->canvas->to, dash, 2, 0);
    canvas_line(p->canvas, x, panel_y(p, c->y[k]), x, end);
    cairo_restore(p->canvas->to);
    snprintf(words, sizeof words, "%.6g", c->x[k]);
    canvas_color(p->canvas, panel_color(style));
    canvas_text(p->canvas, words, x + 3, end - 6 - 9 * (style % 3), (lettering){.size = 7, .bold = true});
}

static void draw_goal(const panel *p, const plot_chart *chart) {
    cairo_set_line_width(p->canvas->to, 0.9);
    canvas_color(p->canvas, faint);
    canvas_line(p->canvas, p->left, panel_y(p, chart->goal), p->left + p->width, panel_y(p, chart->goal));
    for (int k = 0; k < chart->count; k++) draw_reached(p, &chart->curves[k], chart->goal, k);
}

static void draw_curves(const panel *p, const plot_chart *chart, const char *const *names) {
    panel_draw(p);
    if (isfinite(chart->goal)) draw_goal(p, chart);
    for (int k = 0; k < chart->count; k++) {
        const plot_curve *c = &chart->curves[k];
        panel_curve(p, c->x, c->y, c->count, k);
        panel_key(p, names[k], p->left + p->width + 10, p->top + 6 + KEY_LINE * k, k);
    }
}

bool plot_curves(const char *path, const plot_chart *chart, diags *d) {
    const char **names = NEW_ARRAY(d->arena, const char *, chart->count + 1);
    range x = {INFINITY, -INFINITY}, y = x;
    for (int k = 0; k < chart->count; k++) {
        const plot_curve *c = &chart->curves[k];
        names[k] = shown(d->arena, c->name, strlen(c->name));
        range_add(&x, c->x, c->count);
        range_add(&y, c->y, c->count);
    }
    range_add(&y, &chart->goal, 1);
    canvas to;
    panel p = {.canvas = &to,
               .left = LEFT,
               .top = TOP,
               .width = WIDTH - LEFT - KEYS,
               .height = 1.3 * HEIGHT - TOP - BOTTOM,
               .x = x_axis(x),
               .y = axis_of(y, (axis_wish){.ticks = TICKS, .rounded = true}),
               .title = chart->title,
               .x_title = chart->x_title,
               .y_title = chart->y_title};
    if (!canvas_open(&to, path, WIDTH, 1.3 * HEIGHT, DENSITY, d)) return false;
    draw_curves(&p, chart, names);
    return canvas_close(&to, path, d);
}
