/* Gathers samples: first all items are opened and measured, then memory is asked for, then they are read. */
#include "runtime/inputs.h"

#include "ir/base/size.h"
#include "ir/base/text.h"
#include "runtime/inputs_array.h"
#include "runtime/picture.h"
#include "runtime/random.h"
#include "runtime/shown.h"

#include <stdlib.h>
#include <string.h>

typedef struct gathering {
    inputs *in;
    arena *arena;
    const net *net;
    diags *diags;
    item *items;
    int count;
    bool random;
    uint64_t seed;
} gathering;

/* ---- what was named ---- */

int tensor_named(const net_tensor *list, int count, const char *given, const char **rest, const char *what,
                 diags *d) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strspn(given, letters);
    *rest = given;
    for (int k = 0; k < count; k++) /* a layer's name may hold dots */
        if (strncmp(given, list[k].name, strlen(list[k].name)) == 0 && given[strlen(list[k].name)] == '=')
            return *rest += strlen(list[k].name) + 1, k;
    if (!length || given[length] != '=') return -1;
    const char **names = NEW_ARRAY(d->arena, const char *, count + 1);
    text all = text_in(d->arena);
    for (int k = 0; k < count; k++) {
        names[k] = list[k].name;
        text_printf(&all, k ? ", %s" : "%s", names[k]);
    }
    const char *name = arena_text(d->arena, given, length), *near = nearest_name(name, names, count);
    diag_add(d, DIAG_ERROR, (span){0}, "--%s: the net has no %s '%s'%s%s%s; it has %s", what, what, name,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", count ? all.at : "none");
    return -2;
}

static bool read_seed(gathering *g, const char *given) {
    size_t digits = strspn(given, "0123456789");
    g->random = true;
    g->seed = strtoull(given, NULL, 10);
    if (digits && digits < 20 && !given[digits]) return true;
    return diag_file(g->diags, "--input", "'random:%s' needs a whole number: random:1", given);
}

/* By content; a name that ends in .npy is taken at its word, so that its reader says what is wrong. */
static bool find_kind(item *i, diags *d) {
    size_t length = strlen(i->path);
    file_map m;
    if (!file_open(&m, i->path, d)) return false;
    bool array = m.size >= 6 && memcmp(m.bytes, "\x93NUMPY", 6) == 0;
    bool picture =
        m.size >= 3 && (memcmp(m.bytes, "\xff\xd8\xff", 3) == 0 || memcmp(m.bytes, "\x89PN", 3) == 0);
    bool empty = m.size == 0;
    file_close(&m);
    i->is_array = array || (length > 4 && strcmp(i->path + length - 4, ".npy") == 0);
    if (i->is_array || picture) return true;
    return diag_file(d, i->path,
                     empty ? "this file is empty: an input is a .npy array, a PNG or a JPEG picture"
                           : "this is neither a .npy array nor a PNG or JPEG picture");
}

static bool add_item(gathering *g, const char *given) {
    const net *n = g->net;
    const char *rest;
    int input = tensor_named(n->inputs, n->input_count, given, &rest, "input", g->diags);
    if (input == -2) return false;
    if (strncmp(rest, "random:", 7) == 0 && input < 0) return read_seed(g, rest + 7);
    if (strncmp(rest, "random:", 7) == 0)
        return diag_file(g->diags, "--input",
                         "'random:' fills every input that has no file: leave the name off");
    if (input < 0 && n->input_count != 1)
        return diag_file(g->diags, rest,
                         n->input_count ? "the net has %d inputs: say which one this is, NAME=FILE"
                                        : "the net has %d inputs: there is nothing to give it",
                         n->input_count);
    item *i = &g->items[g->count];
    *i = (item){.path = rest, .input = input < 0 ? 0 : input, .samples = 1};
    i->to = &n->inputs[i->input];
    if (!find_kind(i, g->diags)) return false;
    g->count++;
    return true;
}

static bool open_item(gathering *g, item *i) {
    picture_input p;
    if (i->is_array) {
        bool good = item_open_array(i, g->arena, g->diags);
        g->in->open[g->in->open_count++] = i->array;
        return good;
    }
    if (picture_input_of(i->to, &p)) return true;
    return diag_file(g->diags, i->path, "input '%s' is %s, which no picture fits: give it a .npy array",
                     i->to->name, item_shape(g->diags->arena, i->to));
}

/* ---- how many ---- */

static int64_t samples_of(const gathering *g, int input) {
    int64_t sum = 0;
    for (int k = 0; k < g->count; k++)
        if (g->items[k].input == input) sum += g->items[k].samples;
    return sum;
}

static bool count_samples(gathering *g, int64_t random_samples) {
    const net_tensor *list = g->net->inputs, *first = NULL;
    for (int k = 0; k < g->net->input_count; k++) {
        int64_t has = samples_of(g, k);
        if (!has && !g->random)
            return diag_file(g->diags, "--input",
                             "input '%s' has no data: give a file, or random:1 for all that have none",
                             list[k].name);
        if (has && first && has != g->in->samples)
            return diag_file(g->diags, "--input",
                             "'%s' has %lld samples but '%s' has %lld: they must be as many", first->name,
                             (long long)g->in->samples, list[k].name, (long long)has);
        if (!has) continue;
        g->in->samples = has;
        first = &list[k];
    }
    if (!first) g->in->samples = random_samples;
    return true;
}

/* ---- their numbers ---- */

static void draw(const gathering *g, int input, void *to) {
    const net_tensor *t = &g->net->inputs[input];
    random_stream s = {g->seed, (uint32_t)(RANDOM_INPUTS + input)};
    int64_t count = g->in->samples * t->count;
    if (t->type == NET_I32)
        random_below(to, 0, count, t->bound ? t->bound : 2, s);
    else
        random_normal(to, 0, count, 1, s);
}

/* An array of floats that is an input's only file need not be copied. */
static bool use_in_place(gathering *g, const item *i) {
    const stored_tensor *s = &i->array.tensor;
    if (!i->is_array || i->samples != g->in->samples || i->to->type != NET_F32) return false;
    if (s->type != EL_F32 || (uintptr_t)s->data % sizeof(float)) return false;
    g->in->data[i->input] = s->data;
    return true;
}

static bool read_item(const gathering *g, const item *i, void *to) {
    picture_input p;
    if (i->is_array) return item_read_array(i, to, g->diags);
    return picture_input_of(i->to, &p) && picture_read(to, &p, i->path, g->diags);
}

static bool fill_input(gathering *g, int input) {
    const net_tensor *t = &g->net->inputs[input];
    int64_t bytes, done = 0;
    for (int k = 0; k < g->count; k++)
        if (g->items[k].input == input && use_in_place(g, &g->items[k])) return true;
    if (!size_mul(g->in->samples, t->count, &bytes) || !size_mul(bytes, 4, &bytes))
        return diag_file(g->diags, "--input", "%lld samples of '%s' are more than any memory holds",
                         (long long)g->in->samples, t->name);
    char *to = arena_alloc(g->arena, (size_t)bytes, 1);
    g->in->data[input] = to;
    if (!samples_of(g, input)) draw(g, input, to);
    for (int k = 0; k < g->count; k++) {
        const item *i = &g->items[k];
        if (i->input != input) continue;
        if (!read_item(g, i, to + (size_t)(done * t->count) * 4)) return false;
        done += i->samples;
    }
    return true;
}

/* After the first item's input. */
static void title(gathering *g) {
    int64_t at = 0;
    const char **titles = g->in->titles = NEW_ARRAY(g->arena, const char *, g->in->samples + 1);
    for (int k = 0; k < g->count; k++) {
        const item *i = &g->items[k];
        const char *slash = strrchr(i->path, '/'), *file = slash ? slash + 1 : i->path;
        const char *name = shown(g->arena, file, strlen(file));
        if (i->input != g->items[0].input) continue;
        for (int64_t s = 0; s < i->samples; s++)
            titles[at++] = i->is_array ? arena_printf(g->arena, "%s[%lld]", name, (long long)s) : name;
    }
    for (; at < g->in->samples; at++) titles[at] = arena_printf(g->arena, "random[%lld]", (long long)at);
}

bool inputs_read(inputs *in, arena *a, const net *n, const char *const *items, int count,
                 int64_t random_samples, diags *d) {
    gathering g = {.in = in, .arena = a, .net = n, .diags = d, .items = NEW_ARRAY(a, item, count + 1)};
    *in = (inputs){.data = NEW_ARRAY(a, const void *, n->input_count + 1),
                   .open = NEW_ARRAY(a, npy, count + 1)};
    bool good = true;
    for (int k = 0; k < count; k++) good &= add_item(&g, items[k]);
    for (int k = 0; k < g.count; k++) good &= open_item(&g, &g.items[k]);
    good = good && count_samples(&g, random_samples);
    for (int k = 0; good && k < n->input_count; k++) good = fill_input(&g, k);
    if (good)
        title(&g);
    else
        inputs_close(in);
    return good;
}

void inputs_close(inputs *in) {
    for (int k = 0; k < in->open_count; k++) npy_close(&in->open[k]);
    in->open_count = 0;
}
