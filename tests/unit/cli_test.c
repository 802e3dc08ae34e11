/* The command line's tables: parsing, messages, --help that fits a screen. */
#include "frontend/cli/cli.h"
#include "frontend/cli/json.h"
#include "frontend/cli/results.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SCREEN_LINES = 24, SCREEN_COLUMNS = 80 };

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
    settings settings;
    strings operands;
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

/* Words end with NULL. */
static bool parse(fixture *f, const command *c, const char *const *words) {
    int count = 0;
    while (words[count]) count++;
    memset(&f->settings, 0, sizeof f->settings);
    f->operands = (strings){0};
    f->diags = (diags){.arena = &f->arena};
    char **given = arena_copy(&f->arena, words, (size_t)(count + 1) * sizeof *words);
    return options_parse(c, count, given, &f->settings, &f->operands, &f->diags);
}
#define PARSE(f, c, ...) parse(f, c, (const char *const[]){__VA_ARGS__, NULL})

static void refused(fixture *f, bool parsed, const char *why) {
    assert_false(parsed);
    assert_true(f->diags.errors > 0);
    if (!strstr(f->diags.first->text, why)) fail_msg("'%s' does not say '%s'", f->diags.first->text, why);
}

static void options_take_values_in_every_form(void **state) {
    fixture *f = *state;
    assert_true(PARSE(f, &run_command, "--weights=w.pt", "a.net", "--top", "7", "-D", "x=1", "-Dy=2",
                      "--json", "--input", "p.png", "--input=q=r.npy", "q.png"));
    assert_string_equal(f->settings.weights, "w.pt");
    assert_int_equal(f->settings.top, 7);
    assert_true(f->settings.json);
    assert_false(f->settings.help);
    assert_int_equal(f->settings.defines.count, 2);
    assert_string_equal(f->settings.defines.at[1], "y=2");
    assert_null(f->settings.defines.at[2]);
    assert_string_equal(f->settings.inputs.at[1], "q=r.npy");
    assert_int_equal(f->operands.count, 2);
    assert_string_equal(f->operands.at[1], "q.png");
}

static void the_last_of_two_counts(void **state) {
    fixture *f = *state;
    assert_true(
        PARSE(f, &run_command, "a.net", "--batch=2", "--batch", "3", "--seed", "18446744073709551615"));
    assert_int_equal(f->settings.batch, 3);
    assert_true(f->settings.seed.given);
    assert_true(f->settings.seed.number == UINT64_MAX);
}

static void two_dashes_end_the_options(void **state) {
    fixture *f = *state;
    assert_true(PARSE(f, &fmt_command, "-", "--", "--check"));
    assert_int_equal(f->operands.count, 2);
    assert_string_equal(f->operands.at[0], "-");
    assert_string_equal(f->operands.at[1], "--check");
    assert_false(f->settings.check);
}

static void choices_are_counted_from_one(void **state) {
    fixture *f = *state;
    assert_true(PARSE(f, &compile_command, "a.net", "-oa.c", "--embed=incbin", "--target", "avx2"));
    assert_int_equal(f->settings.embed, 2);
    assert_string_equal(target_choices[f->settings.target - 1], "avx2");
    assert_string_equal(f->settings.out, "a.c");
    refused(f, PARSE(f, &compile_command, "a.net", "--embed=zip"),
            "--embed is one of array, incbin, file, not 'zip'");
}

static void mistakes_are_told_with_a_way_out(void **state) {
    fixture *f = *state;
    refused(f, PARSE(f, &run_command, "a.net", "--wieghts", "w"),
            "there is no option '--wieghts'; did you mean '--weights'?");
    refused(f, PARSE(f, &run_command, "a.net", "--back=c"), "did you mean '--backend'?");
    refused(f, PARSE(f, &run_command, "a.net", "--zzzzzz"), "there is no option '--zzzzzz'");
    refused(f, PARSE(f, &run_command, "a.net", "-x"), "there is no option '-x'");
    refused(f, PARSE(f, &run_command, "a.net", "--weights"), "--weights needs a value: --weights FILE");
    refused(f, PARSE(f, &run_command, "a.net", "--json=yes"), "--json takes no value");
    refused(f, PARSE(f, &run_command, "a.net", "--top=0"), "whole number from 1 to 1000000, not '0'");
    refused(f, PARSE(f, &run_command, "a.net", "--top=7x"), "not '7x'");
    refused(f, PARSE(f, &run_command, "a.net", "--top="), "not ''");
    refused(f, PARSE(f, &run_command, "a.net", "--top=99999999999999999999"), "not '99999999999999999999'");
    refused(f, PARSE(f, &run_command, "a.net", "--seed=-1"), "not '-1'");
    refused(f, PARSE(f, &run_command, "--top=1"), "FILE.net is missing: netc run FILE.net");
    refused(f, PARSE(f, &show_command, "a.net", "b.net"), "'b.net' is one too many");
}

static void several_mistakes_are_told_at_once(void **state) {
    fixture *f = *state;
    assert_false(PARSE(f, &run_command, "a.net", "--tpo=1", "--batch=x", "--jsno"));
    assert_int_equal(f->diags.errors, 3);
}

static void help_needs_no_operands(void **state) {
    fixture *f = *state;
    for (const command *const *c = commands; *c; c++) {
        assert_true(PARSE(f, *c, "--help"));
        assert_true(f->settings.help);
    }
}

/* Every help begins with an example that starts with "netc", and fits. */
static void help_fits_a_screen(void **state) {
    fixture *f = *state;
    for (const command *const *c = commands;; c++) {
        char *page;
        size_t size;
        FILE *to = open_memstream(&page, &size);
        help_print(to, &f->arena, *c);
        fclose(to);
        int lines = 0;
        assert_memory_equal(page, "  netc ", 7);
        for (const char *at = page; *at; at += strcspn(at, "\n") + 1, lines++)
            if (strcspn(at, "\n") > SCREEN_COLUMNS) fail_msg("too wide: %.*s", (int)strcspn(at, "\n"), at);
        if (lines > SCREEN_LINES) fail_msg("%s: %d lines", *c ? (*c)->name : "netc", lines);
        free(page);
        if (!*c) break;
    }
}

/* Rows without a field would write over whatever lies at 0. */
static void every_option_has_a_field_and_words(void **state) {
    (void)state;
    for (const command *const *c = commands; *c; c++)
        for (const option *o = (*c)->options; o->name || o->letter; o++) {
            assert_true(o->help && *o->help);
            assert_true(o->offset > 0 && o->offset < sizeof(settings));
            assert_true((o->kind == OPTION_FLAG) == !o->value);
            assert_true(o->kind != OPTION_COUNT || o->least < o->most);
            assert_true(o->kind != OPTION_CHOICE || o->choices);
        }
}

static void json_has_no_nan(void **state) {
    fixture *f = *state;
    json_t *j = json_pack("[o,o,o]", json_of_real(NAN), json_of_real(-INFINITY), json_of_real(0.5));
    char *s = json_dumps(j, JSON_COMPACT);
    assert_string_equal(s, "[null,null,0.5]");
    free(s);
    json_decref(j);
    j = json_of_text(&f->arena, "a\xff\x1b");
    assert_string_equal(json_string_value(j), "a??");
    json_decref(j);
}

static void classes_without_labels_are_numbers(void **state) {
    fixture *f = *state;
    const char *labels[] = {"cat", "\033[31mdog"};
    net n = {.labels = labels, .label_count = 2};
    assert_string_equal(class_name(&f->arena, &n, 0), "cat");
    assert_string_equal(class_name(&f->arena, &n, 1), "?[31mdog");
    assert_string_equal(class_name(&f->arena, &n, 2), "2");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(options_take_values_in_every_form),
        TEST(the_last_of_two_counts),
        TEST(two_dashes_end_the_options),
        TEST(choices_are_counted_from_one),
        TEST(mistakes_are_told_with_a_way_out),
        TEST(several_mistakes_are_told_at_once),
        TEST(help_needs_no_operands),
        TEST(help_fits_a_screen),
        TEST(every_option_has_a_field_and_words),
        TEST(json_has_no_nan),
        TEST(classes_without_labels_are_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
