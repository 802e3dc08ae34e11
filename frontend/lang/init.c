/* How parameters of layers start, which follows from all of the text: `init` of train {}, else PyTorch's defaults; in
 * a net without train {}, whose random weights only serve to try it out, what keeps numbers of a size. */
#include "frontend/lang/elab.h"
#include "ir/recipe.h"

#include <string.h>

const char init_by_recipe[] = "default";

/* What weights and biases of linear layers and convolutions start by. */
typedef struct start {
    const char *name, *weight, *bias;
} start;

static const start untrained = {"", "he", "zeros"}, silent = {"", "uniform", "uniform"};
static const start starts[] = {{"he", "he", "zeros"},
                               {"xavier", "xavier", "zeros"},
                               {"uniform", "uniform", "uniform"},
                               {"normal", "normal", "zeros"},
                               {"zeros", "zeros", "zeros"}};

static const start *start_of(const recipe *r) {
    if (!r) return &untrained;
    for (size_t k = 0; r->init.name && k < sizeof starts / sizeof *starts; k++)
        if (strcmp(starts[k].name, r->init.name) == 0) return &starts[k];
    return &silent;
}

void elaborate_init(elab *e) {
    const recipe *r = e->net->recipe;
    const start *s = start_of(r);
    for (int k = 0; k < e->net->params.count; k++) {
        value *v = e->net->params.at[k];
        init_rule *i = &v->as.param.init;
        if (i->rule != init_by_recipe) continue;
        i->rule = v->shape.rank > 1 ? s->weight : s->bias;
        if (strcmp(i->rule, "normal") == 0 && r->init.args.count) i->scale = r->init.args.at[0].number;
    }
}
