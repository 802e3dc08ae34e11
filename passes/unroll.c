/* unroll
 * Does:   expands loops marked unroll in every body and micro, so that registers are indexed by constants;
 *         folds addresses and makes equal integer values one on the way.
 * Needs:  a program whose unrolled loops have constant bounds.
 * Breaks: nothing; instructions get new ids. */
#include "ir/kernel/rewrite.h"
#include "passes/passes.h"

void unroll(program *p) {
    rewrite rule = {.arena = p->arena, .unroll = true};
    for (int t = 0; t < TARGET_COUNT; t++) {
        for (int i = 0; i < p->micros[t].count; i++) rewrite_function(&rule, p->micros[t].at[i], p, p->real);
        for (int i = 0; i < p->kernels.count; i++)
            if (p->kernels.at[i]->body[t]) rewrite_function(&rule, p->kernels.at[i]->body[t], p, p->real);
    }
}

void pass_unroll(pass_state *s) {
    unroll(s->program);
}
