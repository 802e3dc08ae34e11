/* The compiler as a library: layers and costs against PyTorch's counts, nets run by every executor, weights
 * packed and written as C, and what is left behind when a file cannot be written. Run from the repository's
 * root. */
#include "backends/c/c.h"
#include "frontend/api/describe.h"
#include "frontend/api/executor.h"
#include "frontend/api/layers.h"
#include "frontend/api/output.h"
#include "ir/base/file.h"
#include "runtime/random.h"
#include "runtime/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
    char folder[64];
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0, &f->trap);
    f->diags.arena = &f->arena;
    const char *root = getenv("TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%.40s/netc-api-XXXXXX", root ? root : "/tmp");
    *state = f;
    return mkdtemp(f->folder) ? 0 : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int failed = system(command);
    arena_free(&f->arena);
    free(f);
    return failed;
}

static graph *read_net(fixture *f, const char *path, net *n) {
    graph *g = compile_read(&f->arena, path, NULL, &f->diags);
    diags_print(&f->diags, stderr, false);
    assert_non_null(g);
    describe_graph(n, &f->arena, g);
    return g;
}

static graph *read_example(fixture *f, const char *name, net *n) {
    return read_net(f, arena_printf(&f->arena, "examples/%s.net", name), n);
}

static float *drawn(fixture *f, const net *n) {
    float *to = NEW_ARRAY(&f->arena, float, n->values + 1);
    weights_draw(n, 1, to);
    return to;
}

/* ---- layers ---- */

static layer_table table_of(fixture *f, const char *name) {
    net n;
    return layers_of(&f->arena, read_example(f, name, &n));
}

static const layer_row *row(const layer_table *t, const char *name) {
    for (int k = 0; k < t->count; k++)
        if (strcmp(t->at[k].name, name) == 0) return &t->at[k];
    fail_msg("there is no layer '%s'", name);
    return NULL;
}

/* "1,234" */
static int64_t number(const char **at) {
    int64_t n = 0;
    *at += strspn(*at, " ");
    for (; (**at >= '0' && **at <= '9') || **at == ','; ++*at)
        if (**at != ',') n = 10 * n + (**at - '0');
    return n;
}

/* The table of the zoo holds what PyTorch counts: "| [NET](NET.net) | words | parameters | multiply-adds |".
 */
static void costs_are_pytorchs(void **state) {
    fixture *f = *state;
    const source *s = file_read_text(&f->arena, "examples/README.md", 1 << 20, &f->diags);
    int nets = 0;
    assert_non_null(s);
    for (const char *line = s->text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, "| [", 3) != 0) continue;
        const char *name = arena_text(&f->arena, line + 3, strcspn(line + 3, "]"));
        const char *at = line;
        for (int bar = 0; bar < 3; bar++) at = strchr(at, '|') + 1;
        int64_t parameters = number(&at);
        at = strchr(at, '|') + 1;
        int64_t work = number(&at);
        layer_table t = table_of(f, name);
        if (t.parameters != parameters || t.multiply_adds != work)
            fail_msg("%s: %lld parameters, %lld multiply-adds, not %lld and %lld", name,
                     (long long)t.parameters, (long long)t.multiply_adds, (long long)parameters,
                     (long long)work);
        nets++;
    }
    assert_true(nets >= 40);
}

/* "ImageNet Classification with Deep Convolutional Neural Networks", 2012: neurons and parameters of its
 * layers. */
static void alexnets_layers_are_the_papers(void **state) {
    static const int64_t neurons[] = {290400, 186624, 64896, 64896, 43264, 4096, 4096, 1000};
    static const int64_t parameters[] = {34944, 307456, 885120, 663936, 442624, 37752832, 16781312, 4097000};
    layer_table t = table_of(*state, "alexnet2012");
    int found = 0;
    assert_string_equal(t.at[0].op, "input");
    assert_int_equal(t.at[0].neurons, 154587);
    for (int k = 0; k < t.count; k++) {
        if (!t.at[k].parameters) continue;
        assert_in_range(found, 0, 7);
        assert_int_equal(t.at[k].neurons, neurons[found]);
        assert_int_equal(t.at[k].parameters, parameters[found]);
        found++;
    }
    assert_int_equal(found, 8);
}

static void check_field(const layer_table *t, const char *name, int64_t size) {
    assert_int_equal(row(t, name)->field[0], size);
    assert_int_equal(row(t, name)->field[1], size);
}

static void check_last_pool(const layer_table *t, int64_t size) {
    int last = 0;
    for (int k = 0; k < t->count; k++)
        if (strcmp(t->at[k].op, "maxpool") == 0) last = k;
    assert_int_equal(t->at[last].field[0], size);
}

/* Araujo and others, "Computing Receptive Fields of Convolutional Neural Networks", 2019, table 1; lenet5 by
 * hand. */
static void receptive_fields_are_known_ones(void **state) {
    layer_table lenet = table_of(*state, "lenet5"), resnet = table_of(*state, "resnet18");
    layer_table vgg = table_of(*state, "vgg16"), alexnet = table_of(*state, "alexnet");
    check_field(&lenet, "conv1", 5);
    check_field(&lenet, "avgpool0", 6);
    check_field(&lenet, "conv2", 14);
    check_field(&lenet, "fc1", 32);
    check_field(&resnet, "conv1", 7);
    check_field(&resnet, "maxpool0", 11);
    check_field(&resnet, "layer4.1.conv2", 435);
    check_field(&resnet, "fc", 224);
    check_last_pool(&vgg, 212);
    check_last_pool(&alexnet, 195);
}

static void nets_without_pictures_have_no_fields(void **state) {
    layer_table t = table_of(*state, "row_lstm");
    for (int k = 0; k < t.count; k++) assert_int_equal(t.at[k].field[0], 0);
    assert_int_equal(t.parameters, 53010);
    assert_int_equal(row(&t, "fc")->neurons, 10);
}

/* ---- what a net is to the runtime ---- */

static void interfaces_are_described(void **state) {
    net n;
    read_example(*state, "resnet20", &n);
    assert_string_equal(n.name, "resnet20");
    assert_int_equal(n.input_count, 1);
    assert_int_equal(n.inputs[0].count, 3072);
    assert_int_equal(n.inputs[0].channels, 3);
    assert_true(n.inputs[0].std[2] == 0.225);
    assert_int_equal(n.outputs[0].rank, 1);
    assert_int_equal(n.outputs[0].dims[0], 10);
    assert_string_equal(n.labels[3], "cat");
    assert_int_equal(n.scores, SCORES_LOGITS);
    assert_string_equal(n.params[0].at.name, "conv1.weight");
    assert_string_equal(n.params[0].rule, "he");
    assert_int_equal(n.params[0].fan_in, 27);
    assert_string_equal(n.params[3].at.name, "bn1.running_mean");
    assert_false(n.params[3].trainable);
    assert_int_equal(n.params[3].at.offset, 432 + 16 + 16);
}

static void scores_follow_the_last_op(void **state) {
    static const struct {
        const char *net;
        net_scores scores;
    } known[] = {{"bp", SCORES_PROBABILITIES},       {"lenet5_rbf", SCORES_DISTANCES},
                 {"mlp_shuffle", SCORES_LOGARITHMS}, {"mnist", SCORES_LOGITS},
                 {"perceptron", SCORES_NONE},        {"tagger", SCORES_NONE}};
    net n;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        read_example(*state, known[k].net, &n);
        if (n.scores != known[k].scores) fail_msg("%s: %d", known[k].net, n.scores);
    }
    read_example(*state, "tagger", &n);
    assert_int_equal(n.inputs[0].type, NET_I32);
    assert_int_equal(n.inputs[0].bound, 10);
}

/* ---- executors ---- */

/* The first output for `samples` random samples, computed `batch` at a time. */
static float *computed(fixture *f, const char *name, const executor *e, int64_t batch, int64_t samples,
                       int64_t *count) {
    executor_options o = {.threads = 2, .compile = {.max_batch = batch}};
    net n;
    session s;
    const graph *g = read_example(f, name, &n);
    *count = samples * n.outputs[0].count;
    float *in = NEW_ARRAY(&f->arena, float, samples *n.inputs[0].count),
          *out = NEW_ARRAY(&f->arena, float, *count);
    random_normal(in, 0, samples * n.inputs[0].count, 1, (random_stream){3, 0});
    assert_true(executor_open(e, &n, &f->arena, g, &o, &f->diags));
    assert_true(session_open(&s, &n, &f->diags));
    assert_true(session_prepare(&s, drawn(f, &n), &f->diags));
    assert_true(session_run(&s, samples, (const void *const[]){in}, (void *const[]){out}, &f->diags));
    session_close(&s);
    net_close(&n);
    return out;
}

static void executors_agree(void **state) {
    fixture *f = *state;
    static const char *const nets[] = {"mnist", "lenet5", "row_gru"};
    if (!c_executor.available()) skip();
    for (int k = 0; k < 3; k++) {
        int64_t count;
        double most = 0, apart = 0;
        const float *want = computed(f, nets[k], &interp_executor, 2, 3, &count);
        const float *got = computed(f, nets[k], &c_executor, 3, 3, &count);
        for (int64_t i = 0; i < count; i++) {
            most = fmax(most, fabs((double)want[i]));
            apart = fmax(apart, fabs((double)want[i] - (double)got[i]));
        }
        assert_true(most > 0.01);
        if (apart > 1e-5 * most)
            fail_msg("%s: %g apart of %g", nets[k], apart, most); /* other order of sums */
    }
}

static void unknown_backends_are_refused(void **state) {
    fixture *f = *state;
    assert_ptr_equal(executor_find("interp", &f->diags), &interp_executor);
    assert_null(executor_find("inter", &f->diags));
    assert_non_null(strstr(f->diags.first->text, "did you mean 'interp'?"));
}

static void targets_of_other_machines_are_refused(void **state) {
    fixture *f = *state;
    executor_options o = {.compile = {.max_batch = 1}};
    net n;
    const graph *g = read_example(f, "mnist", &n);
    o.compile.targets[compile_host_runs(TARGET_NEON) ? TARGET_AVX2 : TARGET_NEON] = true;
    assert_false(executor_open(&c_executor, &n, &f->arena, g, &o, &f->diags));
    assert_non_null(strstr(f->diags.first->text, "this machine cannot run"));
}

/* ---- files ---- */

static bool output_to(fixture *f, const char *name, const char *path, output_embed how,
                      const char *const **written) {
    net n;
    const graph *g = read_example(f, name, &n);
    output_options o = {
        .path = path, .embed = how, .compile = {.max_batch = 1, .max_threads = 4, .pixels = true}};
    o.compile.targets[TARGET_C99] = true;
    if (how != OUTPUT_AUTO) o.params = drawn(f, &n);
    return output_write(&f->arena, &n, g, &o, written, &f->diags);
}

static void embedded_files_begin_with_the_nets_header(void **state) {
    fixture *f = *state;
    const char *path = arena_printf(&f->arena, "%s/m.c", f->folder);
    const char *const *written;
    file_map m;
    assert_true(output_to(f, "mnist", path, OUTPUT_FILE, &written));
    assert_string_equal(written[0], path);
    assert_string_equal(written[2] + strlen(f->folder), "/m.weights");
    assert_null(written[3]);
    assert_true(file_open(&m, written[2], &f->diags));
    packed_header h;
    memcpy(&h, m.bytes, sizeof h);
    assert_memory_equal(h.magic, PACKED_MAGIC, sizeof h.magic);
    assert_int_equal(h.bytes, m.size);
    file_close(&m);
}

/* Packed by whichever executor is fastest, the bytes are those that prepare leaves anywhere. */
static void packing_does_not_depend_on_the_executor(void **state) {
    fixture *f = *state;
    compile_options o = {.max_batch = 2, .max_threads = 3};
    executor_options e = {.compile = o, .threads = 1};
    net n, other;
    session s;
    const graph *g = read_example(f, "lenet5", &n);
    const float *params = drawn(f, &n);
    void *packed = executor_pack(&n, &f->arena, g, &o, params, &f->diags);
    assert_non_null(packed);
    if (!c_executor.available()) skip();
    other = n;
    assert_true(executor_open(&c_executor, &other, &f->arena, g, &e, &f->diags));
    assert_true(session_open(&s, &other, &f->diags));
    memset(s.packed, 0, (size_t)other.packed_bytes);
    assert_true(session_prepare(&s, params, &f->diags));
    assert_memory_equal(s.packed, packed, PACKED_HEADER);
    for (int64_t i = PACKED_HEADER / 4; i < other.packed_bytes / 4; i++) {
        float a = ((const float *)s.packed)[i], b = ((const float *)packed)[i];
        if (fabs((double)a - (double)b) > 1e-6 * (1 + fabs((double)b)))
            fail_msg("number %lld: %g, %g", (long long)i, (double)a, (double)b);
    }
    session_close(&s);
    net_close(&other);
    free(packed);
}

static const char *content(fixture *f, const char *path) {
    const source *s = file_read_text(&f->arena, path, 64 << 20, &f->diags);
    return s ? s->text : "";
}

/* The header's name is taken by a full device: the source keeps its old content, and nothing stays beside it.
 */
static void a_full_disk_leaves_the_old_files(void **state) {
    fixture *f = *state;
    const char *code = arena_printf(&f->arena, "%s/x.c", f->folder),
               *header = arena_printf(&f->arena, "%s/x.h", f->folder);
    const char *const *written;
    assert_true(file_write(code, "old", 3, &f->diags));
    assert_int_equal(symlink("/dev/full", header), 0);
    assert_false(output_to(f, "mnist", code, OUTPUT_AUTO, &written));
    assert_non_null(strstr(f->diags.first->text, "No space left on device"));
    assert_string_equal(content(f, code), "old");
    assert_int_equal(system(arena_printf(&f->arena, "test $(ls -A '%s' | wc -l) = 2", f->folder)), 0);
}

static void outputs_are_the_same_from_anywhere(void **state) {
    fixture *f = *state;
    const char *const *written;
    const char *one = arena_printf(&f->arena, "%s/lenet.c", f->folder);
    const char *folder = arena_printf(&f->arena, "%s/deep", f->folder);
    const char *two = arena_printf(&f->arena, "%s/lenet.c", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_true(output_to(f, "lenet5", one, OUTPUT_ARRAY, &written));
    assert_true(output_to(f, "lenet5", two, OUTPUT_ARRAY, &written));
    assert_true(strlen(content(f, one)) > 10000);
    assert_string_equal(content(f, one), content(f, two));
}

static void other_suffixes_are_refused(void **state) {
    fixture *f = *state;
    assert_null(output_find("x.cu", &f->diags));
    assert_null(output_find("dir.c/x", &f->diags));
    assert_null(output_find(".c", &f->diags));
    assert_int_equal(f->diags.errors, 3);
    assert_string_equal(output_find("a/b.x.c", &f->diags)->suffix, ".c");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(costs_are_pytorchs),
        TEST(alexnets_layers_are_the_papers),
        TEST(receptive_fields_are_known_ones),
        TEST(nets_without_pictures_have_no_fields),
        TEST(interfaces_are_described),
        TEST(scores_follow_the_last_op),
        TEST(executors_agree),
        TEST(unknown_backends_are_refused),
        TEST(targets_of_other_machines_are_refused),
        TEST(embedded_files_begin_with_the_nets_header),
        TEST(packing_does_not_depend_on_the_executor),
        TEST(a_full_disk_leaves_the_old_files),
        TEST(outputs_are_the_same_from_anywhere),
        TEST(other_suffixes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
