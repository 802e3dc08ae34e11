/* ir/tensor: shapes, layouts, their counts and texts. */
#include "ir/base/size.h"
#include "ir/op.h"

#include <cmocka.h>
#include <string.h>

#define DIMS(...)                                                                                            \
    shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})
#define N DIM_N

static void batches_count_once(void **state) {
    (void)state;
    shape batched = DIMS(N, 3, 224, 224), whole = DIMS(64, 3, 7, 7), scalar = {0};
    assert_int_equal(shape_count(&batched), 3 * 224 * 224);
    assert_int_equal(shape_count(&whole), 64 * 3 * 7 * 7);
    assert_int_equal(shape_count(&scalar), 1);
    assert_true(shape_batched(&batched));
    assert_false(shape_batched(&whole));
    assert_false(shape_batched(&scalar));
}

static void impossible_shapes_are_invalid(void **state) {
    (void)state;
    shape bad[] = {DIMS(0),   DIMS(3, N), DIMS(-2), DIMS((int64_t)1 << 62, 4), DIMS(N, (int64_t)1 << 46, 2),
                   DIMS(N, N)};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(shape_valid(&bad[i]));
    shape good[] = {DIMS(N), DIMS(1), DIMS(N, (int64_t)1 << 46), DIMS(1, 1, 1, 1, 1, 1, 1, 1)};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(shape_valid(&good[i]));
    shape deep = {.rank = MAX_RANK + 1};
    assert_false(shape_valid(&deep));
}

static void equality_reads_rank_and_dimensions(void **state) {
    (void)state;
    shape a = DIMS(N, 3), b = DIMS(N, 3), c = DIMS(N, 4), d = DIMS(N, 3, 1);
    a.dim[5] = 77; /* past the rank: no matter */
    assert_true(shape_equal(&a, &b));
    assert_false(shape_equal(&a, &c));
    assert_false(shape_equal(&a, &d));
}

static void broadcasting_is_numpys(void **state) {
    (void)state;
    struct {
        shape a, b;
        const char *want;
    } cases[] = {
        {DIMS(N, 64, 8, 8), DIMS(64, 1, 1), "[N,64,8,8]"},
        {DIMS(N, 64), DIMS(64), "[N,64]"},
        {DIMS(N, 64), {0}, "[N,64]"},
        {DIMS(N, 1, 5), DIMS(N, 4, 1), "[N,4,5]"},
        {DIMS(3, 1), DIMS(1, 4), "[3,4]"},
        {DIMS(N, 64), DIMS(1, 64), "[N,64]"},
        {DIMS(N), DIMS(N), "[N]"},
        {DIMS(N, 64), DIMS(N, 32), NULL},
        {DIMS(N, 64), DIMS(5, 64), NULL},
        {DIMS(N, 64), DIMS(7, 1, 64), NULL},
        {DIMS(N, 64), DIMS(N, 8, 64), NULL},
        {DIMS(N), DIMS(4), NULL},
        {DIMS(N, 1), DIMS(2, 1, 1), NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int swap = 0; swap < 2; swap++) {
            trap t;
            arena a;
            arena_init(&a, 0, &t);
            shape out = {0};
            bool fits = swap ? shape_broadcast(&cases[i].b, &cases[i].a, &out)
                             : shape_broadcast(&cases[i].a, &cases[i].b, &out);
            text x = text_in(&a);
            shape_print(&x, &out);
            assert_int_equal(fits, cases[i].want != NULL);
            assert_string_equal(x.at, cases[i].want ? cases[i].want : "[]");
            arena_free(&a);
        }
}

static void layouts_count_halo_and_lanes(void **state) {
    (void)state;
    struct {
        layout l;
        shape s;
        int64_t want;
    } cases[] = {
        {{LAYOUT_PLANAR, 0, 0, 0}, DIMS(N, 3, 5, 7), 105},
        {{LAYOUT_PLANAR, 1, 2, 0}, DIMS(N, 3, 5, 7), 3 * 5 * 10},
        {{LAYOUT_PLANAR, 0, 0, 0}, {0}, 1},
        {{LAYOUT_BLOCKED16, 0, 0, 0}, DIMS(N, 20, 5, 7), 2 * 5 * 7 * 16},
        {{LAYOUT_BLOCKED16, 1, 1, 0}, DIMS(N, 20, 5, 7), 2 * 5 * 9 * 16},
        {{LAYOUT_BLOCKED16, 1, 1, 0}, DIMS(20, 5, 7), 2 * 5 * 9 * 16},
        {{LAYOUT_BLOCKED16, 0, 0, 0}, DIMS(2, 20, 5, 7), 2 * 2 * 5 * 7 * 16},
        {{LAYOUT_LANES16, 0, 0, 0}, DIMS(20), 32},
        {{LAYOUT_LANES16, 0, 0, 0}, DIMS(20, 1, 3, 3), 32 * 9},
        {{LAYOUT_WEIGHTS16, 0, 0, 0}, DIMS(20, 40, 3, 3), 2 * 3 * 3 * 3 * 256},
        {{LAYOUT_WEIGHTS16, 0, 0, 0}, DIMS(20, 40), 2 * 3 * 256},
        {{LAYOUT_WEIGHTS1, 0, 0, 0}, DIMS(20, 3, 7, 7), 2 * 7 * 3 * 7 * 16},
        {{LAYOUT_WEIGHTS1, 0, 0, 0}, DIMS(20, 40), 2 * 40 * 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(layout_count(&cases[i].l, &cases[i].s), cases[i].want);
}

/* R by definition: for every block of outputs, the blocks of inputs that its groups touch. */
static int64_t blocks_by_definition(int64_t outputs, int64_t in_group, int64_t groups) {
    int64_t out_group = outputs / groups, most = 0;
    for (int64_t o = 0; o < outputs; o += 16) {
        int64_t last = o + 15 < outputs ? o + 15 : outputs - 1;
        int64_t from = o / out_group * in_group / 16, to = ((last / out_group + 1) * in_group - 1) / 16;
        if (to - from + 1 > most) most = to - from + 1;
    }
    return most;
}

static void grouped_weights_read_few_blocks(void **state) {
    (void)state;
    for (int groups = 1; groups <= 70; groups++)
        for (int64_t out_group = 1; out_group <= 36; out_group++)
            for (int64_t in_group = 1; in_group <= 36; in_group += 1 + in_group / 8) {
                shape w = DIMS(groups * out_group, in_group, 3, 3);
                int64_t want = blocks_by_definition(w.dim[0], in_group, groups);
                if (weights16_blocks(&w, groups) != want)
                    fail_msg("%d groups of %d outputs, %d inputs: %d, not %d", groups, (int)out_group,
                             (int)in_group, (int)weights16_blocks(&w, groups), (int)want);
            }
}

static void a_huge_group_count_takes_no_time(void **state) {
    (void)state;
    shape w = DIMS((int64_t)1 << 31, 1, 1, 1);
    assert_int_equal(weights16_blocks(&w, 1 << 30), 1);
}

static void texts_name_what_is_there(void **state) {
    (void)state;
    static const struct {
        layout l;
        const char *want;
    } cases[] = {{{LAYOUT_PLANAR, 0, 0, 0}, "planar"},
                 {{LAYOUT_PLANAR, 1, 2, 0}, "planar(1,2)"},
                 {{LAYOUT_BLOCKED16, 1, 1, 0}, "blocked16(1,1)"},
                 {{LAYOUT_WEIGHTS16, 0, 0, 2}, "weights16(g2)"},
                 {{LAYOUT_WEIGHTS16, 0, 0, 1}, "weights16"},
                 {{LAYOUT_LANES16, 0, 0, 0}, "lanes16"},
                 {{LAYOUT_WEIGHTS1, 0, 0, 0}, "weights1"}};
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text x = text_in(&a);
        layout_print(&x, &cases[i].l);
        assert_string_equal(x.at, cases[i].want);
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
            assert_int_equal(layout_equal(&cases[i].l, &cases[k].l), i == k);
    }
    assert_string_equal(dtype_name(DT_U8), "u8");
    assert_int_equal(dtype_bytes(DT_F64), 8);
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_count_once),
        cmocka_unit_test(impossible_shapes_are_invalid),
        cmocka_unit_test(equality_reads_rank_and_dimensions),
        cmocka_unit_test(broadcasting_is_numpys),
        cmocka_unit_test(layouts_count_halo_and_lanes),
        cmocka_unit_test(grouped_weights_read_few_blocks),
        cmocka_unit_test(a_huge_group_count_takes_no_time),
        cmocka_unit_test(texts_name_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
