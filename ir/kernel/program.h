/* A program: kernels, the calls that run them in order, the buffers they use and the entries a host calls. A
 * backend sees a program and nothing else. */
#ifndef NETC_IR_KERNEL_PROGRAM_H
#define NETC_IR_KERNEL_PROGRAM_H

#include "ir/base/digest.h"
#include "ir/graph.h"
#include "ir/kernel/build.h"

enum { MAX_LOOPS = 4, PACKED_HEADER = 64 /* bytes before the first packed buffer */, BUFFER_ALIGN = 64 };

typedef enum area {
    AREA_INPUT,     /* an argument of the entry, f32 or i32, planar */
    AREA_PIXELS,    /* the same input as u8 [n,H,W,C] (entry forward_u8) */
    AREA_OUTPUT,    /* an argument of the entry */
    AREA_PARAMS,    /* inside NET_params, at `offset` */
    AREA_PACKED,    /* inside packed, at `offset` */
    AREA_WORKSPACE, /* inside the workspace, at `offset` */
    AREA_CONST,     /* known numbers, `data` */
    /* of the entries that train, which have a workspace of their own: */
    AREA_STEP_INPUT, /* an argument of the step: see step_inputs */
    AREA_LOSS,       /* an argument of the step: one number, written */
    AREA_MOMENTS,    /* inside the optimizer's numbers, at `offset` */
    AREA_STEP,       /* inside the step's workspace, at `offset` */
    AREA_INIT        /* an argument of init: int32[4], words of the seed (low, high) and two zeros */
} area;

typedef struct buffer {
    int id;
    const char *name;
    area area;
    kbase elem;
    int64_t fixed;      /* elements, whatever n … */
    int64_t per_sample; /* … plus this many a sample */
    int64_t offset;     /* bytes from the start of its area, a multiple of BUFFER_ALIGN (params: of 4) */
    int index;          /* input, output, param: which of the graph's */
    const double *data; /* AREA_CONST: `fixed` values */
} buffer;

typedef enum arg_kind { ARG_BUFFER, ARG_INT, ARG_SCRATCH } arg_kind;

/* An argument of a call: a buffer from an element on, a number, or the calling thread's own part of scratch.
 * offset + Σ stride[k] · (variable of the k-th loop around the call). */
typedef struct call_arg {
    arg_kind kind;
    buffer *buffer; /* ARG_SCRATCH: bytes are [slot · scratch_bytes ..] of the workspace's scratch */
    int64_t offset; /* elements; ARG_INT: the number */
    int64_t stride[MAX_LOOPS];
} call_arg;

/* Runs for i in 0..count(n): mul · ⌈n / per⌉, or mul alone where per is 0. */
typedef struct kcount {
    int64_t mul, per;
} kcount;
static inline int64_t kcount_of(kcount c, int64_t n) {
    return c.per ? c.mul * ((n + c.per - 1) / c.per) : c.mul;
}

typedef struct kernel {
    int id;
    const char *name; /* unique in the program, an identifier */
    kcount count;
    int params; /* i and n in front included */
    const kparam *param;
    kfunc *body[TARGET_COUNT]; /* NULL for targets not asked for */
    double work;               /* multiply-adds (or elements moved) for one i, to judge whether threads pay */
    struct kernel *next;       /* same recipe hash */
    kernel_build *build;
    const void *recipe;
    size_t recipe_bytes;
} kernel;

typedef struct step step;
typedef struct call {
    kernel *kernel;
    int args;
    call_arg *arg;
    const node *node; /* what it computes (its origin, scope and span), NULL for none */
    int number;       /* among the calls of an entry that is marked, in the order of the text */
} call;

typedef struct steps {
    VEC(step) list;
} steps;

struct step {
    bool is_loop;
    call call;
    int64_t count; /* loop t in 0..count */
    steps *body;
};

/* A training step is two entries run one after the other over one workspace: ENTRY_STEP computes the loss and changes
 * nothing else; where that is finite, ENTRY_UPDATE goes back through the net and changes parameters and moments.
 * ENTRY_INIT fills the parameters. */
typedef enum entry_kind {
    ENTRY_PREPARE,
    ENTRY_FORWARD,
    ENTRY_FORWARD_U8,
    ENTRY_STEP,
    ENTRY_UPDATE,
    ENTRY_INIT,
    ENTRY_KINDS
} entry_kind;

typedef struct entry {
    entry_kind kind;
    bool present;
    steps steps;
    int calls; /* where it is marked: how many have numbers */
} entry;

/* Programs made to be profiled call `mark` before every call of ENTRY_FORWARD, ENTRY_STEP and ENTRY_UPDATE, with the
 * call's number, and with entry.calls after the last: one thread does, while the others have nothing to do. The record
 * lies in the last BUFFER_ALIGN bytes of the workspace, written there by whoever runs the entry. */
typedef struct profile_mark {
    void (*mark)(void *user, int entry, int call);
    void *user;
} profile_mark;

/* Recurrent state: copied (or zeroed) into `now` before forward, from `next` after it. Elements a sample. */
typedef struct state_slot {
    const char *name;
    buffer *now, *next;
    int64_t per_sample;
    shape shape;
} state_slot;

/* What the optimizer remembers, in the order of NET_optimizer's fields. */
typedef struct moment {
    const char *name; /* "conv1.weight.momentum" */
    buffer *buffer;
    shape shape;
} moment;

/* The step's arguments behind the net's own inputs, by index of AREA_STEP_INPUT; -1: the step reads none. */
typedef struct step_inputs {
    int target;        /* int32 classes [n][target_count], or real numbers [n][target_count] */
    int learning_rate; /* one real number */
    int counter;       /* int32[4]: words of optimizer.step (low, high), then of optimizer.seed (low, high) */
    bool classes;
    int64_t target_count, class_count; /* a sample; labels lie in [0, class_count) */
} step_inputs;

typedef struct program {
    arena *arena;
    const char *name;   /* the net's */
    const graph *graph; /* inputs, outputs, params, labels, scopes: the interface; never the nodes' meaning */
    kbase real;
    int64_t max_batch;
    int max_threads;
    bool profiled; /* entries are marked */
    bool wanted[TARGET_COUNT];
    VEC(buffer *) buffers;
    VEC(kernel *) kernels;
    VEC(kfunc *) micros[TARGET_COUNT];
    VEC(struct micro_key *) micro_keys;
    VEC(state_slot) states;
    VEC(const expr *) exprs; /* interned: equal expressions are one pointer, so recipes may hold it */
    entry entries[ENTRY_KINDS];
    int64_t params_bytes;    /* sizeof NET_params (real = f32) */
    int64_t packed_bytes;    /* header included, multiple of BUFFER_ALIGN */
    int64_t workspace_bytes; /* buffers at max_batch plus scratch of max_threads, multiple of BUFFER_ALIGN */
    int64_t scratch_offset,
        scratch_bytes; /* where scratch begins; bytes a thread, multiple of BUFFER_ALIGN */
    uint64_t hash;     /* of net and packing: what `packed` must have been prepared for */

    /* training; step_bytes 0: the program has none */
    const graph *step_graph; /* its inputs are the arguments of AREA_STEP_INPUT */
    VEC(moment) moments;
    step_inputs step_inputs;
    int64_t moments_bytes; /* of all moments, at 4 (f64: 8) bytes a number, without gaps */
    int64_t step_bytes;    /* the step's workspace, scratch included, multiple of BUFFER_ALIGN */
    int64_t step_scratch_offset;
    const buffer
        *step_output; /* AREA_STEP: the output that the loss reads, [n][count], as ENTRY_UPDATE leaves it */
    int step_output_index; /* of the graph's outputs */
} program;

/* What differs between entries that infer and entries that train. */
static inline int64_t entry_scratch_offset(const program *p, entry_kind kind) {
    return kind < ENTRY_STEP ? p->scratch_offset : p->step_scratch_offset;
}

/* Whether the entry's calls are marked, and where its workspace has the record. */
static inline bool entry_marked(const program *p, entry_kind kind) {
    return p->profiled && (kind == ENTRY_FORWARD || kind == ENTRY_STEP || kind == ENTRY_UPDATE);
}
static inline int64_t entry_mark_offset(const program *p, entry_kind kind) {
    return (kind < ENTRY_STEP ? p->workspace_bytes : p->step_bytes) - BUFFER_ALIGN;
}

/* May calls of the entry be given this area, to read or to write? */
bool entry_allows(entry_kind kind, area a, bool writes);

/* What prepare leaves in the first bytes of packed, in the machine's own byte order; prepare clears it when it
 * starts and writes it when it ends. */
typedef struct packed_header {
    char magic[8];    /* PACKED_MAGIC, no final zero */
    uint64_t abi;     /* PACKED_ABI */
    uint64_t hash;    /* program.hash */
    uint64_t bytes;   /* program.packed_bytes */
    uint64_t rest[4]; /* zero */
} packed_header;
#define PACKED_MAGIC "netcpack"
enum { PACKED_ABI = 1 };
packed_header program_header(const program *p);

/* What one run of an entry is given; a prepare needs params and packed only. */
typedef struct run_args {
    int64_t n;                 /* samples, 1..max_batch */
    const void *params;        /* NET_params */
    void *packed;              /* packed_bytes; forward only reads it */
    const void *const *inputs; /* in the graph's order, of the buffers' element types */
    void *const *outputs;
    void *const
        *states;     /* per_sample · n elements a state slot, in order; NULL: zeros, and nothing is kept */
    void *workspace; /* workspace_bytes (step_bytes), aligned to BUFFER_ALIGN */
    /* training: `params` is written by ENTRY_UPDATE and ENTRY_INIT; `inputs` are step_graph's */
    void *moments; /* moments_bytes */
    void *loss;
    const int32_t *init; /* four words */
} run_args;

/* Whether this argument of the kernel (behind i and n) is a thread's own part of scratch, as its first call has it. */
bool program_scratch(const program *p, const kernel *k, int arg);
buffer *program_buffer(program *p, const char *name, area a, kbase elem, int64_t fixed, int64_t per_sample);

/* Text form of the whole program (for --dump and tests) and its checker: follows each call site with its real
 * numbers for n = 1 and n = max_batch; every access in bounds of its buffer. Errors are netc's own bugs. */
void program_print(text *t, const program *p);
bool program_check(const program *p, diags *d);
/* Adds all that a backend can see of the program for this target: code made of programs with equal digests by one
 * backend is equal. What is added to these records must be added there too. */
void program_digest(arena *a, const program *p, target_id which, digest *to);

#endif
