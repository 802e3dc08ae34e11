/* NET_forward, NET_forward_u8 and NET_invoke: one inner function an entry does the work for both faces. */
#include "backends/c/emit.h"

typedef struct face {
    const char **in, **out, **state; /* in0.. out0.. state0.. */
} face;

static const char **numbered(emitter *e, const char *base, int count) {
    const char **names = NEW_ARRAY(e->arena, const char *, count + 1);
    for (int k = 0; k < count; k++) names[k] = arena_printf(e->arena, "%s%d", base, k);
    return names;
}

static face face_of(emitter *e) {
    const program *p = e->program;
    return (face){numbered(e, "in", p->graph->inputs.count), numbered(e, "out", p->graph->outputs.count),
                  numbered(e, "state", p->states.count)};
}

/* A state's buffer as a pointer to its first sample. */
static const char *buffer_text(emitter *e, const face *f, const buffer *b) {
    if (b->area == AREA_OUTPUT) return f->out[b->index];
    if (b->area == AREA_INPUT) return f->in[b->index];
    const char *from = b->area == AREA_PACKED ? "(const char *)packed" : "(char *)workspace";
    const char *type = b->area == AREA_PACKED ? "const " : "";
    return arena_printf(e->arena, "(%s%s *)(%s + %lld)", type, emit_real(e), from, (long long)b->offset);
}

static void print_state_in(emitter *e, const face *f) {
    for (int k = 0; k < e->program->states.count; k++) {
        const state_slot *s = &e->program->states.at[k];
        text_puts(e->out, "    {\n");
        c_line(e->out, 8, arena_printf(e->arena, "%s *now = %s;", emit_real(e), buffer_text(e, f, s->now)));
        text_printf(
            e->out,
            "        for (ptrdiff_t k = 0; k < %lld * (ptrdiff_t)n; k++) now[k] = %s ? %s[k] : 0;\n    }\n",
            (long long)s->per_sample, f->state[k], f->state[k]);
    }
}

static void print_state_out(emitter *e, const face *f) {
    for (int k = 0; k < e->program->states.count; k++) {
        const state_slot *s = &e->program->states.at[k];
        const buffer *next = s->next ? s->next : s->now;
        text_printf(e->out, "    if (%s) {\n", f->state[k]);
        c_line(e->out, 8,
               arena_printf(e->arena, "const %s *next = %s;", emit_real(e), buffer_text(e, f, next)));
        text_printf(e->out,
                    "        for (ptrdiff_t k = 0; k < %lld * (ptrdiff_t)n; k++) %s[k] = next[k];\n    }\n",
                    (long long)s->per_sample, f->state[k]);
    }
}

static void print_null_checks(emitter *e, const face *f) {
    const graph *g = e->program->graph;
    text t = text_in(e->arena);
    for (int k = 0; k < g->inputs.count; k++) text_printf(&t, "%s!%s", t.length ? " || " : "", f->in[k]);
    for (int k = 0; k < g->outputs.count; k++) text_printf(&t, "%s!%s", t.length ? " || " : "", f->out[k]);
    if (t.length)
        c_line(e->out, 4, arena_printf(e->arena, "if (%s) return %s_NULL_POINTER;", t.at, e->upper));
}

static void print_checked(emitter *e, entry_kind kind, const face *f) {
    text head = text_in(e->arena), args = text_in(e->arena);
    c_arguments data = {0};
    emit_add_data(e, kind, f->in, f->out, &data);
    text_printf(&head, "static int %s_checked_%s(%sconst void *packed, int n", e->prefix, entry_names[kind],
                emit_executor(e));
    emit_list(&data, &head, true);
    text_puts(&args, "n, (const char *)packed");
    emit_list(&data, &args, false);
    for (int k = 0; k < e->program->states.count; k++)
        text_printf(&head, ", %s *%s", emit_real(e), f->state[k]);
    text_puts(&head, ", void *workspace, size_t workspace_bytes)");
    c_line(e->out, 0, head.at);
    text_printf(e->out, "{\n    const int code = %s_check(packed, n, workspace, workspace_bytes);\n",
                e->prefix);
    text_printf(e->out, "    if (code != %s_OK) return code;\n", e->upper);
    print_null_checks(e, f);
    print_state_in(e, f);
    c_line(e->out, 4,
           arena_printf(e->arena, "%s_start_%s(%s%s, (char *)workspace);", e->prefix, entry_names[kind],
                        emit_lent(e), args.at));
    print_state_out(e, f);
    text_printf(e->out, "    return %s_OK;\n}\n\n", e->upper);
}

void emit_forward(emitter *e, entry_kind kind) {
    face f = face_of(e);
    print_checked(e, kind, &f);
    emit_prototype(e, kind);
    text args = text_in(e->arena);
    c_arguments data = {0};
    emit_add_data(e, kind, e->inputs, e->outputs, &data);
    text_printf(&args, "return %s_checked_%s(%spacked, n", e->prefix, entry_names[kind], emit_lent(e));
    emit_list(&data, &args, false);
    for (int k = 0; k < e->program->states.count; k++)
        text_printf(&args, ", state ? &state->%s[0][0] : NULL", e->states[k]);
    text_puts(&args, ", workspace, workspace_bytes);");
    text_puts(e->out, "\n{\n");
    c_line(e->out, 4, args.at);
    text_puts(e->out, "}\n\n");
}

/* inputs[k] and outputs[k] with the entry's types. */
static void print_invoked(emitter *e, entry_kind kind) {
    const graph *g = e->program->graph;
    const char **in = NEW_ARRAY(e->arena, const char *, g->inputs.count + 1);
    const char **out = NEW_ARRAY(e->arena, const char *, g->outputs.count + 1);
    text args = text_in(e->arena);
    c_arguments data = {0};
    text_printf(&args, "return %s_checked_%s(packed, n", e->prefix, entry_names[kind]);
    for (int k = 0; k < g->inputs.count; k++) in[k] = arena_printf(e->arena, "inputs[%d]", k);
    for (int k = 0; k < g->outputs.count; k++) out[k] = arena_printf(e->arena, "outputs[%d]", k);
    emit_add_data(e, kind, in, out, &data);
    for (int k = 0; k < data.count; k++) text_printf(&args, ", (%s)%s", data.at[k].type, data.at[k].name);
    for (int k = 0; k < e->program->states.count; k++)
        text_printf(&args, ", states ? (%s *)states[%d] : NULL", emit_real(e), k);
    text_puts(&args, ", workspace, workspace_bytes);");
    text_printf(e->out, "    case %d:\n", (int)kind);
    c_line(e->out, 8, args.at);
}

void emit_invoke(emitter *e) {
    text_printf(
        e->out,
        "int %s_invoke(int entry, int n, const void *params, void *packed, const void *const *inputs,\n"
        "        void *const *outputs, void *const *states, void *workspace, size_t workspace_bytes)\n{\n"
        "    (void)params;\n    (void)states;\n"
        "    if (entry != 0 && (!inputs || (entry != %d && !outputs))) return %s_NULL_POINTER;\n"
        "    switch (entry) {\n",
        e->prefix, (int)ENTRY_INIT, e->upper);
    if (emit_has(e, ENTRY_PREPARE))
        text_printf(e->out, "    case 0: return %s_prepare((const %s_params *)params, packed);\n", e->prefix,
                    e->prefix);
    for (int k = ENTRY_FORWARD; k <= ENTRY_FORWARD_U8; k++)
        if (emit_has(e, (entry_kind)k)) print_invoked(e, (entry_kind)k);
    emit_invoked_training(e);
    text_puts(e->out, "    default: return -1;\n    }\n}\n");
}
