/* The functions that users call: they check, start the team and keep recurrent state. */
#include "backends/c/emit.h"

#include <string.h>

/* What a team costs, in multiply-adds of one core (some 30 a nanosecond): to start it, and to wait for it after
 * a call. */
enum { TEAM_COST = 30000, WAIT_COST = 12000 };

void emit_prototype(emitter *e, entry_kind kind) {
    text t = text_in(e->arena);
    c_arguments data = {0};
    emit_add_data(e, kind, e->inputs, e->outputs, &data);
    text_printf(&t, "int %s_%s(%sconst void *packed, int n", e->prefix, entry_names[kind], emit_executor(e));
    emit_list(&data, &t, true);
    if (e->program->states.count) text_printf(&t, ", %s_state *state", e->prefix);
    text_puts(&t, ", void *workspace, size_t workspace_bytes)");
    c_line(e->out, 0, t.at);
    e->out->length--; /* c_line ends the line; the caller goes on */
    e->out->at[e->out->length] = 0;
}

/* What two threads save over one, less what they cost. Calls too small to be shared only cost. */
static double team_gain(const steps *s, int64_t n) {
    double gain = 0;
    for (int k = 0; k < s->list.count; k++) {
        const step *t = &s->list.at[k];
        if (t->is_loop) {
            gain += (double)t->count * team_gain(t->body, n);
            continue;
        }
        const kernel *run = t->call.kernel;
        int64_t count = kcount_of(run->count, n);
        if (count >= 2 * emit_grain(run)) gain += run->work * (double)count / 2;
        gain -= WAIT_COST;
    }
    return gain;
}

/* How many samples an entry is given at most. */
static int64_t most_samples(const emitter *e, entry_kind kind) {
    return kind == ENTRY_PREPARE || kind == ENTRY_INIT ? 1 : e->program->max_batch;
}

/* From how many samples on a team pays; one more than there can be for never. */
static int64_t team_from(emitter *e, entry_kind kind) {
    int64_t n = 1, most = most_samples(e, kind);
    if (e->program->max_threads == 1) return most + 1;
    while (n <= most && team_gain(&e->program->entries[kind].steps, n) < TEAM_COST) n++;
    return n;
}

/* The team's calls: `each` is "PREFIX_each_forward(%s, ...)" with the team left open. */
static void print_start(emitter *e, entry_kind kind, const char *each, const char *rest) {
    if (e->options->executor) {
        text_printf(e->out, "    const team lent = {%sexecutor};\n", emit_picks_isa(e) ? "pick_isa(), " : "");
        c_line(e->out, 4, arena_printf(e->arena, "%s(&lent%s);", each, rest));
        return;
    }
    int64_t from = team_from(e, kind), most = most_samples(e, kind);
    const char *isa = emit_picks_isa(e) ? "pick_isa(), " : "", *same = emit_picks_isa(e) ? "alone.isa, " : "";
    text_printf(e->out, "    const team alone = {%s0, 1};\n", isa);
    if (from <= most) {
        const char *condition = from > 1 ? arena_printf(e->arena, "n >= %lld && ", (long long)from) : "";
        text_printf(e->out, "#ifdef _OPENMP\n    if (%steam_threads() > 1) {\n", condition);
        text_puts(e->out, "#pragma omp parallel num_threads(team_threads())\n        {\n");
        text_printf(e->out, "            const team t = {%somp_get_thread_num(), omp_get_num_threads()};\n",
                    same);
        c_line(e->out, 12, arena_printf(e->arena, "%s(&t%s);", each, rest));
        text_puts(e->out, "        }\n        return;\n    }\n#endif\n");
    }
    c_line(e->out, 4, arena_printf(e->arena, "%s(&alone%s);", each, rest));
}

static bool needs_team(emitter *e) {
    if (e->options->executor) return false;
    for (int k = 0; k < ENTRY_KINDS; k++)
        if (emit_has(e, (entry_kind)k) && team_from(e, (entry_kind)k) <= most_samples(e, (entry_kind)k))
            return true;
    return false;
}

static void print_team_threads(emitter *e) {
    if (!needs_team(e)) return;
    text_printf(
        e->out,
        "#ifdef _OPENMP\nstatic int team_threads(void)\n{\n    const int threads = omp_get_max_threads();\n"
        "    return threads < %s_MAX_THREADS ? threads : %s_MAX_THREADS;\n}\n#endif\n\n",
        e->upper, e->upper);
}

/* Names of the outer functions' own variables, none of them an input's. */
static const char **numbered(emitter *e, const char *base, int count) {
    const char **names = NEW_ARRAY(e->arena, const char *, count + 1);
    for (int k = 0; k < count; k++) names[k] = arena_printf(e->arena, "%s%d", base, k);
    return names;
}

static void print_starter(emitter *e, entry_kind kind) {
    const graph *g = emit_graph(e, kind);
    text head = text_in(e->arena), rest = text_in(e->arena);
    c_arguments list =
        emit_arguments(e, kind, numbered(e, "in", g->inputs.count), numbered(e, "out", g->outputs.count));
    emit_list(&list, &head, true);
    text_puts(&rest, "&TEAM");
    emit_list(&list, &rest, false);
    c_line(e->out, 0,
           arena_printf(e->arena, "static void %s_start_%s(%s%s)", e->prefix, entry_names[kind],
                        emit_executor(e), head.at));
    text_puts(e->out, "{\n");
    print_start(e, kind, arena_printf(e->arena, "%s_each_%s", e->prefix, entry_names[kind]),
                rest.at + strlen("&TEAM"));
    text_puts(e->out, "}\n\n");
}

static void print_error_texts(emitter *e) {
    const char *u = e->upper, *p = e->prefix;
    const char *made = e->options->embed == EMBED_NONE   ? "prepare"
                       : e->options->embed == EMBED_FILE ? "load"
                                                         : "weights";
    text_printf(e->out, "const char *%s_error(int code)\n{\n    switch (code) {\n", p);
    text_printf(e->out, "    case %s_OK: return \"no error\";\n", u);
    text_printf(e->out, "    case %s_NULL_POINTER: return \"a pointer is NULL\";\n", u);
    text_printf(e->out, "    case %s_BAD_BATCH: return \"n is not within 1..%s_MAX_BATCH\";\n", u, u);
    text_printf(
        e->out,
        "    case %s_UNALIGNED: return \"packed or workspace does not begin at a multiple of %s_ALIGN\";\n",
        u, u);
    text_printf(e->out, "    case %s_SMALL_WORKSPACE: return \"workspace_bytes is less than %s_%s\";\n", u, u,
                emit_trains(e) ? "WORKSPACE_BYTES, or STEP_WORKSPACE_BYTES for a step" : "WORKSPACE_BYTES");
    text_printf(e->out, "    case %s_NOT_PREPARED: return \"packed does not come from this net's %s_%s\";\n",
                u, p, made);
    text_printf(e->out, "    case %s_BAD_LABEL: return \"a label is not a class\";\n", u);
    text_printf(
        e->out,
        "    case %s_NOT_FINITE: return \"the loss or the learning rate is infinite or not a number\";\n", u);
    text_puts(e->out, "    default: return \"not a code of this net\";\n    }\n}\n\n");
}

/* {"conv1.weight", offset, count, type, trainable, rank, {dims}} */
void emit_tensor(emitter *e, const char *name, const char *record, const char *field, const shape *s,
                 bool trainable) {
    text t = text_in(e->arena);
    text_printf(&t, "{\"%s\", offsetof(%s_%s, %s), %lld, %d, %d, %d, {", name, e->prefix, record, field,
                (long long)shape_count(s), e->program->real == KB_F64, trainable, s->rank);
    for (int i = 0; i < MAX_RANK; i++)
        text_printf(&t, "%s%lld", i ? ", " : "", (long long)(i < s->rank ? s->dim[i] : 0));
    text_puts(&t, "}},");
    c_line(e->out, 4, t.at);
}

static void print_tensors(emitter *e) {
    const graph *g = e->program->graph;
    text_printf(e->out, "const %s_tensor %s_tensors[] = {\n", e->prefix, e->prefix);
    for (int k = 0; k < g->params.count; k++) {
        const value *v = g->params.at[k];
        emit_tensor(e, v->name, "params", e->fields[k], &v->shape, v->as.param.trainable);
    }
    text_puts(e->out, "    {\"\", 0, 0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}},\n};\n\n");
    if (g->params.count)
        text_printf(e->out, "typedef char %s_params_size[sizeof(%s_params) == %lld ? 1 : -1];\n\n", e->prefix,
                    e->prefix, (long long)e->program->params_bytes);
}

static void print_check(emitter *e) {
    const char *u = e->upper;
    bool workspace = e->program->workspace_bytes > 0;
    text_printf(
        e->out,
        "static int %s_check(const void *packed, int n, const void *workspace, size_t workspace_bytes)\n{\n",
        e->prefix);
    text_printf(e->out, "    if (!packed%s) return %s_NULL_POINTER;\n", workspace ? " || !workspace" : "", u);
    text_printf(e->out, "    if (n < 1 || n > %s_MAX_BATCH) return %s_BAD_BATCH;\n", u, u);
    text_printf(
        e->out,
        "    if ((uintptr_t)packed %% %s_ALIGN || (uintptr_t)workspace %% %s_ALIGN) return %s_UNALIGNED;\n",
        u, u, u);
    if (workspace)
        text_printf(e->out, "    if (workspace_bytes < %s_WORKSPACE_BYTES) return %s_SMALL_WORKSPACE;\n", u,
                    u);
    else
        text_puts(e->out, "    (void)workspace_bytes;\n");
    text_printf(e->out, "    return %s_ready(packed) ? %s_OK : %s_NOT_PREPARED;\n}\n\n", e->prefix, u, u);
}

static void print_prepare(emitter *e) {
    const char *p = e->prefix, *u = e->upper;
    text_printf(e->out, "int %s_prepare(%sconst %s_params *params, void *packed)\n{\n", p, emit_executor(e),
                p);
    text_printf(e->out, "    if (!params || !packed) return %s_NULL_POINTER;\n", u);
    text_printf(e->out, "    if ((uintptr_t)packed %% %s_ALIGN) return %s_UNALIGNED;\n", u, u);
    text_printf(e->out, "    for (int k = 0; k < 16; k++) ((uint32_t *)packed)[k] = 0; /* not prepared, "
                        "until all is done */\n");
    text_printf(e->out, "    %s_start_prepare(%sparams, (char *)packed);\n", p, emit_lent(e));
    text_printf(e->out, "    for (int k = 0; k < 8; k++) ((uint32_t *)packed)[k] = %s_mark[k];\n", p);
    text_printf(e->out, "    return %s_OK;\n}\n\n", u);
}

void emit_api(emitter *e) {
    print_tensors(e);
    print_error_texts(e);
    print_team_threads(e);
    for (int k = 0; k < ENTRY_KINDS; k++)
        if (emit_has(e, (entry_kind)k)) print_starter(e, (entry_kind)k);
    emit_weights(e);
    print_check(e);
    if (emit_has(e, ENTRY_PREPARE)) print_prepare(e);
    for (int k = ENTRY_FORWARD; k <= ENTRY_FORWARD_U8; k++)
        if (emit_has(e, (entry_kind)k)) emit_forward(e, (entry_kind)k);
    emit_training(e);
    if (e->options->invoke) emit_invoke(e);
}
