/* Compiled nets written to files; what is written follows from the suffix. */
#ifndef NETC_FRONTEND_API_OUTPUT_H
#define NETC_FRONTEND_API_OUTPUT_H

#include "frontend/api/compile.h"
#include "runtime/net.h"

/* How weights travel with the code. */
typedef enum output_embed { OUTPUT_AUTO, OUTPUT_ARRAY, OUTPUT_INCBIN, OUTPUT_FILE } output_embed;

enum { OUTPUT_ARRAY_BYTES = 1 << 20 /* OUTPUT_AUTO: up to this an array, above it a file */ };

typedef struct output_options {
    compile_options compile;
    const char *path;    /* "resnet18.c" */
    const char *prefix;  /* of everything public; NULL: the net's name */
    const float *params; /* the weights to embed; NULL: none */
    output_embed embed;
    bool executor;      /* C whose entries take the host's threads, as those of LLVM's outputs always do */
    const char *triple; /* "aarch64-linux-gnu", for what LLVM writes; NULL: this machine's */
} output_options;

typedef struct output_kind {
    const char *suffix;  /* ".c" */
    const char *summary; /* "portable C, with its .h" */
    bool (*write)(arena *a, const net *n, const graph *g, const output_options *o,
                  const char *const **written, diags *d);
} output_kind;

extern const output_kind outputs[]; /* ends with a NULL suffix */

/* The kind that a path's suffix asks for; NULL with an error that lists them. */
const output_kind *output_find(const char *path, diags *d);
/* All files or none: `written` lists their paths and ends with NULL. n is described (describe_graph) already.
 */
bool output_write(arena *a, const net *n, const graph *g, const output_options *o,
                  const char *const **written, diags *d);

#endif
