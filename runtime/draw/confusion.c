/* A confusion matrix: shaded by each row's shares, counts where they fit, names where they fit. */
#include "runtime/draw/canvas.h"
#include "runtime/plot.h"
#include "runtime/shown.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DENSITY = 300, LARGE_CELLS = 20 /* classes up to which cells are large */, NAME_BYTES = 18 };
static const double CELL = 26, FIELD = 520, SMALLEST = 0.5, FONT = 8, READABLE = 4, LETTER = 0.58, EDGE = 34,
                    BAR = 64, BAR_WIDTH = 9;
static const rgb ink = {0.15, 0.15, 0.15}, deep = {0.03, 0.19, 0.42}, frame = {0.6, 0.6, 0.6};

typedef struct matrix {
    canvas to;
    const int64_t *counts;
    int classes;
    const char **names;
    double cell, left, top, font; /* font 0: cells are too small for names */
} matrix;

/* White for 0, deep blue for 1: lightness falls evenly, so grey print shows the same. */
static rgb shade(double share) {
    return (rgb){1 - share * (1 - deep.red), 1 - share * (1 - deep.green), 1 - share * (1 - deep.blue)};
}

static double side(const matrix *m) {
    return m->cell * m->classes;
}

/* ---- cells ---- */

static int64_t row_sum(const matrix *m, int row) {
    int64_t sum = 0;
    for (int k = 0; k < m->classes; k++) sum += m->counts[(int64_t)row * m->classes + k];
    return sum;
}

static void draw_count(const matrix *m, int64_t count, double share, double x, double y) {
    char words[24];
    int digits = snprintf(words, sizeof words, "%lld", (long long)count);
    double font = fmin(FONT - 1, 0.88 * m->cell / (LETTER * digits));
    if (font < READABLE - 1) return;
    canvas_color(&m->to, share > 0.5 ? (rgb){1, 1, 1} : ink);
    canvas_text(&m->to, words, x, y, (lettering){.size = font, .along = 0.5});
}

static void draw_row(const matrix *m, int row) {
    int64_t sum = row_sum(m, row);
    for (int k = 0; k < m->classes; k++) {
        int64_t count = m->counts[(int64_t)row * m->classes + k];
        if (!count) continue;
        double share = (double)count / (double)sum, x = m->left + k * m->cell, y = m->top + row * m->cell;
        canvas_box(&m->to, x, y, m->cell, m->cell, shade(share));
        draw_count(m, count, share, x + m->cell / 2, y + m->cell / 2);
    }
}

/* ---- around them ---- */

/* Room for the longest name, beside and below. */
static double margin_of(const matrix *m) {
    size_t longest = 0;
    for (int k = 0; k < m->classes && m->font > 0; k++)
        if (strlen(m->names[k]) > longest) longest = strlen(m->names[k]);
    return 8 + LETTER * m->font * (double)longest;
}

static void draw_names(const matrix *m) {
    bool upright = margin_of(m) - 8 < 0.9 * m->cell; /* short names need not be turned */
    canvas_color(&m->to, ink);
    for (int k = 0; k < m->classes && m->font > 0; k++) {
        double at = m->cell * (k + 0.5);
        canvas_text(&m->to, m->names[k], m->left - 4, m->top + at, (lettering){.size = m->font, .along = 1});
        lettering below = {.size = m->font, .along = upright ? 0.5 : 1, .turn = !upright};
        canvas_text(&m->to, m->names[k], m->left + at, m->top + side(m) + (upright ? 4 + m->font / 2 : 4),
                    below);
    }
}

static void draw_titles(const matrix *m, double margin) {
    int64_t right = 0, all = 0;
    char title[80];
    for (int k = 0; k < m->classes; k++) {
        right += m->counts[(int64_t)k * m->classes + k];
        all += row_sum(m, k);
    }
    snprintf(title, sizeof title, "%.2f %% of %lld right", all ? 100.0 * (double)right / (double)all : 0,
             (long long)all);
    canvas_color(&m->to, ink);
    canvas_text(&m->to, title, m->left, m->top - 12, (lettering){.size = FONT + 1, .bold = true});
    canvas_text(&m->to, "guessed class", m->left + side(m) / 2, m->top + side(m) + margin + 8,
                (lettering){.size = FONT, .along = 0.5});
    canvas_text(&m->to, "true class", m->left - margin - 8, m->top + side(m) / 2,
                (lettering){.size = FONT, .along = 0.5, .turn = 1});
}

/* What the shades mean. */
static void draw_bar(const matrix *m) {
    enum { STEPS = 100 };
    double x = m->left + side(m) + 16, height = side(m);
    for (int k = 0; k < STEPS; k++)
        canvas_box(&m->to, x, m->top + height * (STEPS - 1 - k) / STEPS, BAR_WIDTH, height / STEPS + 0.1,
                   shade((k + 0.5) / STEPS));
    canvas_color(&m->to, ink);
    for (int k = 0; k <= 2; k++) {
        char words[16];
        snprintf(words, sizeof words, "%d %%", 50 * k);
        canvas_text(&m->to, words, x + BAR_WIDTH + 4, m->top + height * (2 - k) / 2,
                    (lettering){.size = FONT - 1});
    }
}

static void draw_frame(const matrix *m) {
    canvas_color(&m->to, frame);
    cairo_set_line_width(m->to.to, 0.6);
    cairo_rectangle(m->to.to, m->left, m->top, side(m), side(m));
    cairo_stroke(m->to.to);
}

/* ---- sizes ---- */

/* Short enough for the margin, cut between characters. */
static const char *short_name(arena *a, const char *name) {
    const char *clean = shown(a, name, strlen(name));
    size_t length = strlen(clean), cut = NAME_BYTES;
    if (length <= NAME_BYTES + 2) return clean;
    while (cut > 0 && (clean[cut] & 0xC0) == 0x80) cut--;
    return arena_printf(a, "%.*s..", (int)cut, clean);
}

static void take_names(matrix *m, arena *a, const char *const *names) {
    m->names = NEW_ARRAY(a, const char *, m->classes + 1);
    for (int k = 0; k < m->classes; k++)
        m->names[k] = names ? short_name(a, names[k]) : arena_printf(a, "%d", k);
}

bool plot_confusion(const char *path, const int64_t *counts, int classes, const char *const *names,
                    diags *d) {
    matrix m = {.counts = counts, .classes = classes, .top = EDGE};
    m.cell = classes <= LARGE_CELLS ? CELL : fmax(FIELD / classes, SMALLEST);
    m.font = m.cell * 0.9 < READABLE ? 0 : fmin(FONT, m.cell * 0.9);
    take_names(&m, d->arena, names);
    double margin = margin_of(&m);
    m.left = margin + EDGE - 10;
    if (!canvas_open(&m.to, path, m.left + side(&m) + BAR, m.top + side(&m) + margin + EDGE - 10, DENSITY, d))
        return false;
    for (int row = 0; row < classes; row++) draw_row(&m, row);
    draw_frame(&m);
    draw_names(&m);
    draw_titles(&m, margin);
    draw_bar(&m);
    return canvas_close(&m.to, path, d);
}
