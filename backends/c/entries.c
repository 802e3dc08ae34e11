/* The function of an entry that every thread of the team walks through: its calls in order. */
#include "backends/c/calls.h"

#include <string.h>

static int64_t buffer_bytes(const program *p, const buffer *b) {
    return (b->fixed + b->per_sample * p->max_batch) * kbase_bytes(b->elem);
}

static bool conflict(const touch *a, const touch *b) {
    if (a->area != b->area || a->index != b->index || !(a->writes || b->writes)) return false;
    return a->begin < b->end && b->begin < a->end;
}

/* What argument k of the call touches; false for nothing that others see. */
static bool touch_of(const walk *w, const call *c, int k, touch *t) {
    const call_arg *a = &c->arg[k];
    const kparam *param = &c->kernel->param[k + 2];
    if (a->kind != ARG_BUFFER || a->buffer->area == AREA_CONST) return false;
    const buffer *b = a->buffer;
    bool shared = b->area == AREA_WORKSPACE || b->area == AREA_PACKED || b->area == AREA_PARAMS;
    int64_t begin = shared ? b->offset : 0;
    *t = (touch){b->area, shared ? 0 : b->index, begin, begin + buffer_bytes(w->e->program, b),
                 param->type.writes};
    return true;
}

static void wait(walk *w) {
    if (w->touched.count) text_printf(w->e->out, "%*sjoin(t);\n", w->indent, "");
    w->touched.count = 0;
}

static void wait_for(walk *w, const call *c) {
    for (int k = 0; k < c->args; k++) {
        touch mine;
        if (!touch_of(w, c, k, &mine)) continue;
        for (int j = 0; j < w->touched.count; j++) {
            if (!conflict(&mine, &w->touched.at[j])) continue;
            wait(w);
            return;
        }
    }
}

static const char *cast(const walk *w, ktype t, const char *from) {
    return arena_printf(w->e->arena, "(%s%s *)%s", t.writes ? "" : "const ", cprint_scalar((kbase)t.elem),
                        from);
}

/* The pointer to a buffer's first element as a kernel's parameter of type t takes it. */
static const char *base_text(walk *w, const buffer *b, int64_t *offset, ktype t) {
    emitter *e = w->e;
    long long bytes = (long long)(b->offset + *offset * kbase_bytes(b->elem));
    switch (b->area) {
    case AREA_INPUT:
    case AREA_PIXELS: return w->inputs[b->index];
    case AREA_OUTPUT: return w->outputs[b->index];
    case AREA_PARAMS: return cast(w, t, arena_printf(e->arena, "&params->%s", e->fields[b->index]));
    case AREA_CONST: return arena_printf(e->arena, "constant_%d", b->id);
    case AREA_PACKED:
    case AREA_WORKSPACE: *offset = 0; break;
    }
    const char *from = b->area == AREA_PACKED ? "packed" : "workspace";
    return cast(w, t, bytes ? arena_printf(e->arena, "(%s + %lld)", from, bytes) : from);
}

static void add_offset(walk *w, text *t, int64_t offset, const int64_t *stride) {
    if (offset)
        text_printf(t, " %c %lld", offset < 0 ? '-' : '+', (long long)(offset < 0 ? -offset : offset));
    for (int k = 0; k < w->loops; k++)
        if (stride[k])
            text_printf(t, " %c %lld * t%d", stride[k] < 0 ? '-' : '+',
                        (long long)(stride[k] < 0 ? -stride[k] : stride[k]), k);
}

static void print_arg(walk *w, text *t, const call_arg *a, ktype type) {
    int64_t offset = a->offset;
    const program *p = w->e->program;
    if (a->kind == ARG_INT) {
        text_printf(t, "%lld", (long long)offset);
        add_offset(w, t, 0, a->stride);
    } else if (a->kind == ARG_SCRATCH) {
        const char *part = arena_printf(w->e->arena, "(workspace + %lld + %lld * (ptrdiff_t)t->slot)",
                                        (long long)p->scratch_offset, (long long)p->scratch_bytes);
        text_puts(t, cast(w, type, part));
        add_offset(w, t, offset, a->stride);
    } else {
        text_puts(t, base_text(w, a->buffer, &offset, type));
        add_offset(w, t, offset, a->stride);
    }
}

/* `prepare` has no workspace, and nothing else than `prepare` may write packed weights. */
static bool allowed(walk *w, const call *c, int k) {
    const call_arg *a = &c->arg[k];
    bool workspace = a->kind == ARG_SCRATCH || (a->kind == ARG_BUFFER && a->buffer->area == AREA_WORKSPACE);
    bool prepare = w->kind == ENTRY_PREPARE, writes = c->kernel->param[k + 2].type.writes;
    bool packed = a->kind == ARG_BUFFER && a->buffer->area == AREA_PACKED;
    bool params = a->kind == ARG_BUFFER && a->buffer->area == AREA_PARAMS;
    if (!(prepare && workspace) && !(!prepare && (params || (packed && writes)))) return true;
    diag_add(w->e->diags, DIAG_ERROR, (span){0},
             "argument '%s' of kernel %s lies where entry %d has nothing; this is a bug in netc",
             c->kernel->param[k + 2].name, c->kernel->name, (int)w->kind);
    return false;
}

static void print_call(walk *w, const call *c) {
    emitter *e = w->e;
    wait_for(w, c);
    if (c->node) c_line(e->out, w->indent, arena_printf(e->arena, "/* %s */", emit_layers(e, c->node)));
    text t = text_in(e->arena);
    text_printf(&t, "run_%s(t, %s", c->kernel->name, w->kind == ENTRY_PREPARE ? "1" : "n");
    for (int k = 0; k < c->args; k++) {
        touch mine;
        if (!allowed(w, c, k)) return;
        text_puts(&t, ", ");
        print_arg(w, &t, &c->arg[k], c->kernel->param[k + 2].type);
        if (touch_of(w, c, k, &mine)) VEC_PUSH(e->arena, &w->touched, mine);
    }
    text_puts(&t, ");");
    c_line(e->out, w->indent, t.at);
}

static void print_steps(walk *w, const steps *s) {
    for (int k = 0; k < s->list.count; k++) {
        const step *t = &s->list.at[k];
        if (!t->is_loop) {
            print_call(w, &t->call);
            continue;
        }
        wait(w);
        text_printf(w->e->out, "%*sfor (ptrdiff_t t%d = 0; t%d < %lld; t%d++) {\n", w->indent, "", w->loops,
                    w->loops, (long long)t->count, w->loops);
        w->indent += 4;
        w->loops++;
        print_steps(w, t->body);
        wait(w);
        w->loops--;
        w->indent -= 4;
        text_printf(w->e->out, "%*s}\n", w->indent, "");
    }
}

static bool takes_pixels(const emitter *e, entry_kind kind, int input) {
    const program *p = e->program;
    for (int k = 0; k < p->buffers.count; k++)
        if (p->buffers.at[k]->area == AREA_PIXELS && p->buffers.at[k]->index == input)
            return kind == ENTRY_FORWARD_U8;
    return false;
}

void emit_entry_data(emitter *e, entry_kind kind, const char *const *inputs, const char *const *outputs,
                     text *t, bool types) {
    const graph *g = e->program->graph;
    const char *real = types ? arena_printf(e->arena, "%s *", emit_real(e)) : "";
    for (int k = 0; k < g->inputs.count; k++) {
        bool pixels = takes_pixels(e, kind, k);
        bool integers = g->inputs.at[k]->type == DT_I32;
        const char *type = pixels     ? "const uint8_t *"
                           : integers ? "const int32_t *"
                                      : arena_printf(e->arena, "const %s", real);
        text_printf(t, ", %s%s", types ? type : "", inputs[k]);
    }
    for (int k = 0; k < g->outputs.count; k++) {
        const char *type = g->outputs.at[k].value->type == DT_I32 ? "int32_t *" : real;
        text_printf(t, ", %s%s", types ? type : "", outputs[k]);
    }
}

static const char **inner_names(emitter *e, c_names *names, const char **from, int count) {
    const char **inner = NEW_ARRAY(e->arena, const char *, count + 1);
    for (int k = 0; k < count; k++) inner[k] = c_name(names, from[k]);
    return inner;
}

/* Names that an entry's function uses itself: inputs called so get another name there. */
static void take_names(emitter *e, c_names *names) {
    static const char *const own[] = {"t",     "n",    "packed", "workspace", "params", "join",
                                      "split", "team", "t0",     "t1",        "t2",     "t3"};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) c_name(names, own[k]);
    for (int k = 0; k < e->program->kernels.count; k++)
        c_name(names, arena_printf(e->arena, "run_%s", e->program->kernels.at[k]->name));
    for (int k = 0; k < e->program->buffers.count; k++)
        c_name(names, arena_printf(e->arena, "constant_%d", e->program->buffers.at[k]->id));
}

const char *const entry_names[ENTRY_KINDS] = {"prepare", "forward", "forward_u8"};

/* Parameters that no call reads, told to the compiler. */
static void print_unused(emitter *e, const char *body, const char *const *names, int count) {
    for (int k = 0; k < count; k++)
        if (!c_mentions(body, names[k])) text_printf(e->out, "    (void)%s;\n", names[k]);
}

static void print_all_unused(walk *w, const char *body) {
    const graph *g = w->e->program->graph;
    static const char *const prepare[] = {"t", "params", "packed"}, *const forward[] = {"t", "n", "packed",
                                                                                        "workspace"};
    if (w->kind == ENTRY_PREPARE) {
        print_unused(w->e, body, prepare, 3);
        return;
    }
    print_unused(w->e, body, forward, 4);
    print_unused(w->e, body, w->inputs, g->inputs.count);
    print_unused(w->e, body, w->outputs, g->outputs.count);
}

static const char *print_body(walk *w) {
    emitter *e = w->e;
    text body = text_in(e->arena), *out = e->out;
    text_puts(&body, "");
    e->out = &body;
    print_steps(w, &e->program->entries[w->kind].steps);
    e->out = out;
    return body.at;
}

void emit_entry(emitter *e, entry_kind kind) {
    const graph *g = e->program->graph;
    c_names names = c_names_in(e->arena);
    take_names(e, &names);
    walk w = {.e = e, .kind = kind, .indent = 4};
    w.inputs = inner_names(e, &names, e->inputs, g->inputs.count);
    w.outputs = inner_names(e, &names, e->outputs, g->outputs.count);
    text head = text_in(e->arena);
    text_printf(&head, "static void %s_each_%s(const team *t", e->prefix, entry_names[kind]);
    if (kind == ENTRY_PREPARE) {
        text_printf(&head, ", const %s_params *params, char *packed)", e->prefix);
    } else {
        text_puts(&head, ", ptrdiff_t n, const char *packed");
        emit_entry_data(e, kind, w.inputs, w.outputs, &head, true);
        text_puts(&head, ", char *workspace)");
    }
    c_line(e->out, 0, head.at);
    text_puts(e->out, "{\n");
    const char *body = print_body(&w);
    print_all_unused(&w, body);
    text_printf(e->out, "%s}\n\n", body);
}
