/* Golden cases through the C backend. */
#include "tests/support/execute_c.h"

#include "ir/base/file.h"
#include "passes/passes.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CASES_A_FILE = 50, FENCE = 64 /* bytes behind each buffer that must stay as they are */ };

static const char top[] = "#include <stddef.h>\n#include <stdint.h>\n"
                          "#if defined(__x86_64__)\n#include <immintrin.h>\n"
                          "#elif defined(__aarch64__)\n#include <arm_neon.h>\n#endif\n";

bool execute_c_can_run(target_id t) {
#if defined(__x86_64__)
    if (t == TARGET_AVX512) return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
    if (t == TARGET_AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#elif defined(__aarch64__)
    if (t == TARGET_NEON) return true;
#endif
    return t == TARGET_C99;
}

/* ---- from cases to files ---- */

static const char *prefix_of(arena *a, int i) {
    return arena_printf(a, "case%d", i);
}

/* Prints case i at the end of `file`, in its namespace. */
static bool print_case(arena *a, const c_batch *b, c_case *c, const char *prefix, text *file, diags *d) {
    text code = text_in(a), header = text_in(a);
    c_options o = {.prefix = prefix, .header_name = "empty.h", .invoke = true};
    o.targets[b->options.target] = true;
    program *p = execute_compile(a, c->golden, &b->options, d);
    if (!p) return false;
    legalise(p, b->options.target, c_supported(b->options.target));
    if (!c_emit(a, p, &o, &code, &header, d)) return false;
    text_printf(file, "namespace %s {\n", prefix);
    text_add(file, header.at, header.length);
    text_add(file, code.at, code.length);
    text_puts(file, "}\n");
    c->program = p;
    return true;
}

/* A case that the pipeline refuses says so and leaves the others as they are. */
static void add_case(arena *a, c_batch *b, const golden *g, text *file) {
    c_case c = {.golden = g};
    diags d = {.arena = a};
    if (!print_case(a, b, &c, prefix_of(a, b->cases.count), file, &d))
        fprintf(stderr, "# %s, %s: cannot be printed as C\n", g->name, b->how);
    diags_print(&d, stderr, false);
    VEC_PUSH(a, &b->cases, c);
}

static bool print_batch(arena *a, c_batch *b, const char *folder, const goldens *cases, diags *d) {
    text file = text_in(a);
    for (int i = 0; i < cases->count; i++) {
        if (i % CASES_A_FILE == 0) file = text_in(a), text_puts(&file, top);
        add_case(a, b, &cases->at[i], &file);
        if (i + 1 < cases->count && (i + 1) % CASES_A_FILE) continue;
        const char *path = arena_printf(a, "%s/%s-%02d.cpp", folder, b->how, i / CASES_A_FILE);
        if (!file_write(path, file.at, file.length, d)) return false;
    }
    return true;
}

/* ---- from files to functions ---- */

static bool load_batch(arena *a, c_batch *b, const char *folder) {
    void *library = NULL;
    for (int i = 0; i < b->cases.count; i++) {
        if (i % CASES_A_FILE == 0) {
            const char *path = arena_printf(a, "%s/%s-%02d.cpp.so", folder, b->how, i / CASES_A_FILE);
            library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
            if (!library) return fprintf(stderr, "# %s\n", dlerror()), false;
        }
        if (!b->cases.at[i].program) continue;
        void *symbol = dlsym(library, arena_printf(a, "%s_invoke", prefix_of(a, i)));
        memcpy(&b->cases.at[i].invoke, &symbol, sizeof symbol);
        if (!symbol) return fprintf(stderr, "# case %d has no invoke\n", i), false;
    }
    return true;
}

/* The folder's name goes through the environment: it may hold blanks. */
static bool shell(const char *folder, const char *command) {
    if (setenv("NETC_TEST_FOLDER", folder, 1) != 0) return false;
    return system(command) == 0;
}

bool execute_c_compile(arena *a, c_batch *batches, int count, const goldens *cases, diags *d) {
    const char *root = getenv("TMPDIR");
    char *folder = arena_printf(a, "%s/netc-test-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(folder)) return perror(folder), false;
    bool good = file_write(arena_printf(a, "%s/empty.h", folder), "\n", 1, d);
    for (int k = 0; k < count; k++) good = good && print_batch(a, &batches[k], folder, cases, d);
    good = good && shell(folder, "cd \"$NETC_TEST_FOLDER\" && ls *.cpp | xargs -P \"$(nproc)\" -I FILE "
                                 "g++ -std=c++17 -O1 -w -shared -fPIC FILE -o FILE.so");
    for (int k = 0; k < count; k++) good = good && load_batch(a, &batches[k], folder);
    shell(folder, "rm -rf \"$NETC_TEST_FOLDER\"");
    return good;
}

/* ---- running one ---- */

/* A buffer at an aligned address with a fence behind it, all bytes 0xff: NaN in float and in double. */
static char *fenced(arena *a, int64_t bytes) {
    char *p = arena_alloc(a, (size_t)bytes + BUFFER_ALIGN + FENCE, 1);
    p += (BUFFER_ALIGN - (uintptr_t)p % BUFFER_ALIGN) % BUFFER_ALIGN;
    memset(p, 0xff, (size_t)bytes + FENCE);
    return p;
}

static bool fence_stands(const char *from, int64_t bytes) {
    for (int k = 0; k < FENCE; k++)
        if (from[bytes + k] != (char)0xff) return false;
    return true;
}

static int64_t output_bytes(const golden *g, const program *p, int i) {
    const value *v = g->graph->outputs.at[i].value;
    return golden_count(g, v) * (v->type == DT_I32 ? 4 : kbase_bytes(p->real));
}

static bool complain(const c_case *c, const char *what, int code) {
    fprintf(stderr, "# %s: %s (code %d)\n", c->golden->name, what, code);
    return false;
}

/* Prepares and runs; the fences are looked at after each. */
static bool call_entries(const c_case *c, const run_args *r) {
    const program *p = c->program;
    int code = c->invoke(ENTRY_PREPARE, 1, r->params, r->packed, NULL, NULL, NULL, NULL, 0);
    if (code) return complain(c, "prepare refuses", code);
    if (!fence_stands(r->packed, p->packed_bytes)) return complain(c, "prepare writes behind packed", 0);
    code = c->invoke(ENTRY_FORWARD, (int)r->n, NULL, r->packed, r->inputs, r->outputs, NULL, r->workspace,
                     (size_t)p->workspace_bytes);
    if (code) return complain(c, "forward refuses", code);
    if (!fence_stands(r->packed, p->packed_bytes)) return complain(c, "forward writes behind packed", 0);
    if (!fence_stands(r->workspace, p->workspace_bytes))
        return complain(c, "forward writes behind the workspace", 0);
    for (int i = 0; i < c->golden->graph->outputs.count; i++)
        if (!fence_stands(r->outputs[i], output_bytes(c->golden, p, i)))
            return complain(c, "forward writes behind an output", i);
    return true;
}

float **execute_c_run(arena *a, const c_case *c) {
    if (!c->program) return complain(c, "there is no code of it", 0), NULL;
    const golden *g = c->golden;
    int count = g->graph->outputs.count;
    run_args r = execute_arguments(a, g, c->program);
    void **outputs = NEW_ARRAY(a, void *, count + 1);
    for (int i = 0; i < count; i++) outputs[i] = fenced(a, output_bytes(g, c->program, i));
    r.outputs = outputs;
    r.packed = fenced(a, c->program->packed_bytes);
    r.workspace = fenced(a, c->program->workspace_bytes);
    if (!call_entries(c, &r)) return NULL;
    float **out = NEW_ARRAY(a, float *, count + 1);
    for (int i = 0; i < count; i++) out[i] = execute_output(a, g, c->program, &r, i);
    return out;
}
