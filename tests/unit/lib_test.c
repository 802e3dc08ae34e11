/* libnetc through <netc.h>: the executor's numbers, errors with their place, weights by name and from memory, state
 * kept and reset, options that are refused. Run from the repository's root. */
#include "frontend/api/describe.h"
#include "frontend/api/executor.h"
#include "frontend/api/netc.h"
#include "ir/base/file.h"
#include "runtime/random.h"
#include "runtime/weights.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static netc_error error;

#define MADE(call)                                                                                           \
    do {                                                                                                     \
        if (!(call)) fail_msg("%s: code %d, %s", #call, error.code, error.message);                          \
        assert_int_equal(error.code, NETC_OK);                                                               \
    } while (0)
#define REFUSED(call, as)                                                                                    \
    do {                                                                                                     \
        if (call) fail_msg("%s: is not refused", #call);                                                     \
        if (error.code != (as)) fail_msg("%s: code %d, %s", #call, error.code, error.message);               \
        assert_true(*error.message);                                                                         \
    } while (0)
#define SAYS(words)                                                                                          \
    do {                                                                                                     \
        if (!strstr(error.message, words)) fail_msg("'%s' is not in '%s'", words, error.message);            \
    } while (0)

static const netc_options interp = {.size = sizeof interp, .backend = "interp", .threads = 2};

static netc_model *text_model(const char *words, const netc_options *o) {
    return netc_compile_text(words, strlen(words), o, &error);
}

static netc_model *example(const char *name, const netc_options *o) {
    char path[64];
    snprintf(path, sizeof path, "examples/%s.net", name);
    netc_model *m = netc_compile_file(path, o, &error);
    if (!m) fail_msg("%s: %s", name, error.message);
    return m;
}

/* A net that adds a weight and a bias by hand. */
static const char line_text[] = "net line {\n    input x[2]\n    output y = x -> fc: linear(1)\n}\n";

/* ---- numbers ---- */

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
} fixture;

/* What an executor of the compiler's own gives: the same program, threads and seed. */
static float *direct(fixture *f, const char *name, const executor *e, const float *in, int64_t batch) {
    executor_options o = {.threads = 2, .compile = {.max_batch = batch}};
    net n;
    session s;
    const char *path = arena_printf(&f->arena, "examples/%s.net", name);
    const graph *g = compile_read(&f->arena, path, NULL, &f->diags);
    assert_non_null(g);
    describe_graph(&n, &f->arena, g);
    float *params = NEW_ARRAY(&f->arena, float, n.values);
    float *out = NEW_ARRAY(&f->arena, float, batch *n.outputs[0].count);
    weights_draw(&n, 7, params);
    assert_true(executor_open(e, &n, &f->arena, g, &o, &f->diags));
    assert_true(session_open(&s, &n, &f->diags) && session_prepare(&s, params, &f->diags));
    assert_true(session_run(&s, batch, (const void *const[]){in}, (void *const[]){out}, &f->diags));
    session_close(&s);
    net_close(&n);
    return out;
}

static void check_numbers(fixture *f, const char *name, const executor *e) {
    enum { BATCH = 3 };
    netc_options o = {.size = sizeof o, .backend = e->name, .max_batch = BATCH, .threads = 2};
    netc_model *m = example(name, &o);
    const size_t in = netc_input(m, 0)->bytes / sizeof(float), out = netc_output(m, 0)->bytes / sizeof(float);
    float *x = NEW_ARRAY(&f->arena, float, BATCH *in), *y = NEW_ARRAY(&f->arena, float, BATCH *out);
    random_normal(x, 0, (int64_t)(BATCH * in), 1, (random_stream){3, 0});
    MADE(netc_init_weights(m, 7, &error));
    netc_session *s = netc_session_new(m, &error);
    MADE(s);
    MADE(netc_run(s, BATCH, (const void *const[]){x}, (void *const[]){y}, &error));
    const float *want = direct(f, name, e, x, BATCH);
    assert_memory_equal(y, want, BATCH * out * sizeof *y);
    MADE(netc_run(s, 1, (const void *const[]){x + in}, (void *const[]){y}, &error));
    assert_memory_equal(y, want + out, out * sizeof *y); /* a sample does not depend on its neighbours */
    netc_session_free(s);
    netc_model_free(m);
}

static void numbers_are_the_executors(void **state) {
    static const char *const nets[] = {"mnist", "row_gru"};
    fixture f = {.diags = {.arena = &f.arena}};
    (void)state;
    arena_init(&f.arena, 0, &f.trap);
    for (const executor *const *e = executors; *e; e++)
        for (int k = 0; k < 2 && (*e)->available(); k++) check_numbers(&f, nets[k], *e);
    arena_free(&f.arena);
}

static void a_line_is_computed(void **state) {
    netc_model *m = text_model(line_text, NULL); /* the best backend */
    const float w[] = {2, -3}, b = 0.5F, x[] = {10, 1};
    float y = 0, back[2] = {0};
    (void)state;
    MADE(m);
    MADE(netc_set_parameter(m, "fc.weight", w, 2, &error));
    MADE(netc_set_parameter(m, "fc.bias", &b, 1, &error));
    netc_session *s = netc_session_new(m, &error);
    MADE(s);
    MADE(netc_run(s, 1, (const void *const[]){x}, (void *const[]){&y}, &error));
    assert_true(y == 17.5F);
    MADE(netc_get_parameter(m, "fc.weight", back, 2, &error));
    assert_memory_equal(back, w, sizeof w);
    netc_session_free(s);
    MADE(netc_set_parameter(m, "fc.bias", x, 1, &error)); /* a change of weights reaches the next session */
    s = netc_session_new(m, &error);
    MADE(s);
    MADE(netc_run(s, 1, (const void *const[]){x}, (void *const[]){&y}, &error));
    assert_true(y == 27);
    netc_session_free(s);
    netc_model_free(m);
}

static void tensors_are_described(void **state) {
    netc_model *m = example("mnist", &interp);
    (void)state;
    assert_int_equal(netc_input_count(m), 1);
    const netc_tensor *x = netc_input(m, 0), *y = netc_output(m, 0), *w = netc_parameter(m, 0);
    assert_string_equal(x->name, "image");
    assert_int_equal(x->rank, 3);
    assert_int_equal(x->dims[2], 28);
    assert_int_equal(x->bytes, 784 * 4);
    assert_true(x->batched && y->batched && !w->batched);
    assert_int_equal(y->bytes, 40);
    assert_int_equal(netc_parameter_count(m), 6);
    assert_string_equal(w->name, "conv1.weight");
    assert_int_equal(w->dims[3], 5);
    assert_int_equal(w->bytes, 1000);
    assert_null(netc_input(m, 1));
    assert_null(netc_output(m, -1));
    assert_null(netc_parameter(m, 6));
    netc_model_free(m);
    m = example("tagger", &interp);
    assert_int_equal(netc_input(m, 0)->type, NETC_I32);
    netc_model_free(m);
    assert_int_equal(netc_input_count(NULL), 0);
    assert_null(netc_output(NULL, 0));
    assert_string_equal(netc_version(), "0.1.0");
}

/* ---- state ---- */

static void read_text(netc_session *s, int n, const int32_t *letters, float *logits) {
    MADE(netc_run(s, n, (const void *const[]){letters}, (void *const[]){logits}, &error));
}

/* char_rnn a character at a time: what two calls keep is what one call over two characters goes through. */
static void state_is_kept_and_reset(void **state) {
    const char *const single[] = {"length=1", NULL}, *const pair[] = {"length=2", NULL};
    netc_options o = {.size = sizeof o, .backend = "interp", .set = single, .max_batch = 2};
    netc_model *one = example("char_rnn", &o);
    o.set = pair;
    netc_model *two = example("char_rnn", &o);
    static float first[2][96], then[2][96], both[2][96], again[2][96];
    (void)state;
    MADE(netc_init_weights(one, 1, &error) && netc_init_weights(two, 1, &error));
    netc_session *s = netc_session_new(one, &error), *t = netc_session_new(two, &error);
    MADE(s && t);
    read_text(s, 2, (const int32_t[]){40, 50}, first[0]);
    read_text(s, 2, (const int32_t[]){41, 51}, then[0]);
    read_text(t, 1, (const int32_t[]){40, 41}, both[0]);
    for (int k = 0; k < 96; k++) {
        assert_float_equal(first[0][k], both[0][k], 1e-6);
        assert_float_equal(then[0][k], both[1][k], 1e-6);
    }
    assert_memory_not_equal(first[0], first[1], sizeof first[0]);
    netc_session_reset(s);
    read_text(s, 2, (const int32_t[]){40, 50}, again[0]);
    assert_memory_equal(again, first, sizeof first);
    netc_session_reset(NULL);
    netc_session_free(s);
    netc_session_free(t);
    netc_model_free(one);
    netc_model_free(two);
}

/* A call that fails leaves the state as it was. */
static void integers_are_checked(void **state) {
    const char *const single[] = {"length=1", NULL};
    netc_options o = {.size = sizeof o, .backend = "interp", .set = single};
    netc_model *m = example("char_rnn", &o);
    static float first[96], second[96], want[96];
    const int32_t a = 3, bad = 96, worse = -1;
    (void)state;
    MADE(netc_init_weights(m, 1, &error));
    netc_session *s = netc_session_new(m, &error);
    MADE(s);
    read_text(s, 1, &a, first);
    read_text(s, 1, &a, want);
    netc_session_reset(s);
    read_text(s, 1, &a, first);
    REFUSED(netc_run(s, 1, (const void *const[]){&bad}, (void *const[]){second}, &error), NETC_BAD_INPUT);
    SAYS("number 0 of input 'text' is 96, which lies outside of 0..95");
    REFUSED(netc_run(s, 1, (const void *const[]){&worse}, (void *const[]){second}, &error), NETC_BAD_INPUT);
    read_text(s, 1, &a, second);
    assert_memory_equal(second, want, sizeof want);
    netc_session_free(s);
    netc_model_free(m);
}

/* ---- texts that are refused ---- */

static void errors_have_their_place(void **state) {
    static const char words[] = "net n {\n    input x[4]\n    output y = x -> linea(3)\n}\n";
    (void)state;
    REFUSED(text_model(words, &interp), NETC_BAD_INPUT);
    assert_string_equal(error.file, "text");
    assert_int_equal(error.line, 3);
    assert_int_equal(error.column, 21);
    SAYS("linea");
    REFUSED(netc_compile_file("tests/lang/shapes.net", &interp, &error), NETC_BAD_INPUT);
    assert_string_equal(error.file, "tests/lang/shapes.net");
    assert_int_equal(error.line, 4);
    SAYS("\ntests/lang/shapes.net:"); /* further ones */
    assert_true(strlen(error.message) < sizeof error.message);
}

static void other_files_are_refused(void **state) {
    (void)state;
    REFUSED(netc_compile_file("no/such.net", NULL, &error), NETC_BAD_INPUT);
    assert_string_equal(error.file, "no/such.net");
    assert_int_equal(error.line, 0);
    REFUSED(netc_compile_file("examples", NULL, &error), NETC_BAD_INPUT);
    REFUSED(netc_compile_file("model.onnx", NULL, &error), NETC_UNSUPPORTED);
    SAYS("ONNX");
    REFUSED(netc_compile_onnx("", 0, NULL, &error), NETC_UNSUPPORTED);
    REFUSED(netc_compile_text("net\0", 4, &interp, &error), NETC_BAD_INPUT);
    SAYS("byte 3 is zero");
    REFUSED(netc_compile_text("", 0, &interp, &error), NETC_BAD_INPUT);
    REFUSED(netc_compile_file(NULL, NULL, &error), NETC_BAD_CALL);
    REFUSED(netc_compile_text(NULL, 3, NULL, &error), NETC_BAD_CALL);
    assert_null(netc_compile_file("no/such.net", NULL, NULL)); /* nobody wants the error */
    netc_model_free(NULL);
    netc_session_free(NULL);
    netc_trainer_free(NULL);
}

/* ---- options ---- */

static void options_are_checked(void **state) {
    struct {
        netc_options o;
        int newer;
    } longer = {{.size = sizeof longer, .backend = "interp"}, 0};
    (void)state;
    REFUSED(text_model(line_text, &(netc_options){.max_batch = 1}), NETC_BAD_CALL);
    SAYS("sizeof(netc_options)");
    netc_model *m = text_model(line_text, &longer.o);
    MADE(m);
    netc_model_free(m);
    longer.newer = 1;
    REFUSED(text_model(line_text, &longer.o), NETC_UNSUPPORTED);
    netc_options o = {.size = offsetof(netc_options, max_batch), .backend = "interp", .max_batch = -1};
    m = text_model(line_text, &o); /* an older host's: what lies behind its end is not read */
    MADE(m);
    netc_model_free(m);
    o.size = sizeof o;
    REFUSED(text_model(line_text, &o), NETC_BAD_CALL);
    o = (netc_options){.size = sizeof o, .threads = 5000};
    REFUSED(text_model(line_text, &o), NETC_BAD_CALL);
    o = (netc_options){.size = sizeof o, .backend = "fast"};
    REFUSED(text_model(line_text, &o), NETC_BAD_CALL);
    SAYS("there are llvm, c and interp");
    o = (netc_options){.size = sizeof o, .target = "mmx"};
    REFUSED(text_model(line_text, &o), NETC_BAD_CALL);
    o = (netc_options){.size = sizeof o, .executor = &(netc_executor){.threads = 2}};
    REFUSED(text_model(line_text, &o), NETC_BAD_CALL);
}

static void arguments_of_the_net_are_set(void **state) {
    const char *const set[] = {"classes=7", NULL}, *const wrong[] = {"clases=7", NULL};
    netc_options o = interp;
    (void)state;
    o.set = set;
    netc_model *m = example("rnn_n_to_1", &o);
    assert_int_equal(netc_output(m, 0)->dims[0], 7);
    netc_model_free(m);
    o.set = wrong;
    REFUSED(netc_compile_file("examples/rnn_n_to_1.net", &o, &error), NETC_BAD_INPUT);
    SAYS("clases");
}

static int files_in(const char *folder) {
    int count = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *e; d && (e = readdir(d));) count += e->d_name[0] != '.';
    if (d) closedir(d);
    return count;
}

static void code_is_kept_where_that_is_wanted(void **state) {
    char root[64], command[96], kept[80];
    netc_options o = {.size = sizeof o, .backend = "llvm"};
    (void)state;
    if (!llvm_executor.available()) skip();
    snprintf(root, sizeof root, "%.40s/netc-lib-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(root));
    setenv("XDG_CACHE_HOME", root, 1);
    snprintf(kept, sizeof kept, "%s/netc", root);
    for (int k = 0; k < 3; k++) {
        netc_model *m = text_model(line_text, &o);
        MADE(m);
        netc_model_free(m);
        assert_int_equal(files_in(kept), k > 0);
        o.cache = true;
    }
    unsetenv("XDG_CACHE_HOME");
    snprintf(command, sizeof command, "rm -r '%s'", root);
    assert_int_equal(system(command), 0);
}

typedef struct warnings {
    int count;
    netc_error last;
} warnings;

static void note_warning(void *user, const netc_error *warning) {
    warnings *w = user;
    w->count++;
    w->last = *warning;
}

static void warnings_are_reported(void **state) {
    static const char words[] =
        "net n {\n    input x[2]\n    input z[2]\n    output y = x -> fc: linear(1)\n}\n";
    warnings w = {0};
    netc_options o = interp;
    (void)state;
    o.report = note_warning;
    o.user = &w;
    netc_model *m = text_model(words, &o);
    MADE(m);
    assert_int_equal(w.count, 1);
    assert_string_equal(w.last.file, "text");
    assert_int_equal(w.last.line, 3);
    assert_int_equal(w.last.code, NETC_OK);
    assert_non_null(strstr(w.last.message, "'z' is never used"));
    netc_model_free(m);
}

/* ---- weights ---- */

static void weights_come_from_files(void **state) {
    netc_model *m = example("resnet20", &interp), *other = example("resnet20", &interp);
    static float a[432], b[432];
    file_map map;
    diags none = {0};
    (void)state;
    REFUSED(netc_session_new(m, &error), NETC_NO_WEIGHTS);
    SAYS("'conv1.weight' has no value");
    REFUSED(netc_get_parameter(m, "conv1.weight", a, 432, &error), NETC_NO_WEIGHTS);
    MADE(netc_load_weights(m, "examples/weights/resnet20.th", &error));
    assert_true(file_open(&map, "examples/weights/resnet20.th", &none));
    MADE(netc_load_weights_memory(other, map.bytes, map.size, &error));
    file_close(&map);
    MADE(netc_get_parameter(m, "conv1.weight", a, 432, &error));
    MADE(netc_get_parameter(other, "conv1.weight", b, 432, &error));
    assert_memory_equal(a, b, sizeof a);
    REFUSED(netc_load_weights(m, "examples/resnet20.net", &error), NETC_BAD_INPUT);
    assert_string_equal(error.file, "examples/resnet20.net");
    REFUSED(netc_load_weights_memory(m, "PK", 2, &error), NETC_BAD_INPUT);
    memset(b, 0, sizeof b);
    MADE(netc_get_parameter(m, "conv1.weight", b, 432, &error)); /* as they were */
    assert_memory_equal(a, b, sizeof a);
    netc_model_free(m);
    netc_model_free(other);
}

static void weights_that_do_not_fit_are_listed(void **state) {
    netc_model *m = example("mnist", &interp);
    (void)state;
    REFUSED(netc_load_weights(m, "examples/weights/resnet20.th", &error), NETC_BAD_INPUT);
    assert_string_equal(error.file, "examples/weights/resnet20.th");
    SAYS("do not fit the net");
    SAYS("\nmissing: 'conv2.weight'");
    netc_model_free(m);
}

static void parameters_have_names_and_sizes(void **state) {
    netc_model *m = text_model(line_text, &interp);
    float v[2] = {1, 2};
    (void)state;
    MADE(m);
    REFUSED(netc_set_parameter(m, "fc.weigth", v, 2, &error), NETC_BAD_CALL);
    SAYS("did you mean 'fc.weight'?");
    REFUSED(netc_set_parameter(m, "fc.weight", v, 1, &error), NETC_BAD_CALL);
    SAYS("'fc.weight' has 2 numbers, but count is 1");
    REFUSED(netc_get_parameter(m, "fc.bias", v, 2, &error), NETC_BAD_CALL);
    REFUSED(netc_set_parameter(m, NULL, v, 2, &error), NETC_BAD_CALL);
    REFUSED(netc_set_parameter(NULL, "fc.bias", v, 1, &error), NETC_BAD_CALL);
    MADE(netc_set_parameter(m, "fc.weight", v, 2, &error));
    REFUSED(netc_session_new(m, &error), NETC_NO_WEIGHTS);
    SAYS("'fc.bias'");
    netc_model_free(m);
}

static void open_sessions_keep_the_weights(void **state) {
    netc_model *m = text_model(line_text, &interp);
    const float v = 9, x[] = {1, 1};
    float y, before;
    (void)state;
    MADE(m);
    MADE(netc_init_weights(m, 4, &error));
    netc_session *s = netc_session_new(m, &error);
    MADE(s);
    MADE(netc_run(s, 1, (const void *const[]){x}, (void *const[]){&before}, &error));
    REFUSED(netc_set_parameter(m, "fc.bias", &v, 1, &error), NETC_BUSY);
    SAYS("1 open session,");
    REFUSED(netc_init_weights(m, 5, &error), NETC_BUSY);
    netc_model_free(m); /* the session holds what it needs */
    MADE(netc_run(s, 1, (const void *const[]){x}, (void *const[]){&y}, &error));
    assert_true(y == before);
    netc_session_free(s);
}

static void calls_are_checked(void **state) {
    netc_options o = interp;
    o.max_batch = 2;
    netc_model *m = text_model(line_text, &o);
    const float x[4] = {0};
    float y[2];
    const void *in[] = {x}, *no_input[] = {NULL};
    void *out[] = {y}, *no_output[] = {NULL};
    (void)state;
    MADE(m);
    MADE(netc_init_weights(m, 4, &error));
    netc_session *s = netc_session_new(m, &error);
    MADE(s);
    REFUSED(netc_run(NULL, 1, in, out, &error), NETC_BAD_CALL);
    REFUSED(netc_run(s, 0, in, out, &error), NETC_BAD_CALL);
    REFUSED(netc_run(s, 3, in, out, &error), NETC_BAD_CALL);
    SAYS("1..2 samples");
    REFUSED(netc_run(s, 1, NULL, out, &error), NETC_BAD_CALL);
    REFUSED(netc_run(s, 1, no_input, out, &error), NETC_BAD_CALL);
    SAYS("input 'x' is NULL");
    REFUSED(netc_run(s, 1, in, NULL, &error), NETC_BAD_CALL);
    REFUSED(netc_run(s, 1, in, no_output, &error), NETC_BAD_CALL);
    MADE(netc_run(s, 2, in, out, &error));
    REFUSED(netc_session_new(NULL, &error), NETC_BAD_CALL);
    REFUSED(netc_trainer_new(NULL, 1, &error), NETC_BAD_CALL);
    REFUSED(netc_trainer_new(m, 1, &error), NETC_UNSUPPORTED);
    SAYS("train {");
    REFUSED(netc_train_step(NULL, 1, in, x, 0.1F, y, &error), NETC_BAD_CALL);
    netc_session_free(s);
    netc_model_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_executors),
        cmocka_unit_test(a_line_is_computed),
        cmocka_unit_test(tensors_are_described),
        cmocka_unit_test(state_is_kept_and_reset),
        cmocka_unit_test(integers_are_checked),
        cmocka_unit_test(errors_have_their_place),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(arguments_of_the_net_are_set),
        cmocka_unit_test(code_is_kept_where_that_is_wanted),
        cmocka_unit_test(warnings_are_reported),
        cmocka_unit_test(weights_come_from_files),
        cmocka_unit_test(weights_that_do_not_fit_are_listed),
        cmocka_unit_test(parameters_have_names_and_sizes),
        cmocka_unit_test(open_sessions_keep_the_weights),
        cmocka_unit_test(calls_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
