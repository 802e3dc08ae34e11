/* One bar on a terminal for what takes longer than a second: done, rate, time left. Nothing appears where
 * stderr is no terminal; NO_COLOR and TERM=dumb are obeyed. Used by one thread. */
#ifndef NETC_RUNTIME_PROGRESS_H
#define NETC_RUNTIME_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    FILE *to;         /* NULL: silent */
    const char *what; /* "eval", "train" */
    const char *unit; /* "images" */
    int64_t total;
    int64_t from;        /* done before the bar began, as when a run goes on: no part of the rate */
    const char *note;    /* shown instead of the count: "loss 0.31"; NULL: the count */
    int64_t later;       /* that follow when this bar is full: the time left counts them */
    double began, drawn; /* seconds */
    bool color, shown;
} progress;

void progress_begin(progress *p, const char *what, const char *unit, int64_t total);
/* Any number of times; draws ten times a second at most. */
void progress_step(progress *p, int64_t done);
/* Takes the bar away again, so that a result stands in its place. */
void progress_end(progress *p);

/* The line itself, at most `columns` wide: "eval  [#####.....]  5000/10000 images  1234/s  4 s left"; with a note
 * "epoch 1/9  [#####.....]  loss 0.31  1234 images/s  4 s left". */
void progress_line(char *line, size_t size, const progress *p, int64_t done, double seconds, int columns);

#endif
