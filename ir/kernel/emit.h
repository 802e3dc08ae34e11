/* What the builder, the reader of kernel texts and the passes over kernels share: appending a plain
 * instruction, and the rules by which integer arithmetic folds. */
#ifndef NETC_IR_KERNEL_EMIT_H
#define NETC_IR_KERNEL_EMIT_H

#include "ir/kernel/build.h"

/* Appends a copy of an instruction as it is, without folding: op, scalar, type, arguments, i, f, dim, loop,
 * name, callee. With b->values an equal one in reach is returned instead, if it is pure. */
kinst *kb_append(kb *b, kinst like);
/* The same for one without anything but arguments. */
kinst *kb_emit(kb *b, kop op, ktype type, int args, kinst *const *arg);

/* Pure instructions that were appended where the builder stands or around it, by what they compute. */
typedef struct kb_value {
    kinst *inst;
    struct kb_value *next;
} kb_value;
typedef struct kb_values {
    kb_value *slots[4096];
    VEC(int) undo;      /* slots, in the order in which entries were put in front */
    int mark[KB_DEPTH]; /* undo.count when the builder went this deep */
} kb_values;
kinst *kb_value_find(const kb *b, const kinst *like);
void kb_value_keep(kb *b, kinst *x);
void kb_value_leave(kb *b); /* forgets what was made inside the innermost block */

/* An operation on scalars of KB_INT or KB_BOOL that is known, or is an operand or a simpler operation; NULL
 * where the instruction itself is wanted. May append. */
kinst *kb_fold(kb *b, scalar_op op, kinst *x, kinst *y, kinst *z);
/* A scalar KB_BOOL, or as many lanes of it. */
kinst *kb_truth(kb *b, bool x, int lanes);
/* The type of scalar(x, y, z). */
ktype kb_arith_type(scalar_op op, const kinst *x, const kinst *y);

static inline bool scalar_is_compare(scalar_op scalar) {
    return scalar >= S_LT && scalar <= S_NE;
}
static inline bool kinst_is_int(const kinst *x, int64_t number) {
    return x->op == K_CONST && x->type.base == KB_INT && x->type.lanes == 1 && x->i == number;
}
/* Has no effect and depends on its arguments alone, so that an unused one may go and equal ones may be one.
 */
static inline bool kop_is_pure(kop kind) {
    return kind == K_PARAM || kind == K_CONST || kind == K_ARITH || kind == K_CAST || kind == K_BITS ||
           kind == K_SPLAT || kind == K_TAIL || kind == K_OFFSET || kind == K_HSUM || kind == K_HMAX;
}

extern const char *const kop_names[K_OPS]; /* "load" */
extern const char *const kloop_names[];    /* by kloop */
/* "f32x16", "*f32", "*mut f32" */
void ktype_print(text *t, ktype type);

/* What a micro was built from; program->micro_keys holds one a micro. */
struct micro_key {
    kernel_build *build;
    const void *recipe;
    size_t bytes;
    const target *target;
    kfunc *f;
};

#endif
