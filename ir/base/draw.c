/* Rules of initialisation. He and others, "Delving Deep into Rectifiers", 2015; Glorot and Bengio, "Understanding the
 * Difficulty of Training Deep Feedforward Neural Networks", 2010; "uniform" is PyTorch's default for its layers. */
#include "ir/base/draw.h"

#include <math.h>
#include <string.h>

typedef struct fan {
    double scale, in, out;
} fan;

static draw between(double bound) {
    return (draw){DRAW_UNIFORM, -bound, bound};
}

static draw he(fan f) {
    return (draw){DRAW_NORMAL, sqrt(2.0 / f.in), 0};
}
static draw xavier(fan f) {
    return between(sqrt(6.0 / (f.in + f.out)));
}
static draw uniform(fan f) {
    return between(sqrt(1.0 / f.in));
}
static draw normal(fan f) {
    return (draw){DRAW_NORMAL, f.scale, 0};
}
static draw zeros(fan f) {
    (void)f;
    return (draw){DRAW_SAME, 0, 0};
}
static draw ones(fan f) {
    (void)f;
    return (draw){DRAW_SAME, 1, 0};
}
static draw constant(fan f) {
    return (draw){DRAW_SAME, f.scale, 0};
}

static const struct {
    const char *name;
    draw (*rule)(fan f);
} rules[] = {
    {"he", he},       {"xavier", xavier}, {"uniform", uniform},   {"normal", normal},
    {"zeros", zeros}, {"ones", ones},     {"constant", constant},
};

bool draw_of(draw *d, const char *rule, double scale, int64_t fan_in, int64_t fan_out) {
    for (size_t k = 0; rule && k < sizeof rules / sizeof *rules; k++) {
        if (strcmp(rules[k].name, rule) != 0) continue;
        *d = rules[k].rule((fan){scale, (double)fan_in, (double)fan_out});
        return true;
    }
    return false;
}
