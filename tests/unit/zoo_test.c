/* The zoo of examples/ against PyTorch's state dicts: every net compiles without a word, and its parameters
 * have the names, the order, the shapes and the trainability that tests/goldens/params/ holds (written by
 * tests/goldens/zoo.py), so that weight files load unchanged. Run from the repository's root. */
#include "frontend/lang/lang.h"
#include "ir/base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PARAMS "tests/goldens/params"

/* Lines of the golden: "NAME d0,d1,... t|s". */
static void print_params(text *t, const graph *g) {
    for (int i = 0; i < g->params.count; i++) {
        const value *v = g->params.at[i];
        text_printf(t, "%s ", v->name);
        for (int k = 0; k < v->shape.rank; k++)
            text_printf(t, "%s%lld", k ? "," : "", (long long)v->shape.dim[k]);
        text_printf(t, " %s\n", v->as.param.trainable ? "t" : "s");
    }
}

/* Where two texts part, so that a failure names the parameter. */
static void assert_same_lines(const char *net, const char *got, const char *expected) {
    for (int line = 1; *got || *expected; line++) {
        size_t a = strcspn(got, "\n"), b = strcspn(expected, "\n");
        if (a != b || strncmp(got, expected, a) != 0)
            fail_msg("%s: parameter %d is '%.*s', PyTorch has '%.*s'", net, line, (int)a, got, (int)b,
                     expected);
        got += a + (got[a] == '\n');
        expected += b + (expected[b] == '\n');
    }
}

static graph *compile(arena *a, const char *path, diags *d) {
    source *s = file_read_text(a, path, LANG_MAX_BYTES, d);
    return s ? lang_compile(a, s, NULL, d) : NULL;
}

static void check_net(const char *net) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s: %s", net, t.reason);
    diags d = {.arena = &a};
    graph *g = compile(&a, arena_printf(&a, "examples/%s.net", net), &d);
    diags_print(&d, stderr, false);
    if (!g) fail_msg("%s does not compile", net);
    assert_int_equal(d.warnings, 0);
    assert_string_equal(g->name, net);
    text got = text_in(&a);
    text_puts(&got, "");
    print_params(&got, g);
    source *golden = file_read_text(&a, arena_printf(&a, PARAMS "/%s.params", net), LANG_MAX_BYTES, &d);
    assert_non_null(golden);
    assert_same_lines(net, got.at ? got.at : "", golden->text);
    arena_free(&a);
}

/* A golden for every net, a net for every golden; files of blocks alone are named *_blocks.net. */
static int each_file(const char *folder, const char *suffix, void (*visit)(const char *name)) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int count = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char *end = strstr(e->d_name, suffix);
        if (!end || end[strlen(suffix)] || strstr(e->d_name, "_blocks")) continue;
        *end = '\0';
        if (visit) visit(e->d_name);
        count++;
    }
    closedir(dir);
    return count;
}

static void every_net_has_pytorchs_parameters(void **state) {
    (void)state;
    int checked = each_file(PARAMS, ".params", check_net);
    assert_int_equal(checked, each_file("examples", ".net", NULL));
    assert_true(checked >= 46);
}

/* Parameters that zoo.md states: trainable numbers alone. */
static const struct {
    const char *net;
    int64_t trainable;
} counts[] = {
    {"mnist", 8490},
    {"mlp_shuffle", 6442},
    {"cnn_shuffle", 6422},
    {"he_linear", 550},
    {"lenet_cifar", 62006},
    {"lenet_cifar_avg", 62006},
    {"lenet5", 61706},
    {"features_lenet", 832},
    {"row_lstm", 53010},
    {"resnet18_cifar", 11178762},
    {"vgg_cifar", 9231114},
    {"vgg11_gray", 128806154},
    {"nin", 1992166},
    {"alexnet2012", 60965224},
    {"myalexnet_rgb", 62388354},
    {"myalexnet", 62365122},
    {"alexnet", 61100840},
    {"vgg11", 132863336},
    {"vgg16", 138357544},
    {"vgg19", 143667240},
    {"googlenet", 6624904},
    {"resnet18", 11689512},
    {"resnet34", 21797672},
    {"resnet50", 25557032},
    {"resnet101", 44549160},
    {"resnet152", 60192808},
    {"mobilenet_v2", 3504872},
};

static void check_count(const char *net, int64_t trainable) {
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s: %s", net, t.reason);
    diags d = {.arena = &a};
    graph *g = compile(&a, arena_printf(&a, "examples/%s.net", net), &d);
    assert_non_null(g);
    int64_t sum = 0;
    for (int k = 0; k < g->params.count; k++)
        if (g->params.at[k]->as.param.trainable) sum += shape_count(&g->params.at[k]->shape);
    if (sum != trainable)
        fail_msg("%s has %lld parameters, not %lld", net, (long long)sum, (long long)trainable);
    arena_free(&a);
}

static void counts_are_those_stated(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_count(counts[i].net, counts[i].trainable);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_net_has_pytorchs_parameters),
        cmocka_unit_test(counts_are_those_stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
