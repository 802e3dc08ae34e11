/* From lifetimes to offsets: the largest buffer first, each at the lowest offset that is free as long as it
 * lives. */
#include "passes/planner.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b) {
    const extent *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->order - y->order;
}

static int by_offset(const void *a, const void *b) {
    const extent *x = *(extent *const *)a, *y = *(extent *const *)b;
    if (x->buffer->offset != y->buffer->offset) return x->buffer->offset < y->buffer->offset ? -1 : 1;
    return x->order - y->order;
}

/* The lowest gap of `e`'s size among the buffers already set that live at the same time. */
static int64_t lowest_gap(extent **alive, int count, const extent *e) {
    int64_t at = 0;
    qsort(alive, (size_t)count, sizeof *alive, by_offset);
    for (int i = 0; i < count; i++) {
        if (alive[i]->buffer->offset >= at + e->bytes) break;
        int64_t end = alive[i]->buffer->offset + alive[i]->bytes;
        if (end > at) at = end;
    }
    return at;
}

int64_t set_offsets(planner *p, area a) {
    extent *sorted = arena_copy(p->state->arena, p->extents.at, (size_t)p->extents.count * sizeof(extent));
    extent **alive = NEW_ARRAY(p->state->arena, extent *, p->extents.count);
    int64_t top = 0;
    qsort(sorted, (size_t)p->extents.count, sizeof *sorted, by_size);
    for (int i = 0; i < p->extents.count; i++) {
        int count = 0;
        if (sorted[i].buffer->area != a) continue;
        for (int j = 0; j < i; j++)
            if (sorted[j].buffer->area == a && sorted[j].first <= sorted[i].last &&
                sorted[i].first <= sorted[j].last)
                alive[count++] = &sorted[j];
        int64_t at = sorted[i].buffer->offset = lowest_gap(alive, count, &sorted[i]);
        if (at + sorted[i].bytes > top) top = at + sorted[i].bytes;
    }
    return top;
}
