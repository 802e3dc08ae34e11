/* Pictures as samples: decoded once where there is room to keep them, augmented, normalised. */
#include "runtime/augment.h"
#include "runtime/dataset_kinds.h"
#include "runtime/samples.h"

#include <stdlib.h>
#include <string.h>

static const int64_t MOST_KEPT = (int64_t)2 << 30; /* bytes */

/* Another thread may have been faster: then its copy stays. */
static void keep(samples *s, int64_t index, const image *m) {
    size_t bytes = (size_t)m->width * (size_t)m->height * (size_t)m->channels;
    int64_t most = s->options->cache ? s->options->cache : MOST_KEPT,
            size = (int64_t)(sizeof(kept_picture) + bytes);
    kept_picture *none = NULL, *k;
    if (atomic_fetch_add(&s->kept_bytes, size) + size > most || !(k = malloc(sizeof *k + bytes))) {
        atomic_fetch_sub(&s->kept_bytes, size);
        return;
    }
    k->image = *m;
    k->image.pixels = memcpy(k->pixels, m->pixels, bytes);
    if (atomic_compare_exchange_strong(&s->kept[index], &none, k)) return;
    atomic_fetch_sub(&s->kept_bytes, size);
    free(k);
}

/* The picture up to what is drawn first. */
static bool begin(samples *s, const sample_place *p, const char *path, image *out, arena *scratch, diags *d) {
    const kept_picture *k = s->kept ? atomic_load(&s->kept[p->index]) : NULL;
    image m;
    if (k) return *out = k->image, true;
    if (!dataset_picture(s->set, p->index, &m, scratch, d) ||
        !augment_begin(s->augment, out, scratch, &m, path, d))
        return false;
    if (s->kept) keep(s, p->index, out);
    return true;
}

static bool picture_input_fill(samples *s, const sample_place *p, arena *scratch, diags *d) {
    const char *path = s->set->file ? s->set->file(s->set, p->index) : s->set->path;
    const augment_sample sample = {s->options->seed, p->epoch, p->index, path};
    image m, out;
    if (!begin(s, p, path, &m, scratch, d) || !augment_finish(s->augment, &out, scratch, &m, &sample, d))
        return false;
    image_planar(p->input, &out, &s->levels);
    return true;
}

bool samples_of_pictures(samples *s, arena *a, diags *d) {
    const net_recipe *r = s->net->recipe;
    picture_input_of(&s->net->inputs[0], &s->to);
    s->levels = image_levels_of(&s->to.norm);
    s->input = picture_input_fill;
    s->augment = augment_new(a, r ? r->augment : NULL, r ? r->augment_count : 0, &s->to, s->options->augment,
                             s->set->height, s->set->width, d);
    return s->augment;
}
