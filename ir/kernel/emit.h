/* What the builder, the reader of kernel texts and the passes over kernels share: appending a plain
 * instruction, and the rules by which integer arithmetic folds. */
#ifndef NETC_IR_KERNEL_EMIT_H
#define NETC_IR_KERNEL_EMIT_H

#include "ir/kernel/build.h"

/* Appends an instruction as it is, without folding; arguments are copied. */
kinst *kb_emit(kb *b, kop op, ktype type, int args, kinst *const *arg);
/* An operation on scalars of KB_INT or KB_BOOL that is known, or is an operand or a simpler operation; NULL
 * where the instruction itself is wanted. May append. */
kinst *kb_fold(kb *b, scalar_op op, kinst *x, kinst *y, kinst *z);
/* A scalar KB_BOOL, or as many lanes of it. */
kinst *kb_truth(kb *b, bool x, int lanes);
/* The type of scalar(x, y, z). */
ktype kb_arith_type(scalar_op op, const kinst *x, const kinst *y);

static inline bool scalar_is_compare(scalar_op op) {
    return op >= S_LT && op <= S_NE;
}
static inline bool kinst_is_int(const kinst *x, int64_t value) {
    return x->op == K_CONST && x->type.base == KB_INT && x->type.lanes == 1 && x->i == value;
}
/* Has no effect and depends on its arguments alone, so that an unused one may go and equal ones may be one.
 */
static inline bool kop_is_pure(kop op) {
    return op == K_PARAM || op == K_CONST || op == K_ARITH || op == K_CAST || op == K_BITS || op == K_SPLAT ||
           op == K_TAIL || op == K_OFFSET || op == K_HSUM || op == K_HMAX;
}

/* What a micro was built from; program->micro_keys holds one a micro. */
struct micro_key {
    kernel_build *build;
    const void *recipe;
    size_t bytes;
    const target *target;
    kfunc *f;
};

#endif
