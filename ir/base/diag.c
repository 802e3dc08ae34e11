/* Collecting errors: repeats and floods are dropped with their notes. Printing is print.c's. */
#include "ir/base/diag.h"

#include <string.h>

enum { DEFAULT_LIMIT = 20 };

static bool span_equal(span a, span b) {
    return a.source == b.source && a.begin == b.begin && a.end == b.end;
}

static bool repeated(const diags *d, severity s, span at, const char *text) {
    for (const diag *g = d->first; g; g = g->next)
        if (g->severity == s && span_equal(g->at, at) && strcmp(g->text, text) == 0) return true;
    return false;
}

static diag *append(diags *d, severity s, span at, const char *text) {
    diag *g = NEW(d->arena, diag);
    *g = (diag){.severity = s, .at = at, .text = text};
    if (d->last)
        d->last->next = g;
    else
        d->first = g;
    return d->last = g;
}

/* Takes the place of a diag that is not kept, so that callers may fill `also` in any case. */
static diag *drop(diags *d) {
    if (!d->spare) d->spare = NEW(d->arena, diag);
    return d->spare;
}

/* Names in a text may come from a hostile file: no control character reaches a terminal. */
static const char *format_text(arena *a, const char *format, va_list list) {
    char *text = arena_vprintf(a, format, list);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    return text;
}

static diag *add(diags *d, severity s, span at, const char *format, va_list list) {
    int limit = d->limit ? d->limit : DEFAULT_LIMIT, *count = s == DIAG_ERROR ? &d->errors : &d->warnings;
    if (s == DIAG_NOTE) return d->muted ? drop(d) : append(d, s, at, format_text(d->arena, format, list));
    d->muted = true;
    if (*count >= limit) {
        if ((*count)++ == limit)
            append(d, DIAG_NOTE, (span){0},
                   s == DIAG_ERROR ? "too many errors; the rest are not shown"
                                   : "too many warnings; the rest are not shown");
        return drop(d);
    }
    const char *text = format_text(d->arena, format, list);
    if (repeated(d, s, at, text)) return drop(d);
    d->muted = false;
    (*count)++;
    return append(d, s, at, text);
}

diag *diag_add(diags *d, severity s, span at, const char *format, ...) {
    va_list list;
    va_start(list, format);
    diag *g = add(d, s, at, format, list);
    va_end(list);
    return g;
}

bool diag_file(diags *d, const char *path, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *why = arena_vprintf(d->arena, format, list);
    va_end(list);
    diag_add(d, DIAG_ERROR, (span){0}, "%s: %s", path, why);
    return false;
}
