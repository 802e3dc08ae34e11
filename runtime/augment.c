/* Reads a recipe's augmentations into a chain, checks their sizes, and runs it. */
#include "runtime/augment_rows.h"

#include "runtime/random.h"

#include <string.h>

struct augment {
    augmentation *at;
    int count;
    int fixed; /* the first that draws; count: none does */
    bool training;
    picture_input to;
};

/* ---- random numbers ---- */

draws draws_of(const augment_sample *s, int place) {
    uint64_t index = (uint64_t)s->index;
    return (draws){.seed = s->seed,
                   .counter = {(uint32_t)index, (uint32_t)(index >> 32) | (uint32_t)place << 16,
                               (uint32_t)(RANDOM_AUGMENT + s->epoch), 0}};
}

static uint32_t draw(draws *r) {
    if (!r->left) {
        philox(r->words, r->counter, r->seed);
        r->counter[3]++;
        r->left = 4;
    }
    return r->words[--r->left];
}

double draw_between(draws *r, double low, double high) {
    return low + (high - low) * ((draw(r) + 0.5) / 0x1p32);
}

int draw_below(draws *r, int bound) {
    return (int)((uint64_t)draw(r) * (uint64_t)bound >> 32);
}

/* ---- from the recipe ---- */

typedef struct field {
    const char *name;
    size_t offset;
} field;

static const field numbers[] = {
    {"p", offsetof(augmentation, p)},
    {"brightness", offsetof(augmentation, brightness)},
    {"contrast", offsetof(augmentation, contrast)},
    {"saturation", offsetof(augmentation, saturation)},
    {"hue", offsetof(augmentation, hue)},
};
static const field ranges[] = {{"scale", offsetof(augmentation, scale)},
                               {"ratio", offsetof(augmentation, ratio)}};

static void read_size(augmentation *g, const net_rule_arg *a) {
    g->single = !a->list;
    g->height = (int)(a->list ? a->list[0] : a->number);
    g->width = (int)(a->list ? a->list[1] : a->number);
}

static bool read_range(double to[2], const augmentation *g, const net_rule_arg *a, diags *d) {
    if (a->count != 2 || a->list[0] > a->list[1])
        return diag_file(d, g->row->name, "'%s' is a list of two numbers, the smaller one first", a->name);
    memcpy(to, a->list, 2 * sizeof *to);
    return true;
}

static bool read_arg(augmentation *g, const net_rule_arg *a, diags *d) {
    if (strcmp(a->name, "size") == 0) read_size(g, a);
    if (strcmp(a->name, "pad") == 0) g->pad = (int)a->number;
    if (strcmp(a->name, "seed") == 0) g->seed = (uint64_t)a->number;
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (strcmp(a->name, numbers[k].name) == 0)
            *(double *)(void *)((char *)g + numbers[k].offset) = a->number;
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++)
        if (strcmp(a->name, ranges[k].name) == 0)
            return read_range((double *)(void *)((char *)g + ranges[k].offset), g, a, d);
    return true;
}

/* An order of 0..count-1 that is the seed's own. */
static const int32_t *permutation(arena *a, int32_t count, uint64_t seed) {
    int32_t *order = NEW_ARRAY(a, int32_t, count);
    random_order(order, count, (random_stream){seed, RANDOM_PERMUTE});
    return order;
}

static bool read_rule(augmentation *g, arena *a, const net_rule *rule, const picture_input *to, diags *d) {
    *g = (augmentation){
        .row = augment_rows, .p = 0.5, .scale = {0.08, 1}, .ratio = {3.0 / 4, 4.0 / 3}, .to = *to};
    while (g->row->name && strcmp(g->row->name, rule->name) != 0) g->row++;
    if (!g->row->name) return diag_file(d, rule->name, "there is no such augmentation");
    for (int k = 0; k < rule->arg_count; k++)
        if (!read_arg(g, &rule->args[k], d)) return false;
    if (strcmp(g->row->name, "permute") == 0) g->order = permutation(a, to->height * to->width, g->seed);
    return true;
}

static bool check_size(const augment *g, int height, int width, diags *d) {
    const char *last = "";
    for (int k = 0; k < g->count; k++) {
        if (!g->at[k].row->resize) continue;
        last = g->at[k].row->name;
        g->at[k].row->resize(&g->at[k], &height, &width);
    }
    if (!*last || !height || (height == g->to.height && width == g->to.width)) return true;
    return diag_file(d, "augment", "after %s pictures are %d x %d, but the net takes %d x %d", last, width,
                     height, g->to.width, g->to.height);
}

augment *augment_new(arena *a, const net_rule *rules, int count, const picture_input *to, bool training,
                     int height, int width, diags *d) {
    augment *g = NEW(a, augment);
    *g = (augment){.at = NEW_ARRAY(a, augmentation, count + 1), .training = training, .to = *to};
    for (; g->count < count; g->count++)
        if (!read_rule(&g->at[g->count], a, &rules[g->count], to, d)) return NULL;
    g->fixed = g->count;
    for (int k = count; training && k-- > 0;)
        if (g->at[k].row->random) g->fixed = k;
    return check_size(g, height, width, d) ? g : NULL;
}

/* ---- running it ---- */

static bool run(const augment *g, image *m, changing *c, int from, int to, const augment_sample *s) {
    for (int k = from; k < to; k++) {
        const augmentation *step = &g->at[k];
        augment_change *change = g->training ? step->row->train : step->row->test;
        image out;
        draws r;
        if (!change) continue;
        if (s) r = draws_of(s, k), c->draws = &r;
        if (!change(c, step, &out, m)) return false;
        *m = out;
    }
    return to < g->count ||
           image_fit(m, c->arena, m, m->channels, g->to.height, g->to.width, c->path, c->diags);
}

bool augment_begin(const augment *g, image *out, arena *a, const image *m, const char *path, diags *d) {
    changing c = {a, path, d, NULL};
    *out = image_convert(a, m, g->to.channels);
    return run(g, out, &c, 0, g->fixed, NULL);
}

bool augment_finish(const augment *g, image *out, arena *a, const image *m, const augment_sample *s,
                    diags *d) {
    changing c = {a, s->path, d, NULL};
    *out = *m;
    return g->fixed == g->count || run(g, out, &c, g->fixed, g->count, s);
}
