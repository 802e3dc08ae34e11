/* The header of the generated pair: sizes, types and prototypes. */
#include "backends/c/emit.h"

const char *emit_real(const emitter *e) {
    return e->program->real == KB_F64 ? "double" : "float";
}

static void define(emitter *e, const char *name, long long number, const char *comment) {
    const char *line = arena_printf(e->arena, "#define %s_%s %lld", e->upper, name, number);
    text_printf(e->out, *comment ? "%-44s /* %s */\n" : "%s\n", line, comment);
}

static int64_t parameters(const graph *g, bool all) {
    int64_t sum = 0;
    for (int k = 0; k < g->params.count; k++)
        if (all || g->params.at[k]->as.param.trainable) sum += shape_count(&g->params.at[k]->shape);
    return sum;
}

static void print_sizes(emitter *e) {
    const program *p = e->program;
    const graph *g = p->graph;
    define(e, "ABI", 1, "");
    define(e, "MAX_BATCH", p->max_batch, "samples in a call");
    define(e, "ALIGN", BUFFER_ALIGN, "bytes: packed and workspace");
    define(e, "PARAMETERS", parameters(g, false), "trainable numbers");
    define(e, "VALUES", parameters(g, true), "all numbers of the params, running statistics too");
    define(e, "MAX_THREADS", p->max_threads, "the workspace has room for so many");
    define(e, "PACKED_BYTES", p->packed_bytes, "weights as the kernels read them");
    define(e, "WORKSPACE_BYTES", p->workspace_bytes, "for one call, whatever n");
    if (emit_trains(e)) define(e, "STEP_WORKSPACE_BYTES", p->step_bytes, "for a training step, whatever n");
    for (int k = 0; k < g->inputs.count; k++)
        define(e, arena_printf(e->arena, "%s_SIZE", c_upper(e->arena, e->inputs[k])),
               shape_count(&g->inputs.at[k]->shape), "numbers a sample");
    for (int k = 0; k < g->outputs.count; k++)
        define(e, arena_printf(e->arena, "%s_SIZE", c_upper(e->arena, e->outputs[k])),
               shape_count(&g->outputs.at[k].value->shape), "");
    if (emit_trains(e) && p->step_inputs.target >= 0)
        define(e, p->step_inputs.classes ? "LABEL_SIZE" : "TARGET_SIZE", p->step_inputs.target_count, "");
    text_puts(e->out, "\n");
}

void emit_field(emitter *e, const char *name, const shape *s) {
    text_printf(e->out, "    %s %s", emit_real(e), name);
    for (int k = 0; k < s->rank; k++) text_printf(e->out, "[%lld]", (long long)s->dim[k]);
    text_puts(e->out, ";\n");
}

static void print_params(emitter *e) {
    const graph *g = e->program->graph;
    text_puts(e->out, "/* The weights, as they are trained and saved: order and names are those of PyTorch's "
                      "state dict. */\n");
    text_printf(e->out, "typedef struct %s_params {\n", e->prefix);
    for (int k = 0; k < g->params.count; k++) emit_field(e, e->fields[k], &g->params.at[k]->shape);
    if (!g->params.count) text_puts(e->out, "    char none;\n");
    text_printf(e->out, "} %s_params;\n\n", e->prefix);
    text_puts(e->out, "/* One array of a record: type is 0 for float, 1 for double; count is in numbers, "
                      "offset in bytes. */\n");
    text_printf(e->out,
                "typedef struct %s_tensor {\n    char name[96];\n    size_t offset, count;\n"
                "    int type, trainable, rank, dims[8];\n} %s_tensor;\n",
                e->prefix, e->prefix);
    text_printf(e->out, "extern const %s_tensor %s_tensors[]; /* ends with an empty name */\n\n", e->prefix,
                e->prefix);
}

static void print_state(emitter *e) {
    const program *p = e->program;
    if (!p->states.count) return;
    text_puts(e->out,
              "/* What a sequence of calls keeps from one to the next, by sample. Zeros start it. */\n");
    text_printf(e->out, "typedef struct %s_state {\n", e->prefix);
    for (int k = 0; k < p->states.count; k++)
        text_printf(e->out, "    %s %s[%lld][%lld];\n", emit_real(e), e->states[k], (long long)p->max_batch,
                    (long long)p->states.at[k].per_sample);
    text_printf(e->out, "} %s_state;\n\n", e->prefix);
}

static void print_errors(emitter *e) {
    static const char *const names[] = {"OK",        "NULL_POINTER",    "BAD_BATCH",
                                        "UNALIGNED", "SMALL_WORKSPACE", "NOT_PREPARED",
                                        "BAD_LABEL", "NOT_FINITE"};
    text t = text_in(e->arena);
    text_puts(&t, "enum {");
    for (int k = 0; k < 8; k++) text_printf(&t, "%s %s_%s", k ? "," : "", e->upper, names[k]);
    text_puts(&t, " };");
    c_line(e->out, 0, t.at);
    text_printf(e->out, "const char *%s_error(int code); /* a sentence; never NULL */\n\n", e->prefix);
}

const char *emit_executor(const emitter *e) {
    return e->options->executor ? arena_printf(e->arena, "const %s_executor *executor, ", e->prefix) : "";
}

const char *emit_lent(const emitter *e) {
    return e->options->executor ? "executor, " : "";
}

/* The layout of ir/base/team.h, whose rules these are. */
static void print_executor(emitter *e) {
    if (!e->options->executor) return;
    text_printf(
        e->out,
        "/* Threads that the host lends; NULL runs a call on the caller's. run calls body(arg, i, slot) for "
        "every\n"
        "   i in 0..count, on up to `threads` threads at once, and returns when all are done; calls that run "
        "at\n"
        "   the same time have different slots in 0..threads. */\n"
        "typedef struct %s_executor {\n    void *user;\n    int threads;\n"
        "    void (*run)(void *user, void (*body)(void *arg, int i, int slot), void *arg, int count);\n"
        "} %s_executor;\n\n",
        e->prefix, e->prefix);
}

static void print_weights_entry(emitter *e) {
    const char *p = e->prefix;
    switch (e->options->embed) {
    case EMBED_NONE:
        text_puts(e->out, "/* Arranges the weights for the kernels: once, before the first call. */\n");
        text_printf(e->out, "int %s_prepare(%sconst %s_params *params, void *packed);\n\n", p,
                    emit_executor(e), p);
        break;
    case EMBED_ARRAY:
    case EMBED_INCBIN:
        text_puts(e->out,
                  "/* The weights that this net was compiled with: the argument `packed` below. */\n");
        text_printf(e->out, "const void *%s_weights(void);\n\n", p);
        break;
    case EMBED_FILE:
        text_printf(e->out,
                    "/* The weights that this net was compiled with, from all bytes of the file \"%s\" at an "
                    "address\n"
                    "   that is a multiple of %s_ALIGN (mmap gives one): the argument `packed` below, a part "
                    "of them.\n"
                    "   NULL if these are not those bytes. */\n",
                    e->options->packed_file_name, e->upper);
        text_printf(e->out, "const void *%s_load(const void *file, size_t bytes);\n\n", p);
    }
}

static void print_entries(emitter *e) {
    print_weights_entry(e);
    text_puts(e->out, "/* Samples lie one after the other. Any number of calls may run at once, each with a "
                      "workspace of its own. */\n");
    for (int k = ENTRY_FORWARD; k <= ENTRY_FORWARD_U8; k++) {
        if (!emit_has(e, (entry_kind)k)) continue;
        if (k == ENTRY_FORWARD_U8)
            text_printf(
                e->out,
                "\n/* The same of pixels 0..255 as a camera gives them: [n][height][width][channel]. */\n");
        emit_prototype(e, (entry_kind)k);
        text_puts(e->out, ";\n");
    }
    emit_training_entries(e);
    if (e->options->invoke)
        text_printf(
            e->out,
            "\n/* Any entry by number (0 prepare, 1 forward, 2 forward_u8, 3 step, 5 init), for callers that "
            "know "
            "no types. */\n"
            "int %s_invoke(int entry, int n, const void *params, void *packed, const void *const *inputs,\n"
            "        void *const *outputs, void *const *states, void *workspace, size_t workspace_bytes);\n",
            e->prefix);
}

void emit_header(emitter *e) {
    const char *version = e->options->version;
    text_printf(e->out, "/* %s: made by netc%s%s. Do not edit: change the net and compile it again. */\n",
                e->prefix, version ? " " : "", version ? version : "");
    text_printf(e->out,
                "#ifndef NETC_%s_H\n#define NETC_%s_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n",
                e->upper, e->upper);
    print_sizes(e);
    text_puts(e->out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    print_params(e);
    print_state(e);
    emit_optimizer(e);
    print_errors(e);
    print_executor(e);
    print_entries(e);
    text_puts(e->out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}
