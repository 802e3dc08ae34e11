/* What a kernel does with an accumulated result before it is stored: the fused chain of elementwise
 * operations and its operands. */
#ifndef NETC_IR_KERNEL_EPILOGUE_H
#define NETC_IR_KERNEL_EPILOGUE_H

#include "ir/kernel/lower.h"

enum { MAX_OPERANDS = 4 };

typedef enum operand_kind {
    OPERAND_FULL = 1, /* one value an element of the result, own strides */
    OPERAND_CHANNEL,  /* one value a channel: lanes16 where the result is blocked, else planar [C] */
    OPERAND_SCALAR    /* one value */
} operand_kind;

typedef struct operand {
    int64_t kind;
    view view; /* OPERAND_FULL */
} operand;

typedef struct epilogue {
    const expr *e; /* interned; NULL: none */
    int64_t operands;
    operand operand[MAX_OPERANDS];
    int64_t mask; /* 1 where f(0, 0..) may not be 0, so that tail lanes must be cleared */
} epilogue;

/* How operand v may join the result of n: 0 if it may not. Channel operands are [C,1,1] (rank 4 results) or
 * [C] (linear) in the weights' region. */
operand_kind operand_of(const node *n, const value *v);
/* candidate.epilogue for whatever uses these records. */
bool epilogue_accepts(const node *n, const value *v);
/* candidate.layouts' part for the epilogue's operands, given the layout of the result. */
void epilogue_layouts(const node *n, const layout *out, layout *in);
/* n's epilogue as a record. */
epilogue epilogue_of(lower *l, const node *n);
/* Appends the parameters and arguments of n's operands; returns the new count. */
int epilogue_params(lower *l, const node *n, kparam *params, call_arg *args, int count);

/* What a layer's kernel is called with, after i and n: input, weights, bias if there is one, epilogue operands,
 * result; then whatever the kernel adds. */
enum { LAYER_IN = 2, LAYER_WEIGHTS, LAYER_BIAS, LAYER_MOST = 5 + MAX_OPERANDS };
typedef struct layer_args {
    kparam params[LAYER_MOST];
    call_arg args[LAYER_MOST];
    int count;
} layer_args;
layer_args layer_args_of(lower *l, const node *n);
void layer_args_add(layer_args *a, const char *name, ktype type, call_arg arg);
/* Positions among a kernel's parameters: first operand and result. */
static inline int layer_operands(int64_t bias) {
    return LAYER_BIAS + (int)bias;
}
static inline int layer_out(int64_t bias, const epilogue *ep) {
    return layer_operands(bias) + (int)ep->operands;
}
/* Finds or builds the kernel and appends its call. */
void layer_call(lower *l, const node *n, const char *name, kernel_build *build, const void *recipe,
                size_t bytes, const layer_args *a, kcount runs, double work);

#endif
