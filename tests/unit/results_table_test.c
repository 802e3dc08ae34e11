/* results.csv read back. */
#include "tests/support/hostile.h"

#include "runtime/results_table.h"

#include <math.h>

static const char *path_of(bench *b) {
    const char *root = getenv("TMPDIR");
    return arena_printf(&b->arena, "%s/netc-table-%ld.csv", root ? root : "/tmp", (long)getpid());
}

static bool read_text(bench *b, results_table *t, const char *text) {
    write_bytes(path_of(b), text, strlen(text));
    bool good = results_table_read(t, &b->arena, path_of(b), &b->diags);
    unlink(path_of(b));
    return good;
}

static void numbers_stand_where_they_stood(void **state) {
    (void)state;
    BENCH(b);
    results_table t;
    assert_true(read_text(&b, &t, "epoch,loss,test\r\n1,2.5,\r\n2,nan,-1e-3\n3,,0"));
    assert_quiet(&b);
    assert_true(t.columns == 3 && t.rows == 3);
    assert_int_equal(results_table_find(&t, "test"), 2);
    assert_int_equal(results_table_find(&t, "tes"), -1);
    static const double want[] = {1, 2.5, NAN, 2, NAN, -1e-3, 3, NAN, 0};
    for (int k = 0; k < 9; k++) assert_true(isnan(want[k]) ? isnan(t.at[k]) : t.at[k] == want[k]);
    assert_true(read_text(&b, &t, "epoch,loss\n"));
    assert_true(t.columns == 2 && t.rows == 0);
    assert_true(read_text(&b, &t, "a\n1\n2\n"));
    assert_true(t.columns == 1 && t.rows == 2 && t.at[1] == 2);
    bench_end(&b);
}

static void other_texts_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *told;
    } bad[] = {
        {"", "no name"},
        {"a,,b\n", "no name"},
        {"a,b\n1\n", "line 2: it has too few"},
        {"a,b\n1,2\n1,2,3\n", "line 3: it has too many"},
        {"a,b\n1,x\n", "line 2: not a number"},
        {"a,b\n1,0x10\n", "line 2: not a number"},
        {"a,b\n1,2\n\n", "line 3: it has too few"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        BENCH(b);
        results_table t;
        assert_false(read_text(&b, &t, bad[k].text));
        assert_told(&b, bad[k].told);
        bench_end(&b);
    }
}

/* Many names and many empty lines: memory is the file's size times a little. */
static void memory_is_in_proportion(void **state) {
    (void)state;
    BENCH(b); /* capped at 64 MB */
    enum { LINES = 500000 };
    char *text = malloc(4 * 200 + LINES + 1);
    char *at = text;
    for (int k = 0; k < 200; k++) at += sprintf(at, k ? ",c" : "c");
    memset(at, '\n', LINES);
    at[LINES] = 0;
    results_table t;
    assert_false(read_text(&b, &t, text));
    assert_told(&b, "line 2: it has too few");
    free(text);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_where_they_stood),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(memory_is_in_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
