/* What random numbers mean, for whoever draws them: the runtime, and kernels (ir/base/random.def has how). */
#ifndef NETC_IR_BASE_DRAW_H
#define NETC_IR_BASE_DRAW_H

#include <stdbool.h>
#include <stdint.h>

/* Parameter k of a net draws from stream k, mask k of a training step from this one on. Number i of a stream is of
 * block i / 4, whose counter is {block, 0, stream, 0}; of a mask, of the counter {block within the sample, sample,
 * stream, step's low word}, with the step's high word xor'd into the key's. The key is the seed. */
enum { RANDOM_MASKS = 0x20000000 };

typedef enum draw_kind {
    DRAW_SAME,    /* a everywhere */
    DRAW_UNIFORM, /* between a and b */
    DRAW_NORMAL   /* mean 0, standard deviation a */
} draw_kind;

typedef struct draw {
    draw_kind kind;
    double a, b;
} draw;

/* How a parameter starts by this rule (ir/graph.h, init_rule). False: there is no such rule. */
bool draw_of(draw *d, const char *rule, double scale, int64_t fan_in, int64_t fan_out);

#endif
