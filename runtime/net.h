/* A compiled net as the runtime sees it: tables of its tensors, the sizes of its memory, and the entries to
 * call. Whoever compiles nets (frontend/api) fills one from whichever backend; the runtime knows nothing else
 * of the compiler. */
#ifndef NETC_RUNTIME_NET_H
#define NETC_RUNTIME_NET_H

#include "ir/base/diag.h"
#include "runtime/params.h"

enum { NET_MAX_RANK = 8, NET_ALIGN = 64 /* bytes: packed and workspace */ };

typedef enum net_type { NET_F32, NET_I32, NET_TYPES } net_type;

/* An input, an output, or recurrent state. */
typedef struct net_tensor {
    const char *name;
    net_type type;
    bool batched; /* one such tensor a sample; else one in all */
    int rank;     /* of a sample */
    int64_t dims[NET_MAX_RANK];
    int64_t count;            /* elements of a sample */
    int64_t bound;            /* NET_I32 inputs: numbers lie in [0, bound); 0: any */
    const double *mean, *std; /* inputs with normalize: one a channel; NULL without */
    int channels;
} net_tensor;

/* How a parameter starts when there are no weights; rules as in the language: "he", "xavier", "uniform",
 * "normal", "zeros", "ones", "constant". */
typedef struct net_param {
    param at; /* name, place among the parameters (in elements), shape */
    bool trainable;
    const char *rule;
    double scale;
    int64_t fan_in, fan_out;
} net_param;

/* What the numbers of the first output say about classes, where it is a row of numbers a sample. */
typedef enum net_scores {
    SCORES_NONE,          /* it is none */
    SCORES_LOGITS,        /* softmax makes probabilities of them */
    SCORES_PROBABILITIES, /* the net ends in softmax or sigmoid */
    SCORES_LOGARITHMS,    /* of probabilities: it ends in log_softmax */
    SCORES_DISTANCES      /* the smallest wins: it ends in rbf */
} net_scores;

/* One call: samples lie one after the other. */
typedef struct net_call {
    int64_t n; /* 1..max_batch */
    const void *packed;
    const void *const *inputs;
    void *const *outputs;
    void *const *states; /* [max_batch][count] numbers each; NULL: zeros, and nothing is kept */
    void *workspace;
} net_call;

/* NAME(key = number or list, ...) of a train block, as the text has it: augmentations, schedules. */
typedef struct net_rule_arg {
    const char *name;
    double number;
    const double *list; /* NULL without */
    int count;          /* of list */
} net_rule_arg;

typedef struct net_rule {
    const char *name; /* NULL: the text is silent */
    const net_rule_arg *args;
    int arg_count;
} net_rule;

/* What a training loop needs to know of train {}; what the step itself does (loss, optimizer, clipping) is
 * compiled into it. */
typedef struct net_recipe {
    const char *loss, *optimizer; /* names, for reports */
    net_rule schedule;
    const net_rule *augment;
    int augment_count;
    double learning_rate; /* the optimizer's */
    int64_t batch, epochs;
    int loss_output;      /* index of the output that the loss reads */
    bool classes;         /* the target is int32 classes, else float32 of the output's shape */
    int64_t target_count; /* numbers of target a sample: 1 class, T of a sequence, or the output's count */
    int64_t class_count;  /* classes: labels lie in [0, class_count) */
} net_recipe;

/* A table row of what the optimizer remembers: momenta and the like, all zero at the start. */
typedef struct net_moment {
    param at; /* "conv1.weight.momentum"; offset in numbers behind the header */
} net_moment;

/* The optimizer's memory: this header, then net->moment_values numbers. Zeros (but for the seed) start it. */
typedef struct net_optimizer {
    uint64_t step, seed;
} net_optimizer;

/* One training step. Where it is refused or fails, parameters and optimizer are as they were. */
typedef struct net_step {
    int64_t n; /* 1..max_batch */
    float *params;
    net_optimizer *optimizer;
    const void *const *inputs;
    const void *target;
    float learning_rate;
    float *loss;
    float *output;   /* NULL, or what the loss's output was for these samples: [n][count] */
    void *workspace; /* step_workspace_bytes */
} net_step;

typedef enum net_stepped {
    STEP_DONE,
    STEP_BAD_LABEL,
    STEP_NOT_FINITE,
    STEP_FAILED /* with an error */
} net_stepped;

typedef struct net {
    const char *name;
    const net_tensor *inputs, *outputs, *states;
    int input_count, output_count, state_count;
    const net_param *params; /* in the order of the text: PyTorch's state dict */
    int param_count;
    int64_t values;            /* of all parameters, running statistics too */
    const char *const *labels; /* of the first output's classes */
    int label_count;
    net_scores scores;
    const char *loss;         /* as the net's recipe has it, "mse"; NULL: what fits the scores */
    const net_recipe *recipe; /* NULL: the text has no train {} */
    const net_moment *moments;
    int moment_count;
    int64_t moment_values;

    /* of the compiled code */
    int64_t max_batch;
    int64_t packed_bytes, workspace_bytes;
    int64_t step_workspace_bytes; /* 0: not compiled to train */
    bool shared; /* several threads may call forward at once, each with a workspace of its own */
    void *self;
    /* Arranges parameters for the kernels. */
    bool (*prepare)(void *self, const float *params, void *packed, diags *d);
    bool (*forward)(void *self, const net_call *c, diags *d);
    /* The same of pixels 0..255, [n][height][width][channel]; NULL where the net has no such entry. */
    bool (*forward_u8)(void *self, const net_call *c, diags *d);
    net_stepped (*step)(void *self, const net_step *s, diags *d); /* NULL: not compiled to train */
    void (*close)(void *self);
} net;

/* One caller's memory for a net: packed weights and workspace. */
typedef struct session {
    const net *net;
    void *packed, *workspace;
} session;

/* False with an error when memory is short. session_close takes one that did not open. */
bool session_open(session *s, const net *n, diags *d);
bool session_prepare(session *s, const float *params, diags *d);
/* Any number of samples, max_batch at a time; every sample starts from zero state. */
bool session_run(session *s, int64_t samples, const void *const *inputs, void *const *outputs, diags *d);
void session_close(session *s);

/* Memory aligned to NET_ALIGN, for free(); NULL with an error that names `what`. */
void *net_memory(int64_t bytes, const char *what, diags *d);

#endif
