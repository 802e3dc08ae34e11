/* Generated pairs that train, as users get them: warnings of every compiler there is, the same numbers from all of
 * them, checks of the arguments, what the code asks of its host. */
#include "frontend/lang/lang.h"
#include "passes/passes.h"
#include "tests/support/pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char net_text[] =
    "net tiny {\n"
    "    input word[4] int\n"
    "    input image[3, 8, 8]\n"
    "    x = image -> conv1: conv(16, 1) -> bn1: batchnorm -> relu -> avgpool(8)\n"
    "    x = x -> flatten -> dropout(0.25)\n"
    "    e = word -> embed: embedding(10, 16) -> mean(1)\n"
    "    output y = tanh(x + e) -> fc: linear(5)\n"
    "    train {\n        loss = cross_entropy(y)\n"
    "        optimizer = sgd(lr = 0.01, momentum = 0.9)\n        batch = 3\n    }\n"
    "}\n";

/* No counter: nothing is random; no moments; numbers to meet. */
static const char plain_text[] = "net plain {\n"
                                 "    input x[6]\n    output y = x -> fc: linear(2)\n"
                                 "    train {\n        loss = mse(y)\n        optimizer = sgd(lr = 0.1)\n"
                                 "        batch = 3\n    }\n"
                                 "}\n";

typedef struct bench {
    trap trap;
    arena arena;
    diags d;
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
    pass_options o = {.real = KB_F32, .max_batch = 3, .max_threads = 4, .train = true};
    memcpy(o.targets, wanted, sizeof o.targets);
    program *p = g ? passes_run(&b->arena, g, &o, &b->d) : NULL;
    if (!p) refuse(b, "not compiled");
    for (int t = 0; t < TARGET_COUNT; t++)
        if (wanted[t]) legalise(p, (target_id)t, c_supported((target_id)t));
    return p;
}

static const bool all_targets[TARGET_COUNT] = {true, true, true, true};

static void set_up(bench *b, const char *net, const bool *wanted) {
    memset(b, 0, sizeof *b);
    arena_init(&b->arena, 0, &b->trap);
    b->d.arena = &b->arena;
    b->folder = pair_open(&b->arena);
    c_options o = {.version = "test"};
    memcpy(o.targets, wanted, sizeof o.targets);
    if (!pair_emit(&b->folder, compile(b, net, wanted), o, &b->d)) refuse(b, "not printed");
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

/* What the program prints; compiler NULL: the one that is there already. */
static const char *numbers(bench *b, const char *compiler, const char *runner) {
    const char *build = compiler ? arena_printf(&b->arena, "%s net.c main.c -o run &&", compiler) : "";
    const char *said, *command = arena_printf(&b->arena, "%s %s ./run", build, runner);
    int status = pair_run(&b->folder, command, &said);
    if (status) fail_msg("%s: status %d: %.1000s", command, status, said);
    return said;
}

#define WARNINGS "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

static void no_warning(void **state) {
    (void)state;
    static const char *const compilers[] = {
        "gcc -std=c11 -O1",
        "gcc -std=c99 -fopenmp -O0",
        "g++ -std=c++17 -O0",
        "clang -std=c11 -O0",
        "clang++ -std=c++17 -x c++ -fopenmp -fsyntax-only",
        "aarch64-linux-gnu-gcc -std=c11 -fopenmp -O0",
    };
    bench b;
    set_up(&b, net_text, all_targets);
    for (size_t k = 0; k < sizeof compilers / sizeof *compilers; k++) {
        const char *first = arena_text(&b.arena, compilers[k], strcspn(compilers[k], " "));
        if (!pair_has(first)) continue;
        quietly(&b, arena_printf(&b.arena, "%s " WARNINGS " -c net.c -o net.o", compilers[k]));
    }
    tear_down(&b);
}

/* Starts, trains four steps, prints all that has changed, exactly. */
static const char main_text[] =
    "#include <stdio.h>\n#include <stdlib.h>\n#include \"net.h\"\n"
    "static net_params params; static net_optimizer o; static float image[3 * NET_IMAGE_SIZE];\n"
    "static int32_t word[3 * NET_WORD_SIZE], label[3 * NET_LABEL_SIZE] = {4, 0, 2};\n"
    "static void *room(size_t n) { return (void *)(((uintptr_t)malloc(n + 64) + 63) / 64 * 64); }\n"
    "static void show(const char *at, const net_tensor *t) {\n"
    "    for (; *t->name; t++) {\n        const float *x = (const float *)(const void *)(at + t->offset); "
    "size_t k;\n"
    "        printf(\"%s %d\\n\", t->name, (int)t->count);\n"
    "        for (k = 0; k < t->count; k += 7) printf(\"%a\\n\", x[k]);\n    }\n}\n"
    "int main(void) {\n"
    "    int k; float loss; void *w = room(NET_STEP_WORKSPACE_BYTES);\n"
    "    for (k = 0; k < 3 * NET_IMAGE_SIZE; k++) image[k] = (float)((k * 31) % 255 - 100) / 128;\n"
    "    for (k = 0; k < 3 * NET_WORD_SIZE; k++) word[k] = k % 10;\n"
    "    if (net_init(&params, 1234567890123456789u)) return 1;\n    o.seed = 42;\n"
    "    for (k = 0; k < 4; k++) {\n"
    "        if (net_step(&params, &o, 3 - k % 2, word, image, label, 0.01f, &loss, w, "
    "NET_STEP_WORKSPACE_BYTES)) return 2;\n"
    "        printf(\"%a\\n\", loss);\n    }\n"
    "    show((const char *)&params, net_tensors); show((const char *)&o, net_optimizer_tensors);\n"
    "    return (int)o.step - 4;\n}\n";

static void near_enough(const char *a, const char *b) {
    int lines = 0;
    for (; *a && *b; lines++) {
        size_t first = strcspn(a, "\n"), second = strcspn(b, "\n");
        bool words = (*a >= 'b' && *a <= 'z') || strchr(a, ' ') < a + first;
        if (words && strchr(a, ' ')) assert_memory_equal(a, b, first);
        float x = strtof(a, NULL), y = strtof(b, NULL);
        assert_true(x == x && x >= y - 1e-3f && x <= y + 1e-3f);
        a += first + 1;
        b += second + 1;
    }
    assert_true(!*a && !*b && lines > 100);
}

static void same_numbers(void **state) {
    (void)state;
    bench b, c;
    bool plain[TARGET_COUNT] = {[TARGET_C99] = true};
    set_up(&b, net_text, all_targets);
    pair_write(&b.folder, "main.c", main_text, sizeof main_text - 1);
    const char *best = numbers(&b, "cc -O2 -fopenmp", "OMP_NUM_THREADS=1");
    assert_string_equal(numbers(&b, NULL, "OMP_NUM_THREADS=4"), best);
    assert_string_equal(numbers(&b, "gcc -std=gnu17 -O2 -march=native", ""), best); /* may fuse, must not */
    assert_string_equal(numbers(&b, "g++ -O0", ""), best);
    if (pair_has("clang")) assert_string_equal(numbers(&b, "clang -O0", ""), best);
    if (pair_has("aarch64-linux-gnu-gcc") && pair_has("qemu-aarch64"))
        near_enough(numbers(&b, "aarch64-linux-gnu-gcc -O0 -static", "qemu-aarch64"), best);
    set_up(&c, net_text, plain);
    pair_write(&c.folder, "main.c", main_text, sizeof main_text - 1);
    near_enough(numbers(&c, "cc -O1 -fsanitize=undefined -fno-sanitize-recover=all", ""), best);
    tear_down(&b);
    tear_down(&c);
}

static const char checks_text[] =
    "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include \"net.h\"\n"
    "static net_params p, q; static net_optimizer o, r; static float x[3 * NET_X_SIZE], y[3 * "
    "NET_TARGET_SIZE];\n"
    "static void *room(size_t n) { return (void *)(((uintptr_t)malloc(n + 64) + 63) / 64 * 64); }\n"
    "int main(void) {\n"
    "    const float zero = 0; float loss, infinite = 1 / zero;\n"
    "    char *w = (char *)room(NET_STEP_WORKSPACE_BYTES + 64);\n    size_t n = NET_STEP_WORKSPACE_BYTES;\n"
    "    printf(\"%d%d \", net_init(NULL, 1), net_init(&p, 1));\n    q = p;\n"
    "    printf(\"%d\", net_step(NULL, &o, 1, x, y, 1, &loss, w, n));\n"
    "    printf(\"%d\", net_step(&p, NULL, 1, x, y, 1, &loss, w, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 1, NULL, y, 1, &loss, w, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 1, x, NULL, 1, &loss, w, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 1, x, y, 1, NULL, w, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 1, x, y, 1, &loss, NULL, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 0, x, y, 1, &loss, w, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 4, x, y, 1, &loss, w, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 1, x, y, 1, &loss, w + 4, n));\n"
    "    printf(\"%d\", net_step(&p, &o, 1, x, y, 1, &loss, w, n - 1));\n"
    "    printf(\"%d\", net_step(&p, &o, 1, x, y, infinite, &loss, w, n));\n    x[1] = infinite;\n"
    "    printf(\"%d\", net_step(&p, &o, 1, x, y, 1, &loss, w, n));\n    x[1] = 2;\n"
    "    printf(\" %d\", memcmp(&p, &q, sizeof p) || memcmp(&o, &r, sizeof o));\n"
    "    printf(\" %d\", net_step(&p, &o, 1, x, y, 0.5f, &loss, w, n));\n"
    "    printf(\" %d %d\", (int)o.step, p.fc_weight[0][1] == q.fc_weight[0][1]);\n"
    "    printf(\" %s; %d\", net_error(NET_NOT_FINITE), (int)*net_optimizer_tensors[0].name);\n"
    "    return 0;\n}\n";

static void arguments(void **state) {
    (void)state;
    bench b;
    set_up(&b, plain_text, all_targets);
    pair_write(&b.folder, "main.c", checks_text, sizeof checks_text - 1);
    const char *want = "10 111111223477 0 0 1 0 the loss or the learning rate is infinite or not a number; 0";
    assert_string_equal(numbers(&b, "cc -std=c11 -O0 " WARNINGS, ""), want);
    assert_string_equal(numbers(&b, "cc -O1 -ffast-math", ""), want);
    tear_down(&b);
}

static void labels_are_checked(void **state) {
    (void)state;
    static const char main_source[] =
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include \"net.h\"\n"
        "static net_params p, q; static net_optimizer o, r; static float image[3 * NET_IMAGE_SIZE];\n"
        "static int32_t word[3 * NET_WORD_SIZE], label[3];\n"
        "int main(void) {\n    float loss = 7; int k; static const int32_t bad[] = {-1, 5, -2147483647, 4, "
        "0};\n"
        "    void *w = (void *)(((uintptr_t)malloc(NET_STEP_WORKSPACE_BYTES + 64) + 63) / 64 * 64);\n"
        "    net_init(&p, 1); q = p;\n"
        "    for (k = 0; k < 5; k++) {\n        label[2] = bad[k];\n"
        "        printf(\"%d\", net_step(&p, &o, 3, word, image, label, 0.1f, &loss, w, "
        "NET_STEP_WORKSPACE_BYTES));\n"
        "        printf(\"%d \", memcmp(&p, &q, sizeof p) || memcmp(&o, &r, sizeof o));\n    }\n"
        "    return 0;\n}\n";
    bench b;
    set_up(&b, net_text, all_targets);
    pair_write(&b.folder, "main.c", main_source, sizeof main_source - 1);
    assert_string_equal(numbers(&b, "cc -O0", ""), "60 60 60 01 01 ");
    tear_down(&b);
}

static void clean(void **state) {
    (void)state;
    bench b;
    set_up(&b, net_text, all_targets);
    quietly(&b, "! grep -n 'somewhere\\|malloc\\|stdio\\|stdlib\\|math\\.h' net.c net.h");
    quietly(
        &b,
        "cc -O1 -fopenmp -fPIC -c net.c -o net.o && ! nm net.o | grep ' [BbCDdGgSs] '"); /* nothing mutable */
    quietly(&b, "! nm net.o | grep ' U ' | grep -v "
                "'omp_\\|GOMP_\\|__cpu_model\\|mem\\(cpy\\|set\\|move\\)\\|_GLOBAL_OFFSET_TABLE_'");
    tear_down(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_warning),         cmocka_unit_test(same_numbers), cmocka_unit_test(arguments),
        cmocka_unit_test(labels_are_checked), cmocka_unit_test(clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
