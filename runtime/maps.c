/* Where maps stand: numbers only, so that layouts can be told without drawing. */
#include "runtime/maps.h"

#include <math.h>

enum { MAP_PIXELS = 144, IMAGE_PIXELS = 512, STRIP_PIXELS = 768, SQUARE_PIXELS = 32, INDENT = 18 };

static int64_t at_least(int64_t x, int64_t least) {
    return x > least ? x : least;
}

static int64_t at_most(int64_t x, int64_t most) {
    return x < most ? x : most;
}

/* As square as can be without an unfinished row, wider rather than taller; else square: 20 are 4 rows of 5. */
static int64_t columns_for(int64_t count) {
    int64_t root = (int64_t)ceil(sqrt((double)count));
    for (int64_t k = root; k <= 2 * root; k++)
        if (count % k == 0) return k;
    return root;
}

maps_grid maps_grid_of(const maps_value *v, int most) {
    maps_grid g = {.maps = 1, .height = 1, .width = 1};
    for (int k = 0; k + 2 < v->rank; k++) g.maps *= v->dims[k];
    if (v->rank >= 1) g.width = v->dims[v->rank - 1];
    if (v->rank >= 2) g.height = v->dims[v->rank - 2];
    g.shown = at_most(g.maps, most);
    g.columns = columns_for(g.shown);
    g.rows = (g.shown + g.columns - 1) / g.columns;
    int64_t side = at_least(g.height, g.width);
    if (v->rank >= 3) g.zoom = at_least(MAP_PIXELS / side, 1);
    if (v->rank == 2) g.zoom = at_most(at_least(IMAGE_PIXELS / side, 1), SQUARE_PIXELS);
    if (v->rank == 2) g.indent = INDENT;
    if (v->rank >= 2) return g;
    g.height = (g.width + MAPS_STRIP - 1) / MAPS_STRIP;
    g.width = at_most(g.width, MAPS_STRIP);
    g.zoom = at_most(STRIP_PIXELS / g.width, SQUARE_PIXELS);
    return g;
}
