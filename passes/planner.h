/* The buffer plan in the making: what the files of plan-buffers share. */
#ifndef NETC_PASSES_PLANNER_H
#define NETC_PASSES_PLANNER_H

#include "passes/passes.h"
#include "passes/plan.h"

/* A buffer of the workspace or of packed, alive from step `first` to step `last` of its region. */
typedef struct extent {
    buffer *buffer;
    int64_t bytes;
    int first, last, order;
    bool shared; /* by views: in-place work would have to see all their uses */
} extent;

typedef struct planner {
    pass_state *state;
    program *program;
    graph *graph;
    place *places;
    bool *weights;  /* region by value id */
    area work;      /* where what is neither from outside nor packed lies */
    int *uses_left; /* unplaced uses by value id, for in-place decisions */
    VEC(extent) extents;
    int *extent_of; /* by buffer id: index in extents + 1 */
    int extent_room;
    int step;  /* position in the node list; of the scan, in its body */
    int depth; /* loops around */
    bool at_scan;
} planner;

/* ---- plan_buffers.c ---- */

/* Elements that one sample of v takes in its layout. */
int64_t elements(const value *v);
/* A buffer for `count` elements (a sample, where v is batched). */
buffer *make_buffer(planner *p, const value *v, area a, int64_t count);
/* v alone fills b from its start. */
void put(place *at, buffer *b, const value *v);
/* A buffer of the region that v belongs to, alive from this step on. */
buffer *new_extent(planner *p, const value *v, int64_t count);
extent *extent_of(planner *p, const buffer *b); /* NULL: it is from outside */
void touch(planner *p, const place *at, int step_);
/* Places all results of the graph's nodes; `reuse` allows work in place. */
void place_nodes(planner *p, bool reuse);

/* ---- plan_step.c ---- */

/* A training step: the loss, updates where they belong, the output that stays to the end. */
void plan_step(planner *p);

/* ---- plan_views.c ---- */

/* Gives concats a place, and with them the parts that their producers can write straight into it. */
void place_concats(planner *p);
/* True if the result of n lies where its input does (reshape, aligned slice); parts of a split are placed
 * too. */
bool place_view(planner *p, const node *n);

/* ---- plan_scan.c ---- */

/* Places a scan's results and all values of its body; `depth` loops are around it. */
void place_scan(planner *p, const node *n, int depth);

/* ---- plan_offsets.c ---- */

/* Gives every buffer of the area its offset and returns how many bytes the area takes. */
int64_t set_offsets(planner *p, area a);

#endif
