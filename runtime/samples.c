/* What kind of samples a set gives a net, and arrays as inputs. */
#include "runtime/samples.h"

#include "runtime/dataset_kinds.h"
#include "runtime/inputs_array.h"

#include <stdlib.h>
#include <string.h>

/* ---- arrays ---- */

/* The array as if it held sample `index` alone; -1: all of them. */
static item item_of(const samples *s, int64_t index) {
    item i = {.path = s->set->arrays.x_path, .to = &s->net->inputs[0]};
    stored_tensor *t = &i.array.tensor;
    *t = s->set->arrays.x;
    if (index < 0) return i;
    t->count /= t->dims[0];
    t->bytes = (size_t)t->count * (size_t)element_infos[t->type].bytes;
    t->data += (size_t)index * t->bytes;
    return i;
}

static bool array_input(samples *s, const sample_place *p, arena *scratch, diags *d) {
    (void)scratch;
    const item i = item_of(s, p->index);
    return item_read_array(&i, p->input, d);
}

static bool use_arrays(samples *s, diags *d) {
    const net_recipe *r = s->net->recipe;
    const item all = item_of(s, -1);
    s->input = array_input;
    if (!item_fits(&all, d)) return false;
    return !r || !r->augment_count ||
           diag_file(d, all.path, "'%s' changes pictures, and this array holds none: --set augment=none",
                     r->augment[0].name);
}

/* ---- all kinds ---- */

/* What the loss reads. */
static bool find_loss(samples *s, diags *d) {
    const net *n = s->net;
    const net_recipe *r = n->recipe;
    s->classes = !r || r->classes;
    s->targets = r ? r->target_count : 1;
    s->class_count = r && r->classes ? r->class_count : r ? r->target_count : n->outputs[0].count;
    return r || n->scores != SCORES_NONE ||
           diag_file(
               d, n->name,
               "only classifiers can be evaluated without a train block: their first output is a row of "
               "numbers, one a class");
}

static bool find_input(samples *s, arena *a, diags *d) {
    picture_input p;
    const net *n = s->net;
    if (n->input_count != 1)
        return diag_file(d, n->name, "only nets with one input can be trained or evaluated: this one has %d",
                         n->input_count);
    bool fits = picture_input_of(&n->inputs[0], &p);
    if (s->set->holds == HOLDS_TEXT) return samples_of_text(s, d);
    if (s->set->holds == HOLDS_ARRAYS && !(s->set->picture && fits)) return use_arrays(s, d);
    return fits ? samples_of_pictures(s, a, d)
                : diag_file(d, n->name, "input '%s' is %s, which no picture fits: [1 or 3,height,width] does",
                            n->inputs[0].name, item_shape(d->arena, &n->inputs[0]));
}

bool samples_open(samples *s, arena *a, const net *n, const dataset *set, const loader_options *o, diags *d) {
    *s = (samples){.net = n, .set = set, .options = o, .count = set->count};
    if (!find_loss(s, d) || !find_input(s, a, d)) return false;
    if (o->limit && o->limit < s->count) s->count = o->limit;
    if (s->count > INT32_MAX)
        return diag_file(d, set->path, "it has %lld samples: netc takes up to 2^31", (long long)s->count);
    if (!s->target && !samples_find_target(s, a, d)) return false;
    if (set->encoded) s->kept = calloc((size_t)set->count, sizeof *s->kept); /* without it nothing is kept */
    return true;
}

bool samples_fill(samples *s, const sample_place *p, arena *scratch, diags *d) {
    if (s->class_of) *p->label = s->class_of[dataset_label(s->set, p->index)];
    return s->input(s, p, scratch, d) && s->target(s, p, d);
}

void samples_close(samples *s) {
    for (int64_t k = 0; s->kept && k < s->set->count; k++) free(atomic_load(&s->kept[k]));
    free(s->kept);
    s->kept = NULL;
}
