/* Generated pairs as users get them: warnings of every compiler there is, the same numbers from all of them,
 * checks of the arguments, weights embedded in each way, names that C cannot have. */
#include "frontend/lang/lang.h"
#include "passes/passes.h"
#include "tests/support/pair.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char net_text[] =
    "net tiny {\n"
    "    input image[3, 9, 11] normalize(mean = [0.5, 0.25, 0.125], std = [0.5, 2, 0.25])\n"
    "    input word[4] int\n"
    "    state h[20]\n"
    "    x = image -> conv1: conv(20, 3, stride = 2, pad = 1) -> bn1: batchnorm -> relu -> maxpool(2)\n"
    "    x = x -> global_avgpool\n"
    "    e = word -> embed: embedding(10, 20) -> mean(1)\n"
    "    h = tanh(h * 0.5 + x + e)\n"
    "    output y = h -> fc: linear(5) -> softmax\n"
    "    output kept = h\n"
    "}\n";

typedef struct bench {
    trap trap;
    arena arena;
    diags d;
    program *p;
    pair_folder folder;
} bench;

static void refuse(bench *b, const char *what) {
    diags_print(&b->d, stderr, false);
    fail_msg("%s", what);
}

static program *compile(bench *b, const char *net, const bool *wanted) {
    source *s = NEW(&b->arena, source);
    *s = (source){"/somewhere/test.net", net, strlen(net)};
    graph *g = lang_compile(&b->arena, s, NULL, &b->d);
    pass_options o = {.real = KB_F32, .max_batch = 3, .max_threads = 4, .pixels = true};
    memcpy(o.targets, wanted, sizeof o.targets);
    program *p = g ? passes_run(&b->arena, g, &o, &b->d) : NULL;
    if (!p) refuse(b, "not compiled");
    for (int t = 0; t < TARGET_COUNT; t++)
        if (wanted[t]) legalise(p, (target_id)t, c_supported((target_id)t));
    return p;
}

static const bool all_targets[TARGET_COUNT] = {true, true, true, true};

static c_options options_for(const bool *wanted) {
    c_options o = {.version = "test"};
    memcpy(o.targets, wanted, sizeof o.targets);
    return o;
}

static void set_up(bench *b, const bool *wanted) {
    memset(b, 0, sizeof *b);
    arena_init(&b->arena, 0, &b->trap);
    b->d.arena = &b->arena;
    b->folder = pair_open(&b->arena);
    b->p = compile(b, net_text, wanted);
    if (!pair_emit(&b->folder, b->p, options_for(wanted), &b->d)) refuse(b, "not printed");
}

static void tear_down(bench *b) {
    pair_close(&b->folder);
    arena_free(&b->arena);
}

/* Runs the command; anything that it writes, or a status other than 0, fails the test. */
static void quietly(bench *b, const char *command) {
    const char *said;
    int status = pair_run(&b->folder, command, &said);
    if (status || *said) fail_msg("%s: status %d: %.2000s", command, status, said);
}

/* ---- warnings ---- */

#define WARNINGS "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

static void no_warning(void **state) {
    (void)state;
    static const char *const compilers[] = {
        "gcc -std=c11 -O2",
        "gcc -std=c99 -fopenmp -O0",
        "g++ -std=c++17 -O2",
        "clang -std=c11 -O1",
        "clang++ -std=c++17 -x c++ -fopenmp -fsyntax-only",
        "aarch64-linux-gnu-gcc -std=c11 -fopenmp -O1",
    };
    bench b;
    set_up(&b, all_targets);
    for (size_t k = 0; k < sizeof compilers / sizeof *compilers; k++) {
        const char *first = arena_text(&b.arena, compilers[k], strcspn(compilers[k], " "));
        if (!pair_has(first)) continue;
        quietly(&b, arena_printf(&b.arena, "%s " WARNINGS " -c net.c -o net.o", compilers[k]));
    }
    tear_down(&b);
}

/* ---- the same numbers everywhere ---- */

/* Calls every entry and prints what comes out, exactly. */
static const char main_text[] =
    "#include <stdio.h>\n#include <stdlib.h>\n#include \"net.h\"\n"
    "static net_params params; static net_state state;\n"
    "static float image[3 * NET_IMAGE_SIZE], y[3 * NET_Y_SIZE], kept[3 * NET_KEPT_SIZE];\n"
    "static uint8_t pixels[3 * NET_IMAGE_SIZE]; static int32_t word[3 * NET_WORD_SIZE];\n"
    "static void *room(size_t n) { return (void *)(((uintptr_t)malloc(n + 64) + 63) / 64 * 64); }\n"
    "static void show(void) { int k; for (k = 0; k < 3 * NET_Y_SIZE; k++) printf(\"%a\\n\", y[k]); }\n"
    "int main(void) {\n"
    "    int k; float *p = (float *)&params; void *packed = room(NET_PACKED_BYTES), *w = "
    "room(NET_WORKSPACE_BYTES);\n"
    "    for (k = 0; k < NET_VALUES; k++) p[k] = (float)((k * 37) % 101 - 40) / 64;\n"
    "    for (k = 0; k < 20; k++) params.bn1_running_var[k] = 1 + (float)k / 8;\n"
    "    for (k = 0; k < 3 * NET_IMAGE_SIZE; k++) image[k] = (float)((k * 31) % 255 - 100) / 128;\n"
    "    for (k = 0; k < 3 * NET_IMAGE_SIZE; k++) pixels[k] = (uint8_t)((k * 31) % 255);\n"
    "    for (k = 0; k < 3 * NET_WORD_SIZE; k++) word[k] = k % 10;\n"
    "    if (net_prepare(&params, packed)) return 1;\n"
    "    for (k = 0; k < 2; k++)\n"
    "        if (net_forward(packed, 3, image, word, y, kept, &state, w, NET_WORKSPACE_BYTES)) return 2;\n"
    "    show();\n"
    "    if (net_forward_u8(packed, 3, pixels, word, y, kept, NULL, w, NET_WORKSPACE_BYTES)) return 3;\n"
    "    show();\n    return 0;\n}\n";

/* What the program prints; compiler NULL: the one that is there already. */
static const char *numbers(bench *b, const char *compiler, const char *runner) {
    const char *build = compiler ? arena_printf(&b->arena, "%s net.c main.c -o run &&", compiler) : "";
    const char *said, *command = arena_printf(&b->arena, "%s %s ./run", build, runner);
    int status = pair_run(&b->folder, command, &said);
    if (status) fail_msg("%s: status %d: %.1000s", command, status, said);
    return said;
}

static void near_enough(const char *a, const char *b) {
    int lines = 0;
    for (char *end; *a && *b; a = end + strspn(end, "\n"), lines++) {
        float x = strtof(a, &end), y = strtof(b, (char **)&b);
        b += strspn(b, "\n");
        assert_true(x == x && x >= y - 2e-6f && x <= y + 2e-6f);
    }
    assert_int_equal(lines, 2 * 3 * 5);
}

static void same_numbers(void **state) {
    (void)state;
    bench b;
    bool plain[TARGET_COUNT] = {[TARGET_C99] = true}, avx2[TARGET_COUNT] = {[TARGET_AVX2] = true};
    set_up(&b, all_targets);
    pair_write(&b.folder, "main.c", main_text, sizeof main_text - 1);
    const char *best = numbers(&b, "cc -O2 -fopenmp", "OMP_NUM_THREADS=1");
    assert_string_equal(numbers(&b, NULL, "OMP_NUM_THREADS=4"), best);
    assert_string_equal(numbers(&b, "gcc -std=gnu17 -O3 -march=native", ""), best); /* may fuse, must not */
    assert_string_equal(numbers(&b, "g++ -O1", ""), best);
    if (pair_has("clang")) assert_string_equal(numbers(&b, "clang -O1", ""), best);
    if (pair_has("aarch64-linux-gnu-gcc") && pair_has("qemu-aarch64"))
        near_enough(numbers(&b, "aarch64-linux-gnu-gcc -O1 -static", "qemu-aarch64"), best);
    assert_true(pair_emit(&b.folder, b.p, options_for(plain), &b.d));
    near_enough(numbers(&b, "cc -O1", ""), best);
#if defined(__x86_64__)
    assert_true(pair_emit(&b.folder, b.p, options_for(avx2), &b.d));
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        near_enough(numbers(&b, "cc -O1", ""), best);
#else
    (void)avx2;
#endif
    tear_down(&b);
}

/* ---- arguments ---- */

static const char checks_text[] =
    "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include \"net.h\"\n"
    "static net_params p; static float x[3 * NET_IMAGE_SIZE], y[64], kept[64]; static int32_t word[64];\n"
    "static void *room(size_t n) { return (void *)(((uintptr_t)malloc(n + 64) + 63) / 64 * 64); }\n"
    "int main(void) {\n"
    "    char *packed = (char *)room(NET_PACKED_BYTES), *w = (char *)room(NET_WORKSPACE_BYTES + 64);\n"
    "    size_t n = NET_WORKSPACE_BYTES;\n    memset(packed, 7, 64);\n"
    "    printf(\"%d\", net_forward(packed, 1, x, word, y, kept, NULL, w, n));\n"
    "    printf(\"%d\", net_prepare(NULL, packed)); printf(\"%d\", net_prepare(&p, packed + 4));\n"
    "    printf(\"%d\", net_prepare(&p, packed));\n"
    "    printf(\"%d\", net_forward(packed, 1, x, word, y, kept, NULL, w, n));\n"
    "    printf(\"%d\", net_forward(NULL, 1, x, word, y, kept, NULL, w, n));\n"
    "    printf(\"%d\", net_forward(packed, 1, NULL, word, y, kept, NULL, w, n));\n"
    "    printf(\"%d\", net_forward(packed, 0, x, word, y, kept, NULL, w, n));\n"
    "    printf(\"%d\", net_forward(packed, 4, x, word, y, kept, NULL, w, n));\n"
    "    printf(\"%d\", net_forward(packed, 1, x, word, y, kept, NULL, w + 4, n));\n"
    "    printf(\"%d\", net_forward(packed, 1, x, word, y, kept, NULL, w, n - 1));\n"
    "    packed[17]++;\n"
    "    printf(\"%d\", net_forward(packed, 1, x, word, y, kept, NULL, w, n));\n"
    "    printf(\" %s; %s; %d %d\", net_tensors[0].name, net_error(NET_BAD_BATCH), "
    "(int)net_tensors[0].count,\n"
    "           net_tensors[0].dims[2]);\n"
    "    return net_error(99) == NULL;\n}\n";

static void arguments(void **state) {
    (void)state;
    bench b;
    set_up(&b, all_targets);
    pair_write(&b.folder, "main.c", checks_text, sizeof checks_text - 1);
    assert_string_equal(numbers(&b, "cc -O1", ""),
                        "513001122345 conv1.weight; n is not within 1..NET_MAX_BATCH; 540 3");
    tear_down(&b);
}

/* ---- embedded weights ---- */

static const char weights_text[] =
    "#include <stdio.h>\n#include \"net.h\"\n"
    "static float x[NET_IMAGE_SIZE], y[64], kept[64]; static int32_t word[64];\n"
    "static _Alignas(64) char w[NET_WORKSPACE_BYTES];\n"
    "#ifdef FROM_FILE\nstatic _Alignas(64) char file[NET_PACKED_BYTES + 1];\n"
    "static const void *weights(void) {\n"
    "    FILE *f = fopen(\"net.weights\", \"rb\"); size_t n = fread(file, 1, sizeof file, f); fclose(f);\n"
    "    if (net_load(file, n - 1) || net_load(file + 1, n)) return NULL;\n"
    "    return net_load(file, n);\n}\n"
    "#else\n#define weights net_weights\n#endif\n"
    "int main(void) {\n    const int *p = (const int *)weights();\n"
    "    if (!p || net_forward(p, 1, x, word, y, kept, NULL, w, sizeof w)) return 1;\n"
    "    printf(\"%d %d\", p[16], p[NET_PACKED_BYTES / 4 - 1]);\n    return 0;\n}\n";

static void embedded(void **state) {
    (void)state;
    static const embed ways[] = {EMBED_ARRAY, EMBED_INCBIN, EMBED_FILE};
    bench b;
    set_up(&b, all_targets);
    int words = (int)(b.p->packed_bytes / 4);
    int32_t *packed = NEW_ARRAY(&b.arena, int32_t, words);
    packed_header header = program_header(b.p);
    memcpy(packed, &header, sizeof header);
    packed[16] = 12345;
    packed[words - 1] = -2;
    pair_write(&b.folder, "net.weights", packed, (size_t)b.p->packed_bytes);
    pair_write(&b.folder, "main.c", weights_text, sizeof weights_text - 1);
    for (int k = 0; k < 3; k++) {
        c_options o = options_for(all_targets);
        o.embed = ways[k];
        o.packed = packed;
        o.packed_bytes = (size_t)b.p->packed_bytes;
        o.packed_file_name = "net.weights";
        if (!pair_emit(&b.folder, b.p, o, &b.d)) refuse(&b, "not printed");
        const char *with =
            ways[k] == EMBED_FILE ? "cc -std=c11 " WARNINGS " -DFROM_FILE" : "cc -std=c11 " WARNINGS;
        assert_string_equal(numbers(&b, with, ""), "12345 -2");
    }
    tear_down(&b);
}

/* ---- the text itself ---- */

static void clean(void **state) {
    (void)state;
    bench b, c;
    set_up(&b, all_targets);
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is one, numbers have commas */
    set_up(&c, all_targets);
    setlocale(LC_ALL, "C");
    quietly(&b,
            arena_printf(&b.arena, "cmp net.c %s/net.c && cmp net.h %s/net.h", c.folder.path, c.folder.path));
    quietly(&b, "! grep -n 'somewhere\\|malloc\\|stdio\\|stdlib\\|math\\.h' net.c net.h");
    quietly(
        &b,
        "cc -O2 -fopenmp -fPIC -c net.c -o net.o && ! nm net.o | grep ' [BbCDdGgSs] '"); /* nothing mutable */
    quietly(&b, "! nm net.o | grep ' U ' | grep -v "
                "'omp_\\|GOMP_\\|__cpu_model\\|mem\\(cpy\\|set\\|move\\)\\|_GLOBAL_OFFSET_TABLE_'");
    tear_down(&b);
    tear_down(&c);
}

/* The language refuses most of these itself; a graph may come from elsewhere. */
static void refused(const char *name, const char *input, const char *output, const char *message) {
    bench b = {0};
    arena_init(&b.arena, 0, &b.trap);
    b.d.arena = &b.arena;
    graph *g = graph_new(&b.arena, name);
    const int64_t four[] = {DIM_N, 4};
    value *x = graph_input(g, input, DT_F32, shape_of(2, four), (span){0});
    graph_output y = {output, graph_make(g, "neg", &x, 1, NULL, NULL, (span){0})};
    VEC_PUSH(&b.arena, &g->outputs, y);
    pass_options o = {.targets = {true}, .real = KB_F32, .max_batch = 1, .max_threads = 1};
    program *p = passes_run(&b.arena, g, &o, &b.d);
    if (!p) refuse(&b, "not compiled");
    text code = text_in(&b.arena), header = text_in(&b.arena);
    c_options options = options_for(o.targets);
    options.header_name = "net.h";
    bool good = c_emit(&b.arena, p, &options, &code, &header, &b.d), told = !message;
    for (const diag *d = b.d.first; d && message; d = d->next) told |= strstr(d->text, message) != NULL;
    if (!told || good != !message) refuse(&b, message ? message : "should have been printed");
    arena_free(&b.arena);
}

static void names(void **state) {
    (void)state;
    refused("a", "x", "y", NULL);
    refused("a", "packed", "y", "'packed' is also the name");
    refused("a", "a_forward", "y", "'a_forward' is also the name");
    refused("a", "double", "y", "'double' cannot be used in C");
    refused("a", "X", "x", "share the macro A_X_SIZE");
    refused("while", "x", "y", "--prefix");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_warning), cmocka_unit_test(same_numbers), cmocka_unit_test(arguments),
        cmocka_unit_test(embedded),   cmocka_unit_test(clean),        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
