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
    const unsigned by_offset =
        1u << AREA_WORKSPACE | 1u << AREA_PACKED | 1u << AREA_PARAMS | 1u << AREA_MOMENTS | 1u << AREA_STEP;
    bool shared = by_offset >> b->area & 1;
    int64_t begin = shared ? b->offset : 0;
    *t = (touch){b->area, shared ? 0 : b->index, begin, begin + buffer_bytes(w->e->program, b),
                 param->type.writes};
    return true;
}

static void wait(walk *w) {
    bool joins = w->touched.count && !w->e->options->executor; /* there every call is done when it returns */
    if (joins) text_printf(w->e->out, "%*sjoin(t);\n", w->indent, "");
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
    case AREA_STEP_INPUT:
    case AREA_PIXELS: return w->inputs[b->index];
    case AREA_OUTPUT: return w->outputs[b->index];
    case AREA_PARAMS: return cast(w, t, arena_printf(e->arena, "&params->%s", e->fields[b->index]));
    case AREA_MOMENTS: return cast(w, t, arena_printf(e->arena, "&optimizer->%s", e->moments[b->index]));
    case AREA_LOSS: return "loss";
    case AREA_INIT: return "seed";
    case AREA_CONST: return arena_printf(e->arena, "constant_%d", b->id);
    case AREA_PACKED:
    case AREA_STEP:
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
        const char *slot =
            arena_printf(w->e->arena, " + %lld * (ptrdiff_t)t->slot", (long long)p->scratch_bytes);
        const char *part =
            arena_printf(w->e->arena, "(workspace + %lld%s)", (long long)entry_scratch_offset(p, w->kind),
                         w->e->options->executor ? "" : slot); /* lend.c adds it */
        text_puts(t, cast(w, type, part));
        add_offset(w, t, offset, a->stride);
    } else {
        text_puts(t, base_text(w, a->buffer, &offset, type));
        add_offset(w, t, offset, a->stride);
    }
}

/* Scratch is part of a workspace, which not every entry has. */
static bool allowed(walk *w, const call *c, int k) {
    const call_arg *a = &c->arg[k];
    bool scratch = w->kind != ENTRY_PREPARE && w->kind != ENTRY_INIT;
    if (a->kind == ARG_INT || (a->kind == ARG_SCRATCH && scratch)) return true;
    if (a->kind == ARG_BUFFER && entry_allows(w->kind, a->buffer->area, c->kernel->param[k + 2].type.writes))
        return true;
    diag_add(w->e->diags, DIAG_ERROR, (span){0},
             "argument '%s' of kernel %s lies where entry %d has nothing; this is a bug in netc",
             c->kernel->param[k + 2].name, c->kernel->name, (int)w->kind);
    return false;
}

static void print_mark(walk *w, int number) {
    const program *p = w->e->program;
    if (!entry_marked(p, w->kind)) return;
    text_printf(w->e->out, "%*smark(t, workspace + %lld, %d, %d);\n", w->indent, "",
                (long long)entry_mark_offset(p, w->kind), (int)w->kind, number);
    w->touched.count = 0;
}

static void print_call(walk *w, const call *c) {
    emitter *e = w->e;
    print_mark(w, c->number);
    wait_for(w, c);
    if (c->node) c_line(e->out, w->indent, arena_printf(e->arena, "/* %s */", emit_layers(e, c->node)));
    text t = text_in(e->arena);
    text_printf(&t, "run_%s(t, %s", c->kernel->name,
                w->kind == ENTRY_PREPARE || w->kind == ENTRY_INIT ? "1" : "n");
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

const graph *emit_graph(const emitter *e, entry_kind kind) {
    return kind == ENTRY_STEP || kind == ENTRY_UPDATE ? e->program->step_graph : e->program->graph;
}

static void add(emitter *e, c_arguments *to, const char *name, const char *type) {
    c_argument a = {type, name};
    VEC_PUSH(e->arena, to, a);
}

void emit_add_data(emitter *e, entry_kind kind, const char *const *inputs, const char *const *outputs,
                   c_arguments *to) {
    const graph *g = emit_graph(e, kind);
    const char *real = arena_printf(e->arena, "%s *", emit_real(e));
    for (int k = 0; k < g->inputs.count; k++) {
        bool pixels = takes_pixels(e, kind, k);
        bool integers = g->inputs.at[k]->type == DT_I32;
        add(e, to, inputs[k],
            pixels     ? "const uint8_t *"
            : integers ? "const int32_t *"
                       : arena_printf(e->arena, "const %s", real));
    }
    if (kind == ENTRY_STEP || kind == ENTRY_UPDATE) return;
    for (int k = 0; k < g->outputs.count; k++)
        add(e, to, outputs[k], g->outputs.at[k].value->type == DT_I32 ? "int32_t *" : real);
}

c_arguments emit_arguments(emitter *e, entry_kind kind, const char *const *inputs,
                           const char *const *outputs) {
    c_arguments list = {0};
    const char *constant = kind == ENTRY_PREPARE || kind == ENTRY_STEP ? "const " : "";
    bool trains = kind == ENTRY_STEP || kind == ENTRY_UPDATE, init = kind == ENTRY_INIT;
    bool forward = kind == ENTRY_FORWARD || kind == ENTRY_FORWARD_U8;
    if (forward || trains) add(e, &list, "n", "ptrdiff_t ");
    if (!forward) add(e, &list, "params", arena_printf(e->arena, "%s%s_params *", constant, e->prefix));
    if (init) add(e, &list, "seed", "const int32_t *");
    if (kind == ENTRY_PREPARE) add(e, &list, "packed", "char *");
    if (forward) add(e, &list, "packed", "const char *");
    if (trains) add(e, &list, "optimizer", arena_printf(e->arena, "%s%s_optimizer *", constant, e->prefix));
    if (forward || trains) emit_add_data(e, kind, inputs, outputs, &list);
    if (trains) add(e, &list, "loss", arena_printf(e->arena, "%s *", emit_real(e)));
    if (forward || trains) add(e, &list, "workspace", "char *");
    return list;
}

void emit_list(const c_arguments *list, text *t, bool types) {
    for (int k = 0; k < list->count; k++) {
        const c_argument *a = &list->at[k];
        text_printf(t, "%s%s%s", t->length ? ", " : "", types ? a->type : "", a->name);
    }
}

static const char **inner_names(emitter *e, c_names *names, const char **from, int count) {
    const char **inner = NEW_ARRAY(e->arena, const char *, count + 1);
    for (int k = 0; k < count; k++) inner[k] = c_name(names, from[k]);
    return inner;
}

/* Names that an entry's function uses itself: inputs called so get another name there. */
static void take_names(emitter *e, c_names *names) {
    static const char *const own[] = {"t",         "n",    "packed", "workspace", "params", "join",
                                      "split",     "team", "t0",     "t1",        "t2",     "t3",
                                      "optimizer", "loss", "seed",   "mark"};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) c_name(names, own[k]);
    for (int k = 0; k < e->program->kernels.count; k++)
        c_name(names, arena_printf(e->arena, "run_%s", e->program->kernels.at[k]->name));
    for (int k = 0; k < e->program->buffers.count; k++)
        c_name(names, arena_printf(e->arena, "constant_%d", e->program->buffers.at[k]->id));
}

const char *const entry_names[ENTRY_KINDS] = {"prepare", "forward", "forward_u8", "step", "update", "init"};

/* Parameters that no call reads, told to the compiler. */
static void print_unused(emitter *e, const char *body, const c_arguments *list) {
    if (!c_mentions(body, "t")) text_puts(e->out, "    (void)t;\n");
    for (int k = 0; k < list->count; k++)
        if (!c_mentions(body, list->at[k].name)) text_printf(e->out, "    (void)%s;\n", list->at[k].name);
}

static const char *print_body(walk *w) {
    emitter *e = w->e;
    text body = text_in(e->arena), *out = e->out;
    text_puts(&body, "");
    e->out = &body;
    print_steps(w, &e->program->entries[w->kind].steps);
    print_mark(w, e->program->entries[w->kind].calls);
    e->out = out;
    return body.at;
}

void emit_entry(emitter *e, entry_kind kind) {
    const graph *g = emit_graph(e, kind);
    c_names names = c_names_in(e->arena);
    take_names(e, &names);
    walk w = {.e = e, .kind = kind, .indent = 4};
    bool trains = kind == ENTRY_STEP || kind == ENTRY_UPDATE;
    w.inputs = inner_names(e, &names, trains ? e->step_inputs : e->inputs, g->inputs.count);
    w.outputs = inner_names(e, &names, e->outputs, trains ? 0 : g->outputs.count);
    c_arguments list = emit_arguments(e, kind, w.inputs, w.outputs);
    text rest = text_in(e->arena);
    text_puts(&rest, "const team *t");
    emit_list(&list, &rest, true);
    c_line(e->out, 0,
           arena_printf(e->arena, "static void %s_each_%s(%s)", e->prefix, entry_names[kind], rest.at));
    text_puts(e->out, "{\n");
    const char *body = print_body(&w);
    print_unused(e, body, &list);
    text_printf(e->out, "%s}\n\n", body);
}
