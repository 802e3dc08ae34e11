/* The net, weights and pictures of `make demo` against PyTorch: file to logits with netc's own readers,
 * through the interpreter. tests/goldens/demo.txt holds PyTorch's logits (cifar_resnets.py --demo). Run from
 * the repository's root. */
#include "backends/interp/interp.h"
#include "frontend/lang/lang.h"
#include "ir/base/file.h"
#include "runtime/picture.h"
#include "tests/support/execute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { PICTURES = 10, CLASSES = 10, PIXELS = 3 * 32 * 32 };

/* Of the largest logit: twenty layers in float, in another order of summation. */
static const double TOLERANCE = 1e-4;

typedef struct demo {
    arena *arena;
    diags diags;
    graph *net;
    const char *names[PICTURES];
    double logits[PICTURES][CLASSES];
    float pixels[PICTURES][PIXELS];
} demo;

static void succeeded(demo *m, bool good) {
    if (good) return;
    diags_print(&m->diags, stderr, false);
    fail_msg("what is above should not have happened");
}

static void read_net(demo *m) {
    source *s = file_read_text(m->arena, "examples/resnet20.net", LANG_MAX_BYTES, &m->diags);
    m->net = s ? lang_compile(m->arena, s, NULL, &m->diags) : NULL;
    succeeded(m, m->net);
    assert_int_equal(m->net->labels.count, CLASSES);
}

/* A line a picture: its file's name and ten logits. */
static void read_expected(demo *m) {
    source *s = file_read_text(m->arena, "tests/goldens/demo.txt", 1 << 16, &m->diags);
    succeeded(m, s);
    char *at = arena_text(m->arena, s->text, s->bytes);
    for (int i = 0; i < PICTURES; i++) {
        char *space = strchr(at, ' ');
        assert_non_null(space);
        m->names[i] = arena_text(m->arena, at, (size_t)(space - at));
        at = space;
        for (int k = 0; k < CLASSES; k++) m->logits[i][k] = strtod(at, &at);
        assert_int_equal(*at++, '\n');
    }
    assert_string_equal(at, "");
}

static void read_pictures(demo *m) {
    const value *v = m->net->inputs.at[0];
    assert_non_null(v->as.input.mean);
    net_tensor t = {.name = v->name, .batched = true, .rank = 3, .dims = {3, 32, 32}, .count = PIXELS};
    t.mean = v->as.input.mean, t.std = v->as.input.std, t.channels = v->as.input.channels;
    picture_input p;
    assert_true(picture_input_of(&t, &p));
    for (int i = 0; i < PICTURES; i++)
        succeeded(m, picture_read(m->pixels[i], &p,
                                  arena_printf(m->arena, "examples/pictures/%s", m->names[i]), &m->diags));
}

static float *read_weights(demo *m) {
    int count = m->net->params.count;
    param *table = NEW_ARRAY(m->arena, param, count);
    int64_t total = 0;
    for (int i = 0; i < count; i++) {
        const value *v = m->net->params.at[i];
        table[i] = (param){v->name, total, shape_count(&v->shape), v->shape.rank, {0}};
        for (int k = 0; k < v->shape.rank; k++) table[i].dims[k] = v->shape.dim[k];
        total += table[i].count;
    }
    float *to = NEW_ARRAY(m->arena, float, total);
    tensors file;
    succeeded(m, tensors_open(&file, m->arena, "examples/weights/resnet20.th", &m->diags));
    bool loaded = params_load(&file, table, count, to, m->arena, &m->diags);
    tensors_close(&file);
    assert_true(loaded);
    return to;
}

static const float *run(demo *m, const float *weights, target_id id) {
    golden g = {.name = "resnet20", .batch = PICTURES, .graph = m->net};
    execute_options o = {.target = id, .real = KB_F32};
    program *p = execute_compile(m->arena, &g, &o, &m->diags);
    succeeded(m, p);
    interp *in = interp_new(m->arena, p, id, NULL, &m->diags);
    succeeded(m, in);
    run_args args = execute_arguments(m->arena, &g, p);
    const void *input = m->pixels;
    args.params = weights;
    args.inputs = &input;
    succeeded(m, interp_run(in, ENTRY_PREPARE, &args, &m->diags));
    succeeded(m, interp_run(in, ENTRY_FORWARD, &args, &m->diags));
    return execute_output(m->arena, &g, p, &args, 0);
}

static int largest_at(const float *x) {
    int best = 0;
    for (int k = 1; k < CLASSES; k++)
        if (x[k] > x[best]) best = k;
    return best;
}

/* Within the tolerance of PyTorch's logits, and the class is the one that the file is named after. */
static void check_picture(const demo *m, int i, const float *got) {
    golden_tensor want = {.name = m->names[i], .count = CLASSES, .at = (double *)m->logits[i]};
    double distance = golden_distance(&want, got);
    if (distance > TOLERANCE) fail_msg("%s: logits differ by %.3g", m->names[i], distance);
    const char *guess = m->net->labels.at[largest_at(got)];
    if (strncmp(m->names[i], guess, strlen(guess)) != 0) fail_msg("%s is no %s", m->names[i], guess);
}

static void pictures_are_told_as_pytorch_tells_them(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    demo *m = NEW(&a, demo);
    m->arena = &a;
    m->diags = (diags){.arena = &a};
    read_net(m);
    read_expected(m);
    read_pictures(m);
    const float *weights = read_weights(m);
    const float *got = run(m, weights, TARGET_AVX512);
    for (int i = 0; i < PICTURES; i++) check_picture(m, i, got + (size_t)i * CLASSES);
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_are_told_as_pytorch_tells_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
