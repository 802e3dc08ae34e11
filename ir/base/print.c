/* Printing errors: place, text, the line of the source and carets below it. */
#include "ir/base/diag.h"

#include <string.h>

enum { LINE_BYTES = 160, BEFORE_CARET = 60, GUTTER = 5 };

static const struct {
    const char *name, *color;
} severities[] = {[DIAG_ERROR] = {"error", "\033[1;31m"},
                  [DIAG_WARNING] = {"warning", "\033[1;35m"},
                  [DIAG_NOTE] = {"note", "\033[1;36m"}};

typedef struct printer {
    FILE *to;
    bool color;
} printer;

static void switch_color(const printer *p, const char *code) {
    if (p->color) fputs(code, p->to);
}

/* Byte offset at which the line with byte `at` begins. */
static size_t line_start(const source *s, size_t at) {
    while (at > 0 && s->text[at - 1] != '\n') at--;
    return at;
}

static size_t line_end(const source *s, size_t at) {
    const char *feed = at < s->bytes ? memchr(s->text + at, '\n', s->bytes - at) : NULL;
    size_t end = feed ? (size_t)(feed - s->text) : s->bytes;
    return end > at && s->text[end - 1] == '\r' ? end - 1 : end;
}

static size_t first_byte(span s) {
    return s.begin < s.source->bytes ? s.begin : s.source->bytes;
}

void span_place(span s, int *line, int *column) {
    size_t at = first_byte(s);
    *line = 1;
    for (size_t i = 0; i < at; i++) *line += s.source->text[i] == '\n';
    *column = (int)(at - line_start(s.source, at)) + 1;
}

/* A byte inside a UTF-8 sequence, which takes no column of its own. */
static bool continues(unsigned char c) {
    return (c & 0xc0) == 0x80;
}

/* The part of a line that is shown: all of it, or some 160 bytes around the caret. */
typedef struct window {
    const source *source;
    size_t begin, end;
    bool cut_left, cut_right;
} window;

static window choose_window(span at) {
    size_t caret = first_byte(at), start = line_start(at.source, caret);
    window w = {.source = at.source, .begin = start, .end = line_end(at.source, caret)};
    if (w.end < w.begin) w.end = w.begin;
    if (w.end - w.begin <= LINE_BYTES) return w;
    if (caret - start > BEFORE_CARET) w.begin = caret - BEFORE_CARET;
    if (w.end - w.begin > LINE_BYTES) w.end = w.begin + LINE_BYTES, w.cut_right = true;
    while (w.begin < caret && continues((unsigned char)w.source->text[w.begin])) w.begin++;
    while (w.cut_right && w.end > caret && continues((unsigned char)w.source->text[w.end])) w.end--;
    w.cut_left = w.begin > start;
    return w;
}

static void print_line(const printer *p, const window *w) {
    if (w->cut_left) fputs("...", p->to);
    for (size_t i = w->begin; i < w->end; i++) {
        unsigned char c = (unsigned char)w->source->text[i];
        fputc((c < 0x20 && c != '\t') || c == 0x7f ? '?' : c, p->to);
    }
    fputs(w->cut_right ? "...\n" : "\n", p->to);
}

static bool covers(span s, const source *in, size_t byte) {
    return s.source == in && byte >= s.begin && (byte < s.end || byte == s.begin);
}

/* What stands below byte i of the line: the caret wins over the operands. */
static char mark_at(const diag *g, size_t i) {
    if (covers(g->at, g->at.source, i)) return '^';
    for (int k = 0; k < 2; k++)
        if (g->also[k].source && covers(g->also[k], g->at.source, i)) return '~';
    return ' ';
}

static void print_marks(const printer *p, const diag *g, const window *w) {
    size_t caret = first_byte(g->at), last = w->begin;
    for (size_t i = w->begin; i < w->end; i++)
        if (mark_at(g, i) != ' ') last = i + 1;
    if (caret >= w->end) last = w->end;
    if (w->cut_left) fputs("   ", p->to);
    for (size_t i = w->begin; i < last; i++) {
        char mark = mark_at(g, i);
        if (continues((unsigned char)w->source->text[i])) continue;
        if (w->source->text[i] != '\t')
            fputc(mark, p->to);
        else
            fputs(mark == ' ' ? "\t" : (char[]){mark, '\t', 0}, p->to);
    }
    if (caret >= w->end) fputc('^', p->to); /* past the last character: the end of the line or file */
    fputc('\n', p->to);
}

static void print_source(const printer *p, const diag *g, int line) {
    window w = choose_window(g->at);
    fprintf(p->to, "%*d | ", GUTTER, line);
    print_line(p, &w);
    fprintf(p->to, "%*s | ", GUTTER, "");
    switch_color(p, "\033[1;32m");
    print_marks(p, g, &w);
    switch_color(p, "\033[0m");
}

static void print_one(const printer *p, const diag *g) {
    int line = 0, column = 0;
    switch_color(p, "\033[1m");
    if (g->at.source) {
        span_place(g->at, &line, &column);
        fprintf(p->to, "%s:%d:%d: ", g->at.source->path, line, column);
    }
    switch_color(p, severities[g->severity].color);
    fprintf(p->to, "%s: ", severities[g->severity].name);
    switch_color(p, "\033[0m");
    fprintf(p->to, "%s\n", g->text);
    if (g->at.source) print_source(p, g, line);
}

void diags_print(const diags *d, FILE *to, bool color) {
    printer p = {to, color};
    for (const diag *g = d->first; g; g = g->next) print_one(&p, g);
}
