/* libnetc's trainers: steps by hand, refusals that change nothing, going on from a file, weights back to a model. Run
 * from the repository's root. */
#include "frontend/api/executor.h"
#include "frontend/api/netc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static netc_error error;

#define MADE(call)                                                                                           \
    do {                                                                                                     \
        if (!(call)) fail_msg("%s: code %d, %s", #call, error.code, error.message);                          \
    } while (0)
#define REFUSED(call, as)                                                                                    \
    do {                                                                                                     \
        if (call) fail_msg("%s: is not refused", #call);                                                     \
        if (error.code != (as)) fail_msg("%s: code %d, %s", #call, error.code, error.message);               \
    } while (0)

/* y = w x + b, squared error, momentum: a step is a line of arithmetic. */
static const char line_text[] =
    "net line {\n    input x[1]\n    output y = x -> fc: linear(1)\n    train {\n        loss = mse(y)\n"
    "        optimizer = sgd(lr = 0.1, momentum = 0.5)\n        batch = 2\n    }\n}\n";
static const char class_text[] =
    "net classes {\n    input x[4]\n    output y = x -> fc: linear(3)\n    train {\n        loss = "
    "cross_entropy(y)\n        optimizer = adam(lr = 0.1)\n        batch = 2\n    }\n}\n";

static netc_model *compiled(const char *words, const char *backend) {
    const netc_options o = {.size = sizeof o, .backend = backend, .threads = 2};
    netc_model *m = netc_compile_text(words, strlen(words), &o, &error);
    MADE(m);
    return m;
}

static float number(const netc_model *m, const char *name) {
    float x;
    MADE(netc_get_parameter(m, name, &x, 1, &error));
    return x;
}

static void weights_of(const netc_trainer *t, netc_model *m, float *weight, size_t count) {
    MADE(netc_trainer_publish(t, m, &error));
    MADE(netc_get_parameter(m, "fc.weight", weight, count, &error));
}

/* ---- steps ---- */

static void steps_by_hand(const char *backend) {
    netc_model *m = compiled(line_text, backend), *to = compiled(line_text, "interp");
    const float x[] = {1, 3}, want[] = {2, -1};
    float w = 0.5F, b = 0.25F, vw = 0, vb = 0, loss;
    MADE(netc_set_parameter(m, "fc.weight", &w, 1, &error));
    MADE(netc_set_parameter(m, "fc.bias", &b, 1, &error));
    netc_trainer *t = netc_trainer_new(m, 1, &error);
    MADE(t);
    for (int k = 0; k < 3; k++) {
        const float e0 = w * x[0] + b - want[0], e1 = w * x[1] + b - want[1];
        MADE(netc_train_step(t, 2, (const void *const[]){x}, want, 0.1F, &loss, &error));
        assert_float_equal(loss, (e0 * e0 + e1 * e1) / 2, 1e-4);
        vw = 0.5F * vw + (e0 * x[0] + e1 * x[1]);
        vb = 0.5F * vb + (e0 + e1);
        w -= 0.1F * vw;
        b -= 0.1F * vb;
        MADE(netc_trainer_publish(t, to, &error));
        assert_float_equal(number(to, "fc.weight"), w, 1e-5);
        assert_float_equal(number(to, "fc.bias"), b, 1e-5);
    }
    assert_true(number(m, "fc.weight") == 0.5F); /* its model stays as it is */
    netc_model_free(m);                          /* and may go */
    MADE(netc_train_step(t, 1, (const void *const[]){x}, want, 0.1F, NULL, &error));
    netc_trainer_free(t);
    netc_model_free(to);
}

static void steps_are_those_by_hand(void **state) {
    (void)state;
    steps_by_hand("interp");
    if (llvm_executor.available()) steps_by_hand("llvm");
}

static void refusals_change_nothing(void **state) {
    netc_model *m = compiled(class_text, "interp"), *to = compiled(class_text, "interp");
    netc_trainer *t = netc_trainer_new(m, 3, &error);
    const float x[8] = {1, -1, 2, 0, 0, 1, 1, -2}, inf[8] = {INFINITY};
    const int32_t right[] = {2, 0}, wrong[] = {2, 3};
    float before[12], after[12], loss = -7;
    (void)state;
    MADE(t);
    weights_of(t, to, before, 12);
    const void *const in[] = {x}, *const bad[] = {inf};
    REFUSED(netc_train_step(t, 2, in, wrong, 0.1F, &loss, &error), NETC_BAD_LABEL);
    assert_non_null(strstr(error.message, "target 1 is class 3"));
    REFUSED(netc_train_step(t, 2, bad, right, 0.1F, &loss, &error), NETC_NOT_FINITE);
    REFUSED(netc_train_step(t, 3, in, right, 0.1F, &loss, &error), NETC_BAD_CALL);
    REFUSED(netc_train_step(t, 2, in, NULL, 0.1F, &loss, &error), NETC_BAD_CALL);
    REFUSED(netc_train_step(t, 2, in, right, NAN, &loss, &error), NETC_BAD_CALL);
    assert_true(loss == -7);
    weights_of(t, to, after, 12);
    assert_memory_equal(before, after, sizeof before);
    MADE(netc_train_step(t, 2, in, right, 0.1F, &loss, &error));
    weights_of(t, to, after, 12);
    assert_memory_not_equal(before, after, sizeof before);
    netc_trainer_free(t);
    netc_model_free(m);
    netc_model_free(to);
}

/* ---- files ---- */

static void a_saved_trainer_goes_on(void **state) {
    char path[64], junk[] = "examples/mnist.net";
    netc_model *m = compiled(class_text, "interp"), *to = compiled(class_text, "interp");
    netc_trainer *t = netc_trainer_new(m, 3, &error), *again = netc_trainer_new(m, 99, &error);
    const float x[8] = {1, -1, 2, 0, 0, 1, 1, -2};
    const int32_t right[] = {2, 0};
    float a[12], b[12], loaded[12];
    const void *const in[] = {x};
    (void)state;
    snprintf(path, sizeof path, "%.40s/netc-lib-%ld", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
             (long)getpid());
    MADE(t && again);
    for (int k = 0; k < 3; k++) MADE(netc_train_step(t, 2, in, right, 0.1F, NULL, &error));
    MADE(netc_trainer_save(t, path, &error));
    weights_of(t, to, a, 12);
    MADE(netc_load_weights(m, path, &error)); /* to a reader of weights it is a file of weights */
    MADE(netc_get_parameter(m, "fc.weight", loaded, 12, &error));
    assert_memory_equal(loaded, a, sizeof a);
    MADE(netc_trainer_resume(again, path, &error));
    REFUSED(netc_trainer_resume(again, junk, &error), NETC_BAD_INPUT);
    assert_string_equal(error.file, junk);
    for (int k = 0; k < 2; k++) { /* Adam's moments and step count go on too */
        MADE(netc_train_step(t, 2, in, right, 0.1F, NULL, &error));
        MADE(netc_train_step(again, 2, in, right, 0.1F, NULL, &error));
    }
    weights_of(t, to, a, 12);
    weights_of(again, to, b, 12);
    assert_memory_equal(a, b, sizeof a);
    REFUSED(netc_trainer_save(t, "/no/such/folder/x", &error), NETC_BAD_INPUT);
    REFUSED(netc_trainer_save(t, NULL, &error), NETC_BAD_CALL);
    unlink(path);
    netc_trainer_free(t);
    netc_trainer_free(again);
    netc_model_free(m);
    netc_model_free(to);
}

static void models_with_sessions_are_not_published_to(void **state) {
    netc_model *m = compiled(class_text, "interp"), *other = compiled(line_text, "interp");
    netc_trainer *t = netc_trainer_new(m, 3, &error);
    (void)state;
    MADE(t);
    REFUSED(netc_trainer_publish(t, other, &error), NETC_BAD_CALL);
    REFUSED(netc_trainer_publish(t, NULL, &error), NETC_BAD_CALL);
    MADE(netc_trainer_publish(t, m, &error));
    netc_session *s = netc_session_new(m, &error);
    MADE(s);
    REFUSED(netc_trainer_publish(t, m, &error), NETC_BUSY);
    netc_session_free(s);
    MADE(netc_trainer_publish(t, m, &error));
    netc_trainer_free(t);
    netc_model_free(m);
    netc_model_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_by_hand),
        cmocka_unit_test(refusals_change_nothing),
        cmocka_unit_test(a_saved_trainer_goes_on),
        cmocka_unit_test(models_with_sessions_are_not_published_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
