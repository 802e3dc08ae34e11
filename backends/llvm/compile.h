/* A program's functions, compiled in several modules by several threads. */
#ifndef NETC_BACKENDS_LLVM_COMPILE_H
#define NETC_BACKENDS_LLVM_COMPILE_H

#include "backends/llvm/machine.h"

/* Objects that refer to one another; whoever takes one sets its place to NULL. */
typedef struct objects {
    LLVMMemoryBufferRef *at;
    int count;
} objects;

/* False with errors; objects_free in any case. */
bool objects_compile(objects *o, arena *a, const program *p, const llvm_options *options, diags *d);
void objects_free(objects *o);

#endif
