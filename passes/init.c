/* init
 * Does:   adds the entry that draws the parameters, each by its rule and from its own stream of the seed: the same
 *         numbers as runtime/weights.c draws.
 * Needs:  plan-buffers, for where parameters lie.
 * Breaks: nothing. */
#include "ir/kernel/random.h"
#include "passes/passes.h"

static buffer *param_buffer(const program *p, int index) {
    buffer *found = NULL;
    for (int i = 0; i < p->buffers.count; i++)
        if (p->buffers.at[i]->area == AREA_PARAMS && p->buffers.at[i]->index == index)
            found = p->buffers.at[i];
    return found;
}

static call_arg whole(buffer *b) {
    return (call_arg){.kind = ARG_BUFFER, .buffer = b};
}

void pass_init(pass_state *s) {
    program *p = s->program;
    const graph *g = p->graph;
    entry *to = &p->entries[ENTRY_INIT];
    *to = (entry){.kind = ENTRY_INIT, .present = true};
    lower l = {.arena = s->arena, .program = p, .graph = g, .places = s->places, .steps = &to->steps};
    buffer *seed = program_buffer(p, "seed", AREA_INIT, KB_I32, 4, 0);
    for (int k = 0; k < g->params.count; k++) {
        const value *v = g->params.at[k];
        const init_rule *r = &v->as.param.init;
        draw d = {DRAW_SAME, 0, 0}; /* a graph text may have no rule */
        draw_of(&d, r->rule, r->scale, r->fan_in, r->fan_out);
        lower_draw(&l, &d, (uint32_t)k, shape_count(&v->shape), whole(seed), whole(param_buffer(p, k)));
    }
}
