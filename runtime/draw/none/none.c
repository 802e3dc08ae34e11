/* In place of the folder above, where netc is built without Cairo: says so. */
#include "runtime/maps.h"
#include "runtime/plot.h"

static bool refuse(const char *path, diags *d) {
    return diag_file(d, path,
                     "this netc was built without Cairo and draws nothing: install libcairo2-dev and "
                     "build it again with make");
}

bool plot_results(const char *path, const plot_row *rows, int count, diags *d) {
    (void)rows;
    (void)count;
    return refuse(path, d);
}

bool plot_confusion(const char *path, const int64_t *counts, int classes, const char *const *names,
                    diags *d) {
    (void)counts;
    (void)classes;
    (void)names;
    return refuse(path, d);
}

bool plot_curves(const char *path, const plot_chart *chart, diags *d) {
    (void)chart;
    return refuse(path, d);
}

bool maps_draw(const char *path, const maps_value *values, int count, int most, diags *d) {
    (void)values;
    (void)count;
    (void)most;
    return refuse(path, d);
}
