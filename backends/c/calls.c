/* What runs kernels: a function a kernel, which takes its thread's share and the best code for the machine,
 * and a function an entry, which every thread of the team walks through. A thread waits for the others only
 * where a call touches what an earlier one since the last wait has touched. */
#include "backends/c/calls.h"

enum { GRAIN = 4096 /* multiply-adds that are worth a thread's attention */ };

int64_t emit_grain(const kernel *k) {
    return k->work < 1 ? GRAIN : k->work >= GRAIN ? 1 : (int64_t)(GRAIN / k->work);
}

static const char *count_text(emitter *e, kcount c) {
    long long mul = c.mul, per = c.per;
    if (!per) return arena_printf(e->arena, "%lld", mul);
    if (per > 1) return arena_printf(e->arena, "%lld * ((n + %lld) / %lld)", mul, per - 1, per);
    return mul == 1 ? "n" : arena_printf(e->arena, "%lld * n", mul);
}

static void print_runner(emitter *e, const kernel *k) {
    if (e->options->executor) {
        emit_lent_runner(e, k, count_text(e, k->count));
        return;
    }
    c_names names = c_names_in(e->arena);
    static const char *const own[] = {"t", "n", "begin", "end"};
    for (int i = 0; i < 4; i++) c_name(&names, own[i]);
    text params = text_in(e->arena), args = text_in(e->arena);
    for (int i = 2; i < k->params; i++) {
        const char *name = c_name(&names, k->param[i].name);
        text_puts(&params, ", ");
        cprint_param(&params, &k->param[i], name);
        text_printf(&args, ", %s", name);
    }
    c_line(e->out, 0,
           arena_printf(e->arena, "static void run_%s(const team *t, ptrdiff_t n%s)", k->name,
                        params.length ? params.at : ""));
    bool with_n = e->with_n[k->id];
    text_puts(e->out, "{\n    ptrdiff_t begin, end;\n");
    if (!k->count.per && !with_n) text_puts(e->out, "    (void)n;\n");
    text_printf(e->out, "    split(t, %s, %lld, &begin, &end);\n", count_text(e, k->count),
                (long long)emit_grain(k));
    c_line(e->out, 4,
           arena_printf(e->arena, "RUN(%s, (begin, end%s%s))", k->name, with_n ? ", n" : "",
                        args.length ? args.at : ""));
    text_puts(e->out, "}\n\n");
}

/* RUN(kernel, arguments): the code for the machine at hand. */
static void print_run(emitter *e) {
    const char *least = emit_has_target(e, TARGET_C99) ? "c99" : "avx2";
    bool avx512 = emit_has_target(e, TARGET_AVX512), avx2 = emit_has_target(e, TARGET_AVX2);
    const char *close = "";
    text *t = e->out;
    if (emit_picks_isa(e)) {
        text_puts(t, "#if HAVE_X86\n#define RUN(kernel, arguments) \\\n    switch (t->isa) { \\\n");
        if (avx512) text_puts(t, "    case ISA_AVX512: kernel##_avx512 arguments; break; \\\n");
        if (avx2 && emit_has_target(e, TARGET_C99))
            text_puts(t, "    case ISA_AVX2: kernel##_avx2 arguments; break; \\\n");
        text_printf(t, "    default: kernel##_%s arguments; break; \\\n    }\n", least);
        close = "#endif\n";
    } else if (emit_on_x86(e)) {
        text_printf(t, "#if HAVE_X86\n#define RUN(kernel, arguments) kernel##_%s arguments;\n",
                    avx512 ? "avx512" : "avx2");
        close = "#endif\n";
    }
    if (emit_has_target(e, TARGET_NEON)) {
        text_printf(t, "#%s HAVE_NEON\n#define RUN(kernel, arguments) kernel##_neon arguments;\n",
                    *close ? "elif" : "if");
        close = "#endif\n";
    }
    if (emit_has_target(e, TARGET_C99))
        text_printf(t, "%s#define RUN(kernel, arguments) kernel##_c99 arguments;\n", *close ? "#else\n" : "");
    text_printf(t, "%s\n", close);
}

static void print_team(emitter *e) {
    if (e->options->executor) {
        emit_lent_team(e);
        return;
    }
    bool picks = emit_picks_isa(e);
    text_printf(
        e->out,
        "/* A thread and its team%s. */\ntypedef struct team {\n    int %sslot, threads;\n} team;\n\n",
        picks ? ", and the instructions that it may use" : "", picks ? "isa, " : "");
    text_puts(e->out, "/* This thread's share [*begin, *end) of 0..count; no thread gets fewer than `grain`, "
                      "but for the last. */\n"
                      "static void split(const team *t, ptrdiff_t count, ptrdiff_t grain, ptrdiff_t *begin, "
                      "ptrdiff_t *end)\n{\n"
                      "    ptrdiff_t threads = count / grain;\n"
                      "    if (threads > t->threads) threads = t->threads;\n"
                      "    if (threads < 1) threads = 1;\n"
                      "    *begin = t->slot < threads ? count * t->slot / threads : count;\n"
                      "    *end = t->slot < threads ? count * (t->slot + 1) / threads : count;\n}\n\n");
    text_puts(e->out, "/* Waits until the whole team is here. */\n"
                      "HELPER void join(const team *t)\n{\n#ifdef _OPENMP\n    if (t->threads > 1) {\n"
                      "#pragma omp barrier\n    }\n#else\n    (void)t;\n#endif\n}\n\n");
}

/* For entries that tell who profiles when their calls begin: program.h, profile_mark. */
static void print_mark(emitter *e) {
    if (!e->program->profiled) return;
    text_puts(e->out, "typedef struct profile_mark {\n    void (*mark)(void *user, int entry, int call);\n"
                      "    void *user;\n} profile_mark;\n\n"
                      "/* The whole team is here; a call begins. */\n"
                      "static void mark(const team *t, const void *to, int entry, int call)\n{\n"
                      "    const profile_mark *m = (const profile_mark *)to;\n    join(t);\n"
                      "    if (!t->slot) m->mark(m->user, entry, call);\n}\n\n");
}

static void print_constant(emitter *e, const buffer *b) {
    bool real = kbase_is_float(b->elem);
    text_printf(e->out, "static const %s constant_%d[%lld] = {", cprint_scalar(b->elem), b->id,
                (long long)b->fixed);
    for (int64_t k = 0; k < b->fixed; k++) {
        text_puts(e->out, k % 8 ? " " : "\n    ");
        if (real)
            c_real(e->out, b->data[k], b->elem == KB_F32);
        else
            c_int(e->out, (int64_t)b->data[k], b->elem == KB_INT);
        text_puts(e->out, ",");
    }
    text_puts(e->out, "\n};\n\n");
}

static void mark_constants(const steps *s, bool *used) {
    for (int k = 0; k < s->list.count; k++) {
        const step *t = &s->list.at[k];
        if (t->is_loop) {
            mark_constants(t->body, used);
            continue;
        }
        for (int a = 0; a < t->call.args; a++)
            if (t->call.arg[a].kind == ARG_BUFFER && t->call.arg[a].buffer->area == AREA_CONST)
                used[t->call.arg[a].buffer->id] = true;
    }
}

void emit_runners(emitter *e) {
    const program *p = e->program;
    bool *constants = NEW_ARRAY(e->arena, bool, p->buffers.count + 1);
    for (int k = 0; k < ENTRY_KINDS; k++)
        if (emit_has(e, (entry_kind)k)) mark_constants(&p->entries[k].steps, constants);
    for (int k = 0; k < p->buffers.count; k++)
        if (constants[p->buffers.at[k]->id]) print_constant(e, p->buffers.at[k]);
    print_team(e);
    print_mark(e);
    print_run(e);
    for (int k = 0; k < p->kernels.count; k++)
        if (e->used[p->kernels.at[k]->id]) print_runner(e, p->kernels.at[k]);
}
