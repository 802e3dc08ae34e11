/* With --executor: a kernel's call is cut into parts that the host's threads take, and is done when all of them are.
 * Nothing is promised of the host but that every part runs once, so no part waits for another. */
#include "backends/c/calls.h"

enum { GRAIN = 65536 /* multiply-adds worth handing to another thread: about a microsecond */ };

static int64_t grain_of(const kernel *k) {
    return k->work < 1 ? GRAIN : k->work >= GRAIN ? 1 : (int64_t)(GRAIN / k->work);
}

static bool worth_lending(const emitter *e, const kernel *k) {
    return e->program->max_threads > 1 && kcount_of(k->count, e->program->max_batch) >= 2 * grain_of(k);
}

/* What a kernel's functions are printed from: its arguments behind i and n, under names of C. */
typedef struct runner {
    emitter *e;
    const kernel *kernel;
    const char **names;
    text params;  /* ", const float *in, ..." */
    text plain;   /* ", in, ..." */
    text fields;  /* "    const float *in;\n..." */
    text lent;    /* ", a->in, ...", scratch moved to the slot's own part */
    bool scratch; /* there is some */
} runner;

static void add_scratch(runner *r, const kparam *p, const char *name) {
    const char *element = cprint_scalar((kbase)p->type.elem), *constant = p->type.writes ? "" : "const ";
    text_printf(&r->lent, ", (%s%s *)(%schar *)a->%s + %lld * (ptrdiff_t)slot", constant, element, constant,
                name, (long long)(r->e->program->scratch_bytes / kbase_bytes((kbase)p->type.elem)));
    r->scratch = true;
}

static runner runner_of(emitter *e, const kernel *k) {
    static const char *const own[] = {"t", "n", "begin", "end", "count", "parts", "a", "i", "slot", "arg"};
    arena *a = e->arena;
    runner r = {e, k, NULL, text_in(a), text_in(a), text_in(a), text_in(a), false};
    c_names names = c_names_in(a);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) c_name(&names, own[i]);
    for (int i = 2; i < k->params; i++) {
        const char *name = c_name(&names, k->param[i].name);
        text_puts(&r.params, ", ");
        cprint_param(&r.params, &k->param[i], name);
        text_printf(&r.plain, ", %s", name);
        text_puts(&r.fields, "    ");
        cprint_param(&r.fields, &k->param[i], name);
        text_puts(&r.fields, ";\n");
        if (program_scratch(e->program, k, i - 2))
            add_scratch(&r, &k->param[i], name);
        else
            text_printf(&r.lent, ", a->%s", name);
    }
    return r;
}

static const char *or_nothing(const text *t) {
    return t->length ? t->at : "";
}

static void print_part(runner *r) {
    emitter *e = r->e;
    const char *name = r->kernel->name, *n = e->with_n[r->kernel->id] ? ", a->n" : "";
    text_printf(
        e->out,
        "typedef struct lent_%s {\n    const team *t;\n    ptrdiff_t n, count, parts;\n%s} lent_%s;\n\n",
        name, or_nothing(&r->fields), name);
    text_printf(e->out, "static void part_%s(void *arg, int i, int slot)\n{\n", name);
    text_printf(e->out, "    const lent_%s *const a = (const lent_%s *)arg;\n", name, name);
    if (emit_picks_isa(e)) text_puts(e->out, "    const team *const t = a->t;\n");
    text_puts(e->out,
              "    const ptrdiff_t begin = a->count * i / a->parts, end = a->count * (i + 1) / a->parts;\n");
    if (!r->scratch) text_puts(e->out, "    (void)slot;\n");
    c_line(e->out, 4, arena_printf(e->arena, "RUN(%s, (begin, end%s%s))", name, n, or_nothing(&r->lent)));
    text_puts(e->out, "}\n\n");
}

static void print_run(runner *r, const char *count) {
    emitter *e = r->e;
    const kernel *k = r->kernel;
    const char *n = e->with_n[k->id] ? ", n" : "", *plain = or_nothing(&r->plain);
    bool lends = worth_lending(e, k);
    c_line(e->out, 0,
           arena_printf(e->arena, "static void run_%s(const team *t, ptrdiff_t n%s)", k->name,
                        or_nothing(&r->params)));
    text_printf(e->out, "{\n    const ptrdiff_t count = %s;\n", count);
    if (!k->count.per && !*n && !lends) text_puts(e->out, "    (void)n;\n");
    if (!lends && !emit_picks_isa(e)) text_puts(e->out, "    (void)t;\n");
    if (lends) {
        const char *most = r->scratch ? arena_printf(e->arena, "%s_MAX_THREADS", e->upper) : "0";
        text_printf(e->out, "    const ptrdiff_t parts = parts_of(t, count, %lld, %s);\n",
                    (long long)grain_of(k), most);
        text_puts(e->out, "    if (parts > 1) {\n");
        c_line(e->out, 8, arena_printf(e->arena, "lent_%s a = {t, n, count, parts%s};", k->name, plain));
        text_printf(
            e->out,
            "        t->executor->run(t->executor->user, part_%s, &a, (int)parts);\n        return;\n    }\n",
            k->name);
    }
    c_line(e->out, 4, arena_printf(e->arena, "RUN(%s, (0, count%s%s))", k->name, n, plain));
    text_puts(e->out, "}\n\n");
}

void emit_lent_runner(emitter *e, const kernel *k, const char *count) {
    runner r = runner_of(e, k);
    if (worth_lending(e, k)) print_part(&r);
    print_run(&r, count);
}

void emit_lent_team(emitter *e) {
    bool picks = emit_picks_isa(e);
    text_printf(e->out,
                "/* The host's threads%s. */\ntypedef struct team {\n%s    const %s_executor *executor; /* "
                "NULL: only "
                "the caller */\n} team;\n\n",
                picks ? ", and the instructions that they may use" : "", picks ? "    int isa;\n" : "",
                e->prefix);
    text_puts(
        e->out,
        "/* Into how many parts, none smaller than `grain`, the host's threads take `count`: at most four a "
        "thread. Scratch\n   is for `most` threads (0: there is none), and the caller does all where there "
        "are "
        "more. */\n"
        "HELPER ptrdiff_t parts_of(const team *t, ptrdiff_t count, ptrdiff_t grain, ptrdiff_t most)\n{\n"
        "    const ptrdiff_t threads = t->executor ? t->executor->threads : 1, parts = count / grain;\n"
        "    if (threads < 2 || (most && threads > most)) return 1;\n"
        "    return parts < 4 * threads ? parts : 4 * threads;\n}\n\n");
}
