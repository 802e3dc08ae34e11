/* The LLVM backend: a program as machine code, run in place or handed out as bytes. Outside of this folder
 * nothing sees LLVM's own headers. */
#ifndef NETC_BACKENDS_LLVM_LLVM_H
#define NETC_BACKENDS_LLVM_LLVM_H

#include "ir/base/team.h"
#include "ir/kernel/program.h"

typedef struct llvm_options {
    target_id target; /* whose bodies; the program was lowered for it, legalised (llvm_supported), unrolled */
    int threads;      /* that compile: at least 1 */
    bool quick;       /* code as it comes: a fifth of the time to compile, many times slower to run */
} llvm_options;

/* Which scalar operations the target has, S_COUNT of them, for legalise(). */
const bool *llvm_supported(target_id t);

/* Machine code of a program in this process's memory. Any number of threads may run it. */
typedef struct llvm_code llvm_code;

/* Whether code can be put into this process's memory: on x86-64 and aarch64. */
bool llvm_can_load(void);
/* Of the LLVM that this was built for: "19.1.7". */
const char *llvm_version(void);
/* Compiles for this machine, whose processor must have the target's instructions, to bytes that llvm_open of a program
 * with the same digest takes, in any process on the same machine. False with errors. */
bool llvm_compile(arena *a, const program *p, const llvm_options *o, text *image, diags *d);
/* Lies in the arena, but for the code's own pages; keeps a pointer to the program, but not to the image, which may be
 * anywhere. Whoever kept it must have seen to it that no byte of it has changed. NULL with an error. */
llvm_code *llvm_open(arena *a, const program *p, const void *image, size_t bytes, diags *d);
/* Both. */
llvm_code *llvm_load(arena *a, const program *p, const llvm_options *o, diags *d);
/* Runs an entry, on the team's threads where t is not NULL; nobody else may use the team meanwhile. False with
 * an error where packed was not prepared for this program or an argument is out of range. */
bool llvm_run(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d);
void llvm_unload(llvm_code *c); /* takes NULL */

typedef enum llvm_form { LLVM_FORM_OBJECT, LLVM_FORM_ASSEMBLY, LLVM_FORM_IR } llvm_form;

typedef struct llvm_output {
    llvm_form form;
    const char *triple; /* "aarch64-linux-gnu"; NULL: this machine's */
    const char *prefix; /* of everything public; NULL: the net's name */
    /* Whose bodies to take: those of them that the triple's processors may have, the best chosen at every call;
     * the program must be legalised for each. */
    bool targets[TARGET_COUNT];
    const void
        *packed; /* the packed bytes to embed, header included or zero; NULL: PREFIX_prepare makes them */
} llvm_output;

/* Which of the targets an output for this triple would take. False with an error for a triple that LLVM does not
 * know or where none of them fits. */
bool llvm_output_targets(const llvm_output *o, bool chosen[TARGET_COUNT], diags *d);
/* The functions of the generated header (C's with an executor), as bytes in *out. False with errors. */
bool llvm_emit(arena *a, const program *p, const llvm_output *o, text *out, diags *d);

#endif
