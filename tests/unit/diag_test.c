/* ir/base/diag: collected errors, their printed form, the nearest name. */
#include "ir/base/diag.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    trap t;
    arena a;
    diags d;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->a, 0, &f->t);
    f->d.arena = &f->a;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    arena_free(&f->a);
    free(f);
    return 0;
}

static source *source_of(fixture *f, const char *s) {
    source *x = NEW(&f->a, source);
    *x = (source){"net.net", s, strlen(s)};
    return x;
}

/* The span of the first `what` in the source. */
static span find(const source *s, const char *what) {
    const char *at = strstr(s->text, what);
    assert_non_null(at);
    return (span){s, (uint32_t)(at - s->text), (uint32_t)(at - s->text + strlen(what))};
}

/* What diags_print writes, in the arena. */
static const char *printed(fixture *f, bool color) {
    char *bytes = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&bytes, &size);
    diags_print(&f->d, to, color);
    fclose(to);
    const char *s = arena_text(&f->a, bytes, size);
    free(bytes);
    return s;
}

static void carets_stand_below_the_place(void **state) {
    fixture *f = *state;
    source *s = source_of(f, "block b(x) {\n    y = x -> relu\n    return relu(x + y)\n}\n");
    diag *g = diag_add(&f->d, DIAG_ERROR, find(s, "+"), "cannot add %s and %s: channels differ",
                       "[N,64,56,56]", "[N,128,28,28]");
    span x = find(s, "x + y");
    g->also[0] = (span){s, x.begin, x.begin + 1};
    g->also[1] = (span){s, x.end - 1, x.end};
    diag_add(&f->d, DIAG_NOTE, find(s, "y ="), "'y' comes from here");
    assert_string_equal(printed(f, false),
                        "net.net:3:19: error: cannot add [N,64,56,56] and [N,128,28,28]: channels differ\n"
                        "    3 |     return relu(x + y)\n"
                        "      |                 ~ ^ ~\n"
                        "net.net:2:5: note: 'y' comes from here\n"
                        "    2 |     y = x -> relu\n"
                        "      |     ^^^\n");
    assert_int_equal(f->d.errors, 1);
}

static void tabs_and_utf8_keep_their_columns(void **state) {
    fixture *f = *state;
    source *s = source_of(f, "\tlabel = \"Žluťoučký\" + \tx\r\n");
    diag_add(&f->d, DIAG_ERROR, find(s, "\"Žluťoučký\""), "wrong");
    diag_add(&f->d, DIAG_WARNING, find(s, "x"), "odd");
    assert_string_equal(printed(f, false), "net.net:1:10: error: wrong\n"
                                           "    1 | \tlabel = \"Žluťoučký\" + \tx\n"
                                           "      | \t        ^^^^^^^^^^^\n"
                                           "net.net:1:29: warning: odd\n"
                                           "    1 | \tlabel = \"Žluťoučký\" + \tx\n"
                                           "      | \t                      \t^\n");
}

static void the_end_of_a_text_can_be_shown(void **state) {
    fixture *f = *state;
    source *s = source_of(f, "net a {");
    diag_add(&f->d, DIAG_ERROR, (span){s, 7, 7}, "'}' is missing");
    assert_string_equal(printed(f, false), "net.net:1:8: error: '}' is missing\n"
                                           "    1 | net a {\n"
                                           "      |        ^\n");
}

static void a_span_over_lines_is_cut_at_the_first(void **state) {
    fixture *f = *state;
    source *s = source_of(f, "ab\ncd\n");
    diag_add(&f->d, DIAG_ERROR, (span){s, 1, 5}, "wrong");
    assert_string_equal(printed(f, false), "net.net:1:2: error: wrong\n    1 | ab\n      |  ^\n");
}

static void long_lines_are_cut_around_the_caret(void **state) {
    fixture *f = *state;
    char *line = arena_alloc(&f->a, 1001, 1);
    memset(line, '.', 1000);
    line[500] = 'X';
    source *s = source_of(f, line);
    diag_add(&f->d, DIAG_ERROR, find(s, "X"), "wrong");
    const char *out = printed(f, false), *feed = strchr(out, '\n');
    assert_memory_equal(out, "net.net:1:501: error: wrong\n", 28);
    size_t shown = strcspn(feed + 1, "\n");
    assert_int_equal(shown, 8 + 3 + 160 + 3);
    const char *marks = feed + 1 + shown + 1;
    assert_int_equal(strchr(feed, 'X') - (feed + 1), strchr(marks, '^') - marks);
}

static void control_characters_do_not_reach_a_terminal(void **state) {
    fixture *f = *state;
    source *s = source_of(f, "a\033[2Jb\n");
    diag_add(&f->d, DIAG_ERROR, find(s, "b"), "tensor '%s'", "x\033]0;evil\n");
    assert_string_equal(printed(f, false),
                        "net.net:1:6: error: tensor 'x?]0;evil?'\n    1 | a?[2Jb\n      |      ^\n");
}

static void color_only_when_asked(void **state) {
    fixture *f = *state;
    diag_file(&f->d, "w.pt", "not a weight file");
    assert_string_equal(printed(f, false), "error: w.pt: not a weight file\n");
    assert_string_equal(printed(f, true), "\033[1m\033[1;31merror: \033[0mw.pt: not a weight file\n");
}

static void repeats_are_kept_once_with_their_notes(void **state) {
    fixture *f = *state;
    source *s = source_of(f, "a b");
    for (int i = 0; i < 3; i++) {
        diag *g = diag_add(&f->d, DIAG_ERROR, find(s, "a"), "wrong");
        g->also[0] = find(s, "b");
        diag_add(&f->d, DIAG_NOTE, find(s, "b"), "because");
    }
    diag_add(&f->d, DIAG_ERROR, find(s, "b"), "wrong");
    diag_add(&f->d, DIAG_NOTE, find(s, "a"), "because of a");
    assert_int_equal(f->d.errors, 2);
    int count = 0;
    for (diag *g = f->d.first; g; g = g->next) count++;
    assert_int_equal(count, 4);
    assert_string_equal(f->d.last->text, "because of a");
}

static void floods_end(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 100; i++) {
        diag_add(&f->d, DIAG_ERROR, (span){0}, "error %d", i);
        diag_add(&f->d, DIAG_NOTE, (span){0}, "note %d", i);
    }
    int errors = 0, notes = 0;
    for (diag *g = f->d.first; g; g = g->next) g->severity == DIAG_ERROR ? errors++ : notes++;
    assert_int_equal(errors, 20);
    assert_int_equal(notes, 21);
    assert_string_equal(f->d.last->text, "too many errors; the rest are not shown");
    assert_true(f->d.errors > 20);
}

static void near_names_are_found(void **state) {
    (void)state;
    static const char *const names[] = {"conv", "batchnorm", "relu", "global_avgpool", "linear", "x"};
    static const struct {
        const char *name, *want;
    } cases[] = {{"batchnrom", "batchnorm"},
                 {"ReLU", "relu"},
                 {"globalavgpool", "global_avgpool"},
                 {"cnov", "conv"},
                 {"liner", "linear"},
                 {"zebra", NULL},
                 {"y", NULL},
                 {"", NULL},
                 {"convolution", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = nearest_name(cases[i].name, names, 6);
        if (cases[i].want)
            assert_string_equal(got, cases[i].want);
        else
            assert_null(got);
    }
    char longest[100000];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_null(nearest_name(longest, names, 6));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(carets_stand_below_the_place),
        TEST(tabs_and_utf8_keep_their_columns),
        TEST(the_end_of_a_text_can_be_shown),
        TEST(a_span_over_lines_is_cut_at_the_first),
        TEST(long_lines_are_cut_around_the_caret),
        TEST(control_characters_do_not_reach_a_terminal),
        TEST(color_only_when_asked),
        TEST(repeats_are_kept_once_with_their_notes),
        TEST(floods_end),
        TEST(near_names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
