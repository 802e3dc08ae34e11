/* Scalar operations and the small expressions made of them: what an elementwise op, a fused chain of them, or
 * the epilogue of a convolution computes for one element. */
#ifndef NETC_IR_SCALAR_H
#define NETC_IR_SCALAR_H

#include "ir/base/text.h"

#include <stdbool.h>

typedef enum scalar_op {
#define SCALAR(NAME, name, arity, kind, eval, c, derivative) S_##NAME,
#include "ir/scalar.def"
    S_COUNT
} scalar_op;

typedef struct scalar_info {
    const char *name;
    int arity;
    bool in_graph; /* also an op of the language */
    const char *c; /* C's spelling, "" where there is none */
    const char *derivative;
} scalar_info;

extern const scalar_info scalars[S_COUNT];
double scalar_eval(scalar_op op, double a, double b, double c);
/* S_COUNT if no row has that name. */
scalar_op scalar_find(const char *name, size_t length);
/* The same bits: 0 and -0 differ, a NaN is itself. */
bool real_same(double a, double b);

typedef enum expr_kind { EXPR_INPUT, EXPR_STEP, EXPR_CONST } expr_kind;

typedef struct expr_arg {
    expr_kind kind;
    int index;    /* of the input or the step */
    double value; /* of the constant */
} expr_arg;

typedef struct expr_step {
    scalar_op op;
    expr_arg arg[3];
} expr_step;

/* Longer expressions are not made: expr_compose refuses, so that chains stay cheap to evaluate and to emit. */
enum { EXPR_STEPS_MAX = 256 };

/* step[k] may use inputs, constants and step[0..k-1]; the last step is the result. No step: input 0 itself.
 * In an epilogue, input 0 is what the op accumulated and inputs 1.. are its extra operands. */
typedef struct expr {
    int inputs, steps;
    expr_step *step;
} expr;

double expr_eval(const expr *e, const double *inputs);
/* "s0=add(i0,i1); relu(s0)", "i0" for no step: parses back with expr_parse; NULL on a malformed text. Inputs
 * are those up to the highest one named; who knows of more raises `inputs`. */
void expr_print(text *t, const expr *e);
expr *expr_parse(arena *a, const char *s, size_t length);
/* The one-step expression op(i0, i1, ...). */
expr *expr_single(arena *a, scalar_op op);
bool expr_valid(const expr *e);                /* indices within bounds, only operations of the graph */
bool expr_equal(const expr *a, const expr *b); /* the same steps; either may be NULL */
expr *expr_copy(arena *a, const expr *e);
/* f with its input `slot` replaced by g; g's inputs come to stand where map_g says, f's others where map_f
 * says, among `inputs` in all. NULL where it would take more than EXPR_STEPS_MAX steps. */
expr *expr_compose(arena *a, const expr *f, int slot, const int *map_f, const expr *g, const int *map_g,
                   int inputs);

#endif
