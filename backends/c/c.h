/* The C backend: a program as the generated pair, one .c and one .h, as the README describes it. */
#ifndef NETC_BACKENDS_C_C_H
#define NETC_BACKENDS_C_C_H

#include "ir/kernel/program.h"

/* How packed weights travel with the code. */
typedef enum embed {
    EMBED_NONE,   /* they don't: NET_prepare makes them from NET_params at run time */
    EMBED_ARRAY,  /* const void *NET_weights(void): an array in the source */
    EMBED_INCBIN, /* the same, taken from packed_file_name by the assembler */
    EMBED_FILE    /* const void *NET_load(const void *file, size_t bytes): points into the file's bytes */
} embed;

typedef struct c_options {
    const char *prefix;         /* of everything public; NULL: the net's name */
    const char *header_name;    /* "resnet18.h", for the #include */
    const char *version;        /* netc's, for the comment on top; NULL: not told */
    bool targets[TARGET_COUNT]; /* kernels to print; the program must have them */
    embed embed;
    const void *packed; /* EMBED_ARRAY: the packed bytes, header included or zero */
    size_t packed_bytes;
    const char
        *packed_file_name; /* EMBED_INCBIN, EMBED_FILE: where the caller writes them, without folders */
    bool invoke;           /* export NET_invoke (c_invoke below) for callers that know no types */
    bool executor;         /* entries take the host's threads first, there is no OpenMP; not with invoke */
} c_options;

/* Prints the pair. The program must be legalised for the wanted targets (c_supported) and unrolled. False
 * with an error where a name of the net's cannot be one in C, or where the program needs what C has not. */
bool c_emit(arena *a, const program *p, const c_options *o, text *source, text *header, diags *d);

/* The header alone, for code that another backend makes. False with an error where a name cannot be one in C. */
bool c_header(arena *a, const program *p, const c_options *o, text *header, diags *d);

/* Which scalar operations the target has, S_COUNT of them, for legalise(). */
const bool *c_supported(target_id t);

/* Of the codes that the functions return, those that a caller of NET_step tells apart. */
enum { C_BAD_LABEL = 6, C_NOT_FINITE = 7 };

/* NET_invoke's type. `entry` is an entry_kind; `states` one pointer a state slot to [MAX_BATCH][per_sample]
 * numbers, or NULL. ENTRY_STEP is all of NET_step: `params` and `packed`, there the optimizer, are written; inputs are
 * the net's, then the target where there is one and a pointer to the learning rate; outputs[0] is the loss. Of
 * ENTRY_INIT inputs[0] points to the seed. Returns the code that the entry returns; -1 for an entry that the program
 * has not. */
typedef int c_invoke(int entry, int n, const void *params, void *packed, const void *const *inputs,
                     void *const *outputs, void *const *states, void *workspace, size_t workspace_bytes);

#endif
