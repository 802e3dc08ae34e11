/* Text written by nets that are functions here: what goes in, what comes out, how it is drawn. */
#include "tests/support/hostile.h"

#include "runtime/characters.h"
#include "runtime/generate.h"

#include <math.h>

/* A net that has seen `seen` characters, in its state, and says that the next one is the class after its input;
 * or, where `shares` is set, logits of these shares whatever it reads. */
typedef struct fake {
    net net;
    session session;
    net_tensor input, outputs[2], state;
    const float *shares;
    int calls;
    int32_t read[64];
    float seen;
    char written[8192];
    int put, most;
} fake;

static bool forward(void *self, const net_call *c, diags *d) {
    fake *f = self;
    int32_t class = *(const int32_t *)c->inputs[0];
    float *logits = c->outputs[0], *seen = c->states[0];
    int64_t classes = f->outputs[0].count;
    (void)d;
    assert_int_equal(c->n, 1);
    assert_in_range(class, 0, classes - 1);
    for (int64_t k = 0; k < classes; k++)
        logits[k] = f->shares ? logf(f->shares[k]) : k == (class + 1) % classes ? 9.0f : -9.0f;
    f->seen = ++seen[0];
    if (f->calls < 64) f->read[f->calls] = class;
    f->calls++;
    return true;
}

static bool put(void *user, const char *text) {
    fake *f = user;
    strcat(f->written, text);
    return ++f->put != f->most;
}

static fake *fake_new(bench *b, int64_t classes) {
    fake *f = NEW(&b->arena, fake);
    f->input =
        (net_tensor){.name = "text", .type = NET_I32, .batched = true, .rank = 1, .dims = {1}, .count = 1};
    f->outputs[0] =
        (net_tensor){.name = "logits", .batched = true, .rank = 2, .dims = {1, classes}, .count = classes};
    f->outputs[1] = (net_tensor){.name = "more", .batched = true, .rank = 1, .dims = {3}, .count = 3};
    f->state = (net_tensor){.name = "h", .batched = true, .rank = 1, .dims = {1}, .count = 1};
    f->net = (net){.name = "fake", .inputs = &f->input, .outputs = f->outputs, .states = &f->state};
    f->net.input_count = f->net.state_count = 1;
    f->net.output_count = 2;
    f->net.self = f;
    f->net.forward = forward;
    f->session.net = &f->net;
    return f;
}

static bool run(bench *b, fake *f, const char *prompt, int64_t count, double temperature, uint64_t seed) {
    f->written[0] = 0;
    const generate_options o = {prompt, count, temperature, seed, put, f};
    return generate(&f->session, &o, &b->diags);
}

static void letters_follow_letters(void **state) {
    (void)state;
    BENCH(b);
    fake *f = fake_new(&b, CHARACTERS);
    assert_true(run(&b, f, "xAB", 5, 0, 0));
    assert_string_equal(f->written, "xABCDEFG");
    static const int32_t read[] = {'x' - 32, 'A' - 32, 'B' - 32, 'C' - 32, 'D' - 32, 'E' - 32, 'F' - 32};
    assert_int_equal(f->calls, 7); /* the last character need not be read */
    assert_memory_equal(f->read, read, sizeof read);
    assert_true(f->seen == 7); /* the state went on from call to call */
    assert_true(run(&b, f, NULL, 2, 0, 0));
    assert_string_equal(f->written, " !"); /* after the end of a line, which is not printed */
    assert_true(run(&b, f, "~", 2, 0, 0));
    assert_string_equal(f->written, "~\n ");
    bench_end(&b);
}

static void labels_are_characters(void **state) {
    (void)state;
    static const char *const labels[] = {"a", "\xc3\xa9", "ab", "\n"};
    BENCH(b);
    fake *f = fake_new(&b, 4);
    f->net.labels = labels;
    f->net.label_count = 4;
    assert_true(run(&b, f, "aab", 3, 0, 0)); /* "a", then the longer "ab" */
    assert_int_equal(f->read[0], 0);
    assert_int_equal(f->read[1], 2);
    assert_string_equal(f->written, "aab\na\xc3\xa9");
    assert_false(run(&b, f, "a?", 3, 0, 0));
    assert_told(&b, "no character for '?'");
    assert_string_equal(f->written, "");
    bench_end(&b);
}

/* 4000 draws: a share is within 4 of its standard deviations, which is at most 0.032 of 1. */
static void draws_have_the_shares_of_the_logits(void **state) {
    (void)state;
    static const char *const labels[] = {"a", "b", "c", "d"};
    static const float shares[] = {0.1f, 0.6f, 0.3f, 0};
    static const struct {
        double temperature, is[4];
    } known[] = {{1, {0.1, 0.6, 0.3, 0}},
                 {0.5, {1 / 46.0, 36 / 46.0, 9 / 46.0, 0}}, /* squares */
                 {0, {0, 1, 0, 0}},
                 {1e6, {1 / 3.0, 1 / 3.0, 1 / 3.0, 0}}};
    BENCH(b);
    fake *f = fake_new(&b, 4);
    f->net.labels = labels;
    f->net.label_count = 4;
    f->shares = shares;
    for (int k = 0; k < 4; k++) {
        int count[4] = {0};
        assert_true(run(&b, f, "a", 4000, known[k].temperature, 7));
        assert_int_equal(strlen(f->written), 4001);
        for (const char *at = f->written + 1; *at; at++) count[*at - 'a']++;
        for (int c = 0; c < 4; c++) assert_true(fabs(count[c] / 4000.0 - known[k].is[c]) < 0.032);
        assert_int_equal(count[3], 0);
    }
    bench_end(&b);
}

static void the_seed_decides(void **state) {
    (void)state;
    static const char *const labels[] = {"a", "b", "c", "d"};
    static const float shares[] = {0.25f, 0.25f, 0.25f, 0.25f};
    BENCH(b);
    fake *f = fake_new(&b, 4);
    f->net.labels = labels;
    f->net.label_count = 4;
    f->shares = shares;
    char first[64];
    assert_true(run(&b, f, "a", 40, 1, 1));
    strcpy(first, f->written);
    assert_true(run(&b, f, "a", 40, 1, 1));
    assert_string_equal(f->written, first);
    assert_true(run(&b, f, "a", 40, 1, 2));
    assert_string_not_equal(f->written, first);
    bench_end(&b);
}

static void a_reader_may_stop(void **state) {
    (void)state;
    BENCH(b);
    fake *f = fake_new(&b, CHARACTERS);
    f->most = 4;
    assert_true(run(&b, f, "A", 1000000, 0, 0));
    assert_string_equal(f->written, "ABCD");
    bench_end(&b);
}

static void other_nets_are_refused(void **state) {
    (void)state;
    BENCH(b);
    fake *f = fake_new(&b, CHARACTERS);
    f->input.count = 32;
    assert_false(run(&b, f, "A", 1, 0, 0));
    assert_told(&b, "-D length=1");
    f = fake_new(&b, CHARACTERS);
    f->input.type = NET_F32;
    assert_false(run(&b, f, "A", 1, 0, 0));
    assert_told(&b, "its one input must be characters");
    f = fake_new(&b, 10);
    assert_false(run(&b, f, "A", 1, 0, 0));
    assert_told(&b, "it has 10 classes, and 96 characters");
    f = fake_new(&b, CHARACTERS);
    f->input.bound = 50;
    assert_false(run(&b, f, "A", 1, 0, 0));
    assert_told(&b, "more classes than it can read");
    f = fake_new(&b, CHARACTERS);
    assert_false(run(&b, f, "na\xc3\xafve", 1, 0, 0));
    assert_told(&b, "no character for");
    assert_int_equal(f->put, 0);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_follow_letters),
        cmocka_unit_test(labels_are_characters),
        cmocka_unit_test(draws_have_the_shares_of_the_logits),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(a_reader_may_stop),
        cmocka_unit_test(other_nets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
