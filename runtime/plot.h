/* Charts of a training run, drawn with Cairo: PNG, or SVG where the path ends in .svg. Built where Cairo is
 * installed; elsewhere each function refuses and names the package. Files are written aside and renamed. */
#ifndef NETC_RUNTIME_PLOT_H
#define NETC_RUNTIME_PLOT_H

#include "ir/base/diag.h"

/* One moment of a run; NaN where a number is unknown. */
typedef struct plot_row {
    double epoch;
    double train_loss, test_loss;
    double train_accuracy, test_accuracy; /* shares of 1 */
} plot_row;

/* Loss and accuracy against epochs, two panels; one point a row. */
bool plot_results(const char *path, const plot_row *rows, int count, diags *d);

/* How often each class was taken for which: counts[classes][classes], rows the true class, columns the
 * guessed one. Shaded by the share of its row. `names`: a class each, NULL: numbers. */
bool plot_confusion(const char *path, const int64_t *counts, int classes, const char *const *names, diags *d);

/* A run in a chart of several: its name, and points (x, y) in order of x. */
typedef struct plot_curve {
    const char *name;
    const double *x, *y; /* NaN in y: no point there */
    int count;
} plot_curve;

typedef struct plot_chart {
    const char *title, *x_title, *y_title;
    const plot_curve *curves;
    int count;
    double goal; /* a level that is drawn across; where each curve first reaches it is marked. NaN: none */
} plot_chart;

/* The first point past a level, seen from the side on which the curve begins; -1: none. */
int plot_first_past(const plot_curve *c, double level);

bool plot_curves(const char *path, const plot_chart *chart, diags *d);

#endif
