/* Losses and right answers of classifiers, sequences, pictures with a class a pixel, and targets of numbers. */
#include "runtime/tally.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    arena arena;
    trap trap;
    net_tensor output;
    net_recipe recipe;
    net net;
} fixture;

static fixture *open_net(fixture *f, const char *loss, int rank, const int64_t *dims) {
    *f = (fixture){.recipe = {.loss = loss},
                   .output = {.name = "y", .batched = true, .rank = rank, .count = 1}};
    arena_init(&f->arena, 0, &f->trap);
    for (int k = 0; k < rank; k++) f->output.dims[k] = dims[k], f->output.count *= dims[k];
    f->net = (net){.outputs = &f->output, .output_count = 1, .loss = loss, .recipe = &f->recipe};
    f->net.scores = rank == 1 ? SCORES_LOGITS : SCORES_NONE;
    return f;
}

static double cross_entropy(double right, double a, double b) {
    return log(exp(right) + exp(a) + exp(b)) - right;
}

static void a_class_a_sample(void **state) {
    static const float y[2][3] = {{1, 3, 2}, {0.5f, 0.25f, 0}};
    static const int32_t target[2] = {1, 2};
    fixture f;
    tally t = {0};
    int64_t confusion[9] = {0};
    (void)state;
    open_net(&f, "cross_entropy", 1, (int64_t[]){3});
    answers a = answers_of(&f.arena, &f.net, true, 1);
    tally_answers(&t, &a, y[0], target, 2, confusion);
    tally_loss(&t, &a, y[0], target, 2);
    assert_int_equal(t.samples, 2);
    assert_int_equal(t.answers, 2);
    assert_int_equal(t.correct, 1);
    assert_int_equal(t.correct5, 2);
    assert_true(fabs(t.loss - cross_entropy(3, 1, 2) - cross_entropy(0, 0.5, 0.25)) < 1e-6);
    assert_true(tally_accuracy(&t) == 0.5);
    assert_true(fabs(tally_mean_loss(&t) - t.loss / 2) < 1e-15);
    assert_int_equal(confusion[1 * 3 + 1], 1); /* right */
    assert_int_equal(confusion[2 * 3 + 0], 1); /* 2, taken for 0 */
    arena_free(&f.arena);
}

/* [T,C]: the classes of a step lie side by side. */
static void a_class_a_step(void **state) {
    static const float y[2][3] = {{1, 3, 2}, {0.5f, 0.25f, 0}};
    static const int32_t target[2] = {1, 0};
    fixture f;
    tally t = {0};
    (void)state;
    open_net(&f, "cross_entropy", 2, (int64_t[]){2, 3});
    answers a = answers_of(&f.arena, &f.net, true, 2);
    tally_answers(&t, &a, y[0], target, 1, NULL);
    tally_loss(&t, &a, y[0], target, 1);
    assert_int_equal(t.samples, 1);
    assert_int_equal(t.answers, 2);
    assert_int_equal(t.correct, 2);
    assert_true(fabs(t.loss - (cross_entropy(3, 1, 2) + cross_entropy(0.5, 0.25, 0)) / 2) < 1e-6);
    arena_free(&f.arena);
}

/* [C,H,W]: those of a pixel lie H·W apart. */
static void a_class_a_pixel(void **state) {
    static const float y[2][3][2] = {{{1, 0.5f}, {3, 0.25f}, {2, 0}},
                                     {{0, 5}, {0.5f, 0}, {0, 0}}}; /* H·W = 1·2 */
    static const int32_t target[4] = {1, 0, 1, 1};
    fixture f;
    tally t = {0};
    (void)state;
    open_net(&f, "cross_entropy", 3, (int64_t[]){3, 1, 2});
    answers a = answers_of(&f.arena, &f.net, true, 2);
    tally_answers(&t, &a, y[0][0], target, 2, NULL);
    tally_loss(&t, &a, y[0][0], target, 2);
    assert_int_equal(t.samples, 2);
    assert_int_equal(t.answers, 4);
    assert_int_equal(t.correct, 3);
    double want = cross_entropy(3, 1, 2) + cross_entropy(0.5, 0.25, 0) + cross_entropy(0.5, 0, 0) +
                  cross_entropy(0, 5, 0);
    assert_true(fabs(t.loss - want / 2) < 1e-6);
    arena_free(&f.arena);
}

static void targets_of_numbers(void **state) {
    static const float y[4] = {0.5f, 1, 0, 0.25f}, target[4] = {1, 0, 0, 0.75f};
    static const int32_t labels[2] = {1, 0};
    static const struct {
        const char *loss;
        double sum;
    } cases[] = {{"mse", 0.625 + 0.125}, {"l1", 0.75 + 0.25}};
    (void)state;
    for (int k = 0; k < 2; k++) {
        fixture f;
        tally t = {0};
        open_net(&f, cases[k].loss, 1, (int64_t[]){2});
        answers a = answers_of(&f.arena, &f.net, false, 2);
        tally_answers(&t, &a, y, NULL, 2, NULL);
        tally_loss(&t, &a, y, target, 2);
        assert_true(fabs(t.loss - cases[k].sum) < 1e-7);
        assert_true(t.samples == 2 && t.answers == 0 && isnan(tally_accuracy(&t)));
        tally_answers(&t, &a, y, labels, 2, NULL); /* labels beside the numbers */
        assert_true(t.answers == 2 && t.correct == 1);
        arena_free(&f.arena);
    }
    assert_true(isnan(tally_mean_loss(&(tally){0})));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_class_a_sample),
        cmocka_unit_test(a_class_a_step),
        cmocka_unit_test(a_class_a_pixel),
        cmocka_unit_test(targets_of_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
