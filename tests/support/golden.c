/* Reader of golden cases and maker of their inputs. */
#include "tests/support/golden.h"
#include "ir/base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 16 << 20 };

typedef struct reader {
    arena *arena;
    diags *d;
    const source *source;
    char *line; /* not yet taken, zero-terminated; NULL at the end */
    char *rest;
    int number;
} reader;

static void advance(reader *r) {
    do {
        r->line = r->rest;
        if (!r->line) return;
        r->rest = strchr(r->line, '\n');
        if (r->rest) *r->rest++ = 0;
        r->number++;
    } while (!r->line[0] || r->line[0] == '#');
}

static bool malformed(reader *r, const char *why) {
    return diag_file(r->d, r->source->path, "line %d: %s", r->number, why);
}

/* What stands behind `word `, or NULL if the line begins otherwise. */
static char *after(const reader *r, const char *word) {
    size_t length = strlen(word);
    if (!r->line || strncmp(r->line, word, length) != 0 || (r->line[length] && r->line[length] != ' '))
        return NULL;
    return r->line + length + (r->line[length] == ' ');
}

static bool read_fill(reader *r, golden *g) {
    golden_fill f = {0};
    char *name = after(r, "fill"), *space = strchr(name, ' ');
    if (!space) return malformed(r, "fill NAME low high, or fill NAME below COUNT");
    f.name = arena_text(r->arena, name, (size_t)(space - name));
    if (strncmp(space, " below ", 7) == 0) {
        f.below = strtoll(space + 7, NULL, 10);
        if (f.below < 1) return malformed(r, "the bound must be positive");
    } else {
        f.low = strtod(space, &space);
        f.high = strtod(space, &space);
        if (*space) return malformed(r, "two numbers must stand here");
    }
    VEC_PUSH(r->arena, &g->fills, f);
    advance(r);
    return true;
}

static bool read_graph(reader *r, golden *g) {
    text t = text_in(r->arena);
    while (r->line && !after(r, "expect")) {
        text_printf(&t, "%s\n", r->line);
        advance(r);
    }
    if (!t.length) return malformed(r, "a graph must stand here");
    source *s = NEW(r->arena, source);
    *s = (source){arena_printf(r->arena, "%s: %s", r->source->path, g->name), t.at, t.length};
    g->graph = graph_parse(r->arena, s, r->d);
    return g->graph != NULL;
}

/* NAME f32[2,3] */
static bool read_type(reader *r, golden_tensor *t) {
    char *word = after(r, "expect"), *open = strchr(word, '['), *space = strchr(word, ' ');
    if (!space || !open || open != space + 4) return malformed(r, "expect NAME f32[2,3]");
    t->name = arena_text(r->arena, word, (size_t)(space - word));
    t->type = strncmp(space + 1, "i32", 3) == 0 ? DT_I32 : DT_F32;
    t->count = 1;
    for (char *p = open + 1; *p && *p != ']'; p += *p == ',') {
        int64_t dim = strtoll(p, &p, 10);
        if (dim < 1 || dim > FILE_LIMIT || t->shape.rank == MAX_RANK || (*p != ',' && *p != ']'))
            return malformed(r, "this is not a shape");
        t->shape.dim[t->shape.rank++] = dim;
        t->count *= dim;
        if (t->count > FILE_LIMIT) return malformed(r, "this tensor is too large for a test");
    }
    advance(r);
    return true;
}

static bool read_expected(reader *r, golden *g) {
    golden_tensor t = {0};
    if (!read_type(r, &t)) return false;
    t.at = NEW_ARRAY(r->arena, double, t.count);
    for (int64_t i = 0; i < t.count;) {
        char *p = r->line, *end = p;
        if (!p) return malformed(r, "numbers are missing");
        for (; i < t.count; i++, p = end) {
            t.at[i] = strtod(p, &end);
            if (end == p) break;
        }
        if (end == r->line || *end) return malformed(r, "this is not the tensor's numbers");
        advance(r);
    }
    VEC_PUSH(r->arena, &g->expected, t);
    return true;
}

static bool read_case(reader *r, golden *g) {
    char *name = after(r, "case");
    if (!name) return malformed(r, "a case must begin here");
    g->name = name;
    advance(r);
    if (!after(r, "batch") || (g->batch = atoi(after(r, "batch"))) < 1)
        return malformed(r, "batch COUNT must follow");
    advance(r);
    while (after(r, "fill"))
        if (!read_fill(r, g)) return false;
    if (!read_graph(r, g)) return false;
    while (after(r, "expect"))
        if (!read_expected(r, g)) return false;
    if (!after(r, "end")) return malformed(r, "the case should end here");
    advance(r);
    return true;
}

bool golden_read(arena *a, const char *path, goldens *out, diags *d) {
    const source *s = file_read_text(a, path, FILE_LIMIT, d);
    if (!s) return false;
    reader r = {.arena = a, .d = d, .source = s, .rest = arena_text(a, s->text, s->bytes)};
    advance(&r);
    while (r.line) {
        golden g = {0};
        if (!read_case(&r, &g)) return false;
        VEC_PUSH(a, out, g);
    }
    return true;
}

int64_t golden_count(const golden *g, const value *v) {
    return shape_count(&v->shape) * (shape_batched(&v->shape) ? g->batch : 1);
}

/* 24 bits for every index. */
static uint64_t fnv(const char *name) {
    uint64_t h = 0xCBF29CE484222325u;
    for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 0x100000001B3u;
    return h;
}

static uint32_t draw(uint64_t seed, int64_t index) {
    uint64_t z = seed + ((uint64_t)index + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 40);
}

static golden_fill fill_of(const golden *g, const char *name) {
    for (int i = 0; i < g->fills.count; i++)
        if (strcmp(g->fills.at[i].name, name) == 0) return g->fills.at[i];
    return (golden_fill){name, -1, 1, 0};
}

void golden_fill_f32(const golden *g, const char *name, int64_t count, float *out) {
    golden_fill f = fill_of(g, name);
    uint64_t seed = fnv(name);
    for (int64_t i = 0; i < count; i++) {
        double u = draw(seed, i) / 16777216.0;
        double scaled = (f.high - f.low) * u; /* apart, so that no compiler joins the two roundings */
        out[i] = (float)(f.low + scaled);
    }
}

void golden_fill_i32(const golden *g, const char *name, int64_t count, int32_t *out) {
    golden_fill f = fill_of(g, name);
    uint64_t seed = fnv(name);
    for (int64_t i = 0; i < count; i++) out[i] = (int32_t)(draw(seed, i) % (f.below ? f.below : 1));
}

const golden_tensor *golden_expected(const golden *g, const char *name) {
    for (int i = 0; i < g->expected.count; i++)
        if (strcmp(g->expected.at[i].name, name) == 0) return &g->expected.at[i];
    return NULL;
}

double golden_distance(const golden_tensor *want, const float *got) {
    double largest = 1, distance = 0;
    for (int64_t i = 0; i < want->count; i++) largest = fmax(largest, fabs(want->at[i]));
    for (int64_t i = 0; i < want->count; i++) {
        double far = fabs((double)got[i] - want->at[i]);
        if (!(far <= distance)) distance = isnan(far) ? INFINITY : far;
    }
    return distance / largest;
}
