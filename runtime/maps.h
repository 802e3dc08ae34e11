/* Inner values of a net as pictures, drawn with Cairo (see plot.h): PNG, or SVG where the path ends in .svg. */
#ifndef NETC_RUNTIME_MAPS_H
#define NETC_RUNTIME_MAPS_H

#include "ir/base/diag.h"

/* One value of one sample. What is drawn follows from its rank:
 *   [C,H,W] (and more)  the first maps of H×W as a grid, each on a scale of its own
 *   [T,F]               one picture, time down and features across
 *   [C]                 a strip, in rows of MAPS_STRIP where it is longer; also a single number
 * Each number is a grey square of `zoom` pixels, black the least of its map and white the most; all equal are
 * mid-grey; what is not finite is vermilion. */
typedef struct maps_value {
    const char *title;
    int rank;
    const int64_t *dims;
    const float *data;
} maps_value;

/* Pixels: around everything; a line of title above each value; between maps. */
enum { MAPS_MARGIN = 12, MAPS_TITLE = 24, MAPS_GAP = 6, MAPS_STRIP = 128, MAPS_SHOWN = 20 };

/* How a value is laid out: `shown` of `maps` maps of height × width numbers in rows of `columns`, the first at
 * (MAPS_MARGIN + indent, MAPS_MARGIN + MAPS_TITLE) where its value is the first. */
typedef struct maps_grid {
    int64_t maps, shown, height, width;
    int64_t columns, rows;
    int64_t zoom;
    int64_t indent; /* for the word beside [T,F] */
} maps_grid;
maps_grid maps_grid_of(const maps_value *v, int most);

/* The values one below the other, at most `most` maps each. */
bool maps_draw(const char *path, const maps_value *values, int count, int most, diags *d);

#endif
