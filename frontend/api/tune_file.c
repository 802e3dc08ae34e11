/* Reads line by line from the right, where the words are fixed. */
#include "frontend/api/tune_file.h"

#include "frontend/api/compile.h"
#include "ir/base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head[] =
    "# Ways to compute layers that were the fastest when 'netc --tune' timed them. Take a line "
    "away to have it timed anew.\n";

const char *tune_layer(arena *a, const node *n, int64_t batch, inexact most) {
    static const char *const words[] = {
        [INEXACT_NOT] = " exact", [INEXACT_TWICE] = " train", [INEXACT_MORE] = ""};
    text t = text_in(a);
    text_puts(&t, n->op->name);
    for (int k = 0; k < n->own_inputs; k++) {
        text_puts(&t, " ");
        shape_print(&t, &n->in[k]->shape);
    }
    attrs_print(&t, n->op, n->attrs);
    text_printf(&t, "%s batch=%" PRId64, words[most], batch);
    return t.at;
}

/* ---- reading ---- */

/* A line that is being read, [at, end). */
typedef struct line {
    const source *source;
    size_t at, end;
    diags *diags;
} line;

static bool refuse(const line *l, size_t from, size_t to, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool refuse(const line *l, size_t from, size_t to, const char *format, ...) {
    va_list list;
    va_start(list, format);
    diag_add(l->diags, DIAG_ERROR, (span){l->source, (uint32_t)from, (uint32_t)to}, "%s",
             arena_vprintf(l->diags->arena, format, list));
    va_end(list);
    return false;
}

/* Cuts the last word off; where it began. */
static size_t last_word(line *l) {
    const char *s = l->source->text;
    while (l->end > l->at && s[l->end - 1] != ' ') l->end--;
    size_t begin = l->end;
    while (l->end > l->at && s[l->end - 1] == ' ') l->end--;
    return begin;
}

static const char *part(const line *l, arena *a, size_t from, size_t to) {
    return arena_text(a, l->source->text + from, to - from);
}

/* "NAME=123" */
static bool read_number(const char *word, const char *name, int64_t most, int64_t *out) {
    size_t length = strlen(name);
    if (strncmp(word, name, length) != 0 || word[length] != '=') return false;
    const char *digits = word + length + 1;
    char *end;
    errno = 0;
    *out = strtoll(digits, &end, 10);
    return *digits >= '1' && *digits <= '9' && !*end && !errno && *out <= most;
}

static bool read_threads(line *l, arena *a, tune_answer *x) {
    size_t to = l->end, from = last_word(l);
    int64_t threads;
    if (!read_number(part(l, a, from, to), "threads", COMPILE_MAX_THREADS, &threads))
        return refuse(l, from, to, "expected threads=N, N from 1 to %d", COMPILE_MAX_THREADS);
    x->threads = (int)threads;
    return true;
}

static bool read_target(line *l, arena *a, tune_answer *x) {
    size_t to = l->end, from = last_word(l);
    const target *t = target_find(part(l, a, from, to));
    if (!t) return refuse(l, from, to, "expected a target: avx512, avx2, neon or c99");
    x->target = t->id;
    return true;
}

/* The op's name, and that the layer ends with its batch. */
static const op *read_layer(line *l, arena *a, tune_answer *x) {
    size_t word = strcspn(l->source->text + l->at, " \n");
    const char *name = part(l, a, l->at, l->at + word);
    const op *o = op_find(name);
    line rest = *l;
    size_t from = last_word(&rest);
    int64_t batch;
    if (!o || !o->candidates)
        return refuse(l, l->at, l->at + word, "there is no layer '%s' that has several ways to be computed",
                      name),
               NULL;
    if (from <= l->at || !read_number(part(l, a, from, l->end), "batch", COMPILE_MAX_BATCH, &batch))
        return refuse(l, from, l->end, "expected batch=N, N from 1 to %d", COMPILE_MAX_BATCH), NULL;
    x->layer = part(l, a, l->at, l->end);
    return o;
}

static bool check_way(const line *l, size_t from, size_t to, const op *o, const char *way) {
    text list = text_in(l->diags->arena);
    for (const candidate *const *c = o->candidates; *c; c++) {
        if (strcmp((*c)->name, way) == 0) return true;
        text_printf(&list, list.length ? ", %s" : "%s", (*c)->name);
    }
    return refuse(l, from, to, "%s is not computed by '%s'; there are %s", o->name, way, list.at);
}

static bool read_line(tune_file *f, line l) {
    tune_answer x = {0};
    const char *s = l.source->text;
    size_t whole = l.end, from = last_word(&l);
    x.way = part(&l, f->arena, from, whole);
    size_t to = l.end, arrow = last_word(&l);
    if (to - arrow != 2 || strncmp(s + arrow, "->", 2) != 0)
        return refuse(&l, l.at, whole, "expected LAYER batch=N TARGET threads=N -> WAY");
    if (!read_threads(&l, f->arena, &x) || !read_target(&l, f->arena, &x)) return false;
    const op *o = read_layer(&l, f->arena, &x);
    if (!o || !check_way(&l, from, whole, o, x.way)) return false;
    if (tune_find(f, x.layer, x.target, x.threads))
        return refuse(&l, l.at, whole, "this layer has an answer for %s and %d threads before: take one away",
                      targets[x.target].name, x.threads);
    VEC_PUSH(f->arena, &f->answers, x);
    return true;
}

static bool read_text(tune_file *f, const source *s, diags *d) {
    int errors = d->errors;
    for (size_t at = 0; at < s->bytes && d->errors - errors < 10;) {
        size_t length = strcspn(s->text + at, "\n"), end = at + length;
        while (end > at && (s->text[end - 1] == ' ' || s->text[end - 1] == '\r')) end--;
        if (end > at && s->text[at] != '#') read_line(f, (line){s, at, end, d});
        at += length + 1;
    }
    return d->errors == errors;
}

bool tune_read(tune_file *f, arena *a, const char *path, diags *d) {
    *f = (tune_file){.arena = a, .path = path};
    if (access(path, F_OK) != 0 && errno == ENOENT) return true;
    const source *s = file_read_text(a, path, TUNE_FILE_BYTES, d);
    return s && read_text(f, s, d);
}

/* ---- answers ---- */

const char *tune_find(const tune_file *f, const char *layer, target_id target_, int threads) {
    for (int k = 0; k < f->answers.count; k++) {
        const tune_answer *x = &f->answers.at[k];
        if (x->target == target_ && x->threads == threads && strcmp(x->layer, layer) == 0) return x->way;
    }
    return NULL;
}

const char *tune_find_any(const tune_file *f, const char *layer, target_id only) {
    const tune_answer *best = NULL;
    for (int k = 0; k < f->answers.count; k++) {
        const tune_answer *x = &f->answers.at[k];
        if (strcmp(x->layer, layer) != 0 || (only != TARGET_COUNT && x->target != only)) continue;
        if (!best || x->target < best->target || (x->target == best->target && x->threads > best->threads))
            best = x;
    }
    return best ? best->way : NULL;
}

void tune_add(tune_file *f, tune_answer x) {
    VEC_PUSH(f->arena, &f->answers, x);
    f->changed = true;
}

static int by_line(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool tune_write(tune_file *f, diags *d) {
    if (!f->changed) return true;
    const char **lines = NEW_ARRAY(f->arena, const char *, f->answers.count + 1);
    text t = text_in(f->arena);
    for (int k = 0; k < f->answers.count; k++) {
        const tune_answer *x = &f->answers.at[k];
        lines[k] = arena_printf(f->arena, "%s %s threads=%d -> %s\n", x->layer, targets[x->target].name,
                                x->threads, x->way);
    }
    qsort(lines, (size_t)f->answers.count, sizeof *lines, by_line);
    text_puts(&t, head);
    for (int k = 0; k < f->answers.count; k++) text_puts(&t, lines[k]);
    f->changed = false;
    return file_write(f->path, t.at, t.length, d);
}
