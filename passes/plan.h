/* What plan-buffers leaves for lower beside the places of the top graph: those of every scan's body. */
#ifndef NETC_PASSES_PLAN_H
#define NETC_PASSES_PLAN_H

#include "ir/kernel/lower.h"

/* The body runs once a step; its values have places of their own. Carries lie stacked over time: step t reads
 * one slot and writes the next, so offsets stay affine in the loop. */
typedef struct scan_plan {
    const node *scan;
    place *places; /* by id of the body's values, then one a carry: */
    value **start; /* the slot that the first step reads, as a value of the body (ids from next_id on) */
    struct scan_plan *next;
} scan_plan;

#endif
