/* Programs of one kernel, for tests of what happens between a kernel and its backends. */
#ifndef NETC_TESTS_SUPPORT_ONE_KERNEL_H
#define NETC_TESTS_SUPPORT_ONE_KERNEL_H

#include "backends/interp/interp.h"
#include "ir/kernel/lower.h"

/* A buffer and the kernel's parameter that points to it; `fixed` elements and `per_sample` more a sample. */
typedef struct one_arg {
    const char *name;
    ktype type; /* k_ptr(...) or k_out(...); KB_INT: `fixed` is the number passed */
    area area;
    int64_t fixed, per_sample;
} one_arg;

/* What is built from, and for whom. */
typedef struct one_kernel {
    kernel_build *build;
    const void *recipe;
    size_t bytes;
    const one_arg *args;
    int count;
    kcount runs;
    int64_t max_batch;
    target_id which;
    kbase real;
    int64_t scratch; /* bytes; an argument of AREA_CONST without elements is scratch */
    bool prepare;    /* the call is prepare's */
} one_kernel;

program *one_kernel_program(arena *a, const one_kernel *k);
/* Appends another call of the program's kernel k, with buffers by name. */
void one_kernel_call(program *p, entry_kind e, int k, const char *const *buffers);

/* Room for a run: inputs and outputs as many elements as the buffers have at n, zeroed; packed with its
 * header. */
run_args one_kernel_args(arena *a, const program *p, int64_t n);
/* Builds, runs and returns output 0, NULL with errors in d. inputs: by their order among the buffers. */
void *one_kernel_run(arena *a, const one_kernel *k, const void *const *inputs, bool check, diags *d);

/* The loops marked unroll expanded, as passes_run does. */
void one_kernel_unroll(program *p);
/* True if an error of d contains this. */
bool diags_have(const diags *d, const char *part);

#endif
