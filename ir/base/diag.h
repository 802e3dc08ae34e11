/* What went wrong, where, and what to do: errors are collected, not printed, so that several are reported in
 * one go and a library can hand them to its caller. Spans are byte offsets; lines and columns are worked out
 * only to print. */
#ifndef NETC_IR_BASE_DIAG_H
#define NETC_IR_BASE_DIAG_H

#include "ir/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct source {
    const char *path; /* as the user typed it */
    const char *text;
    size_t bytes;
} source;

/* Bytes [begin, end) of a source; source NULL where there is none (a weight file, the command line). */
typedef struct span {
    const source *source;
    uint32_t begin, end;
} span;

typedef enum severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE } severity;

typedef struct diag {
    severity severity;
    span at;           /* what the caret points at */
    span also[2];      /* operands underlined with ~ on the same line, where there are any */
    const char *text;  /* one sentence: no line feed, no full stop */
    struct diag *next; /* notes follow the error they belong to */
} diag;

typedef struct diags {
    arena *arena;
    diag *first, *last;
    int errors, warnings;
    int limit;   /* errors (and warnings) past this many are dropped (0: 20) */
    bool muted;  /* the last error was a repeat or past the limit: its notes are dropped too */
    diag *spare; /* what diag_add returns in place of a dropped one */
} diags;

/* Adds one and returns it (for `also`); never NULL. The same text at the same place is kept once. The format's text should name the thing, why it is wrong and a way out. */
diag *diag_add(diags *d, severity s, span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* An error without a place in a source: "PATH: why". Returns false, so that readers can `return diag_file(...)`. */
bool diag_file(diags *d, const char *path, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Prints all as FILE:LINE:COLUMN: error: TEXT with the line and a caret below it (tabs kept, long lines cut). */
void diags_print(const diags *d, FILE *to, bool color);
/* 1-based line and column (in bytes) of a span's first byte. */
void span_place(span s, int *line, int *column);
static inline span span_join(span a, span b) {
    return (span){a.source, a.begin, b.end};
}

/* Among `count` candidates the nearest to `name` by edit distance, or NULL if none is near: "did you mean". */
const char *nearest_name(const char *name, const char *const *candidates, int count);

#endif
