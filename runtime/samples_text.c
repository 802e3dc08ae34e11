/* Text as samples: windows of characters, and the character that follows each. */
#include "runtime/dataset_kinds.h"
#include "runtime/random.h"
#include "runtime/samples.h"

/* Windows follow one another without gaps; in training an epoch's begin at a place of its own. */
static const unsigned char *window_of(const samples *s, const sample_place *p) {
    int64_t length = s->net->inputs[0].count, start = 0;
    if (s->options->shuffle) {
        uint32_t w[4], counter[4] = {0, 0, (uint32_t)(RANDOM_SHUFFLE + p->epoch), 1};
        int64_t windows = (s->set->count - 1) / length, slack = s->set->count - 1 - windows * length;
        philox(w, counter, s->options->seed);
        start = (int64_t)((uint64_t)w[0] * (uint64_t)(windows > 1 ? length : slack + 1) >> 32);
    }
    return s->set->text + start + p->index * length;
}

static bool text_input(samples *s, const sample_place *p, arena *scratch, diags *d) {
    (void)scratch, (void)d;
    const unsigned char *from = window_of(s, p);
    for (int64_t k = 0; k < s->net->inputs[0].count; k++) ((int32_t *)p->input)[k] = from[k];
    return true;
}

static bool text_target(samples *s, const sample_place *p, diags *d) {
    (void)d;
    const unsigned char *from = window_of(s, p) + 1;
    for (int64_t k = 0; k < s->targets; k++) ((int32_t *)p->target)[k] = from[k];
    return true;
}

bool samples_of_text(samples *s, diags *d) {
    const net_tensor *t = &s->net->inputs[0];
    const char *path = s->set->path;
    int most = 0;
    for (int64_t k = 0; k < s->set->count; k++) most = s->set->text[k] > most ? s->set->text[k] : most;
    if (t->type != NET_I32 || t->rank != 1)
        return diag_file(d, path, "a text is read by nets with an input [length] int, which '%s' is not",
                         t->name);
    if (t->bound && most >= t->bound)
        return diag_file(d, path,
                         "the text has characters up to number %d, but input '%s' takes numbers below %lld",
                         most, t->name, (long long)t->bound);
    if (!s->classes || s->targets != t->count || s->class_count <= most)
        return diag_file(d, path,
                         "a text trains nets whose loss reads a class for each of the %lld characters, and "
                         "whose classes are the %d characters",
                         (long long)t->count, most + 1);
    int64_t windows = (s->set->count - 1) / t->count;
    if (windows < 1)
        return diag_file(d, path, "the text has %lld characters, but one sample takes %lld",
                         (long long)s->set->count, (long long)t->count + 1);
    s->count = windows - (s->options->shuffle && windows > 1);
    s->input = text_input;
    s->target = text_target;
    return true;
}
