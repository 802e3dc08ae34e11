/* Texts that mean harm: each is refused with a message, quickly and in little memory; and whatever a few random
 * edits make of the language's own tests, nothing crashes, and formatting still agrees with itself. */
#include "frontend/lang/lang.h"
#include "ir/base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { MEMORY = 128 << 20, MUTANTS = 600, MAX_CORPUS = 64 };

/* Processor time: what else runs on the machine does not count. Sanitizers make all some five times slower. */
static const double SECONDS = 3;

/* Compiles and formats; the text must be refused, by a message that holds `says`. */
static void refused(const char *name, const char *s, size_t bytes, const char *says) {
    trap t;
    arena a;
    arena_init(&a, MEMORY, &t);
    if (setjmp(t.jump)) fail_msg("%s: %s", name, t.reason);
    diags d = {.arena = &a};
    const source from = {"net.net", s, bytes};
    clock_t start = clock();
    const graph *g = lang_compile(&a, &from, NULL, &d);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_null(g);
    bool found = false;
    for (const diag *m = d.first; m; m = m->next)
        found = found || (m->severity == DIAG_ERROR && strstr(m->text, says));
    if (!found) {
        diags_print(&d, stderr, false);
        fail_msg("%s: no error says '%s'", name, says);
    }
    if (seconds > SECONDS) fail_msg("%s takes %g seconds", name, seconds);
    arena_free(&a);
}

/* before, count times middle, between, count times after, end */
static void refused_repeat(const char *before, int count, const char *middle, const char *between,
                           const char *after, const char *end, const char *says) {
    size_t size =
        strlen(before) + (strlen(middle) + strlen(after)) * (size_t)count + strlen(between) + strlen(end);
    char *s = malloc(size + 1), *at = stpcpy(s, before);
    for (int i = 0; i < count; i++) at = stpcpy(at, middle);
    at = stpcpy(at, between);
    for (int i = 0; i < count; i++) at = stpcpy(at, after);
    stpcpy(at, end);
    refused(middle, s, size, says);
    free(s);
}

#define NET  "net a { input x[3]  output y = "
#define MANY 60000

static void depths(void **state) {
    (void)state;
    refused_repeat(NET, MANY, "(", "x", ")", "}", "brackets nest deeper than 200");
    refused_repeat(NET, MANY, "[", "x", "]", "}", "brackets nest deeper than 200");
    refused_repeat(NET, MANY, "relu(", "x", ")", "}", "brackets nest deeper than 200");
    refused_repeat(NET, MANY, "x + ", "x", "", "}", "nests deeper than 500");
    refused_repeat(NET, MANY, "-", "x", "", "}", "nests too deeply");
    refused_repeat(NET, MANY, "not ", "true", "", "}", "nests too deeply");
    refused_repeat(NET, MANY, "if true then x else ", "x", "", "}", "nests too deeply");
    refused_repeat(NET "x", MANY, ".shape", "", "", "}", "nests deeper than 500");
    refused_repeat(NET "x", MANY, "[0]", "", "", "}", "nests deeper than 500");
    refused_repeat("net a { ", MANY, "if true { ", "", "}", "}", "brackets nest deeper than 200");
    refused_repeat("net a { ", MANY, "if false {} else ", "{}", "", "}", "nests too deeply");
    refused_repeat(NET, MANY, "scan t in x { yield ", "t", "}", "}", "brackets nest deeper than 200");
}

static void chains_of_blocks(void **state) {
    (void)state;
    enum { BLOCKS = 5000 };
    char *s = malloc(64 * (BLOCKS + 2)), *at = s;
    for (int i = 0; i < BLOCKS; i++) at += sprintf(at, "block b%d(x) { return x -> b%d }\n", i, i + 1);
    at += sprintf(at, "block b%d(x) { return x }\n" NET "x -> b0 }\n", BLOCKS);
    refused("chain", s, (size_t)(at - s), "more than 100 deep");
    free(s);
    static const char circle[] =
        "block f(x) { return x -> g }\nblock g(x) { return x -> f }\n" NET "x -> f }\n";
    refused("circle", circle, strlen(circle), "block 'f' calls itself (f -> g -> f)");
}

static void amounts(void **state) {
    static const char *const cases[][2] = {
        {"for i in 0 .. 1000000000 { x = relu(x) } output y = x", "more than 50000 operations"},
        {"k = 0 for i in 0 .. 9223372036854775807 { k = k + 1 } output y = x", "more than 2000000 steps"},
        {"k = 0 for i in -9223372036854775807 .. 9223372036854775807 { k = max(k, i) } output y = x",
         "steps"},
        {"for i in 0 .. 1000000000 { x = x -> linear(2) } output y = x", "more than"},
        {"for i in 0 .. 1000000000 { y = zeros(1000000) } output y = x", "steps"},
        {"for i in 0 .. 1000000000 { scan t in 0 .. 3 { yield x } }", "unexpected 'scan'"},
        {"for i in 0 .. 1000000000 { y = scan t in 0 .. 100000 { yield t + x } } output y = x", "steps"},
        {"s = [1] for i in 0 .. 1000 { s = s + s } output y = x", "grows past"},
        {"s = [1] for i in 0 .. 1000000000 { s = s + [1] } output y = x", "steps"},
        {"s = \"a\" for i in 0 .. 1000 { s = \"{s}{s}\" } output y = x", "grows past"},
        {"for i in 0 .. 1000000000 { y = nothing(x) } output y = x", "unknown block or op 'nothing'"},
        {"for i in 0 .. 1000000000 { y = x -> [i]: linear(zz) } output y = x", "'zz' has no value"},
        {"output y = x -> linear(9223372036854775807)", "too large"},
        {"output y = x -> linear(70368744177664)", "too large"},
        {"output y = x -> conv(8, 3)", "pictures"},
        {"output y = x -> reshape([3, 1]) -> upsample(1000000000)", "images"},
        {"output y = fill(1, [8388608, 8388609]) * x", "too large"},
        {"output y = 9223372036854775807 * 2", "too large"},
        {"output y = -9223372036854775807 - 2", "too large"},
        {"output y = (-9223372036854775807 - 1) // -1", "too large"},
        {"output y = -(-9223372036854775807 - 1)", "too large"},
        {"output y = x[9223372036854775807]", "no place"},
        {"output y = x -> softmax(-9223372036854775807 - 1)", "too large"},
        {"output y = floor(1e300)", "too large"},
        {"output y = x -> pad([-1, 0])", "pad"},
        {"output y = x -> a: relu -> [\"a.b\"]: relu", "a label is"},
        {"output y = param(\"a.b\", [3])", "a parameter's name"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char s[512];
        int bytes = snprintf(s, sizeof s, "net a { input x[3] %s }", cases[i][0]);
        refused(cases[i][0], s, (size_t)bytes, cases[i][1]);
    }
}

static void what_is_no_text(void **state) {
    (void)state;
    refused("zero", "net a {\0}", 9, "byte 7 is zero");
    refused("latin", "net \xe9", 5, "byte 4 is no UTF-8");
    refused("overlong", "# \xc0\xaf", 4, "byte 2 is no UTF-8");
    refused("surrogate half", "# \xf5\x80\x80\x80", 6, "no UTF-8");
    refused("cut", "# \xe2\x82", 4, "no UTF-8");
    refused("empty", "", 0, "no net");
    refused_repeat("#", LANG_MAX_BYTES, "x", "", "", "", "larger than 4 MB");
    refused_repeat("net ", 100000, "x", "", "", " { }", "no output");
    refused_repeat("net a { input x[3] output y = x -> ", 1000, "l", "", "", ": relu }",
                   "longer than 95 bytes");
    refused_repeat("net a { output y = \"", 100000, "x", "", "", "\" }", "must be a tensor");
    refused_repeat("net a { output y = 0.", 1000, "1", "", "", " }", "too many digits");
}

/* ---- random edits ---- */

typedef struct corpus {
    char *text[MAX_CORPUS];
    size_t bytes[MAX_CORPUS];
    int count;
} corpus;

static void read_folder(arena *a, corpus *c, const char *folder) {
    DIR *d = opendir(folder);
    assert_non_null(d);
    diags errors = {.arena = a};
    for (struct dirent *e; (e = readdir(d)) && c->count < MAX_CORPUS;) {
        const char *end = strrchr(e->d_name, '.');
        if (!end || strcmp(end, ".net") != 0) continue;
        const source *s = file_read_text(a, arena_printf(a, "%s/%s", folder, e->d_name), 1 << 14, &errors);
        if (!s) continue;
        c->text[c->count] = (char *)(uintptr_t)s->text;
        c->bytes[c->count++] = s->bytes;
    }
    closedir(d);
}

static uint64_t draw(uint64_t *seed, uint64_t below) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return below ? (*seed >> 33) % below : 0;
}

/* Takes out a few bytes, puts in a piece of the language, a byte, or a piece of another text. */
static size_t mutate(const corpus *c, uint64_t *seed, char *s, size_t bytes) {
    static const char *const pieces[] = {"(",
                                         ")",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         "->",
                                         "=",
                                         ",",
                                         ":",
                                         "..",
                                         " if ",
                                         " then ",
                                         " else ",
                                         " scan ",
                                         " in ",
                                         " carry ",
                                         " yield ",
                                         "\"",
                                         "{",
                                         "-1",
                                         "0",
                                         "9223372036854775807",
                                         "none",
                                         "#",
                                         "\n",
                                         "op.",
                                         "x",
                                         "[0]",
                                         " // ",
                                         ".shape"};
    size_t at = draw(seed, bytes + 1), cut = draw(seed, 12);
    if (at + cut > bytes) cut = bytes - at;
    char one[2] = {(char)draw(seed, 256), 0};
    const char *piece = pieces[draw(seed, sizeof pieces / sizeof *pieces)];
    size_t size = strlen(piece);
    switch (draw(seed, 4)) {
    case 0: piece = one, size = 1; break;
    case 1: size = 0; break;
    case 2: {
        int k = (int)draw(seed, (uint64_t)c->count);
        size = draw(seed, 40);
        if (size >= c->bytes[k]) size = c->bytes[k] / 2;
        piece = c->text[k] + draw(seed, c->bytes[k] - size + 1);
        break;
    }
    default: cut = 0;
    }
    memmove(s + at + size, s + at + cut, bytes - at - cut);
    memcpy(s + at, piece, size);
    return bytes - cut + size;
}

static void survive(const char *s, size_t bytes) {
    trap t;
    arena a;
    arena_init(&a, MEMORY, &t);
    if (setjmp(t.jump)) {
        assert_null(strstr(t.reason, "internal error"));
        arena_free(&a);
        return;
    }
    diags d = {.arena = &a}, e = {.arena = &a}, f = {.arena = &a};
    const source from = {"tests/lang/mutant.net", s, bytes};
    graph *g = lang_compile(&a, &from, NULL, &d);
    assert_true((g == NULL) == (d.errors > 0));
    if (g) assert_true(graph_check(g, &e));
    text once = text_in(&a), twice = text_in(&a);
    if (lang_format(&a, &from, &once, &e)) {
        const source again = {"again.net", once.at, once.length};
        assert_true(lang_format(&a, &again, &twice, &f));
        assert_string_equal(twice.at, once.at);
    }
    arena_free(&a);
}

static void mutants(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    corpus *c = NEW(&a, corpus);
    read_folder(&a, c, "tests/lang");
    read_folder(&a, c, "tests/lang/layers");
    assert_true(c->count > 30);
    char *s = NEW_ARRAY(&a, char, (1 << 14) + 4096);
    uint64_t seed = 20240607;
    for (int i = 0; i < MUTANTS; i++) {
        int k = (int)draw(&seed, (uint64_t)c->count);
        size_t bytes = c->bytes[k];
        memcpy(s, c->text[k], bytes);
        for (uint64_t edits = 1 + draw(&seed, 4); edits; edits--) bytes = mutate(c, &seed, s, bytes);
        s[bytes] = 0;
        survive(s, bytes);
    }
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depths),          cmocka_unit_test(chains_of_blocks), cmocka_unit_test(amounts),
        cmocka_unit_test(what_is_no_text), cmocka_unit_test(mutants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
