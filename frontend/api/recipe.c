/* From ir/recipe.h to runtime/net.h. */
#include "frontend/api/recipe.h"

#include "ir/base/map.h"
#include "ir/base/text.h"
#include "passes/optimizer.h"

#include <inttypes.h>
#include <string.h>

static net_rule rule_of(arena *a, const recipe_call *c) {
    net_rule_arg *args = NEW_ARRAY(a, net_rule_arg, c->args.count + 1);
    for (int k = 0; k < c->args.count; k++) {
        const recipe_arg *from = &c->args.at[k];
        args[k] = (net_rule_arg){from->name, from->number, from->list, from->count};
    }
    return (net_rule){c->name, args, c->args.count};
}

static int output_of(const graph *g) {
    for (int k = 0; k < g->outputs.count; k++)
        if (strcmp(g->outputs.at[k].name, g->recipe->loss_output) == 0) return k;
    return 0;
}

/* Classes lie along the last axis of sequences [N,T,C], else along axis 1. */
static void describe_target(net_recipe *r, const graph *g) {
    const shape *s = &g->outputs.at[r->loss_output].value->shape;
    bool batched = shape_batched(s);
    r->classes = r->loss && (strcmp(r->loss, "cross_entropy") == 0 || strcmp(r->loss, "nll") == 0);
    r->target_count = shape_count(s);
    if (!r->classes || !batched || s->rank < 2) return;
    r->class_count = s->dim[s->rank == 3 ? 2 : 1];
    r->target_count /= r->class_count;
}

const net_recipe *recipe_describe(arena *a, const graph *g) {
    const recipe *from = g->recipe;
    if (!from || !g->outputs.count) return NULL;
    net_recipe *r = NEW(a, net_recipe);
    net_rule *augment = NEW_ARRAY(a, net_rule, from->augment.count + 1);
    for (int k = 0; k < from->augment.count; k++) augment[k] = rule_of(a, &from->augment.at[k]);
    *r = (net_recipe){.loss = from->loss.name,
                      .optimizer = from->optimizer.name,
                      .schedule = rule_of(a, &from->schedule),
                      .augment = augment,
                      .augment_count = from->augment.count,
                      .learning_rate = optimizer_rate(from),
                      .batch = from->batch,
                      .epochs = from->epochs,
                      .loss_output = output_of(g)};
    describe_target(r, g);
    return r;
}

/* ---- words ---- */

static void add_number(text *t, double x) {
    if (x == (double)(int64_t)x && x < 1e15 && x > -1e15)
        text_printf(t, "%" PRId64, (int64_t)x);
    else
        text_real(t, x, false);
}

static void add_value(text *t, const recipe_arg *a) {
    if (!a->list) add_number(t, a->number);
    for (int k = 0; a->list && k < a->count; k++) {
        text_puts(t, k ? ", " : "[");
        add_number(t, a->list[k]);
    }
    if (a->list) text_puts(t, "]");
}

const char *recipe_words(arena *a, const recipe_call *c) {
    text t = text_in(a);
    text_puts(&t, c->name ? c->name : "none");
    for (int k = 0; k < c->args.count; k++) {
        text_printf(&t, "%s%s=", k ? ", " : "(", c->args.at[k].name);
        add_value(&t, &c->args.at[k]);
    }
    if (c->args.count) text_puts(&t, ")");
    return t.at;
}

static const char *augment_words(arena *a, const recipe *r) {
    text t = text_in(a);
    for (int k = 0; k < r->augment.count; k++)
        text_printf(&t, k ? ", %s" : "%s", recipe_words(a, &r->augment.at[k]));
    return t.length ? t.at : "none";
}

static const char *freeze_words(arena *a, const char *const *freeze) {
    text t = text_in(a);
    for (int k = 0; freeze && freeze[k]; k++) text_printf(&t, k ? ", %s" : "%s", freeze[k]);
    return t.length ? t.at : "nothing";
}

/* Two nets of one layer table may still compute differently: every node counts. */
static const char *layers_words(arena *a, const graph *g) {
    text t = text_in(a);
    graph_print(&t, g);
    return arena_printf(a, "%016" PRIx64, hash_bytes(t.at, t.length, 0));
}

static const char *clip_words(arena *a, const recipe *r) {
    text t = text_in(a);
    if (r->clip > 0) add_number(&t, r->clip);
    return t.length ? t.at : "none";
}

const char *const *recipe_facts(arena *a, const graph *g, const char *const *freeze) {
    const recipe *r = g->recipe;
    const struct {
        const char *key, *value;
    } all[] = {
        {"netc.net", g->name},
        {"netc.layers", layers_words(a, g)},
        {"netc.loss", arena_printf(a, "%s of %s", recipe_words(a, &r->loss), r->loss_output)},
        {"netc.optimizer", recipe_words(a, &r->optimizer)},
        {"netc.schedule", recipe_words(a, &r->schedule)},
        {"netc.augment", augment_words(a, r)},
        {"netc.clip", clip_words(a, r)},
        {"netc.freeze", freeze_words(a, freeze)},
    };
    enum { FACTS = sizeof all / sizeof *all };
    const char **list = NEW_ARRAY(a, const char *, 2 * FACTS + 1);
    for (int k = 0; k < FACTS; k++) {
        list[2 * k] = all[k].key;
        list[2 * k + 1] = all[k].value;
    }
    return list;
}
