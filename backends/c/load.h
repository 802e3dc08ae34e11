/* Compiles a generated pair with the system's C compiler and loads it into this process. */
#ifndef NETC_BACKENDS_C_LOAD_H
#define NETC_BACKENDS_C_LOAD_H

#include "backends/c/c.h"

typedef struct c_library {
    void *handle; /* NULL: nothing is loaded */
    c_invoke *invoke;
} c_library;

/* Compiles with $CC, or else cc, gcc or clang: -O2, OpenMP where the compiler has it. The pair must have been
 * made with o->invoke. Everything written on the way is gone when this returns. False with an error. */
bool c_load(c_library *l, arena *a, const program *p, const c_options *o, const text *code,
            const text *header, diags *d);
void c_unload(c_library *l);

#endif
