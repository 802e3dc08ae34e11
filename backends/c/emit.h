/* Inside of the C backend: what its files share while one pair is printed. */
#ifndef NETC_BACKENDS_C_EMIT_H
#define NETC_BACKENDS_C_EMIT_H

#include "backends/c/c.h"
#include "backends/c/spell.h"

typedef struct emitter {
    arena *arena;
    const program *program;
    const c_options *options;
    diags *diags;
    const char *prefix, *upper; /* "resnet18", "RESNET18" */
    const char **fields;        /* of NET_params, by parameter */
    const char **inputs, **outputs, **states;
    const char **moments;     /* fields of NET_optimizer */
    const char **step_inputs; /* arguments of a training step, by input of the step's graph */
    bool *used;               /* kernels that a printed entry calls, by id */
    bool *with_n;             /* those that are told n */
    text *out;
} emitter;

/* names.c */
bool emit_names(emitter *e); /* fills prefix .. states; false with errors where a name cannot be used */
const char *emit_layers(emitter *e, const node *n); /* "layer1.0.conv1, layer1.0.bn1 (resnet18.net:9)" */
/* A file's name without its folders: the output must not depend on where it was made. */
const char *emit_base_name(const char *path);

/* header.c */
void emit_header(emitter *e);
void emit_field(emitter *e, const char *name, const shape *s); /* "    float NAME[2][3];" */
const char *emit_executor(const emitter *e);                   /* "const NET_executor *executor, ", or "" */
const char *emit_lent(const emitter *e);                       /* "executor, ", or "" */

/* kernels.c */
void emit_kernels(emitter *e);

/* calls.c, entries.c: the functions that run kernels and entries on a team */
void emit_runners(emitter *e);
int64_t emit_grain(const kernel *k);          /* the least share of its count that a thread gets */
void emit_entry(emitter *e, entry_kind kind); /* static void PREFIX_each_ENTRY(...) */
extern const char *const entry_names[ENTRY_KINDS];
/* The graph whose inputs the entry takes. */
const graph *emit_graph(const emitter *e, entry_kind kind);
/* What the functions of an entry take behind the team: a list for their heads and their calls. */
typedef struct c_argument {
    const char *type, *name; /* "const float *" */
} c_argument;
typedef VEC(c_argument) c_arguments;
c_arguments emit_arguments(emitter *e, entry_kind kind, const char *const *inputs,
                           const char *const *outputs);
/* Of these only the inputs and outputs, under these names. */
void emit_add_data(emitter *e, entry_kind kind, const char *const *inputs, const char *const *outputs,
                   c_arguments *to);
/* Joined by ", ", also with what t has already; with types or without. */
void emit_list(const c_arguments *list, text *t, bool types);

/* api.c: what users call */
void emit_prototype(emitter *e, entry_kind kind); /* without its ';' */
void emit_api(emitter *e);
void emit_forward(emitter *e, entry_kind kind); /* forward.c */
void emit_invoke(emitter *e);

/* train.c: NET_step, NET_init and what they need */
bool emit_trains(const emitter *e);
void emit_optimizer(emitter *e);        /* of the header: the type and its table */
void emit_training_entries(emitter *e); /* of the header: prototypes */
void emit_training(emitter *e);
void emit_invoked_training(emitter *e); /* the cases of NET_invoke */
void emit_tensor(emitter *e, const char *name, const char *record, const char *field, const shape *s,
                 bool trainable); /* a row of a table of tensors */

/* weights.c */
void emit_weights(emitter *e);

/* emit.c */
bool emit_has(const emitter *e, entry_kind kind); /* present, and not replaced by embedded weights */
bool emit_has_target(const emitter *e, target_id t);
bool emit_picks_isa(const emitter *e);   /* on x86 there is more than one to choose from at run time */
const char *emit_real(const emitter *e); /* "float" */

static inline bool emit_on_x86(const emitter *e) {
    return e->options->targets[TARGET_AVX512] || e->options->targets[TARGET_AVX2];
}

#endif
