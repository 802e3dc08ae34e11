/* The C pair as files, and what it shares with other outputs. */
#ifndef NETC_FRONTEND_API_OUTPUT_C_H
#define NETC_FRONTEND_API_OUTPUT_C_H

#include "frontend/api/output.h"

typedef struct output_file {
    const char *path;
    const void *bytes;
    size_t size;
} output_file;

enum { OUTPUT_FILES = 3 /* the most */ };

/* All are written aside before the first takes its name: all or none. */
bool output_files(const output_file *files, int count, diags *d);
/* A path without its folders. */
const char *output_base_name(const char *path);

bool output_c(arena *a, const net *n, const graph *g, const output_options *o, const char *const **written,
              diags *d);

#endif
