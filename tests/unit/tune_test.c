/* Ways to compute layers that a file remembers: how it is read and written, and that what it says is done. */
#include "tests/support/hostile.h"

#include "frontend/api/describe.h"
#include "frontend/api/tune.h"
#include "ir/ops/list.h"

#include <sys/stat.h>

static const char words[] =
    "net m {\n"
    "    input image[16, 8, 8]\n"
    "    x = image -> conv1: conv(16, 3, pad = 1) -> relu -> conv2: conv(16, 3, pad = 1)\n"
    "    output y = x -> conv3: conv(8, 1) -> flatten\n"
    "}\n";
static const char layer[] = "conv2d [N,16,8,8] [16,16,3,3] [16] {pad=[1,1,1,1]} batch=1";

static graph *read_net(bench *b) {
    source *s = NEW(&b->arena, source);
    *s = (source){"test.net", words, strlen(words)};
    graph *g = lang_compile(&b->arena, s, NULL, &b->diags);
    assert_quiet(b);
    return g;
}

static char *scratch_path(bench *b, const char *name) {
    char folder[] = "/tmp/netc-tune-XXXXXX";
    assert_non_null(mkdtemp(folder));
    return arena_printf(&b->arena, "%s/%s", folder, name);
}

static void drop(const char *path) {
    char folder[256];
    unlink(path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    rmdir(folder);
}

static void write_text(const char *path, const char *lines) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(lines, f);
    assert_int_equal(fclose(f), 0);
}

/* Kernels of the forward pass, by the way that computes conv2. */
static const char *way_of(bench *b, const graph *g, const tuner *t) {
    compile_options o = {.max_batch = 1, .max_threads = 1, .tuner = t};
    const program *p = compile_program(&b->arena, g, &o, &b->diags);
    const char *way = NULL;
    assert_quiet(b);
    for (int k = 0; k < p->entries[ENTRY_FORWARD].steps.list.count; k++) {
        const node *n = p->entries[ENTRY_FORWARD].steps.list.at[k].call.node;
        if (n && n->op == &op_conv2d && strcmp(n->scope->path, "conv2") == 0) way = n->choice->name;
    }
    assert_non_null(way);
    return way;
}

static tune_options options_of(const char *path, const executor *e) {
    tune_options o = {.path = path, .executor = e};
    o.how.compile.max_batch = 1;
    o.how.threads = 2;
    o.how.no_cache = true;
    return o;
}

static const tuner *tune(bench *b, const graph *g, const tune_options *o) {
    net n;
    describe_graph(&n, &b->arena, g);
    return tune_net(&b->arena, &n, g, NULL, o, &b->diags);
}

/* ---- the file ---- */

static void answers_are_sorted_and_come_back(void **state) {
    (void)state;
    BENCH(b);
    tune_file f;
    char *path = scratch_path(&b, "t.tune");
    assert_true(tune_read(&f, &b.arena, path, &b.diags)); /* not there yet */
    assert_int_equal(f.answers.count, 0);
    assert_true(tune_write(&f, &b.diags));
    assert_int_not_equal(access(path, F_OK), 0); /* nothing to say */
    tune_add(&f, (tune_answer){layer, TARGET_AVX2, 2, "winograd4"});
    tune_add(&f, (tune_answer){layer, TARGET_AVX2, 1, "direct"});
    tune_add(&f, (tune_answer){"conv2d [N,1,8,8] [4,1,3,3] batch=2", TARGET_C99, 1, "direct"});
    assert_true(tune_write(&f, &b.diags));
    const source *s = file_read_text(&b.arena, path, 4096, &b.diags);
    const char *lines = strchr(s->text, '\n') + 1;
    assert_true(s->text[0] == '#');
    assert_string_equal(
        lines, "conv2d [N,1,8,8] [4,1,3,3] batch=2 c99 threads=1 -> direct\n"
               "conv2d [N,16,8,8] [16,16,3,3] [16] {pad=[1,1,1,1]} batch=1 avx2 threads=1 -> direct\n"
               "conv2d [N,16,8,8] [16,16,3,3] [16] {pad=[1,1,1,1]} batch=1 avx2 threads=2 -> winograd4\n");
    assert_true(tune_read(&f, &b.arena, path, &b.diags));
    assert_quiet(&b);
    assert_int_equal(f.answers.count, 3);
    assert_string_equal(tune_find(&f, layer, TARGET_AVX2, 1), "direct");
    assert_string_equal(tune_find(&f, layer, TARGET_AVX2, 2), "winograd4");
    assert_null(tune_find(&f, layer, TARGET_AVX2, 3));
    assert_null(tune_find(&f, layer, TARGET_C99, 1));
    assert_string_equal(tune_find_any(&f, layer, TARGET_COUNT), "winograd4"); /* the most threads */
    assert_string_equal(tune_find_any(&f, layer, TARGET_AVX2), "winograd4");
    assert_null(tune_find_any(&f, layer, TARGET_NEON));
    drop(path);
    bench_end(&b);
}

static void malformed_lines(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
        int line, column;
    } cases[] = {
        {"# fine\n\nconv2d batch=1 c99 threads=1 direct\n", "expected LAYER batch=N TARGET threads=N -> WAY",
         3, 1},
        {"conv2d [N,1,2,2] batch=1 c99 threads=0 -> direct\n", "expected threads=N, N from 1 to 1024", 1, 30},
        {"conv2d [N,1,2,2] batch=1 c99 threads=1x -> direct\n", "expected threads=N", 1, 30},
        {"conv2d [N,1,2,2] batch=1 sse threads=1 -> direct\n", "expected a target", 1, 26},
        {"conv2d [N,1,2,2] batch=0 c99 threads=1 -> direct\n", "expected batch=N, N from 1 to 65536", 1, 18},
        {"conv2d [N,1,2,2] c99 threads=1 -> direct\n", "expected batch=N", 1, 8},
        {"batch=1 c99 threads=1 -> direct\n", "no layer 'batch=1' that has several ways", 1, 1},
        {"relu [N,4] batch=1 c99 threads=1 -> direct\n", "no layer 'relu' that has several ways", 1, 1},
        {"conv2d [N,1,2,2] batch=1 c99 threads=1 -> rows\n", "conv2d is not computed by 'rows'; there are", 1,
         43},
        {"conv2d [N] batch=1 c99 threads=1 -> direct\nconv2d [N] batch=1 c99 threads=1 -> winograd2\n",
         "has an answer for c99 and 1 threads before", 2, 1},
        {"->\n", "expected LAYER", 1, 1},
        {"x\n", "expected LAYER", 1, 1},
        {"-> direct\n", "expected threads", 1, 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        BENCH(b);
        tune_file f;
        char *path = scratch_path(&b, "t.tune");
        int line, column;
        write_text(path, cases[k].text);
        assert_false(tune_read(&f, &b.arena, path, &b.diags));
        assert_told(&b, cases[k].says);
        span_place(b.diags.first->at, &line, &column);
        assert_int_equal(line, cases[k].line);
        assert_int_equal(column, cases[k].column);
        drop(path);
        bench_end(&b);
    }
}

static void not_a_text(void **state) {
    (void)state;
    BENCH(b);
    tune_file f;
    assert_false(tune_read(&f, &b.arena, "/tmp", &b.diags));
    assert_told(&b, "/tmp");
    bench_end(&b);
}

/* ---- what it says is done ---- */

static void a_complete_file_is_obeyed(void **state) {
    (void)state;
    BENCH(b);
    const graph *g = read_net(&b);
    char *path = scratch_path(&b, "t.tune");
    static const char *const ways[] = {"direct", "winograd2", "winograd4"};
    for (int k = 0; k < 3; k++) {
        struct stat before, after;
        tune_options o = options_of(path, &interp_executor);
        write_text(path, arena_printf(&b.arena, "%s c99 threads=2 -> %s\n", layer, ways[k]));
        assert_int_equal(stat(path, &before), 0);
        const tuner *t = tune(&b, g, &o);
        assert_quiet(&b);
        assert_non_null(t);
        assert_string_equal(way_of(&b, g, t), ways[k]);
        assert_int_equal(stat(path, &after), 0);
        assert_true(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    }
    drop(path);
    bench_end(&b);
}

/* Code that runs elsewhere takes answers of any machine. */
static void answers_of_other_machines(void **state) {
    (void)state;
    BENCH(b);
    const graph *g = read_net(&b);
    char *path = scratch_path(&b, "t.tune");
    tune_options o = options_of(path, &interp_executor);
    write_text(path, arena_printf(&b.arena, "%s neon threads=64 -> winograd2\n", layer));
    assert_null(tune(&b, g, &o));
    assert_told(&b, "has no answer for 1 layers, and the interpreter's times say nothing");
    b.diags = (diags){.arena = &b.arena};
    o.elsewhere = true;
    const tuner *t = tune(&b, g, &o);
    assert_quiet(&b);
    assert_string_equal(way_of(&b, g, t), "winograd2");
    drop(path);
    bench_end(&b);
}

static void what_is_not_known_is_timed_once(void **state) {
    (void)state;
    BENCH(b);
    const executor *e = llvm_executor.available() ? &llvm_executor : &c_executor;
    if (!e->available()) skip();
    const graph *g = read_net(&b);
    char *path = scratch_path(&b, "t.tune");
    tune_options o = options_of(path, e);
    struct stat before, after;
    assert_non_null(tune(&b, g, &o));
    assert_quiet(&b);
    tune_file f;
    assert_true(tune_read(&f, &b.arena, path, &b.diags));
    assert_int_equal(f.answers.count, 1); /* conv1 and conv2 are of one shape, the 1×1 has one way only */
    assert_string_equal(f.answers.at[0].layer, layer);
    assert_int_equal(f.answers.at[0].target, e->target());
    assert_int_equal(stat(path, &before), 0);
    const tuner *again = tune(&b, g, &o);
    assert_string_equal(way_of(&b, g, again), f.answers.at[0].way);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    /* with --exact-conv it is another question, which has one answer and is not asked */
    o.how.compile.exact = true;
    assert_non_null(tune(&b, g, &o));
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    drop(path);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_sorted_and_come_back),
        cmocka_unit_test(malformed_lines),
        cmocka_unit_test(not_a_text),
        cmocka_unit_test(a_complete_file_is_obeyed),
        cmocka_unit_test(answers_of_other_machines),
        cmocka_unit_test(what_is_not_known_is_timed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
