/* A run's results.csv as columns of numbers. */
#ifndef NETC_RUNTIME_RESULTS_TABLE_H
#define NETC_RUNTIME_RESULTS_TABLE_H

#include "ir/base/diag.h"

enum { RESULTS_MAX_BYTES = 64 << 20, RESULTS_MAX_COLUMNS = 256 };

typedef struct results_table {
    const char *path;
    const char **names; /* of the columns, from the first line */
    int columns, rows;
    double *at; /* [rows][columns]; NaN where a place is empty */
} results_table;

/* Commas, no quotes, as many numbers a line as the first line has names. False with an error that names the
 * line otherwise. */
bool results_table_read(results_table *t, arena *a, const char *path, diags *d);
int results_table_find(const results_table *t, const char *name); /* -1: no such column */

#endif
