/* The op registry: what an operation is called, takes, gives and costs, in one record that its file in ir/ops/
 * defines. Everything else (language, texts, hashing, tests) reads these records. */
#ifndef NETC_IR_OP_H
#define NETC_IR_OP_H

#include "ir/graph.h"

typedef enum attr_kind {
    ATTR_INT,   /* int64_t */
    ATTR_REAL,  /* double */
    ATTR_BOOL,  /* bool */
    ATTR_PAIR,  /* int64_t[2]: rows, columns; the text may give one number for both */
    ATTR_PADS,  /* int64_t[4]: top, left, bottom, right; the text may give one number, or [rows, columns] */
    ATTR_INTS,  /* ints: a list of any length up to MAX_RANK */
    ATTR_REALS, /* reals */
    ATTR_NAME,  /* const char *: one of `choices`, or any name where NULL */
    ATTR_GRAPH  /* graph *: a body */
} attr_kind;

typedef struct ints {
    int count;
    int64_t at[MAX_RANK];
} ints;

typedef struct reals {
    int count;
    double *at;
} reals;

/* One attribute: where it lies in the op's attribute struct and what it is when the text is silent. */
typedef struct attr {
    const char *name;
    attr_kind kind;
    size_t offset;
    bool required;
    double standard;            /* default of numbers and bools; every element of a pair or pads */
    const char *const *choices; /* ATTR_NAME: ends with NULL; the first is the default */
} attr;

typedef struct candidate candidate; /* ir/kernel/lower.h */

struct op {
    const char *name;
    const char *summary;            /* one line for --help and the reference */
    int inputs_min, inputs_max;     /* inputs_max -1: any number (concat) */
    int outputs;                    /* -1: infer says (split, scan) and sets n->outputs and n->out */
    const char *const *input_names; /* ends with NULL; for error messages and the text */
    const attr *attrs;              /* ends with a NULL name; NULL for none */
    size_t attr_size;
    scalar_op scalar; /* elementwise ops: the row; S_COUNT for the others */

    /* Sets type and shape of every result from the inputs and attributes, or adds an error that names both
     * operands and says what to do, and returns false. */
    bool (*infer)(graph *g, node *n, diags *d);
    /* Multiply-adds of one sample; NULL for none. */
    int64_t (*work)(const node *n);
    /* Composite ops: writes n in terms of others and gives the new values of its results. NULL for primitives. */
    void (*expand)(graph *g, node *n, value **results);
    /* Gradient: given ∂loss/∂out[k] (NULL where it is none) writes ∂loss/∂in[k], of in[k]'s shape, NULL where there
     * is none. Appends nodes; of n it may only add results (scan). NULL for ops without one. */
    void (*grad)(graph *g, node *n, value *const *out_grads, value **in_grads);
    /* Ways to compute it, ends with NULL; none (NULL) only for elementwise and composite ops and views. */
    const candidate *const *candidates;
    /* Result 0 may be a view of input 0's bytes when that is planar (reshape, flatten). */
    bool view;
    /* The node's `epilogue` is an expression of all its inputs, not of its result: map and its kin. */
    bool expression;
    /* Graph texts, one net each, that every test of all ops runs; ends with NULL. */
    const char *const *samples;
};

extern const op *const ops[]; /* ends with NULL; elementwise rows of scalar.def included */
const op *op_find(const char *name);
/* A fresh attribute struct with the defaults; NULL for an op without attributes. */
void *op_defaults(arena *a, const op *o);
/* A copy whose lists are its own; bodies are shared unless `deep`. */
void *attrs_copy(arena *a, const op *o, const void *attrs, bool deep);
/* One attribute of two structs; whether one is what op_defaults gives. Bodies are equal when they are one. */
bool attr_equal(const attr *at, const void *a, const void *b);
bool attr_standard(const attr *at, const void *attrs);
/* " {pad=[1,1,1,1]}": those that graph texts say; nothing where there is none. */
void attrs_print(text *t, const op *o, const void *attrs);
/* A name's choices and a required name or body. Adds an error that says what is allowed. */
bool attrs_check(const op *o, const void *attrs, span at, diags *d);
/* The body of an op that has one (its first ATTR_GRAPH), else NULL. */
graph *node_body(const node *n);

/* For infer of ops with outputs == -1: makes n->outputs and n->out, whose types and shapes are then filled.
 * (For the others graph_node has made them; infer fills n->out[k]->type and ->shape.) */
void node_set_outputs(graph *g, node *n, int count);
/* Attaches operands behind the op's own and the epilogue that reads them (e: 1 + extra inputs). What was
 * attached before goes. */
void node_set_epilogue(graph *g, node *n, const expr *e, value *const *extra, int count);
bool attrs_equal(const op *o, const void *a, const void *b);
/* Elementwise with one result: op->scalar, or "map". */
bool node_elementwise(const node *n);
/* What an elementwise node computes: its epilogue, or the op's one-step expression. */
const expr *node_expr(arena *a, const node *n);

/* Shape of elementwise operands of these shapes, NumPy's rule aligned at the right; false if they do not fit
 * or broadcasting would repeat a batched tensor along its batch. */
bool shape_broadcast(const shape *a, const shape *b, shape *out);

#endif
