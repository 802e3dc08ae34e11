/* Inside of the interpreter: code is an array of operations, each a C function that does its work and says
 * which one is next. Functions of a program do not recurse, so every value has a place of its own (a slot)
 * for good, and operations hold pointers to slots. */
#ifndef NETC_BACKENDS_INTERP_CODE_H
#define NETC_BACKENDS_INTERP_CODE_H

#include "backends/interp/interp.h"

enum { LANES = 16, SLOT = 64 /* bytes, and alignment */ };

/* What is known of 4 bytes of memory. A serial number stands for one index of one call of a run. */
typedef struct shadow {
    uint32_t writer; /* serial of who wrote last; 0: nobody */
    uint32_t reader; /* serial of who read last; machine.base: several indices of this call */
    int32_t owner;   /* id of the buffer that it was written as */
} shadow;

/* A buffer, scratch or local array as this run has it. */
typedef struct region {
    unsigned char *data;
    int64_t count; /* elements */
    const char *name;
    int id;         /* of the buffer; −1 for others */
    bool private;   /* one index's own: scratch, local arrays */
    shadow *shadow; /* NULL: not followed */
} region;

/* Value of a KB_PTR: elements from the region's start, which may lie outside until it is used. */
typedef struct pointer {
    const region *region;
    int64_t offset;
} pointer;

/* Lanes of which only the size matters. */
typedef int32_t lane4 __attribute__((may_alias));
typedef int64_t lane8 __attribute__((may_alias));

/* Values in slots: KB_INT int64_t, KB_I32 and KB_U8 int32_t, floats as they are, KB_BOOL int32_t 0 or −1; a
 * vector's lanes one after the other, with room for 16 whatever their number. */
typedef struct insn insn;
typedef struct code code;
typedef struct machine machine;
typedef const insn *insn_function(machine *m, const insn *o);

struct insn {
    insn_function *run;
    void *d;
    const void *a, *b, *c; /* absent ones equal a */
    union {
        int64_t imm; /* what is added to an index; a loop's step; bytes to move */
        const code *callee;
        scalar_op scalar;
        const kinst *reg;
        region *local;
    } as;
    int lanes; /* jumps: how far */
    int id;    /* of the instruction */
};

struct code {
    const kfunc *f;
    insn *insns;
    void **param; /* slots */
};

struct machine {
    bool check;
    uint32_t base, serial; /* of the call being run, and of its index */
    const code *code;
    int64_t index, n;
    const call *call;
    bool failed;
    diags *d;
    const program *program;
};

struct interp {
    arena *arena;
    machine machine;
    target_id which;
    code **body;     /* by kernel id */
    region *regions; /* by buffer id */
    region scratch[KB_BASES];
    void **constants;          /* by buffer id */
    entry_kind entry;          /* that is being run */
    const profile_mark *marks; /* whom to tell of its calls, or NULL */
    /* with check: */
    shadow *workspace, *packed, *step, *params, *moments, **given /* outputs and loss, by buffer id */;
    const void *packed_known; /* the bytes that `packed` describes */
    const void *step_known;   /* the bytes that `step` describes: what ENTRY_STEP left */
};

static inline int slot_bytes(ktype t) {
    if (t.lanes == 1) return 16;
    return kbase_bytes(t.base) == 8 ? 2 * SLOT : SLOT;
}

/* arith.c, vector.c, convert.c, memory.c: what to run for an operation on these types; NULL where kfunc_check
 * forbids it. */
insn_function *arith_function(scalar_op op, ktype operand, bool fused);
insn_function *vector_function(scalar_op op, ktype operand, bool fused); /* NULL: arith_function's does */
insn_function *select_function(ktype operand);
insn_function *cast_function(ktype from, ktype to);
insn_function *lanes_function(kop op, ktype operand);
insn_function *load_function(ktype t, bool part, bool splat);
insn_function *store_function(ktype t, bool part);
insn_function op_offset, op_local;
/* control.c */
insn_function op_move, op_begin, op_next, op_unless, op_jump, op_call, op_end, op_get_at, op_set_at,
    op_forget;

/* Runs c to its end or to a failure. */
void machine_run(machine *m, const code *c);
/* Reports; NULL, so that an operation can return it. */
const insn *machine_fail(machine *m, const insn *o, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* shadow.c: false after a report. Elements [at, at + count) of `bytes` each. */
bool shadow_read(machine *m, const insn *o, const region *r, int64_t at, int64_t count, int bytes);
bool shadow_write(machine *m, const insn *o, const region *r, int64_t at, int64_t count, int bytes);
/* The first element that nobody has written (as an element of this very buffer, with as_it), or −1. */
int64_t shadow_missing(const region *r, int bytes, bool as_it);
/* All of r was written before the first call; what was written, was written before it. */
void shadow_mark(const region *r, int bytes);
void shadow_settle(shadow *s, int64_t count);

/* regions.c */
void regions_make(interp *in);
/* What this entry needs is there, packed included; else an error. */
bool regions_given(const interp *in, entry_kind kind, const run_args *args, diags *d);
void regions_find(interp *in, entry_kind kind, const run_args *args);
/* With check: every element was written; an error names one that was not. */
bool region_written(const interp *in, const buffer *b);
bool area_written(const interp *in, area a);
/* An error without a place: returns false. */
bool run_fail(diags *d, const program *p, const char *why);

/* compile.c */
typedef struct compiler compiler;
compiler *compiler_new(interp *in, diags *d);
/* Code for f, its callees first; NULL with errors. */
code *compile_function(compiler *c, const kfunc *f);

#endif
