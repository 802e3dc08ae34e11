/* ir/base: arenas, growing arrays, texts, maps, checked sizes. */
#include "ir/base/map.h"
#include "ir/base/size.h"
#include "ir/base/text.h"

#include <cmocka.h>
#include <math.h>
#include <string.h>

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    for (size_t size = 1; size < 300000; size = size * 3 + 1) {
        unsigned char *p = arena_alloc(&a, size, 1);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    assert_true(a.used >= 300000 / 3);
    arena_free(&a);
    assert_int_equal(a.used, 0);
    assert_null(a.blocks);
}

static void blocks_do_not_overlap(void **state) {
    (void)state;
    trap t;
    arena a;
    int *p[2000];
    arena_init(&a, 0, &t);
    for (int i = 0; i < 2000; i++) {
        int count = i % 100 == 99 ? 9000 : 1 + i % 7; /* large ones have blocks of their own */
        p[i] = NEW_ARRAY(&a, int, count);
        for (int k = 0; k < count; k++) p[i][k] = i;
    }
    for (int i = 0; i < 2000; i++) {
        int count = i % 100 == 99 ? 9000 : 1 + i % 7;
        for (int k = 0; k < count; k++) assert_int_equal(p[i][k], i);
    }
    arena_free(&a);
}

static void the_cap_springs_the_trap(void **state) {
    (void)state;
    trap t;
    arena a;
    volatile int got = 0;
    arena_init(&a, 1 << 20, &t);
    if (setjmp(t.jump) == 0) {
        for (;;) arena_alloc(&a, 1000, 1), got++;
    }
    assert_string_equal(t.reason, "memory limit reached");
    assert_in_range(got, 1000, 1048);
    arena_free(&a);
}

static void a_size_that_overflows_springs_the_trap(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump) == 0) {
        arena_alloc(&a, SIZE_MAX / 2, 4);
        fail();
    }
    assert_string_equal(t.reason, "a size overflows");
    arena_free(&a);
}

static void vectors_grow(void **state) {
    (void)state;
    trap t;
    arena a;
    VEC(int) list = {0};
    arena_init(&a, 0, &t);
    for (int i = 0; i < 10000; i++) VEC_PUSH(&a, &list, i * i);
    assert_int_equal(list.count, 10000);
    for (int i = 0; i < 10000; i++) assert_int_equal(list.at[i], i * i);
    arena_free(&a);
}

static void maps_find_what_was_put(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    map m = map_in(&a);
    int values[1000];
    assert_null(map_get(&m, "0"));
    for (int i = 0; i < 1000; i++) map_put(&m, arena_printf(&a, "%d", i), &values[i]);
    map_put(&m, "7", &values[8]);
    assert_int_equal(m.count, 1000);
    assert_ptr_equal(map_get(&m, "7"), &values[8]);
    for (int i = 8; i < 1000; i++) assert_ptr_equal(map_get(&m, arena_printf(&a, "%d", i)), &values[i]);
    assert_null(map_get(&m, "1000"));
    arena_free(&a);
}

static void texts_grow_and_format(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    text x = text_in(&a);
    for (int i = 0; i < 1000; i++) text_printf(&x, "%03d,", i);
    assert_int_equal(x.length, 4000);
    assert_memory_equal(x.at + 4 * 123, "123,", 4);
    text_printf(&x, "%0500d", 7); /* longer than the printer's own buffer */
    assert_int_equal(x.length, 4500);
    assert_string_equal(x.at + 4495, "00007");
    arena_free(&a);
}

static void reals_read_back_as_they_were(void **state) {
    (void)state;
    static const double values[] = {0,      1,     -1,   0.1,       1e-5,     1.0 / 3,  3.4e38,
                                    5e-324, 1e308, -2.5, 123456789, INFINITY, -INFINITY};
    static const struct {
        double value;
        const char *want;
    } shapes[] = {{1, "1.0"}, {0.1, "0.1"}, {-2.5, "-2.5"}, {1e-5, "1e-05"}, {INFINITY, "inf"}};
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        text x = text_in(&a);
        double back = 42;
        text_real(&x, values[i], false);
        assert_true(text_read_real(x.at, x.length, &back));
        assert_memory_equal(&back, &values[i], sizeof back);
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        text x = text_in(&a);
        text_real(&x, shapes[i].value, true);
        assert_string_equal(x.at, shapes[i].want);
    }
    arena_free(&a);
}

static void only_whole_numbers_are_read(void **state) {
    (void)state;
    static const char *const bad[] = {"", "1x", "0x10", "1,5", "infinity", "--1", "1e", "nan(3)", " 1"};
    double x = 42;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_read_real(bad[i], strlen(bad[i]), &x));
    assert_true(x == 42);
    assert_true(text_read_real("-nan", 4, &x) && isnan(x));
    assert_true(text_read_real("12345", 3, &x) && x == 123); /* never past the length */
}

static void sizes_are_checked(void **state) {
    (void)state;
    int64_t x = 42;
    assert_false(size_mul(INT64_MAX, 2, &x));
    assert_false(size_mul(-1, 2, &x));
    assert_false(size_mul((int64_t)1 << 23, ((int64_t)1 << 23) + 1, &x));
    assert_false(size_add(SIZE_LIMIT, 1, &x));
    assert_int_equal(x, 42);
    assert_true(size_mul((int64_t)1 << 23, (int64_t)1 << 23, &x));
    assert_true(x == SIZE_LIMIT);
    assert_int_equal(ceil_div(17, 16), 2);
    assert_int_equal(round_up(16, 16), 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(the_cap_springs_the_trap),
        cmocka_unit_test(a_size_that_overflows_springs_the_trap),
        cmocka_unit_test(vectors_grow),
        cmocka_unit_test(maps_find_what_was_put),
        cmocka_unit_test(texts_grow_and_format),
        cmocka_unit_test(reals_read_back_as_they_were),
        cmocka_unit_test(only_whole_numbers_are_read),
        cmocka_unit_test(sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
