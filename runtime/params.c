/* Maps a weight file's tensors to a net's parameters. */
#include "runtime/params.h"

#include "ir/base/map.h"
#include "ir/base/text.h"
#include "runtime/shown.h"

#include <math.h>
#include <string.h>

enum { MAX_LINES = 20, MAX_PREFIXES = 16 };

/* What wrappers put before all names: DataParallel, Lightning, torch.compile, ... */
static const char *const usual_prefixes[] = {
    "", "module.", "model.", "net.", "network.", "_orig_mod.", "backbone.", "module.model.", "model.module."};

typedef struct mapping {
    const tensors *from;
    const param *wanted;
    int count;
    arena *arena;
    diags *diags;
    map index;          /* name in the file → its tensor */
    const char *prefix; /* before all names in the file; "" mostly */
    const stored_tensor **found;
} mapping;

static const stored_tensor *find(const mapping *m, const char *prefix, const char *name) {
    return map_get(&m->index, *prefix ? arena_printf(m->arena, "%s%s", prefix, name) : name);
}

static int matches(const mapping *m, const char *prefix) {
    int n = 0;
    for (int i = 0; i < m->count; i++) n += find(m, prefix, m->wanted[i].name) != NULL;
    return n;
}

/* Counters of BatchNorm, and what netc itself keeps beside weights. */
static bool is_bookkeeping(const char *name) {
    const char *last = strrchr(name, '.');
    return strcmp(last ? last + 1 : name, "num_batches_tracked") == 0 || strncmp(name, "netc.", 5) == 0;
}

/* Up to and with the last dot that all names share. */
static const char *common_prefix(const mapping *m) {
    const char *first = NULL;
    size_t length = 0;
    for (int i = 0; i < m->from->count; i++) {
        const char *name = m->from->at[i].name;
        if (strncmp(name, "netc.", 5) == 0) continue;
        if (!first) first = name, length = strlen(name);
        while (length && (strncmp(first, name, length) != 0 || first[length - 1] != '.')) length--;
    }
    return length ? arena_text(m->arena, first, length) : "";
}

static void try_prefix(mapping *m, const char *prefix, int *best) {
    int n = matches(m, prefix);
    if (n > *best) *best = n, m->prefix = prefix;
}

static void choose_prefix(mapping *m) {
    int best = 0;
    const char *common = common_prefix(m);
    for (size_t i = 0; i < sizeof usual_prefixes / sizeof *usual_prefixes; i++)
        try_prefix(m, usual_prefixes[i], &best);
    for (int i = 0, tried = 0; common[i] && tried < MAX_PREFIXES; i++)
        if (common[i] == '.') try_prefix(m, arena_text(m->arena, common, (size_t)i + 1), &best), tried++;
}

static bool same_shape(const stored_tensor *s, const param *p) {
    return s->rank == p->rank && s->count == p->count &&
           (s->rank == 0 || memcmp(s->dims, p->dims, (size_t)p->rank * sizeof *p->dims) == 0);
}

/* What is wrong, one list a kind. */
typedef struct complaint {
    const char *kind;
    int count;
    const char *lines[MAX_LINES];
} complaint;

enum { MISSING, EXTRA, MISSHAPEN, INTEGER, COMPLAINTS };

/* Counts one more; true while there is room to say it. */
static bool count_one(complaint *c) {
    return c->count++ < MAX_LINES;
}

static void say(complaint *c, const char *line) {
    c->lines[c->count - 1] = line;
}

static void check_shape(const mapping *m, const stored_tensor *s, const param *p, complaint *c) {
    arena *a = m->diags->arena;
    const char *want = shown_shape(a, p->rank, p->dims);
    if (!s && count_one(&c[MISSING]))
        say(&c[MISSING], arena_printf(a, "'%s' %s is not in the file", p->name, want));
    if (s && !same_shape(s, p) && count_one(&c[MISSHAPEN]))
        say(&c[MISSHAPEN], arena_printf(a, "'%s' is %s in the file, %s in the net", p->name,
                                        shown_shape(a, s->rank, s->dims), want));
    if (s && same_shape(s, p) && count_one(&c[INTEGER]))
        say(&c[INTEGER], arena_printf(a, "'%s' holds %s in the file, where the net has floats", p->name,
                                      element_infos[s->type].name));
}

static void check_wanted(mapping *m, complaint *c) {
    for (int i = 0; i < m->count; i++) {
        const param *p = &m->wanted[i];
        const stored_tensor *s = m->found[i] = find(m, m->prefix, p->name);
        if (!s || !same_shape(s, p) || !element_infos[s->type].real) check_shape(m, s, p, c);
    }
}

static void check_extra(const mapping *m, complaint *c) {
    arena *a = m->diags->arena;
    map wanted = map_in(m->arena);
    for (int i = 0; i < m->count; i++) map_put(&wanted, m->wanted[i].name, (void *)(uintptr_t)&m->wanted[i]);
    size_t skip = strlen(m->prefix);
    for (int i = 0; i < m->from->count; i++) {
        const stored_tensor *s = &m->from->at[i];
        if (is_bookkeeping(s->name)) continue;
        if (strncmp(s->name, m->prefix, skip) == 0 && map_get(&wanted, s->name + skip)) continue;
        if (count_one(&c[EXTRA]))
            say(&c[EXTRA], arena_printf(a, "'%s' %s is not in the net", shown(a, s->name, strlen(s->name)),
                                        shown_shape(a, s->rank, s->dims)));
    }
}

static void tell(const mapping *m, const complaint *c) {
    for (int i = 0; i < c->count && i < MAX_LINES; i++)
        diag_add(m->diags, DIAG_NOTE, (span){0}, "%s: %s", c->kind, c->lines[i]);
    if (c->count > MAX_LINES)
        diag_add(m->diags, DIAG_NOTE, (span){0}, "%s: and %d more", c->kind, c->count - MAX_LINES);
}

/* One error with every list behind it; true if there is nothing to tell. */
static bool tell_all(const mapping *m, const complaint *c) {
    text t = text_in(m->diags->arena);
    for (int i = 0; i < COMPLAINTS; i++)
        if (c[i].count) text_printf(&t, t.length ? ", %d %s" : "%d %s", c[i].count, c[i].kind);
    if (!t.length) return true;
    diag_file(m->diags, m->from->path,
              "these weights do not fit the net: of its %d tensors and the file's %d, %s", m->count,
              m->from->count, t.at);
    for (int i = 0; i < COMPLAINTS; i++) tell(m, &c[i]);
    return false;
}

static void note_prefix(const mapping *m) {
    if (*m->prefix)
        diag_add(m->diags, DIAG_NOTE, (span){0}, "%s: every name begins with '%s', which is left off",
                 m->from->path, shown(m->diags->arena, m->prefix, strlen(m->prefix)));
}

static void find_tensors(mapping *m, complaint *c) {
    m->index = map_in(m->arena);
    m->prefix = "";
    for (int i = 0; i < m->from->count; i++)
        map_put(&m->index, m->from->at[i].name, (void *)(uintptr_t)&m->from->at[i]);
    m->found = NEW_ARRAY(m->arena, const stored_tensor *, m->count + 1);
    choose_prefix(m);
    check_wanted(m, c);
    check_extra(m, c);
}

static bool map_tensors(mapping *m) {
    complaint c[COMPLAINTS] = {[MISSING] = {.kind = "missing"},
                               [EXTRA] = {.kind = "extra"},
                               [MISSHAPEN] = {.kind = "misshapen"},
                               [INTEGER] = {.kind = "not floats"}};
    find_tensors(m, c);
    if (!tell_all(m, c)) return false;
    note_prefix(m);
    return true;
}

/* The same where a part may stay as it is: found[i] is NULL for what does. */
static bool map_some(mapping *m) {
    complaint c[COMPLAINTS] = {[MISSING] = {.kind = "starts fresh"},
                               [EXTRA] = {.kind = "not used"},
                               [MISSHAPEN] = {.kind = "starts fresh"},
                               [INTEGER] = {.kind = "not floats"}};
    int fits = 0;
    find_tensors(m, c);
    for (int i = 0; i < m->count; i++) {
        if (m->found[i] && !same_shape(m->found[i], &m->wanted[i])) m->found[i] = NULL;
        fits += m->found[i] != NULL;
    }
    if (c[INTEGER].count || !fits)
        return diag_file(m->diags, m->from->path,
                         fits ? "%d of its tensors hold integers, where the net has floats"
                              : "none of its %d tensors has a name and a shape of this net's",
                         fits ? c[INTEGER].count : m->from->count);
    note_prefix(m);
    for (int i = 0; i < COMPLAINTS; i++) tell(m, &c[i]);
    return true;
}

/* Where numbers go: floats or doubles. */
typedef struct destination {
    float *single;
    double *twice;
} destination;

/* float32 to float: the same bits. Then the count of numbers that are not finite, the first of them in
 * *first. */
static int64_t copy_same(float *to, const stored_tensor *s, int64_t *first) {
    int64_t odd = 0;
    if (s->bytes) memcpy(to, s->data, s->bytes);
    for (int64_t i = 0; i < s->count; i++)
        if (!isfinite(to[i]) && odd++ == 0) *first = i;
    return odd;
}

static int64_t copy_tensor(const destination *to, const stored_tensor *s, int64_t offset, int64_t *first) {
    if (to->single && s->type == EL_F32) return copy_same(to->single + offset, s, first);
    int64_t odd = 0;
    for (int64_t i = 0; i < s->count; i++) {
        double v = element_real(s->type, s->data, i);
        if (to->single) v = to->single[offset + i] = (float)v;
        if (to->twice) to->twice[offset + i] = v;
        if (!isfinite(v) && odd++ == 0) *first = i;
    }
    return odd;
}

static void copy_all(const mapping *m, const destination *to) {
    int64_t odd = 0, first = 0, first_here = 0;
    const char *name = NULL;
    for (int i = 0; i < m->count; i++) {
        if (!m->found[i]) continue;
        int64_t here = copy_tensor(to, m->found[i], m->wanted[i].offset, &first_here);
        if (here && !name) name = m->wanted[i].name, first = first_here;
        odd += here;
    }
    if (odd)
        diag_add(m->diags, DIAG_WARNING, (span){0},
                 "%s: %lld weights are NaN or infinite, the first in '%s' at %lld", m->from->path,
                 (long long)odd, name, (long long)first);
}

static bool load(const tensors *from, const param *wanted, int count, const destination *to, arena *scratch,
                 diags *d) {
    mapping m = {.from = from, .wanted = wanted, .count = count, .arena = scratch, .diags = d};
    if (!map_tensors(&m)) return false;
    copy_all(&m, to);
    return true;
}

bool params_load(const tensors *from, const param *wanted, int count, float *to, arena *scratch, diags *d) {
    return load(from, wanted, count, &(destination){.single = to}, scratch, d);
}

bool params_load_double(const tensors *from, const param *wanted, int count, double *to, arena *scratch,
                        diags *d) {
    return load(from, wanted, count, &(destination){.twice = to}, scratch, d);
}

bool params_load_some(const tensors *from, const param *wanted, int count, float *to, arena *scratch,
                      diags *d) {
    mapping m = {.from = from, .wanted = wanted, .count = count, .arena = scratch, .diags = d};
    if (!map_some(&m)) return false;
    copy_all(&m, &(destination){.single = to});
    return true;
}

stored_tensor *params_list(arena *a, const param *table, int count, const float *from) {
    stored_tensor *list = NEW_ARRAY(a, stored_tensor, count + 1);
    for (int i = 0; i < count; i++)
        list[i] = (stored_tensor){.name = table[i].name,
                                  .type = EL_F32,
                                  .rank = table[i].rank,
                                  .dims = table[i].dims,
                                  .count = table[i].count,
                                  .bytes = (size_t)table[i].count * sizeof *from,
                                  .data = (const unsigned char *)(from + table[i].offset)};
    return list;
}
