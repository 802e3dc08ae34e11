/* Reads comma-separated numbers under a line of names. */
#include "runtime/results_table.h"

#include "ir/base/file.h"
#include "ir/base/text.h"
#include "runtime/shown.h"

#include <math.h>
#include <string.h>

typedef struct reading {
    results_table *table;
    arena *arena;
    const char *at;
    diags *diags;
} reading;

static bool refuse(const reading *r, int line, const char *why) {
    return diag_file(r->diags, r->table->path,
                     "line %d: %s; a table of results was expected, as netc train "
                     "writes it",
                     line, why);
}

/* The next place of the line: its length, and whether it is the line's last. */
static size_t place(const reading *r, bool *last) {
    size_t length = strcspn(r->at, ",\r\n");
    *last = r->at[length] != ',';
    return length;
}

static void next_line(reading *r) {
    r->at += strcspn(r->at, "\n");
    r->at += *r->at == '\n';
}

static bool read_names(reading *r) {
    results_table *t = r->table;
    t->names = NEW_ARRAY(r->arena, const char *, RESULTS_MAX_COLUMNS);
    for (bool last = false; !last;) {
        size_t length = place(r, &last);
        if (!length) return refuse(r, 1, "a column has no name");
        if (t->columns == RESULTS_MAX_COLUMNS) return refuse(r, 1, "there are too many columns");
        t->names[t->columns++] = shown(r->arena, r->at, length);
        r->at += length + !last;
    }
    next_line(r);
    return true;
}

static bool read_row(reading *r, double *row) {
    results_table *t = r->table;
    int line = t->rows + 2;
    bool last = false;
    for (int k = 0; k < t->columns; k++) {
        if (last) return refuse(r, line, "it has too few numbers");
        size_t length = place(r, &last);
        row[k] = NAN;
        if (length && !text_read_real(r->at, length, &row[k])) return refuse(r, line, "not a number");
        r->at += length + !last;
    }
    next_line(r);
    return last || refuse(r, line, "it has too many numbers");
}

bool results_table_read(results_table *t, arena *a, const char *path, diags *d) {
    *t = (results_table){.path = path};
    const source *s = file_read_text(a, path, RESULTS_MAX_BYTES, d);
    if (!s) return false;
    reading r = {t, a, s->text, d};
    if (!read_names(&r)) return false;
    int64_t most = (int64_t)strlen(r.at) / t->columns + 1; /* a row takes at least a byte a column */
    t->at = NEW_ARRAY(a, double, most * t->columns);
    for (; *r.at; t->rows++)
        if (!read_row(&r, t->at + (int64_t)t->rows * t->columns)) return false;
    return true;
}

int results_table_find(const results_table *t, const char *name) {
    for (int k = 0; k < t->columns; k++)
        if (strcmp(t->names[k], name) == 0) return k;
    return -1;
}
