/* Between calls.c, entries.c and the rest of the C backend. */
#ifndef NETC_BACKENDS_C_CALLS_H
#define NETC_BACKENDS_C_CALLS_H

#include "backends/c/emit.h"

/* Bytes of an area that a call may touch. */
typedef struct touch {
    area area;
    int index; /* which input, output or constant */
    int64_t begin, end;
    bool writes;
} touch;

typedef struct walk {
    emitter *e;
    entry_kind kind;
    int indent, loops;
    VEC(touch) touched;             /* since the last wait */
    const char **inputs, **outputs; /* names inside of the entry's function */
} walk;

/* lend.c: the same of calls whose parts the host's threads take (--executor) */
void emit_lent_runner(emitter *e, const kernel *k, const char *count);
void emit_lent_team(emitter *e);

#endif
