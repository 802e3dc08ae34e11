/* What mistakes bring: tests/lang/NAME.net beside NAME.expected, the errors and warnings as they are printed.
 * A first line "# with: -D a=1 --set b=2" gives a command line. `lang_errors_test write` writes the expected
 * texts anew, to be read before they are committed. Run from the repository's root. */
#include "frontend/lang/lang.h"
#include "ir/base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#define FOLDER "tests/lang"
enum { MAX_OPTIONS = 16 };

typedef struct command {
    const char *defines[MAX_OPTIONS + 1], *sets[MAX_OPTIONS + 1];
    lang_options options;
} command;

/* The words of "# with: ..." into options. */
static void read_command(arena *a, const source *s, command *c) {
    static const char mark[] = "# with: ";
    int defines = 0, sets = 0;
    *c = (command){.options = {.defines = c->defines, .sets = c->sets}};
    if (strncmp(s->text, mark, strlen(mark)) != 0) return;
    char *line = arena_text(a, s->text + strlen(mark), strcspn(s->text, "\n") - strlen(mark)), *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        const char *given = strtok_r(NULL, " ", &rest);
        assert_non_null(given);
        assert_true(defines < MAX_OPTIONS && sets < MAX_OPTIONS);
        if (strcmp(word, "-D") == 0)
            c->defines[defines++] = given;
        else
            c->sets[sets++] = given;
    }
}

/* What a user would see. */
static const char *messages(arena *a, const char *path) {
    diags d = {.arena = a, .limit = 40};
    char *bytes = NULL;
    size_t size = 0;
    source *s = file_read_text(a, path, LANG_MAX_BYTES, &d);
    assert_non_null(s);
    command c;
    read_command(a, s, &c);
    const graph *g = lang_compile(a, s, &c.options, &d);
    assert_true((g == NULL) == (d.errors > 0));
    FILE *to = open_memstream(&bytes, &size);
    diags_print(&d, to, false);
    fclose(to);
    const char *all = arena_text(a, bytes, size);
    free(bytes);
    return all;
}

static void one(const char *name, bool write) {
    trap t;
    arena a;
    arena_init(&a, (size_t)256 << 20, &t);
    if (setjmp(t.jump)) fail_msg("%s: %s", name, t.reason);
    diags d = {.arena = &a};
    const char *got = messages(&a, arena_printf(&a, FOLDER "/%s", name));
    const char *path = arena_printf(&a, FOLDER "/%.*s.expected", (int)strlen(name) - 4, name);
    if (write) {
        assert_true(file_write(path, got, strlen(got), &d));
    } else {
        const source *want = file_read_text(&a, path, LANG_MAX_BYTES, &d);
        if (!want) fail_msg("%s is missing", path);
        assert_string_equal(got, want->text);
    }
    arena_free(&a);
}

/* Runs all; returns how many there were. */
static int run_all(bool write) {
    struct dirent **entries;
    int found = scandir(FOLDER, &entries, NULL, alphasort), count = 0;
    assert_true(found > 0);
    for (int i = 0; i < found; i++) {
        const char *end = strrchr(entries[i]->d_name, '.');
        if (end && strcmp(end, ".net") == 0) {
            one(entries[i]->d_name, write);
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}

static void mistakes_are_explained(void **state) {
    (void)state;
    assert_true(run_all(false) >= 25);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(mistakes_are_explained)};
    if (argc > 1 && strcmp(argv[1], "write") == 0) return run_all(true) == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
