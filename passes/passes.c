/* The table of passes and the loop that runs it. */
#include "passes/passes.h"
#include "ir/recipe.h"

#include <string.h>

enum { BOTH = OF_EVAL | OF_STEP };

const pass passes[] = {
    {"train", "statistics of the batch, dropout's masks, the loss", true, OF_STEP, pass_train},
    {"expand", "composite ops become primitives", true, OF_EVAL, pass_expand},
    {"eval", "dropout goes, batch norm becomes an affine map", true, OF_EVAL, pass_eval},
    {"hoist", "what a scan need not do step by step leaves it", false, BOTH, pass_hoist},
    {"autodiff", "the gradient of the loss, and what the optimizer makes of it", true, OF_STEP,
     pass_autodiff},
    {"fold-bn", "scales and shifts by channel join the weights beside them", false, OF_EVAL, pass_fold_bn},
    {"fold-constants", "arithmetic on known numbers is done", false, BOTH, pass_fold_constants},
    {"simplify", "nodes that do nothing or are not read go", false, BOTH, pass_simplify},
    {"cse", "what is computed twice is computed once", false, BOTH, pass_cse},
    {"fuse", "elementwise chains become one node or an epilogue", false, BOTH, pass_fuse},
    {"sums", "sums over the batch are taken where their terms are computed", false, BOTH, pass_sums},
    {"group", "elementwise nodes that share operands become one loop", false, BOTH, pass_group},
    {"choose-algorithm", "the way to compute each node", true, BOTH, pass_choose_algorithm},
    {"choose-layout", "how each value lies in memory", true, BOTH, pass_choose_layout},
    {"schedule", "the loss first, then updates as soon as may be", true, OF_STEP, pass_schedule},
    {"plan-buffers", "where each value lies: views, in place, offsets", true, BOTH, pass_plan_buffers},
    {"lower", "kernels and the calls that run them", true, BOTH, pass_lower},
    {"init", "the entry that draws parameters by their rules", true, OF_STEP, pass_init},
    {"unroll", "loops marked unroll", true, BOTH, pass_unroll},
    {0},
};

static const pass *pass_find(const char *name) {
    for (const pass *p = passes; p->name; p++)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}

/* The pass of this name, or an error that says how `option` meant it. */
static const pass *wanted(const char *option, const char *name, diags *d) {
    const pass *p = pass_find(name);
    if (p) return p;
    const char *names[sizeof passes / sizeof *passes];
    int count = 0;
    for (const pass *q = passes; q->name; q++) names[count++] = q->name;
    const char *near = nearest_name(name, names, count);
    text list = text_in(d->arena);
    for (int i = 0; i < count; i++) text_printf(&list, i ? ", %s" : "%s", names[i]);
    if (near)
        diag_add(d, DIAG_ERROR, (span){0}, "%s: there is no pass '%s'; did you mean '%s'?", option, name,
                 near);
    else
        diag_add(d, DIAG_ERROR, (span){0}, "%s: there is no pass '%s'; there are %s", option, name, list.at);
    return NULL;
}

static bool is_disabled(const pass_options *o, const pass *p) {
    for (const char *const *name = o->disabled; name && *name; name++)
        if (strcmp(*name, p->name) == 0) return true;
    return false;
}

static bool options_valid(const pass_options *o, diags *d) {
    bool good = !o->dump_after || wanted("--dump", o->dump_after, d);
    for (const char *const *name = o->disabled; name && *name; name++) {
        const pass *p = wanted("--passes", *name, d);
        if (p && p->required)
            diag_add(d, DIAG_ERROR, (span){0},
                     "--passes: '%s' cannot be left out, because nothing right would come out without it",
                     p->name);
        good &= p && !p->required;
    }
    return good;
}

static void dump(const pass_state *s, const pass *p) {
    const char *after = s->options->dump_after;
    if (!after || strcmp(after, p->name) != 0) return;
    if (s->places)
        program_print(s->options->dump, s->program);
    else
        graph_print(s->options->dump, s->graph);
}

/* Errors of a checker are netc's own: they say which pass left what is wrong. */
static bool sound(const pass_state *s, const pass *p) {
    if (!s->options->check) return true;
    bool good = graph_check(s->graph, s->diags);
    if (good && s->places) good = program_check(s->program, s->diags);
    if (!good)
        diag_add(s->diags, DIAG_NOTE, (span){0}, "after pass '%s': a bug of netc, please report it", p->name);
    return good;
}

static bool run_on(pass_state *s, unsigned which) {
    int errors = s->diags->errors;
    for (const pass *p = passes; p->name; p++) {
        bool runs = (p->of & which) && !is_disabled(s->options, p);
        runs &= !(s->options->rolled && p->run == pass_unroll);
        if (runs) p->run(s);
        if (s->diags->errors > errors) return false;
        if (p->of & which) dump(s, p); /* before the checker, so that what it refuses can be seen */
        if (runs && !sound(s, p)) return false;
    }
    return true;
}

static bool trainable(const graph *g, diags *d) {
    span net = g->outputs.count ? g->outputs.at[0].value->at : (span){0};
    if (g->recipe && g->recipe->loss.name) return true;
    diag_add(d, DIAG_ERROR, g->recipe ? g->recipe->at : net,
             "the net says no loss to train by: add train { loss = cross_entropy(OUTPUT) } to it, or --set "
             "'loss=cross_entropy(OUTPUT)'");
    return false;
}

program *passes_run(arena *a, const graph *g, const pass_options *o, diags *d) {
    if (!options_valid(o, d) || (o->train && !trainable(g, d))) return NULL;
    pass_state inferring = {.arena = a, .options = o, .diags = d, .graph = graph_clone(a, g)};
    if (!run_on(&inferring, OF_EVAL)) return NULL;
    pass_state training = {.arena = a, .options = o, .diags = d, .program = inferring.program};
    if (!o->train) return inferring.program;
    training.graph = graph_clone(a, g);
    return run_on(&training, OF_STEP) ? training.program : NULL;
}
