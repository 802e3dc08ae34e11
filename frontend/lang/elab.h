/* Elaboration: running a net's text once, which leaves its graph. Shared by the files of this folder that
 * evaluate (eval.c, operate.c, index.c), call (call.c, bind.c, opcall.c, builtin.c), execute (stmt.c,
 * declare.c, scan.c), name (names.c), report (report.c) and read recipes (recipe.c). */
#ifndef NETC_FRONTEND_LANG_ELAB_H
#define NETC_FRONTEND_LANG_ELAB_H

#include "frontend/lang/ast.h"
#include "frontend/lang/lang.h"
#include "frontend/lang/val.h"
#include "ir/base/map.h"
#include "ir/op.h"

enum {
    MAX_CALLS = 100,       /* blocks inside one another */
    MAX_EVALUATION = 1500, /* calls and expressions inside one another: bounds the C stack */
    MAX_STEPS = 2000000,   /* evaluations: a loop that never ends is refused in well under a second */
    CALL_STEPS = 10,       /* what a call counts as: it takes that much time and memory */
    MAX_LIST = 100000,     /* elements */
    MAX_STRING = 10000,    /* bytes */
    MAX_SCANS = 8,         /* inside one another */
    MAX_ERRORS = 20,       /* loops end after so many: more would not be shown */
    MAX_REPORTS = 200,     /* errors reported, repeats too: then the text is given up */
    MAX_NAME = 95          /* bytes of a parameter's name: a field of the generated table */
};

typedef struct variable {
    const char *name;
    val v;
    span at;          /* where it got its value */
    bool argument;    /* of a block, or a name that `for` or `scan` gives */
    ast_name *target; /* of the assignment, NULL for arguments */
} variable;

/* One call of a block under way, or one scan's body inside it. */
typedef struct frame {
    struct frame *caller;
    bool body;    /* of a scan: names fall through to the caller, which is the frame around */
    bool prelude; /* its text is the prelude's: errors point at the user's call */
    const ast_block *block;
    scope *scope;
    span call_at;
    map variables; /* name → variable */
    VEC(const char *) names;
    map labels;    /* of the block: how many calls without a label, by the block's name */
    bool returned; /* or yielded */
    val result;
    span result_at;
} frame;

/* A scan's body being written: outer values it reads are its last arguments. */
typedef struct body {
    graph *graph;
    VEC(value *) captured; /* outer values, in the order of their arguments */
    VEC(value *) inside;   /* by the outer value's id: its argument, NULL where it is not captured */
} body;

/* Blocks by name, and in the order of the text. */
typedef struct block_table {
    map by_name;
    VEC(ast_block *) all;
} block_table;

typedef struct elab {
    arena *arena;
    diags *diags;
    graph *net;
    body bodies[MAX_SCANS + 1]; /* [0]: the net */
    int level;
    block_table blocks, prelude;
    frame *frame;
    int calls, depth, reports;
    int64_t steps, nodes, max_nodes;
    bool stopped;            /* a limit was hit and reported: everything unwinds */
    map fields;              /* names of the generated struct → parameter (value) */
    map inputs;              /* names of inputs, outputs and states → span */
    VEC(ast_name *) targets; /* assigned in the user's text */
    const ast_stmt *train;
} elab;

/* An argument of a call, evaluated. */
typedef struct arg {
    const char *name; /* NULL: by position */
    span at;
    val v;
    const ast_expr *from;
} arg;

typedef struct args {
    int count;
    arg *at;
} args;

/* report.c. Where an error shows: the place itself, or, in the prelude, the user's call. */
span here(const elab *e, span at);
/* An error with the chain of blocks; gives VAL_ERROR. */
val fail(elab *e, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
val stop(elab *e, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void note_chain(elab *e);                      /* ends every error */
void note_operand(elab *e, const ast_expr *x); /* 'y' comes from here */
/* ": did you mean 'conv'?" or ""; the second form is for lists that end with NULL. */
const char *suggest(elab *e, const char *name, const char *const *among, int count);
/* The same, or all of them where none is near. */
const char *suggest_or_list(elab *e, const char *name, const char *const *among, int count);
const char *joined(arena *a, const char *const *names, int count); /* "a, b, c" */

/* eval.c. Several results stay several (eval), or the first is taken (eval_one). */
val eval(elab *e, const ast_expr *x);
val eval_one(elab *e, const ast_expr *x);
bool eval_bool(elab *e, const ast_expr *x, const char *what, bool *out);
bool eval_size(elab *e, const ast_expr *x, const char *what, int64_t *out);
variable *find_variable(elab *e, const char *name); /* marks nothing */
bool tick(elab *e, span at, int64_t steps);         /* counts work; false once too much */

/* operate.c, index.c */
val operate(elab *e, const ast_expr *x, val left, val right);
val negate(elab *e, const ast_expr *x, val v);
val eval_index(elab *e, const ast_expr *x);
val eval_field(elab *e, const ast_expr *x);

/* call.c. `first` is what a pipe hands on, NULL without. */
val eval_call(elab *e, const ast_expr *x, const val *first, const ast_expr *first_from);

void check_callee(elab *e, const ast_call *c); /* an error if nothing of that name can be called */

/* check.c: the names in a block or net, whether it was run or not. */
void check_names(elab *e, const ast_block *b);

/* bind.c. Arguments to slots by position and name; slots of those not given are NULL. */
bool bind_args(elab *e, const char *what, args given, const char *const *names, int count, const arg **slots);

/* opcall.c */
val call_op(elab *e, const op *o, args given, scope *s, span at);
/* A node of these operands (tensors, or numbers that become constants) at the innermost level they need.
 * first and second are the operands' texts, for the error; NULL without. */
val make_node(elab *e, const op *o, const val *in, int count, const void *attrs, scope *s, span at,
              const ast_expr *first, const ast_expr *second);
/* The same value inside the body at `level`: captured where it comes from outside. */
value *at_level(elab *e, val v, int level);
bool op_callable(const op *o);
/* attrset.c: one attribute from a value; an error names `what`. */
bool set_attr(elab *e, const op *o, const attr *a, void *attrs, const arg *from);
bool val_ints(val v, int64_t *out, int most, int *count); /* an integer or a list of them */

/* builtin.c */
typedef struct builtin builtin;
const builtin *builtin_find(const char *name);
extern const char *const builtin_names[]; /* ends with NULL */
val call_builtin(elab *e, const builtin *b, args given, span at);

/* stmt.c */
void exec_all(elab *e, const ast_stmts *body);
void assign(elab *e, ast_name *target, val v, span at);
void bind_name(elab *e, const char *name, val v, span at);
/* What `for` runs over: count values; false with an error. */
bool eval_range(elab *e, const ast_domain *d, int64_t *from, int64_t *to);

/* declare.c: what only a net holds */
void exec_input(elab *e, ast_stmt *s);
void exec_state(elab *e, ast_stmt *s);
void exec_output(elab *e, ast_stmt *s);
void exec_labels(elab *e, const ast_stmt *s);
void finish_states(elab *e);

/* scan.c */
val eval_scan(elab *e, const ast_expr *x);

/* names.c */
scope *open_scope(elab *e, const ast_call *call, const char *block, bool layer, span at);
void enter_scope(elab *e, scope *s); /* lists it, when the first node or parameter comes */
const char *param_path(elab *e, const char *name);
bool claim_field(elab *e, const char *name, span at);
bool reserved_name(const char *name);
bool claim_tensor_name(elab *e, const char *name, span at);

/* init.c: the rule of parameters that are made with init = "default", and what stands in its place */
extern const char init_by_recipe[];
void elaborate_init(elab *e);

/* recipe.c, recipe_rules.c */
void elaborate_recipe(elab *e, const ast_block *net, const char *const *sets);
typedef enum rule_kind { RULE_NUMBER, RULE_COUNT, RULE_BOOL, RULE_LIST, RULE_SIZE, RULE_OUTPUT } rule_kind;
typedef struct rule_arg {
    const char *name;
    rule_kind kind;
    double low, high; /* of a number, or of each in a list */
    bool required;
} rule_arg;
typedef struct rule {
    const char *entry, *name; /* entry: loss, optimizer, ... */
    rule_arg args[8];         /* end with a NULL name */
} rule;
extern const rule recipe_rules[]; /* end with a NULL name */

/* load.c */
typedef struct load {
    arena *arena;
    diags *diags;
    VEC(const source *) stack; /* files being read: a `use` chain */
    VEC(const source *) done;
    block_table blocks;
    VEC(ast_block *) nets; /* of the first file */
} load;
bool load_file(load *l, const source *s);
extern const char netc_prelude[]; /* prelude.net, zero-terminated */
bool load_prelude(arena *a, block_table *blocks, diags *d);
/* A file that a text names, in the folder of the text or below; NULL with an error at `at`. */
const source *load_beside(arena *a, const char *path, span at, diags *d);

#endif
