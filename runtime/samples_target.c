/* What the loss reads of a sample: its label as a class of the net, or as a row of zeros and a one, or what y
 * holds. */
#include "runtime/dataset_kinds.h"
#include "runtime/samples.h"
#include "runtime/shown.h"

#include <string.h>

/* ---- labels ---- */

static bool class_target(samples *s, const sample_place *p, diags *d) {
    (void)s, (void)d;
    *(int32_t *)p->target = *p->label;
    return true;
}

static bool row_target(samples *s, const sample_place *p, diags *d) {
    (void)d;
    for (int64_t c = 0; c < s->targets; c++) ((float *)p->target)[c] = c == *p->label;
    return true;
}

/* Labels of folders are their order; where the net names its classes and has all the folders' names, names
 * count. */
static bool match_names(const net *n, const dataset *set, int *class_of) {
    bool all = n->label_count > 0 && set->holds == HOLDS_PICTURES && set->encoded;
    for (int k = 0; all && k < set->classes; k++) {
        int found = -1;
        for (int c = 0; c < n->label_count; c++)
            if (strcmp(n->labels[c], set->names[k]) == 0) found = c;
        class_of[k] = found;
        all = found >= 0;
    }
    for (int k = 0; !all && k < set->classes; k++) class_of[k] = k;
    return all;
}

static bool check_labels(const samples *s, diags *d) {
    const dataset *set = s->set;
    if (set->encoded) /* a folder a class */
        return set->classes <= s->class_count ||
               diag_file(d, s->net->name, "the data have %d classes, but the net tells %lld apart",
                         set->classes, (long long)s->class_count);
    for (int64_t i = 0; set->classes > s->class_count && i < s->count; i++)
        if (s->class_of[set->label(set, i)] >= s->class_count)
            return diag_file(d, set->file(set, i),
                             "sample %lld has the label %d, but the net '%s' tells %lld classes apart",
                             (long long)i, set->label(set, i), s->net->name, (long long)s->class_count);
    return true;
}

static bool use_labels(samples *s, arena *a, diags *d) {
    int *class_of = NEW_ARRAY(a, int, s->set->classes + 1);
    if (s->classes && s->targets != 1)
        return diag_file(d, s->set->path,
                         "each sample has one label, but the loss reads %lld classes of each",
                         (long long)s->targets);
    match_names(s->net, s->set, class_of);
    s->class_of = class_of;
    s->target = s->classes ? class_target : row_target;
    return check_labels(s, d);
}

/* ---- y ---- */

static bool number_target(samples *s, const sample_place *p, diags *d) {
    const stored_tensor *y = &s->set->arrays.y;
    for (int64_t k = 0; k < s->targets; k++) {
        double x = element_real(y->type, y->data, p->index * s->targets + k);
        if (!s->classes)
            ((float *)p->target)[k] = (float)x;
        else if (x >= 0 && x < (double)s->class_count)
            ((int32_t *)p->target)[k] = (int32_t)x;
        else
            return diag_file(d, s->set->arrays.y_path,
                             "sample %lld has the label %.0f, but the net '%s' tells %lld "
                             "classes apart",
                             (long long)p->index, x, s->net->name, (long long)s->class_count);
    }
    return true;
}

static bool use_numbers(samples *s, diags *d) {
    const stored_tensor *y = &s->set->arrays.y;
    int64_t each = y->count / y->dims[0];
    s->target = number_target;
    if (s->classes && element_infos[y->type].real)
        return diag_file(d, s->set->arrays.y_path, "it holds %s, but the loss reads classes: whole numbers",
                         element_infos[y->type].name);
    return each == s->targets ||
           diag_file(d, s->set->arrays.y_path, "it is %s, but the loss reads %lld numbers of each sample",
                     shown_shape(d->arena, y->rank, y->dims), (long long)s->targets);
}

bool samples_find_target(samples *s, arena *a, diags *d) {
    bool number = s->set->holds == HOLDS_ARRAYS && !s->classes && s->targets == 1;
    return s->set->label && !number ? use_labels(s, a, d) : use_numbers(s, d);
}
