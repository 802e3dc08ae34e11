/* netc fmt: a text that breaks every rule beside its canonical form; the prelude and what the tests hold is
 * canonical; formatting twice changes nothing, and never what a text means. Run from the repository's root. */
#include "frontend/lang/lang.h"
#include "ir/base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

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

static const char *formatted(fixture *f, const char *s) {
    const source from = {"net.net", s, strlen(s)};
    text out = text_in(&f->a);
    bool good = lang_format(&f->a, &from, &out, &f->d);
    diags_print(&f->d, stderr, false);
    assert_true(good);
    return out.at;
}

static const char *file(fixture *f, const char *path) {
    const source *s = file_read_text(&f->a, path, LANG_MAX_BYTES, &f->d);
    if (!s) fail_msg("%s cannot be read", path);
    return s->text;
}

static void a_messy_text_is_put_in_order(void **state) {
    fixture *f = *state;
    const char *want = file(f, "tests/lang/format/messy.expected");
    assert_string_equal(formatted(f, file(f, "tests/lang/format/messy.net")), want);
    assert_string_equal(formatted(f, want), want);
}

static void the_prelude_is_in_order(void **state) {
    fixture *f = *state;
    const char *s = file(f, "frontend/lang/prelude.net");
    assert_string_equal(formatted(f, s), s);
}

static void small_texts(void **state) {
    static const char *const pairs[][2] = {
        {"", ""},
        {"\n\n", ""},
        {"#x", "#x\n"},
        {"# a\r\n\r\n\r\n# b\t \r\n", "# a\n\n# b\n"},
        {"net a{}", "net a {}\n"},
        {"use \"a\" use \"b\"", "use \"a\"\nuse \"b\"\n"},
        {"block a(x){return x}block b(x){return x}", "block a(x) { return x }\n\nblock b(x) { return x }\n"},
        {"block a(x){return-x}", "block a(x) { return -x }\n"},
        {"block a(x){y=x[-1]-x[0]return(y)}", "block a(x) { y = x[-1] - x[0]  return (y) }\n"},
        {"block a(x){return x->op .relu}", "block a(x) { return x -> op.relu }\n"},
        {"block a(x){#c\nreturn x}", "block a(x) {  #c\n    return x\n}\n"},
        {"net \xc3\xa9", NULL},
        {"net a {", NULL},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const source from = {"net.net", pairs[i][0], strlen(pairs[i][0])};
        text out = text_in(&f->a);
        diags d = {.arena = &f->a};
        assert_int_equal(lang_format(&f->a, &from, &out, &d), pairs[i][1] != NULL);
        assert_int_equal(d.errors > 0, pairs[i][1] == NULL);
        if (pairs[i][1]) assert_string_equal(out.at, pairs[i][1]);
    }
}

/* The graph's text, or "" where the text is no net by itself. */
static const char *meaning(fixture *f, const char *path, const char *s) {
    const source from = {path, s, strlen(s)};
    diags d = {.arena = &f->a};
    const graph *g = lang_compile(&f->a, &from, NULL, &d);
    text out = text_in(&f->a);
    text_puts(&out, "");
    if (g) graph_print(&out, g);
    return out.at;
}

/* All texts of a folder: formatted twice as once, and meaning the same. */
static int check_folder(fixture *f, const char *folder) {
    DIR *d = opendir(folder);
    int count = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        const char *end = strrchr(e->d_name, '.');
        if (!end || strcmp(end, ".net") != 0) continue;
        const char *path = arena_printf(&f->a, "%s/%s", folder, e->d_name), *s = file(f, path);
        const source from = {path, s, strlen(s)};
        text once = text_in(&f->a);
        diags ignored = {.arena = &f->a};
        if (!lang_format(&f->a, &from, &once, &ignored))
            continue; /* a syntax error that another test wants */
        assert_string_equal(formatted(f, once.at), once.at);
        assert_string_equal(meaning(f, path, once.at), meaning(f, path, s));
        count++;
    }
    closedir(d);
    return count;
}

static void formatting_changes_no_meaning(void **state) {
    fixture *f = *state;
    assert_true(check_folder(f, "examples") > 40);
    assert_true(check_folder(f, "tests/lang") > 20);
    assert_true(check_folder(f, "tests/lang/layers") > 5);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {CASE(a_messy_text_is_put_in_order), CASE(the_prelude_is_in_order),
                                       CASE(small_texts), CASE(formatting_changes_no_meaning)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
