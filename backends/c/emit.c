/* The order of things in the generated source, and what stands on its top. */
#include "backends/c/emit.h"

#include <string.h>

bool emit_has_target(const emitter *e, target_id t) {
    return e->options->targets[t];
}

bool emit_has(const emitter *e, entry_kind kind) {
    return e->program->entries[kind].present && !(kind == ENTRY_PREPARE && e->options->embed != EMBED_NONE);
}

bool emit_picks_isa(const emitter *e) {
    int choices =
        emit_has_target(e, TARGET_AVX512) + emit_has_target(e, TARGET_AVX2) + emit_has_target(e, TARGET_C99);
    return emit_on_x86(e) && choices > 1;
}

const bool *c_supported(target_id t) {
    static const bool all[S_COUNT] = {
        [S_ADD] = true, [S_SUB] = true, [S_MUL] = true,  [S_DIV] = true,   [S_NEG] = true,    [S_MAX] = true,
        [S_MIN] = true, [S_ABS] = true, [S_SQRT] = true, [S_FLOOR] = true, [S_LT] = true,     [S_LE] = true,
        [S_GT] = true,  [S_GE] = true,  [S_EQ] = true,   [S_NE] = true,    [S_SELECT] = true, [S_FMA] = true,
        [S_MOD] = true, [S_AND] = true, [S_OR] = true,   [S_XOR] = true,   [S_SHL] = true,    [S_SHR] = true,
    };
    (void)t; /* the tables of spell.c spell these everywhere */
    return all;
}

static const char *target_list(emitter *e) {
    text t = text_in(e->arena);
    for (int k = 0; k < TARGET_COUNT; k++)
        if (emit_has_target(e, (target_id)k))
            text_printf(&t, "%s%s", t.length ? ", " : "", c_dialects[k].name);
    return t.at;
}

static void print_top(emitter *e) {
    const char *version = e->options->version;
    text_printf(
        e->out,
        "/* %s: made by netc%s%s for %s.\n"
        "\n"
        "   Compile as C (C99 or later) or C++ with %s.\n"
        "   No -march is needed: %s.\n"
        "   Mind -O0: it is some twenty times slower. -ffast-math may change results. Nothing to link. */\n",
        e->prefix, version ? " " : "", version ? version : "", target_list(e),
        e->options->executor ? "-O2" : "-O2 -fopenmp; without -fopenmp it runs on one thread",
        emit_picks_isa(e) ? "the best code for the machine is chosen at every call"
                          : "the code says itself which instructions it uses");
    text_printf(e->out, "#include \"%s\"\n\n", e->options->header_name);
}

static void print_machine(emitter *e) {
    bool neon = emit_has_target(e, TARGET_NEON), plain = emit_has_target(e, TARGET_C99);
    text *t = e->out;
    if (emit_on_x86(e))
        text_puts(t,
                  "#if defined(__x86_64__) && defined(__GNUC__)\n#define HAVE_X86 1\n#include <immintrin.h>\n"
                  "#else\n#define HAVE_X86 0\n#endif\n");
    if (neon)
        text_puts(
            t, "#if defined(__aarch64__) && defined(__GNUC__)\n#define HAVE_NEON 1\n#include <arm_neon.h>\n"
               "#else\n#define HAVE_NEON 0\n#endif\n");
    if (plain)
        text_printf(t, "#define HAVE_C99 %s\n", neon ? "!HAVE_NEON" : "1");
    else
        text_printf(
            t, "#if %s%s%s\n#error \"this file was made by netc for other machines: see --target\"\n#endif\n",
            emit_on_x86(e) ? "!HAVE_X86" : "", emit_on_x86(e) && neon ? " && " : "",
            neon ? "!HAVE_NEON" : "");
    text_puts(t, "\n");
}

static void print_attributes(emitter *e) {
    text_puts(e->out, "#if defined(__clang__)\n#pragma clang fp contract(off)\n"
                      "#elif defined(__GNUC__)\n#pragma GCC optimize(\"fp-contract=off\")\n#endif\n"
                      "#ifdef __GNUC__\n"
                      "#define ALIGNED(bytes) __attribute__((aligned(bytes)))\n"
                      "#define NOINLINE __attribute__((noinline))\n"
                      "#define ALWAYS_INLINE __attribute__((always_inline))\n"
                      "#define HELPER static inline __attribute__((unused))\n"
                      "#elif defined(_MSC_VER)\n"
                      "#define ALIGNED(bytes) __declspec(align(bytes))\n"
                      "#define HELPER static __inline\n"
                      "#else\n"
                      "#define ALIGNED(bytes)\n"
                      "#define HELPER static inline\n"
                      "#endif\n");
    if (emit_has_target(e, TARGET_AVX512))
        text_puts(e->out, "#define AVX512 __attribute__((target(\"avx512f,avx512vl\")))\n");
    if (emit_has_target(e, TARGET_AVX2))
        text_puts(e->out, "#define AVX2 __attribute__((target(\"avx2,fma\")))\n");
    if (e->options->executor) {
        text_puts(e->out, "\n");
        return;
    }
    text_puts(
        e->out,
        "#ifdef _OPENMP\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
        "int omp_get_thread_num(void);\nint omp_get_num_threads(void);\nint omp_get_max_threads(void);\n"
        "#ifdef __cplusplus\n}\n#endif\n#endif\n\n");
}

static void print_pick_isa(emitter *e) {
    if (!emit_picks_isa(e)) return;
    bool plain = emit_has_target(e, TARGET_C99);
    text_puts(e->out,
              "enum { ISA_OTHER, ISA_AVX2, ISA_AVX512 };\n\nstatic int pick_isa(void)\n{\n#if HAVE_X86\n");
    if (emit_has_target(e, TARGET_AVX512))
        text_puts(e->out, "    if (__builtin_cpu_supports(\"avx512f\") && "
                          "__builtin_cpu_supports(\"avx512vl\")) return ISA_AVX512;\n");
    if (emit_has_target(e, TARGET_AVX2) && plain)
        text_puts(e->out, "    if (__builtin_cpu_supports(\"avx2\") && __builtin_cpu_supports(\"fma\")) "
                          "return ISA_AVX2;\n");
    text_puts(e->out, "#endif\n    return ISA_OTHER;\n}\n\n");
}

static void check_length(emitter *e, const char *kind, const char *name, span at) {
    if (strlen(name) > 95 || strpbrk(name, "\"\\?"))
        diag_add(
            e->diags, DIAG_ERROR, at,
            "%s '%s' cannot be named in C: names have at most 95 characters, and no quotes or backslashes",
            kind, name);
}

static bool check_options(emitter *e) {
    const c_options *o = e->options;
    bool any = false, packed = o->embed == EMBED_ARRAY;
    for (int t = 0; t < TARGET_COUNT; t++) any |= o->targets[t];
    if (!any) diag_add(e->diags, DIAG_ERROR, (span){0}, "no target was asked for: see --target");
    if (packed && (!o->packed || (int64_t)o->packed_bytes != e->program->packed_bytes))
        diag_add(e->diags, DIAG_ERROR, (span){0},
                 "the packed weights are not the %lld bytes that the net needs; this is a bug in netc",
                 (long long)e->program->packed_bytes);
    const char *file = o->packed_file_name;
    bool by_name = o->embed == EMBED_INCBIN || o->embed == EMBED_FILE;
    if (by_name && (!file || !*file || strpbrk(file, "\"\\*?\n\r\t")))
        diag_add(e->diags, DIAG_ERROR, (span){0},
                 "the weights' file name '%s' cannot stand in C: choose one without quotes, "
                 "backslashes, '*' and '?'",
                 file ? file : "");
    const program *p = e->program;
    for (int k = 0; k < p->graph->params.count; k++)
        check_length(e, "parameter", p->graph->params.at[k]->name, p->graph->params.at[k]->at);
    for (int k = 0; k < p->moments.count; k++) check_length(e, "moment", p->moments.at[k].name, (span){0});
    return e->diags->errors == 0;
}

static void print_source(emitter *e) {
    print_top(e);
    print_machine(e);
    print_attributes(e);
    emit_kernels(e);
    print_pick_isa(e);
    emit_runners(e);
    for (int k = 0; k < ENTRY_KINDS; k++)
        if (emit_has(e, (entry_kind)k)) emit_entry(e, (entry_kind)k);
    emit_api(e);
}

bool c_header(arena *a, const program *p, const c_options *o, text *header, diags *d) {
    emitter e = {.arena = a, .program = p, .options = o, .diags = d, .out = header};
    if (!emit_names(&e)) return false;
    emit_header(&e);
    return true;
}

bool c_emit(arena *a, const program *p, const c_options *o, text *code, text *header, diags *d) {
    emitter e = {.arena = a, .program = p, .options = o, .diags = d};
    int errors = d->errors;
    if (!check_options(&e) || !emit_names(&e)) return false;
    e.out = header;
    emit_header(&e);
    e.out = code;
    print_source(&e);
    return d->errors == errors;
}
