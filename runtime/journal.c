/* Small files, written anew each time but for the events, which grow while TensorBoard reads them. */
#include "runtime/journal.h"

#include "ir/base/file.h"
#include "runtime/events.h"
#include "runtime/plot.h"
#include "runtime/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double between_pictures = 2; /* seconds */

/* Columns of results.csv, and TensorBoard's names for them. */
typedef struct column {
    const char *name, *tag; /* tag NULL: not among the events */
    size_t offset;          /* of the number in train_row */
    double scale;           /* rounded to 1/scale; 0: as it is */
    bool whole, single;     /* a whole number; of float's precision */
} column;

#define COLUMN(field) .name = #field, .offset = offsetof(train_row, field)
static const column columns[] = {
    {COLUMN(epoch), .whole = true},
    {COLUMN(step), .whole = true},
    {COLUMN(learning_rate), .tag = "learning_rate"},
    {COLUMN(train_loss), .tag = "loss/train", .single = true},
    {COLUMN(train_accuracy), .tag = "accuracy/train", .single = true},
    {COLUMN(test_loss), .tag = "loss/test", .single = true},
    {COLUMN(test_accuracy), .tag = "accuracy/test", .single = true},
    {COLUMN(images_per_second), .tag = "images_per_second", .scale = 10},
    {COLUMN(seconds), .scale = 1000},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static double value_of(const train_row *row, const column *c) {
    double x;
    memcpy(&x, (const char *)row + c->offset, sizeof x);
    return c->scale > 0 ? round(x * c->scale) / c->scale : x;
}

static const char *path_of(const journal *j, const char *name, diags *d) {
    return arena_printf(d->arena, "%s/%s", j->folder, name);
}

/* ---- results.csv ---- */

static void add_line(text *t, const train_row *row) {
    for (int k = 0; k < COLUMNS; k++) {
        double x = value_of(row, &columns[k]);
        if (k) text_puts(t, ",");
        if (columns[k].whole)
            text_printf(t, "%.0f", x);
        else if (!isnan(x))
            text_real(t, x, columns[k].single);
    }
    text_puts(t, "\n");
}

static bool write_table(const journal *j, const train_state *s, diags *d) {
    text t = text_in(d->arena);
    for (int k = 0; k < COLUMNS; k++) text_printf(&t, k ? ",%s" : "%s", columns[k].name);
    text_puts(&t, "\n");
    for (int k = 0; k < s->rows.count; k++) add_line(&t, &s->rows.at[k]);
    return file_write(path_of(j, "results.csv", d), t.at, t.length, d);
}

/* ---- pictures ---- */

static bool draw_results(const journal *j, const train_state *s, diags *d) {
    plot_row *rows = NEW_ARRAY(d->arena, plot_row, s->rows.count + 1);
    for (int k = 0; k < s->rows.count; k++) {
        const train_row *r = &s->rows.at[k];
        rows[k] = (plot_row){r->epoch, r->train_loss, r->test_loss, r->train_accuracy, r->test_accuracy};
    }
    return plot_results(path_of(j, "results.png", d), rows, s->rows.count, d);
}

static bool draw(const journal *j, const train_state *s, diags *d) {
    return draw_results(j, s, d) && (!j->confusion || plot_confusion(path_of(j, "confusion.png", d),
                                                                     j->confusion, j->classes, j->names, d));
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void draw_or_warn(journal *j, const train_state *s, diags *d) {
    diags own = {.arena = d->arena};
    j->behind = false;
    if (j->plain || draw(j, s, &own)) {
        j->drawn = now();
        return;
    }
    j->plain = true;
    diag_add(d, DIAG_WARNING, (span){0}, "no pictures of the results: %s", own.first ? own.first->text : "");
}

/* ---- events ---- */

static const char *events_path(const journal *j, diags *d) {
    return path_of(j, "events.out.tfevents.netc", d);
}

static void add_event(text *t, const train_row *row) {
    event_scalar scalars[COLUMNS];
    int count = 0;
    for (int k = 0; k < COLUMNS; k++)
        if (columns[k].tag) scalars[count++] = (event_scalar){columns[k].tag, value_of(row, &columns[k])};
    events_add(t, row->time, (int64_t)row->step, scalars, count);
}

static bool append_event(const journal *j, const train_row *row, diags *d) {
    const char *path = events_path(j, d);
    text t = text_in(d->arena);
    add_event(&t, row);
    int f = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    ssize_t n = f < 0 ? -1 : write(f, t.at, t.length);
    int why = n < 0 ? errno : ENOSPC;
    bool good = n == (ssize_t)t.length;
    if (f >= 0 && close(f) != 0 && good) good = false, why = errno;
    return good || diag_file(d, path, "cannot write: %s", strerror(why));
}

/* ---- both ---- */

typedef struct writing {
    journal *journal;
    const train_state *state;
} writing;

static bool begin(diags *d, void *context) {
    const writing *w = context;
    const train_state *s = w->state;
    text t = text_in(d->arena);
    w->journal->drawn = now();
    events_begin(&t, s->began);
    for (int k = 0; k < s->rows.count; k++) add_event(&t, &s->rows.at[k]);
    return file_write(events_path(w->journal, d), t.at, t.length, d);
}

bool journal_begin(journal *j, const train_state *s, diags *d) {
    return scratch_run(begin, &(writing){j, s}, j->folder, d);
}

static bool add(diags *d, void *context) {
    const writing *w = context;
    const train_state *s = w->state;
    if (!write_table(w->journal, s, d) || !append_event(w->journal, &s->rows.at[s->rows.count - 1], d))
        return false;
    w->journal->behind = true;
    if (now() - w->journal->drawn >= between_pictures) draw_or_warn(w->journal, s, d);
    return true;
}

bool journal_add(journal *j, const train_state *s, diags *d) {
    return scratch_run(add, &(writing){j, s}, j->folder, d);
}

static bool draw_behind(diags *d, void *context) {
    const writing *w = context;
    draw_or_warn(w->journal, w->state, d);
    return true;
}

void journal_draw(journal *j, const train_state *s, diags *d) {
    if (j->behind) scratch_run(draw_behind, &(writing){j, s}, j->folder, d);
}
