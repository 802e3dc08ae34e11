/* Draws the bar. */
#include "runtime/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, LEAST_BAR = 4, NARROW = 60 };

static const double silence = 1.0, pause_between = 0.1; /* seconds */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int columns_of(FILE *to) {
    struct winsize w;
    return ioctl(fileno(to), TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

void progress_begin(progress *p, const char *what, const char *unit, int64_t total) {
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    bool dumb = term && strcmp(term, "dumb") == 0;
    *p = (progress){.what = what, .unit = unit, .total = total, .began = now()};
    p->to = isatty(STDERR_FILENO) && !dumb ? stderr : NULL;
    p->color = !(none && *none);
}

/* "12 s", "3:05", "1:02:03" */
static void print_time(char *out, size_t size, double seconds) {
    long s = (long)(seconds + 0.5);
    if (s < 60)
        snprintf(out, size, "%ld s", s);
    else if (s < 3600)
        snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

/* Behind the bar: how much is done, or what the caller has to say instead; the rate; the time left. */
static void print_rest(char *out, size_t size, const progress *p, int64_t done, double rate) {
    char left[40] = "?";
    int64_t more = (p->total > done ? p->total - done : 0) + p->later;
    int digits = rate < 10 ? 1 : 0;
    if (rate > 0) print_time(left, sizeof left, (double)more / rate);
    if (p->note)
        snprintf(out, size, "%s  %.*f %s/s  %s left", p->note, digits, rate, p->unit, left);
    else
        snprintf(out, size, "%lld/%lld %s  %.*f/s  %s left", (long long)done, (long long)p->total, p->unit,
                 digits, rate, left);
}

void progress_line(char *line, size_t size, const progress *p, int64_t done, double seconds, int columns) {
    char bar[BAR + 1] = "", rest[160];
    double share = p->total > 0 ? (double)done / (double)p->total : 0;
    double rate = seconds > 0 ? (double)(done - p->from) / seconds : 0;
    share = share > 1 ? 1 : share;
    print_rest(rest, sizeof rest, p, done, rate);
    int width = columns - (int)strlen(p->what) - (int)strlen(rest) - 7; /* brackets, spaces, a free column */
    width = width > BAR ? BAR : width < LEAST_BAR ? LEAST_BAR : width;
    memset(bar, '.', (size_t)width);
    memset(bar, '#', (size_t)(share * width));
    if (columns < NARROW)
        snprintf(line, size, "%s %3.0f %%", p->what, 100 * share);
    else
        snprintf(line, size, "%s  [%s]  %s", p->what, bar, rest);
    if (columns > 0 && strlen(line) >= (size_t)columns) line[columns - 1] = 0;
}

void progress_step(progress *p, int64_t done) {
    char line[256];
    double t;
    if (!p->to || (t = now()) - p->began < silence || t - p->drawn < pause_between) return;
    progress_line(line, sizeof line, p, done, t - p->began, columns_of(p->to));
    fprintf(p->to, p->color ? "\r\033[32m%s\033[0m\033[K" : "\r%s\033[K", line);
    fflush(p->to);
    p->drawn = t;
    p->shown = true;
}

void progress_end(progress *p) {
    if (p->to && p->shown) fputs("\r\033[K", p->to);
    if (p->to) fflush(p->to);
    p->shown = false;
}
