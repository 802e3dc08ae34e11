/* What drives a compiled net: random numbers that are the same everywhere, weights drawn by rule, scores and
 * losses, samples from files. Expected numbers: Random123's published vectors for Philox, PyTorch 2 for
 * losses. */
#include "runtime/inputs.h"
#include "runtime/random.h"
#include "runtime/scores.h"
#include "runtime/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0, &f->trap);
    f->diags.arena = &f->arena;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    arena_free(&f->arena);
    free(f);
    return 0;
}

/* ---- random numbers ---- */

static void philox_gives_the_published_vectors(void **state) {
    static const struct {
        uint32_t counter[4], out[4];
        uint64_t key;
    } known[] = {
        {{0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, 0},
        {{~0u, ~0u, ~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, ~0ull},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
         0x299f31d0a4093822},
    };
    (void)state;
    for (int k = 0; k < 3; k++) {
        uint32_t out[4];
        philox(out, known[k].counter, known[k].key);
        assert_memory_equal(out, known[k].out, sizeof out);
    }
}

/* Bits, not nearness: they must not change from machine to machine or from version to version. */
static void normal_numbers_are_pinned(void **state) {
    float x[4];
    uint32_t bits[4];
    (void)state;
    random_normal(x, 0, 4, 1, (random_stream){7, 3});
    memcpy(bits, x, sizeof bits);
    static const uint32_t known[4] = {0x3f82f0d4, 0xbc002cce, 0xbff0de4d, 0x3e99f4bf};
    assert_memory_equal(bits, known, sizeof bits);
}

static void any_part_of_a_stream_can_be_drawn(void **state) {
    float all[101], part[40];
    int32_t whole[101], some[40];
    random_stream s = {12345678901234567ull, 9};
    (void)state;
    random_normal(all, 0, 101, 2, s);
    random_normal(part, 33, 40, 2, s);
    assert_memory_equal(part, all + 33, sizeof part);
    random_uniform(all, 0, 101, -1, 1, s);
    random_uniform(part, 59, 40, -1, 1, s);
    assert_memory_equal(part, all + 59, sizeof part);
    random_below(whole, 0, 101, 17, s);
    random_below(some, 2, 40, 17, s);
    assert_memory_equal(some, whole + 2, sizeof some);
}

static void moments_are_right(void **state) {
    enum { COUNT = 200000 };
    float *x = malloc(COUNT * sizeof *x);
    double sum = 0, square = 0, fourth = 0;
    (void)state;
    random_normal(x, 0, COUNT, 1, (random_stream){1, 0});
    for (int i = 0; i < COUNT; i++) {
        sum += (double)x[i];
        square += pow((double)x[i], 2);
        fourth += pow((double)x[i], 4);
    }
    /* five standard errors of each moment: √(1/n), √(2/n), √(96/n) */
    assert_true(fabs(sum / COUNT) < 0.0112);
    assert_true(fabs(square / COUNT - 1) < 0.0159);
    assert_true(fabs(fourth / COUNT - 3) < 0.1096);
    free(x);
}

static void whole_numbers_stay_below_their_bound(void **state) {
    int32_t x[3000], seen[7] = {0};
    (void)state;
    random_below(x, 0, 3000, 7, (random_stream){5, 1});
    for (int i = 0; i < 3000; i++) {
        assert_in_range(x[i], 0, 6);
        seen[x[i]]++;
    }
    for (int k = 0; k < 7; k++) assert_in_range(seen[k], 330, 530); /* 428.6 ± 5 √(n p q) */
}

/* ---- weights by rule ---- */

static void every_rule_draws_what_it_says(void **state) {
    enum { COUNT = 20000 };
    static const char *const rules[] = {"he", "xavier", "uniform", "normal", "zeros", "ones", "constant"};
    /* deviation of each for fan_in 50, fan_out 150, scale 3 */
    static const double deviation[] = {0.2, 0.1, 0.0816496580927726, 3, 0, 0, 0},
                        mean[] = {0, 0, 0, 0, 0, 1, 3};
    net_param params[7];
    float *to = malloc(7 * COUNT * sizeof *to);
    (void)state;
    for (int k = 0; k < 7; k++)
        params[k] = (net_param){
            .at = {.name = rules[k], .offset = k * COUNT, .count = COUNT, .rank = 1, .dims = {COUNT}},
            .rule = rules[k],
            .scale = 3,
            .fan_in = 50,
            .fan_out = 150};
    net n = {.params = params, .param_count = 7, .values = 7 * COUNT};
    weights_draw(&n, 4, to);
    for (int k = 0; k < 7; k++) {
        double sum = 0, square = 0;
        for (int i = 0; i < COUNT; i++) sum += (double)to[k * COUNT + i];
        for (int i = 0; i < COUNT; i++) square += pow((double)to[k * COUNT + i] - sum / COUNT, 2);
        assert_true(fabs(sum / COUNT - mean[k]) <= 5 * deviation[k] / sqrt(COUNT));
        assert_true(fabs(sqrt(square / COUNT) - deviation[k]) <= 0.03 * deviation[k]);
    }
    free(to);
}

/* ---- scores ---- */

static const float row[5] = {1, -2, 0.5f, 3, 3};

static void top_is_ordered_and_ties_go_to_the_lower_class(void **state) {
    guess top[5];
    (void)state;
    assert_int_equal(scores_top(SCORES_LOGITS, row, 5, top, 3), 3);
    assert_int_equal(top[0].class, 3);
    assert_int_equal(top[1].class, 4);
    assert_int_equal(top[2].class, 0);
    assert_true(fabs(top[0].p - 0.44960829990622325) < 1e-7);
    assert_int_equal(scores_top(SCORES_DISTANCES, row, 5, top, 9), 5);
    assert_int_equal(top[0].class, 1);
    assert_int_equal(top[4].class, 4);
    assert_int_equal(scores_rank(SCORES_LOGITS, row, 5, 4), 1);
    assert_int_equal(scores_rank(SCORES_LOGITS, row, 5, 1), 4);
}

static void nan_comes_last(void **state) {
    const float odd[3] = {NAN, 1, -INFINITY};
    guess top[3];
    (void)state;
    assert_int_equal(scores_top(SCORES_LOGITS, odd, 3, top, 3), 3);
    assert_int_equal(top[0].class, 1);
    assert_int_equal(top[1].class, 2);
    assert_int_equal(top[2].class, 0);
}

static void probabilities_are_not_softened_twice(void **state) {
    const float p[3] = {0.2f, 0.7f, 0.1f}, logs[2] = {-0.25f, -1.5087f};
    guess top[1];
    (void)state;
    scores_top(SCORES_PROBABILITIES, p, 3, top, 1);
    assert_true(top->p == (double)0.7f);
    scores_top(SCORES_LOGARITHMS, logs, 2, top, 1);
    assert_true(fabs(top->p - exp(-0.25)) < 1e-12);
}

static void losses_are_pytorchs(void **state) {
    static const struct {
        const char *name;
        net_scores kind;
        double loss;
    } known[] = {
        {NULL, SCORES_LOGITS, 3.299378519927537},
        {"cross_entropy", SCORES_LOGITS, 3.299378519927537},
        {NULL, SCORES_DISTANCES, 2.635708486900225},
        {NULL, SCORES_PROBABILITIES, 1.2039727645895069},
        {"nll", SCORES_LOGARITHMS, -0.5},
        {"mse", SCORES_LOGITS, 4.65},
        {"l1", SCORES_LOGITS, 1.9},
        {"bce", SCORES_PROBABILITIES, 0.3965355691808769},
        {"bce_with_logits", SCORES_LOGITS, 1.6022882771777571},
    };
    const float p[5] = {0.1f, 0.2f, 0.3f, 0.25f, 0.15f};
    (void)state;
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        const float *x = known[k].kind == SCORES_PROBABILITIES ? p : row;
        double loss = scores_loss(known[k].kind, known[k].name, x, 5, 2);
        if (fabs(loss - known[k].loss) > 1e-6)
            fail_msg("%s: %.9f, not %.9f", known[k].name, loss, known[k].loss);
    }
}

/* ---- samples ---- */

static const double mean[1] = {0.5}, deviation[1] = {0.25};
static const net_tensor picture = {.name = "image",
                                   .batched = true,
                                   .rank = 3,
                                   .dims = {1, 2, 2},
                                   .count = 4,
                                   .mean = mean,
                                   .std = deviation,
                                   .channels = 1};
static const net_tensor words = {
    .name = "text", .type = NET_I32, .batched = true, .rank = 1, .dims = {3}, .count = 3, .bound = 10};

static const char *write_array(fixture *f, const char *name, element_type type, int rank, const int64_t *dims,
                               const void *data) {
    const char *root = getenv("TMPDIR");
    const char *path =
        arena_printf(&f->arena, "%s/netc-net-test-%ld-%s", root ? root : "/tmp", (long)getpid(), name);
    assert_true(npy_write(path, type, rank, dims, data, &f->diags));
    return path;
}

static bool read_inputs(fixture *f, inputs *in, const net_tensor *list, int count, const char *const *items,
                        int given) {
    net n = {.inputs = list, .input_count = count};
    return inputs_read(in, &f->arena, &n, items, given, 2, &f->diags);
}

static void floats_of_one_file_are_used_in_place(void **state) {
    fixture *f = *state;
    const float data[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const char *path = write_array(f, "a.npy", EL_F32, 4, (const int64_t[]){3, 1, 2, 2}, data);
    inputs in;
    assert_true(read_inputs(f, &in, &picture, 1, &path, 1));
    assert_int_equal(in.samples, 3);
    assert_memory_equal(in.data[0], data, sizeof data);
    assert_non_null(strstr(in.titles[2], "a.npy[2]"));
    assert_ptr_equal(in.data[0], in.open[0].tensor.data);
    inputs_close(&in);
    unlink(path);
}

static void files_follow_one_another(void **state) {
    fixture *f = *state;
    const float one[4] = {1, 2, 3, 4};
    const double two[8] = {5, 6, 7, 8, 9, 10, 11, 12};
    const float both[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const char *paths[2] = {write_array(f, "b.npy", EL_F32, 4, (const int64_t[]){1, 1, 2, 2}, one),
                            write_array(f, "c.npy", EL_F64, 4, (const int64_t[]){2, 1, 2, 2}, two)};
    const char *items[2] = {arena_printf(&f->arena, "image=%s", paths[0]), paths[1]};
    inputs in;
    assert_true(read_inputs(f, &in, &picture, 1, items, 2));
    assert_int_equal(in.samples, 3);
    assert_memory_equal(in.data[0], both, sizeof both);
    inputs_close(&in);
    unlink(paths[0]);
    unlink(paths[1]);
}

static void random_fills_every_input(void **state) {
    fixture *f = *state;
    const net_tensor list[2] = {picture, words};
    const char *items[1] = {"random:11"};
    inputs in, again;
    assert_true(read_inputs(f, &in, list, 2, items, 1));
    assert_true(read_inputs(f, &again, list, 2, items, 1));
    assert_int_equal(in.samples, 2);
    assert_memory_equal(in.data[0], again.data[0], 8 * sizeof(float));
    assert_memory_equal(in.data[1], again.data[1], 6 * sizeof(int32_t));
    for (int i = 0; i < 6; i++) assert_in_range(((const int32_t *)in.data[1])[i], 0, 9);
}

/* Each refusal and what its message must say. */
static void refuses(fixture *f, const net_tensor *list, int count, const char *item, const char *why) {
    inputs in;
    f->diags = (diags){.arena = &f->arena};
    assert_false(read_inputs(f, &in, list, count, &item, item ? 1 : 0));
    assert_int_equal(f->diags.errors, 1);
    if (!strstr(f->diags.first->text, why)) fail_msg("'%s' does not say '%s'", f->diags.first->text, why);
}

static void misfits_are_refused(void **state) {
    fixture *f = *state;
    const float data[8] = {0};
    const int32_t numbers[3] = {1, 10, 2};
    const net_tensor list[2] = {picture, words};
    const char *flat = write_array(f, "d.npy", EL_F32, 2, (const int64_t[]){2, 4}, data);
    const char *real = write_array(f, "h.npy", EL_F32, 2, (const int64_t[]){2, 3}, data);
    const char *none = write_array(f, "e.npy", EL_F32, 4, (const int64_t[]){0, 1, 2, 2}, data);
    const char *high = write_array(f, "f.npy", EL_I32, 2, (const int64_t[]){1, 3}, numbers);
    const char *bytes = write_array(f, "g.npy", EL_U8, 4, (const int64_t[]){1, 1, 2, 2}, data);
    refuses(f, list, 1, flat, "the array is [2,4], but input 'image' needs [samples,1,2,2]");
    refuses(f, list, 1, none, "no samples");
    refuses(f, list + 1, 1, high, "element 1 is 10, but input 'text' takes whole numbers from 0 to 9");
    refuses(f, list + 1, 1, real, "holds float32, but input 'text' takes whole numbers");
    refuses(f, list, 1, bytes, "already normalised");
    refuses(f, list, 2, high, "the net has 2 inputs: say which one");
    refuses(f, list, 2, arena_printf(&f->arena, "text=%s", high), "input 'image' has no data");
    refuses(f, list, 1, "imgae=x.npy", "did you mean 'image'?");
    refuses(f, list, 1, "random:", "needs a whole number");
    refuses(f, list, 1, NULL, "input 'image' has no data");
    refuses(f, list + 1, 1, "examples/pictures/cat.jpg", "which no picture fits");
    refuses(f, list, 1, "Makefile", "neither a .npy array nor a PNG or JPEG picture");
    const char *const made[] = {flat, none, high, bytes, real};
    for (int k = 0; k < 5; k++) unlink(made[k]);
}

/* ---- sessions ---- */

/* A net that adds 1 to its input and counts its calls. */
static bool add_one(void *self, const net_call *c, diags *d) {
    (void)d;
    ++*(int *)self;
    for (int64_t i = 0; i < c->n * 4; i++) ((float *)c->outputs[0])[i] = ((const float *)c->inputs[0])[i] + 1;
    return c->n <= 3;
}

static void samples_come_in_calls_of_max_batch(void **state) {
    fixture *f = *state;
    int calls = 0;
    float in[28], out[28] = {0};
    net n = {.inputs = &picture, .outputs = &picture, .input_count = 1, .output_count = 1};
    n.max_batch = 3;
    n.packed_bytes = n.workspace_bytes = 64;
    n.self = &calls;
    n.forward = add_one;
    session s;
    for (int i = 0; i < 28; i++) in[i] = (float)i;
    assert_true(session_open(&s, &n, &f->diags));
    assert_int_equal((uintptr_t)s.workspace % NET_ALIGN, 0);
    assert_true(session_run(&s, 7, (const void *const[]){in}, (void *const[]){out}, &f->diags));
    assert_int_equal(calls, 3);
    for (int i = 0; i < 28; i++) assert_true(out[i] == (float)i + 1);
    session_close(&s);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(philox_gives_the_published_vectors),
        TEST(normal_numbers_are_pinned),
        TEST(any_part_of_a_stream_can_be_drawn),
        TEST(moments_are_right),
        TEST(whole_numbers_stay_below_their_bound),
        TEST(every_rule_draws_what_it_says),
        TEST(top_is_ordered_and_ties_go_to_the_lower_class),
        TEST(nan_comes_last),
        TEST(probabilities_are_not_softened_twice),
        TEST(losses_are_pytorchs),
        TEST(floats_of_one_file_are_used_in_place),
        TEST(files_follow_one_another),
        TEST(random_fills_every_input),
        TEST(misfits_are_refused),
        TEST(samples_come_in_calls_of_max_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
