/* Reads, elaborates, runs the passes. */
#include "frontend/api/compile.h"

#include "backends/c/c.h"
#include "ir/base/file.h"

#include <string.h>

graph *compile_read(arena *a, const char *path, const lang_options *o, diags *d) {
    const source *s = file_read_text(a, path, LANG_MAX_BYTES, d);
    return s ? lang_compile(a, s, o, d) : NULL;
}

program *compile_program(arena *a, const graph *g, const compile_options *o, diags *d) {
    pass_options p = {.real = KB_F32,
                      .max_batch = o->max_batch,
                      .max_threads = o->max_threads,
                      .pixels = o->pixels,
                      .exact = o->exact,
                      .tuner = o->tuner,
                      .train = o->train,
                      .freeze = o->freeze,
                      .profiled = o->profiled,
                      .rolled = o->rolled,
                      .disabled = o->disabled,
                      .dump_after = o->dump_after,
                      .dump = o->dump};
    memcpy(p.targets, o->targets, sizeof p.targets);
#ifdef __SANITIZE_ADDRESS__
    p.check = true;
#endif
    return passes_run(a, g, &p, d);
}

void compile_legalise(program *p) {
    for (int t = 0; t < TARGET_COUNT; t++)
        if (p->wanted[t]) legalise(p, (target_id)t, c_supported((target_id)t));
}

bool compile_host_runs(target_id t) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (t == TARGET_AVX512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
    if (t == TARGET_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined(__aarch64__)
    if (t == TARGET_NEON) return true;
#endif
    return t == TARGET_C99;
}

target_id compile_host_target(void) {
    static const target_id best_first[] = {TARGET_AVX512, TARGET_AVX2, TARGET_NEON};
    for (size_t k = 0; k < sizeof best_first / sizeof *best_first; k++)
        if (compile_host_runs(best_first[k])) return best_first[k];
    return TARGET_C99;
}
