/* What charts tell in numbers too. */
#include "runtime/plot.h"

#include <math.h>

int plot_first_past(const plot_curve *c, double level) {
    int start = 0;
    while (start < c->count && !isfinite(c->y[start])) start++;
    for (int k = start; k < c->count; k++)
        if (isfinite(c->y[k]) && (c->y[start] > level ? c->y[k] <= level : c->y[k] >= level)) return k;
    return -1;
}
