/* Random valid graphs, small, of every op that a text may call and of scans: whatever can be wired together, with views,
 * residuals, broadcasting and several outputs. The same seed gives the same graph everywhere.
 *
 * A case is one without expected numbers: backends are held against one another. Ops that jump (floor, comparisons,
 * argmax) only get values that every backend has to the bit, operands that must be positive are, and nothing grows
 * beyond some hundreds, so what differs by more than rounding is a mistake. */
#ifndef NETC_TESTS_SUPPORT_RANDOM_GRAPH_H
#define NETC_TESTS_SUPPORT_RANDOM_GRAPH_H

#include "tests/support/golden.h"

/* In the arena. Jumps to its trap where the generator itself is wrong. */
golden random_graph(arena *a, uint64_t seed);

#endif
