/* The kernels of every target, each in a part of the source that only machines of its kind compile. */
#include "backends/c/emit.h"

static void mark_steps(emitter *e, const steps *s) {
    for (int k = 0; k < s->list.count; k++) {
        const step *t = &s->list.at[k];
        if (t->is_loop)
            mark_steps(e, t->body);
        else
            e->used[t->call.kernel->id] = true;
    }
}

/* Micros that f calls come before it. */
typedef struct printing {
    emitter *e;
    target_id target;
    text out;
    map done;    /* by name */
    bool with_n; /* of the kernel at hand */
} printing;

static void print_function(printing *p, const kfunc *f);

static void print_callees(printing *p, const kblock *b) {
    for (const kinst *x = b->first; x; x = x->next) {
        if (x->op == K_CALL) print_function(p, x->callee);
        print_callees(p, &x->body);
        print_callees(p, &x->otherwise);
    }
}

static void print_function(printing *p, const kfunc *f) {
    if (map_get(&p->done, f->name)) return;
    map_put(&p->done, f->name, (void *)f);
    print_callees(p, &f->body);
    cprint_function(p->e->arena, &p->out, f, p->with_n, &c_dialects[p->target], p->e->diags);
}

/* Kernels of one target with the helpers that they need. */
static const char *section(emitter *e, target_id t) {
    printing p = {.e = e, .target = t, .out = text_in(e->arena), .done = map_in(e->arena)};
    text_puts(&p.out, ""); /* not NULL where no kernel is needed */
    const program *g = e->program;
    for (int k = 0; k < g->kernels.count; k++) {
        const kernel *run = g->kernels.at[k];
        if (!e->used[run->id]) continue;
        p.with_n = e->with_n[run->id];
        if (run->body[t])
            print_function(&p, run->body[t]);
        else
            diag_add(e->diags, DIAG_ERROR, (span){0},
                     "kernel %s was not lowered for %s; this is a bug in netc", run->name, targets[t].name);
    }
    text all = text_in(e->arena);
    text_printf(&all, "/* %s */\n\n", c_dialects[t].name);
    if (c_dialects[t].bytes) c_vector_helpers(e->arena, &all, t, p.out.at);
    text_puts(&all, p.out.at);
    return all.at;
}

static void guarded(emitter *e, const char *guard, const char *code, bool vectors) {
    text_printf(e->out, "#if %s\n", guard);
    if (vectors) c_vector_types(e->arena, e->out, code);
    text_printf(e->out, "\n%s#endif /* %s */\n\n", code, guard);
}

static const char *wanted(emitter *e, target_id t) {
    return emit_has_target(e, t) ? section(e, t) : "";
}

/* All bodies of a kernel have one signature. */
static bool reads_n(const emitter *e, const kernel *k) {
    for (int t = 0; t < TARGET_COUNT; t++)
        if (emit_has_target(e, (target_id)t) && k->body[t] && cprint_reads_n(k->body[t])) return true;
    return false;
}

void emit_kernels(emitter *e) {
    int count = e->program->kernels.count;
    e->used = NEW_ARRAY(e->arena, bool, count + 1);
    e->with_n = NEW_ARRAY(e->arena, bool, count + 1);
    for (int k = 0; k < count; k++) e->with_n[k] = reads_n(e, e->program->kernels.at[k]);
    for (int k = 0; k < ENTRY_KINDS; k++)
        if (emit_has(e, (entry_kind)k)) mark_steps(e, &e->program->entries[k].steps);
    const char *x86 = arena_printf(e->arena, "%s%s", wanted(e, TARGET_AVX512), wanted(e, TARGET_AVX2));
    const char *neon = wanted(e, TARGET_NEON), *plain = wanted(e, TARGET_C99);
    c_scalar_helpers(e->arena, e->out, arena_printf(e->arena, "%s%s%s", x86, neon, plain));
    if (*x86) guarded(e, "HAVE_X86", x86, true);
    if (*neon) guarded(e, "HAVE_NEON", neon, true);
    if (*plain) guarded(e, "HAVE_C99", plain, false);
}
