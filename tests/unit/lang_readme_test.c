/* The language's reference: every ```net block of frontend/lang/README.md is compiled, and what its comments
 * state is held against the graph: "# gives OUTPUT SHAPE", "# has PARAMETER SHAPE", "# refuses PART OF
 * ERROR". Blocks are also in canonical form. Run from the repository's root. */
#include "frontend/lang/elab.h"
#include "frontend/lang/lang.h"
#include "ir/base/file.h"
#include "ir/op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct example {
    arena *arena;
    diags diags;
    source source;
    graph *graph;
    int line;
} example;

static const value *find(const graph *g, bool output, const char *name) {
    for (int i = 0; output && i < g->outputs.count; i++)
        if (strcmp(g->outputs.at[i].name, name) == 0) return g->outputs.at[i].value;
    for (int i = 0; !output && i < g->params.count; i++)
        if (strcmp(g->params.at[i]->name, name) == 0) return g->params.at[i];
    return NULL;
}

static bool error_says(const diags *d, const char *part) {
    for (const diag *g = d->first; g; g = g->next)
        if (g->severity == DIAG_ERROR && strstr(g->text, part)) return true;
    return false;
}

/* "NAME SHAPE" against the graph's. */
static void check_shape(example *x, bool output, const char *claim) {
    const char *space = strchr(claim, ' ');
    assert_non_null(space);
    const char *name = arena_text(x->arena, claim, (size_t)(space - claim));
    const value *v = find(x->graph, output, name);
    if (!v) fail_msg("README line %d: there is no '%s'", x->line, name);
    text t = text_in(x->arena);
    shape_print(&t, &v->shape);
    assert_string_equal(t.at, space + 1);
}

static void check_claim(example *x, const char *line, size_t length) {
    static const char *const words[] = {"# gives ", "# has ", "# refuses "};
    for (int i = 0; i < 3; i++) {
        size_t word = strlen(words[i]);
        if (length < word || strncmp(line, words[i], word) != 0) continue;
        const char *claim = arena_text(x->arena, line + word, length - word);
        if (i == 2 && !error_says(&x->diags, claim))
            fail_msg("README line %d: no error '%s'", x->line, claim);
        if (i < 2 && x->graph) check_shape(x, i == 0, claim);
    }
}

static void check_format(example *x) {
    text out = text_in(x->arena);
    diags d = {.arena = x->arena};
    if (!lang_format(x->arena, &x->source, &out, &d)) return; /* refused by the grammar: said by its claim */
    assert_string_equal(out.at, x->source.text);
}

static void check_example(arena *a, const char *begin, const char *end, int line) {
    example x = {.arena = a, .diags = {.arena = a}, .line = line};
    x.source = (source){"tests/lang/readme/README.net", arena_text(a, begin, (size_t)(end - begin)),
                        (size_t)(end - begin)};
    bool refused = strstr(x.source.text, "# refuses ") != NULL;
    x.graph = lang_compile(a, &x.source, NULL, &x.diags);
    if (refused == (x.graph != NULL) || (!refused && x.diags.warnings)) {
        diags_print(&x.diags, stderr, false);
        fail_msg("README line %d: %s", line,
                 refused ? "this should be refused" : "this should compile cleanly");
    }
    if (x.graph) assert_true(graph_check(x.graph, &x.diags));
    for (const char *at = x.source.text; *at; at += strcspn(at, "\n"), at += *at == '\n')
        check_claim(&x, at, strcspn(at, "\n"));
    check_format(&x);
}

static void examples_hold(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    source *s = file_read_text(&a, "frontend/lang/README.md", 1 << 20, &d);
    assert_non_null(s);
    int count = 0, line = 1;
    const char *from = s->text;
    for (const char *at = strstr(from, "```net\n"); at; at = strstr(from, "```net\n")) {
        for (; from < at; from++) line += *from == '\n';
        const char *begin = at + 7, *end = strstr(begin, "\n```");
        assert_non_null(end);
        check_example(&a, begin, end + 1, line);
        for (; from < end; from++) line += *from == '\n';
        count++;
    }
    assert_true(count >= 15);
    arena_free(&a);
}

/* The reference leaves out no op that a text may call. */
static void every_op_is_named(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    source *s = file_read_text(&a, "frontend/lang/README.md", 1 << 20, &d);
    assert_non_null(s);
    for (int i = 0; ops[i]; i++) {
        bool internal = !op_callable(ops[i]);
        bool named = strstr(s->text, arena_printf(&a, "`%s(", ops[i]->name)) ||
                     strstr(s->text, arena_printf(&a, "`%s`", ops[i]->name));
        if (!internal && !named) fail_msg("the README does not name the op '%s'", ops[i]->name);
    }
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples_hold), cmocka_unit_test(every_op_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
