/* The pass table and its passes on graphs. Every tests/passes/NAME.graph begins with "# passes: NAME NAME";
 * what those leave must be the text of NAME.expected. With files as arguments the program prints what the
 * passes make of them instead: read it before it becomes an expectation. */
#include "ir/base/file.h"
#include "passes/passes.h"

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static const char *const folder = "tests/passes";

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

/* ---- one file ---- */

static void refuse(fixture *f, const char *what) {
    diags_print(&f->d, stderr, false);
    fail_msg("%s", what);
}

static void run_one(fixture *f, pass_state *s, const char *name) {
    const pass *p = passes;
    while (p->name && strcmp(p->name, name) != 0) p++;
    if (!p->name) fail_msg("no pass '%s'", name);
    p->run(s);
    if (!graph_check(s->graph, &f->d)) refuse(f, name);
}

/* Runs the passes that the first line names. */
static void run_named(fixture *f, pass_state *s, const source *from) {
    static const char head[] = "# passes:";
    assert_memory_equal(from->text, head, sizeof head - 1);
    const char *end = strchr(from->text, '\n');
    for (const char *at = from->text + sizeof head - 1; at < end;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " \n");
        if (length) run_one(f, s, arena_text(&f->a, at, length));
        at += length;
        if (*at == '\n') break;
    }
}

static const char *printed(fixture *f, const graph *g) {
    text t = text_in(&f->a);
    graph_print(&t, g);
    return t.at;
}

static const char *after_passes(fixture *f, const char *path) {
    static const pass_options options = {.targets = {true}, .real = KB_F32, .max_batch = 1, .max_threads = 1};
    source *from = file_read_text(&f->a, path, 1 << 20, &f->d);
    graph *g = from ? graph_parse(&f->a, from, &f->d) : NULL;
    if (!g) refuse(f, path);
    const char *before = printed(f, g);
    pass_state s = {.arena = &f->a, .options = &options, .diags = &f->d, .graph = graph_clone(&f->a, g)};
    run_named(f, &s, from);
    assert_string_equal(printed(f, g), before); /* the clone shares nothing with it */
    return printed(f, s.graph);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void graphs_become_what_is_expected(void **state) {
    fixture *f = *state;
    VEC(char *) names = {0};
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        size_t length = strlen(e->d_name);
        if (length > 6 && strcmp(e->d_name + length - 6, ".graph") == 0)
            VEC_PUSH(&f->a, &names, arena_text(&f->a, e->d_name, length - 6));
    }
    closedir(d);
    assert_true(names.count >= 20);
    qsort(names.at, (size_t)names.count, sizeof *names.at, by_name);
    for (int i = 0; i < names.count; i++) {
        const char *path = arena_printf(&f->a, "%s/%s.expected", folder, names.at[i]);
        const char *got = after_passes(f, arena_printf(&f->a, "%s/%s.graph", folder, names.at[i]));
        source *want = file_read_text(&f->a, path, 1 << 20, &f->d);
        if (!want) refuse(f, path);
        if (strcmp(got, want->text) != 0) fail_msg("%s: got\n%s", path, got);
    }
}

/* A node that passes merged names what of the user's text it computes. */
static void merged_nodes_name_their_origins(void **state) {
    static const char text_of[] = "graph n\ninput %x f32[N,3,8,8]\nparam %w \"w\" f32[16,3,3,3] "
                                  "trainable\nparam %s \"s\" f32[16] trainable\n"
                                  "param %t \"t\" f32[16] trainable\nparam %m \"m\" f32[16]\nparam %v \"v\" "
                                  "f32[16]\n%c = conv2d(%x, %w)\n"
                                  "%b = batchnorm(%c, %s, %t, %m, %v)\n%y = relu(%b)\noutput y %y\n";
    static const char *const merged[] = {"conv2d", "batchnorm", "relu"};
    fixture *f = *state;
    source from = {"test", text_of, sizeof text_of - 1};
    pass_state s = {.arena = &f->a, .diags = &f->d, .graph = graph_parse(&f->a, &from, &f->d)};
    assert_non_null(s.graph);
    run_one(f, &s, "eval");
    run_one(f, &s, "fold-bn");
    run_one(f, &s, "fuse");
    const node *last = s.graph->nodes.at[s.graph->nodes.count - 1];
    assert_string_equal(last->op->name, "conv2d");
    assert_int_equal(last->origin.count, 3);
    for (int i = 0; i < 3; i++) assert_string_equal(last->origin.at[i]->op->name, merged[i]);
    const node *scale = last->in[1]->def; /* arithmetic on weights is batchnorm's */
    assert_int_equal(scale->origin.count, 1);
    assert_string_equal(scale->origin.at[0]->op->name, "batchnorm");
}

/* ---- the table ---- */

static const char net[] = "graph n\ninput %0 x f32[N,3,8,8]\nparam %1 \"w\" f32[16,3,3,3] trainable\n"
                          "param %2 \"b\" f32[16] trainable\n%3 = conv2d(%0, %1, %2) {pad=[1,1,1,1]}\n"
                          "%4 = relu(%3)\noutput y %4\n";

static program *run_table(fixture *f, const char *s, const pass_options *given) {
    static const pass_options standard = {
        .targets = {true}, .real = KB_F32, .max_batch = 2, .max_threads = 2};
    pass_options o = standard;
    o.disabled = given->disabled;
    o.dump_after = given->dump_after;
    o.dump = given->dump;
    o.check = true;
    source *from = NEW(&f->a, source);
    *from = (source){"test", s, strlen(s)};
    graph *g = graph_parse(&f->a, from, &f->d);
    if (!g) refuse(f, "the net");
    return passes_run(&f->a, g, &o, &f->d);
}

static const char *first_error(const fixture *f) {
    return f->d.first ? f->d.first->text : "";
}

static void unknown_names_suggest_the_nearest(void **state) {
    fixture *f = *state;
    static const char *const disabled[] = {"fold-bm", NULL};
    assert_null(run_table(f, net, &(pass_options){.disabled = disabled}));
    assert_string_equal(first_error(f), "--passes: there is no pass 'fold-bm'; did you mean 'fold-bn'?");
}

static void far_names_list_all(void **state) {
    fixture *f = *state;
    assert_null(run_table(f, net, &(pass_options){.dump_after = "qqqqqqqqqqqq"}));
    assert_non_null(
        strstr(first_error(f), "--dump: there is no pass 'qqqqqqqqqqqq'; there are train, expand,"));
}

static void required_passes_stay(void **state) {
    fixture *f = *state;
    static const char *const disabled[] = {"fuse", "lower", NULL};
    assert_null(run_table(f, net, &(pass_options){.disabled = disabled}));
    assert_int_equal(f->d.errors, 1);
    assert_non_null(strstr(first_error(f), "'lower' cannot be left out"));
}

static void dump_prints_the_graph_after_a_pass(void **state) {
    fixture *f = *state;
    text before = text_in(&f->a), after = text_in(&f->a), without = text_in(&f->a);
    static const char *const disabled[] = {"fuse", NULL};
    assert_non_null(run_table(f, net, &(pass_options){.dump_after = "cse", .dump = &before}));
    assert_non_null(run_table(f, net, &(pass_options){.dump_after = "fuse", .dump = &after}));
    assert_non_null(
        run_table(f, net, &(pass_options){.dump_after = "fuse", .dump = &without, .disabled = disabled}));
    assert_non_null(strstr(before.at, "%4 = relu(%3)"));
    assert_non_null(strstr(after.at, "%4 = conv2d(%0, %1, %2) {pad=[1,1,1,1], epilogue=\"relu(i0)\"}"));
    assert_string_equal(without.at, before.at);
}

static void dump_prints_the_program_at_the_end(void **state) {
    fixture *f = *state;
    text t = text_in(&f->a), want = text_in(&f->a);
    program *p = run_table(f, net, &(pass_options){.dump_after = "unroll", .dump = &t});
    assert_non_null(p);
    program_print(&want, p);
    assert_string_equal(t.at, want.at);
}

/* Every op's samples, with all optional passes and with none: every checker is content after every pass. */
static void all_samples_stay_sound(void **state) {
    fixture *f = *state;
    const char *optional[16] = {NULL};
    int count = 0;
    for (const pass *p = passes; p->name; p++)
        if (!p->required) optional[count++] = p->name;
    assert_true(count >= 6);
    for (const op *const *o = ops; *o; o++)
        for (const char *const *s = (*o)->samples; s && *s; s++) {
            if (!run_table(f, *s, &(pass_options){0})) refuse(f, *s);
            if (!run_table(f, *s, &(pass_options){.disabled = optional})) refuse(f, *s);
        }
}

static int print_files(int count, char **paths) {
    void *state = NULL;
    set_up(&state);
    for (int i = 0; i < count; i++) fputs(after_passes(state, paths[i]), stdout);
    return tear_down(&state);
}

int main(int argc, char **argv) {
    if (argc > 1) return print_files(argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(graphs_become_what_is_expected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(merged_nodes_name_their_origins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_names_suggest_the_nearest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(far_names_list_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(required_passes_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dump_prints_the_graph_after_a_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dump_prints_the_program_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_samples_stay_sound, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
