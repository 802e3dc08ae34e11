/* The graph: operations on tensors with static shapes, in an order in which they can run. Every node keeps the
 * place in the user's text it came from. Passes edit a graph in place; its memory is its arena's. */
#ifndef NETC_IR_GRAPH_H
#define NETC_IR_GRAPH_H

#include "ir/base/diag.h"
#include "ir/scalar.h"
#include "ir/tensor.h"

typedef struct op op; /* ir/op.h */
typedef struct node node;
typedef struct graph graph;

/* A call of a block or op in the user's text: the chain that an error prints and the path that names layers and
 * parameters. A scope whose `layer` is true is a row of `netc show`: a layer of the user's net, whatever the
 * prelude made of it. */
typedef struct scope {
    struct scope *parent; /* NULL: the net itself */
    const char *path;     /* labels from the net down, "layer1.0.conv1" */
    const char *block;    /* name of what was called, "basic", "conv" */
    span at;              /* the call */
    bool layer;
    int order; /* in which it was opened */
} scope;

typedef enum value_kind {
    VALUE_NODE,   /* result of a node */
    VALUE_INPUT,  /* of the net, batched */
    VALUE_PARAM,  /* a weight or running statistic */
    VALUE_CONST,  /* known numbers */
    VALUE_STATE,  /* recurrent state as the last call left it */
    VALUE_MOMENT, /* what the optimizer remembers of the steps before; zeros at first */
    VALUE_BODY    /* argument of a scan's body */
} value_kind;

/* How a parameter starts when there are no weights: rule "he", "xavier", "uniform" (PyTorch's default: bound
 * 1/√fan_in), "normal" (× scale), "zeros", "ones", "constant" (scale). */
typedef struct init_rule {
    const char *rule;
    double scale;
    int64_t fan_in, fan_out;
} init_rule;

typedef struct value {
    int id; /* unique in its graph */
    const char
        *name; /* as the user wrote it, or NULL; a parameter's is its PyTorch name "layer1.0.conv1.weight" */
    value_kind kind;
    dtype type;
    shape shape;
    layout layout;
    span at;
    node *def; /* VALUE_NODE: who makes it, and which of its results it is */
    int result;
    union {
        struct {
            bool trainable; /* false: a running statistic */
            init_rule init;
        } param;
        struct {
            double *data; /* shape_count values; one value for all where splat */
            bool splat;
        } constant;
        struct {
            double *mean, *std; /* normalize(...): one a channel, NULL without */
            int channels;
            int64_t bound; /* integer inputs: values lie in [0, bound), by the embedding that reads them */
        } input;
        struct value *next; /* VALUE_STATE: the value the next call starts from (NULL: unchanged) */
    } as;
} value;

struct node {
    const op *op;
    int inputs, outputs;
    int own_inputs; /* the op's own; the rest are operands of the epilogue */
    value **in, **out;
    void *attrs; /* the op's attribute struct (op->attr_size bytes), NULL if it has none */
    expr *
        epilogue; /* of the accumulated result (input 0) and in[own_inputs..]; of all inputs where the op is an expression */
    scope *scope;
    span at;
    VEC(node *) origin;             /* nodes of the text that passes merged into this one; empty: itself */
    const struct candidate *choice; /* how it will be computed (choose-algorithm) */
};

typedef struct graph_output {
    const char *name;
    value *value;
} graph_output;

/* A parameter or moment that a training step changes: what it will be. */
typedef struct update {
    value *target, *next;
} update;

struct graph {
    arena *arena;
    const char *name;
    VEC(node *) nodes;   /* topological order */
    VEC(value *) inputs; /* order of the text */
    VEC(value *) params; /* order of creation: PyTorch's state dict */
    VEC(value *) states;
    /* a training step: */
    VEC(value *) moments;
    VEC(update) updates;
    value *loss;            /* rank 0; NULL in a net that only infers */
    VEC(value *) arguments; /* of a scan's body: sequence elements, carries, captured values */
    VEC(graph_output) outputs;
    VEC(const char *) labels; /* class names of the first output; empty without */
    VEC(scope *) scopes;      /* in order of creation */
    int next_id;
    int64_t numbers;           /* elements of all values made, kept within SIZE_LIMIT */
    VEC(const source *) files; /* that it was made from: the text with the net, then what that names */
    struct recipe *recipe;     /* train {} as elaborated (ir/recipe.h), or NULL */
};

enum { GRAPH_NODES_MAX = 200000, GRAPH_DEPTH_MAX = 4 /* bodies within bodies */ };

graph *graph_new(arena *a, const char *name);
/* Values that no node makes. Names are kept. Inputs, params, states and arguments are also listed in g. Shapes
 * must be valid (shape_valid); a state's begin with N. */
value *graph_input(graph *g, const char *name, dtype t, shape s, span at);
value *graph_param(graph *g, const char *name, shape s, bool trainable, init_rule init, span at);
value *graph_state(graph *g, const char *name, shape s, span at);
value *graph_moment(graph *g, const char *name, shape s, span at);
value *graph_argument(graph *g, const char *name, dtype t, shape s);
value *graph_scalar(graph *g, double x);                         /* rank 0 */
value *graph_const(graph *g, dtype t, shape s, const double *x); /* copies */
value *graph_splat(graph *g, dtype t, shape s, double x);        /* x everywhere */

/* Appends a node and infers its results' types and shapes; attrs is copied (NULL: defaults). On a wrong shape
 * or count an error is added and NULL returned. */
node *graph_node(graph *g, const op *o, value *const *in, int inputs, const void *attrs, scope *s, span at,
                 diags *d);
/* The same by op name for use inside passes and expansions, where shapes are known to be right: jumps to the
 * arena's trap as an internal error otherwise. Returns the first result. */
value *graph_make(graph *g, const char *op_name, value *const *in, int inputs, const void *attrs, scope *s,
                  span at);

/* Places besides nodes that read a value (it may be NULL): outputs, states' next, updates' next, the loss. NULL past
 * the last. */
value **graph_root(graph *g, int k);
/* Every use of `old` (by nodes and roots) becomes `with`. */
void graph_replace(graph *g, value *old, value *with);
/* Places that read v: operands of nodes (twice in add(v, v)) and roots. */
int graph_uses(const graph *g, const value *v);
/* The same for every value at once, by id (g->next_id of them). */
int *graph_use_counts(arena *a, const graph *g);
/* Restores topological order (stable) after nodes were appended; drops nodes that are marked dead (op NULL). */
void graph_sort(graph *g);
/* Drops nodes whose results nobody uses. */
void graph_prune(graph *g);
/* A deep copy: nodes, values, bodies. Names, scopes, constants' numbers and the recipe are shared. */
graph *graph_clone(arena *a, const graph *g);

/* True where a value depends on weights and constants alone: the region that becomes `prepare`; nothing of a
 * training step, whose weights change. Fills flags[id] for every value of the graph (g->next_id of them), in the given arena. */
bool *graph_weight_region(arena *a, const graph *g);

/* Text form (ir/README.md), one line a node; graph_parse(graph_print(g)) prints the same text. */
void graph_print(text *t, const graph *g);
graph *graph_parse(arena *a, const source *s, diags *d);
/* Invariants: order, ids, shapes as inference gives them, layouts. Errors are netc's own bugs. */
bool graph_check(const graph *g, diags *d);

/* Multiply-adds and trainable numbers, as `netc show` counts them. */
int64_t node_work(const node *n);

#endif
