/* A program's functions, compiled in several modules by several threads. */
#ifndef NETC_BACKENDS_LLVM_COMPILE_H
#define NETC_BACKENDS_LLVM_COMPILE_H

#include "backends/llvm/machine.h"
#include "ir/base/map.h"

/* A function to compile, or an entry where f is NULL. */
typedef struct item {
    const kfunc *f;
    const kernel *kernel; /* whose body f is; NULL: a micro */
    entry_kind entry;
    int64_t size; /* instructions, roughly */
    bool cold;    /* runs so seldom that optimising it takes longer than it saves */
} item;

typedef struct items {
    VEC(item) list;
    map fixed; /* micros by name: what unit.fixed holds of each */
} items;

/* All that the present entries reach, for one target. False with errors. */
bool items_collect(items *to, arena *a, const program *p, target_id which, diags *d);
bool items_emit(unit *u, const items *all, const item *it);

/* Objects that refer to one another; whoever takes one sets its place to NULL. */
typedef struct objects {
    LLVMMemoryBufferRef *at;
    int count;
} objects;

/* False with errors; objects_free in any case. */
bool objects_compile(objects *o, arena *a, const program *p, const llvm_options *options, diags *d);
void objects_free(objects *o);

#endif
