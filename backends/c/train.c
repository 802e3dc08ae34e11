/* NET_step and NET_init: what is checked, what becomes an entry's input, and the optimizer's memory. A step is two
 * entries; nothing that is trained changes before the loss is known to be a number. */
#include "backends/c/emit.h"

bool emit_trains(const emitter *e) {
    return emit_has(e, ENTRY_STEP) && emit_has(e, ENTRY_UPDATE);
}

/* ---- the header's ---- */

void emit_optimizer(emitter *e) {
    const program *p = e->program;
    if (!emit_trains(e)) return;
    text_puts(e->out,
              "/* What steps remember from one to the next: how many there were, where random numbers come "
              "from, and\n   moments of what is trained. Zeros start it, the seed may be any number. */\n");
    text_printf(e->out, "typedef struct %s_optimizer {\n    uint64_t step, seed;\n", e->prefix);
    for (int k = 0; k < p->moments.count; k++) emit_field(e, e->moments[k], &p->moments.at[k].shape);
    text_printf(e->out, "} %s_optimizer;\n", e->prefix);
    text_printf(
        e->out,
        "extern const %s_tensor %s_optimizer_tensors[]; /* its arrays; ends with an empty name */\n\n",
        e->prefix, e->prefix);
}

static void put(emitter *e, c_arguments *to, const char *type, const char *name) {
    c_argument a = {type, name};
    VEC_PUSH(e->arena, to, a);
}

/* The arguments of a step behind the executor, its inputs under these names. */
static c_arguments step_arguments(emitter *e, const char *const *names) {
    const step_inputs *own = &e->program->step_inputs;
    const char *real = emit_real(e);
    c_arguments list = {0}, data = {0};
    put(e, &list, arena_printf(e->arena, "%s_params *", e->prefix), "params");
    put(e, &list, arena_printf(e->arena, "%s_optimizer *", e->prefix), "optimizer");
    put(e, &list, "int ", "n");
    emit_add_data(e, ENTRY_STEP, names, NULL, &data);
    for (int k = 0; k < data.count; k++)
        if (k != own->learning_rate && k != own->counter) VEC_PUSH(e->arena, &list, data.at[k]);
    put(e, &list, arena_printf(e->arena, "%s ", real), "learning_rate");
    put(e, &list, arena_printf(e->arena, "%s *", real), "loss");
    put(e, &list, "void *", "workspace");
    put(e, &list, "size_t ", "workspace_bytes");
    return list;
}

static void print_head(emitter *e, const char *start, const c_arguments *list, const char *end) {
    text t = text_in(e->arena);
    emit_list(list, &t, true);
    c_line(e->out, 0, arena_printf(e->arena, "%s%s)%s", start, t.at, end));
}

static void print_step_head(emitter *e, const char *end) {
    c_arguments list = step_arguments(e, e->step_inputs);
    print_head(e, arena_printf(e->arena, "int %s_step(%s", e->prefix, emit_executor(e)), &list, end);
}

static void print_init_head(emitter *e, const char *end) {
    text_printf(e->out, "int %s_init(%s%s_params *params, uint64_t seed)%s\n", e->prefix, emit_executor(e),
                e->prefix, end);
}

void emit_training_entries(emitter *e) {
    if (emit_has(e, ENTRY_INIT)) {
        text_puts(e->out, "\n/* Parameters as training starts from them, by the rules of the text. */\n");
        print_init_head(e, ";");
    }
    if (!emit_trains(e)) return;
    text_printf(
        e->out,
        "\n/* One step of training on n samples: *loss is theirs before it. Where it returns another code "
        "than\n   %s_OK, params and optimizer are as they were. Weights must be prepared anew before they "
        "are used. */\n",
        e->upper);
    print_step_head(e, ";");
}

/* ---- the source's ---- */

static void print_optimizer_tensors(emitter *e) {
    const program *p = e->program;
    const char *x = e->prefix;
    text_printf(e->out, "const %s_tensor %s_optimizer_tensors[] = {\n", x, x);
    for (int k = 0; k < p->moments.count; k++)
        emit_tensor(e, p->moments.at[k].name, "optimizer", e->moments[k], &p->moments.at[k].shape, false);
    text_puts(e->out, "    {\"\", 0, 0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}},\n};\n\n");
    text_printf(e->out, "typedef char %s_optimizer_size[sizeof(%s_optimizer) - %lld < 8 ? 1 : -1];\n\n", x, x,
                16 + (long long)p->moments_bytes);
}

/* By its bits: whatever -ffast-math makes of comparisons. */
static void print_finite(emitter *e) {
    bool wide = e->program->real == KB_F64;
    const char *mask = wide ? "0x7ff0000000000000u" : "0x7f800000u";
    text_printf(e->out,
                "static int %s_finite(%s x)\n{\n    union { %s f; %s u; } bits;\n    bits.f = x;\n"
                "    return (bits.u & %s) != %s;\n}\n\n",
                e->prefix, emit_real(e), emit_real(e), wide ? "uint64_t" : "uint32_t", mask, mask);
}

/* in0.., but for what the function makes itself. */
static const char **inner_inputs(emitter *e) {
    const step_inputs *own = &e->program->step_inputs;
    int count = e->program->step_graph->inputs.count;
    const char **names = NEW_ARRAY(e->arena, const char *, count + 1);
    for (int k = 0; k < count; k++) names[k] = arena_printf(e->arena, "in%d", k);
    if (own->learning_rate >= 0) names[own->learning_rate] = "rate";
    if (own->counter >= 0) names[own->counter] = "counter";
    return names;
}

static void print_refusal(emitter *e, const char *condition, const char *code) {
    c_line(e->out, 4, arena_printf(e->arena, "if (%s) return %s_%s;", condition, e->upper, code));
}

static void print_checks(emitter *e, const char *const *in) {
    const program *p = e->program;
    const step_inputs *own = &p->step_inputs;
    const char *u = e->upper;
    text null = text_in(e->arena);
    text_puts(&null, "!params || !optimizer || !loss");
    for (int k = 0; k < p->step_graph->inputs.count; k++)
        if (k != own->learning_rate && k != own->counter) text_printf(&null, " || !%s", in[k]);
    if (p->step_bytes) text_puts(&null, " || !workspace");
    print_refusal(e, null.at, "NULL_POINTER");
    print_refusal(e, arena_printf(e->arena, "n < 1 || n > %s_MAX_BATCH", u), "BAD_BATCH");
    print_refusal(e, arena_printf(e->arena, "(uintptr_t)workspace %% %s_ALIGN", u), "UNALIGNED");
    if (p->step_bytes)
        print_refusal(e, arena_printf(e->arena, "workspace_bytes < %s_STEP_WORKSPACE_BYTES", u),
                      "SMALL_WORKSPACE");
    else
        text_puts(e->out, "    (void)workspace_bytes;\n");
    if (own->classes && own->target >= 0)
        text_printf(e->out,
                    "    for (ptrdiff_t k = 0; k < (ptrdiff_t)n * %lld; k++)\n"
                    "        if (%s[k] < 0 || %s[k] >= %lld) return %s_BAD_LABEL;\n",
                    (long long)own->target_count, in[own->target], in[own->target],
                    (long long)own->class_count, u);
    print_refusal(e, arena_printf(e->arena, "!%s_finite(learning_rate)", e->prefix), "NOT_FINITE");
}

static const char *words(emitter *e, const char *x) {
    return arena_printf(e->arena, "(int32_t)(uint32_t)%s, (int32_t)(uint32_t)(%s >> 32)", x, x);
}

static void print_inputs(emitter *e) {
    const step_inputs *own = &e->program->step_inputs;
    if (own->learning_rate >= 0)
        text_printf(e->out, "    const %s rate[1] = {learning_rate};\n", emit_real(e));
    if (own->counter >= 0)
        c_line(e->out, 4,
               arena_printf(e->arena, "const int32_t counter[4] = {%s, %s};", words(e, "optimizer->step"),
                            words(e, "optimizer->seed")));
}

static void print_call(emitter *e, entry_kind kind, const char *const *in) {
    c_arguments list = emit_arguments(e, kind, in, NULL);
    text t = text_in(e->arena);
    list.at[list.count - 1].name = "(char *)workspace";
    emit_list(&list, &t, false);
    c_line(e->out, 4,
           arena_printf(e->arena, "%s_start_%s(%s%s);", e->prefix, entry_names[kind], emit_lent(e), t.at));
}

static void print_checked_step(emitter *e) {
    const char **in = inner_inputs(e);
    c_arguments list = step_arguments(e, in);
    print_head(e, arena_printf(e->arena, "static int %s_checked_step(%s", e->prefix, emit_executor(e)), &list,
               "");
    text_puts(e->out, "{\n");
    print_checks(e, in);
    print_inputs(e);
    print_call(e, ENTRY_STEP, in);
    print_refusal(e, arena_printf(e->arena, "!%s_finite(*loss)", e->prefix), "NOT_FINITE");
    print_call(e, ENTRY_UPDATE, in);
    text_printf(e->out, "    optimizer->step++;\n    return %s_OK;\n}\n\n", e->upper);
}

static void print_step(emitter *e) {
    c_arguments list = step_arguments(e, e->step_inputs);
    text t = text_in(e->arena);
    print_step_head(e, "");
    emit_list(&list, &t, false);
    text_puts(e->out, "{\n");
    c_line(e->out, 4, arena_printf(e->arena, "return %s_checked_step(%s%s);", e->prefix, emit_lent(e), t.at));
    text_puts(e->out, "}\n\n");
}

static void print_init(emitter *e) {
    print_init_head(e, "");
    text_printf(e->out,
                "{\n    const int32_t key[4] = {%s, 0, 0};\n    if (!params) return %s_NULL_POINTER;\n"
                "    %s_start_init(%sparams, key);\n    return %s_OK;\n}\n\n",
                words(e, "seed"), e->upper, e->prefix, emit_lent(e), e->upper);
}

void emit_training(emitter *e) {
    if (emit_has(e, ENTRY_INIT)) print_init(e);
    if (!emit_trains(e)) return;
    print_optimizer_tensors(e);
    print_finite(e);
    print_checked_step(e);
    print_step(e);
}

static void print_invoked_step(emitter *e) {
    const program *p = e->program;
    const step_inputs *own = &p->step_inputs;
    c_arguments data = {0};
    text args = text_in(e->arena);
    int given = 0;
    emit_add_data(e, ENTRY_STEP, e->step_inputs, NULL, &data);
    text_printf(&args, "return %s_checked_step((%s_params *)params, (%s_optimizer *)packed, n", e->prefix,
                e->prefix, e->prefix);
    for (int k = 0; k < data.count; k++)
        if (k != own->learning_rate && k != own->counter)
            text_printf(&args, ", (%s)inputs[%d]", data.at[k].type, given++);
    text_printf(&args, ", *(const %s *)inputs[%d], (%s *)outputs[0], workspace, workspace_bytes);",
                emit_real(e), given, emit_real(e));
    text_printf(e->out, "    case %d:\n", (int)ENTRY_STEP);
    c_line(e->out, 8, args.at);
}

void emit_invoked_training(emitter *e) {
    if (emit_trains(e)) print_invoked_step(e);
    if (emit_has(e, ENTRY_INIT))
        text_printf(e->out,
                    "    case %d: return %s_init((%s_params *)params, *(const uint64_t *)inputs[0]);\n",
                    (int)ENTRY_INIT, e->prefix, e->prefix);
}
