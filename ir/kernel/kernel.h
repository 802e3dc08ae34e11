/* The kernel IR: loops over scalars and vectors, what every backend prints and the interpreter runs. A kernel
 * is a function run for i in 0..count(n), in parallel; a micro is a function that kernels call.
 *
 * A function is a tree of instructions; an instruction is its own result. Integers that index are KB_INT (64
 * bits). Vectors have 2..16 lanes of one base type. Registers (K_REG) are named variables, or small arrays of
 * them indexed by numbers that are constant once loops marked unroll are unrolled. */
#ifndef NETC_IR_KERNEL_KERNEL_H
#define NETC_IR_KERNEL_KERNEL_H

#include "ir/base/diag.h"
#include "ir/scalar.h"

#include <stdint.h>

typedef enum kbase { KB_VOID, KB_INT, KB_I32, KB_U8, KB_F32, KB_F64, KB_BOOL, KB_PTR, KB_BASES } kbase;

typedef struct ktype {
    uint8_t base;   /* kbase */
    uint8_t lanes;  /* 1: a scalar */
    uint8_t elem;   /* KB_PTR: what it points to (kbase) */
    uint8_t writes; /* KB_PTR: may be stored through */
} ktype;

typedef enum kop {
    K_PARAM, /* i: which parameter of the function */
    K_CONST, /* i or f by type; splat on vectors */
    K_ARITH, /* scalar(args): operands of one type; compares give KB_BOOL of as many lanes; select(bool, x, y) */
    K_CAST,   /* args[0] as `type`: int ↔ float (toward zero), widths, u8 → anything */
    K_BITS,   /* args[0]'s bits as `type`: i32 ↔ f32 */
    K_SPLAT,  /* scalar args[0] in every lane */
    K_TAIL,   /* KB_BOOL lanes: lane < args[0] (KB_INT) */
    K_LOAD,   /* args: ptr, index [, count]: `type` from ptr[index..]; with count only the first
                 min(max(count, 0), lanes) lanes are read and the others are zero */
    K_STORE,  /* args: ptr, index, value [, count]: likewise */
    K_OFFSET, /* args: ptr, index: the pointer that many elements further */
    K_HSUM,   /* sum of the lanes, pairwise: ((l0+l8)+(l4+l12))…: halves are added until one is left */
    K_HMAX,   /* max of the lanes, halves likewise */
    K_REG,    /* declares register name[dim0][dim1] of `type`; must be set before it is got */
    K_GET,    /* args: reg, index0, index1 */
    K_SET,    /* args: reg, index0, index1, value */
    K_LOCAL,  /* an array of i elements on the stack: a pointer; contents undefined; at most 16 KiB */
    K_FOR,    /* args: lo, hi, step (constant > 0); the result is the loop variable; body */
    K_IF,     /* args: condition (KB_BOOL scalar); body; otherwise */
    K_CALL,   /* callee(args); no result */
    K_BARRIER,
    K_PREFETCH, /* args: ptr, index: ptr[index] will be read soon; changes nothing, and may lie anywhere */
    K_OPS
} kop;

typedef enum kloop { KLOOP_SERIAL, KLOOP_UNROLL, KLOOP_GRID, KLOOP_BLOCK } kloop;

typedef struct kinst kinst;
typedef struct kfunc kfunc;

typedef struct kblock {
    kinst *first, *last;
} kblock;

struct kinst {
    kop op;
    scalar_op scalar; /* K_ARITH */
    ktype type;       /* of the result; KB_VOID for none */
    int id;           /* unique in the function, dense from 0 */
    int args;
    kinst **arg;
    int64_t i;        /* K_CONST, K_PARAM, K_LOCAL */
    double f;         /* K_CONST */
    int dim[2];       /* K_REG */
    kloop loop;       /* K_FOR */
    const char *name; /* K_REG, K_FOR, K_LOCAL, and hints elsewhere; may be NULL */
    kfunc *callee;    /* K_CALL */
    kblock body, otherwise;
    kinst *next;
};

typedef struct kparam {
    const char *name;
    ktype type;
} kparam;

struct kfunc {
    const char *name; /* unique in the program for one target */
    bool micro;       /* called from others; not inlined */
    int params;
    kparam *param; /* of a kernel: i, n (KB_INT), then the call's arguments */
    kblock body;
    int ids; /* next id */
    const struct target *target;
};

static inline ktype k_scalar(kbase b) {
    return (ktype){.base = (uint8_t)b, .lanes = 1};
}
static inline ktype k_vector(kbase b, int lanes) {
    return (ktype){.base = (uint8_t)b, .lanes = (uint8_t)lanes};
}
static inline ktype k_ptr(kbase elem) {
    return (ktype){.base = KB_PTR, .lanes = 1, .elem = (uint8_t)elem};
}
static inline ktype k_out(kbase elem) {
    return (ktype){KB_PTR, 1, (uint8_t)elem, 1};
}
static inline bool ktype_equal(ktype a, ktype b) {
    return a.base == b.base && a.lanes == b.lanes && a.elem == b.elem;
}
int kbase_bytes(kbase b);        /* of one element in memory; KB_INT 8, KB_BOOL 1 */
const char *kbase_name(kbase b); /* "f32" */
static inline bool kbase_is_float(kbase b) {
    return b == KB_F32 || b == KB_F64;
}

/* Calls visit(context, inst) for every instruction of the block, outer ones first. */
void kblock_visit(const kblock *b, void (*visit)(void *context, kinst *inst), void *context);

/* Text form; kfunc_parse reads what kfunc_print writes (one function; callees are looked up by name among
 * `known`). */
void kfunc_print(text *t, const kfunc *f);
kfunc *kfunc_parse(arena *a, const source *s, kfunc *const *known, int known_count, diags *d);
/* Types, lanes, dominance (an instruction is used inside the block that made it, after it), registers indexed
 * by constants once unrolled. Errors are netc's own bugs. */
bool kfunc_check(const kfunc *f, diags *d);

#endif
