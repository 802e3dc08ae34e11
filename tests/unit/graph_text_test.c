/* Graph texts: they read back as printed, for every op's samples too, and what is wrong is refused with its
 * place. */
#include "ir/op.h"

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

static graph *parse_bytes(fixture *f, const char *s, size_t bytes) {
    source *x = NEW(&f->a, source);
    *x = (source){"test", s, bytes};
    return graph_parse(&f->a, x, &f->d);
}

static graph *parse(fixture *f, const char *s) {
    graph *g = parse_bytes(f, s, strlen(s));
    if (!g) fail_msg("%s\n%s", s, f->d.first->text);
    return g;
}

static const char *print(fixture *f, const graph *g) {
    text t = text_in(&f->a);
    graph_print(&t, g);
    return t.at;
}

/* Every construct of the form, as it is printed. */
static const char *const whole =
    "graph \"res net\"\n"
    "  input %0 image f32[N,3,8,8] normalize mean=[0.485,0.456,0.406] std=[0.229,0.224,0.225]\n"
    "  input %1 \"a text\" i32[N,5] bound=1000\n"
    "  param %2 \"conv1.weight\" f32[32,3,3,3] weights1 trainable init=he(1.0, fan_in=27, fan_out=288)\n"
    "  param %3 \"bn1.running_mean\" f32[32]\n"
    "  state %4 h f32[N,32,8,8] blocked16(1,1) next=%9\n"
    "  const %6 f32[] 0.5\n"
    "  %5 \"y\" = map(%0, %6) {expr=\"s0=mul(i0,i1); relu(s0)\"} : f32[N,3,8,8] planar(2,3)\n"
    "  const %7 f32[32,1,1] 1.0\n"
    "  %9 = conv2d(%5, %2 | %7, %4) {pad=[1,1,1,1], epilogue=\"s0=add(i0,i1); s1=max(s0,i2); relu(s1)\"} : "
    "f32[N,32,8,8] blocked16(1,1) @ \"layer1.0.conv1\"\n"
    "  %10, %11 = split(%9) {sizes=[16,16]} : f32[N,16,8,8], f32[N,16,8,8]\n"
    "  const %12 f32[2,2] [1.0,-2.5,inf,1e-05]\n"
    "  output logits %10\n"
    "  output \"f32\" %11\n"
    "  output c %12\n"
    "  labels [\"a \\\"cat\\\"\", \"a\\\\dog\", \"\\x01\xc5\xbd\"]\n";

static void the_whole_form_reads_back(void **state) {
    fixture *f = *state;
    graph *g = parse(f, whole);
    assert_string_equal(print(f, g), whole);
    assert_true(graph_check(g, &f->d));
    assert_int_equal(f->d.errors, 0);
    assert_int_equal(g->next_id, 13);
    assert_string_equal(g->labels.at[2], "\x01\xc5\xbd");
    assert_true(g->inputs.at[0]->as.input.std[2] == 0.225);
    assert_int_equal(g->params.at[0]->as.param.init.fan_out, 288);
    assert_false(g->params.at[1]->as.param.trainable);
    assert_ptr_equal(g->states.at[0]->as.next, g->nodes.at[1]->out[0]);
    const scope *s = g->nodes.at[1]->scope;
    assert_string_equal(s->block, "conv1");
    assert_string_equal(s->parent->path, "layer1.0");
    assert_string_equal(s->parent->parent->path, "layer1");
    assert_null(s->parent->parent->parent);
}

static void hands_may_write_less(void **state) {
    fixture *f = *state;
    graph *g = parse(
        f, "# a comment\ninput %x f32[N,4,4,4]\n\nparam %w \"w\" f32[8,4,3,3]; # another\n"
           "%y = conv2d(%x,\n            %w) {stride=2, pad=[1, 0],\n epilogue=\"relu(i0)\"}; output %y");
    assert_string_equal(
        print(f, g),
        "graph net\n"
        "  input %0 x f32[N,4,4,4]\n"
        "  param %1 w f32[8,4,3,3]\n"
        "  %2 = conv2d(%0, %1) {stride=[2,2], pad=[1,0,1,0], epilogue=\"relu(i0)\"} : f32[N,8,2,1]\n"
        "  output y %2\n");
}

static void bodies_nest(void **state) {
    fixture *f = *state;
    graph *g =
        parse(f, "graph s\n"
                 "input %x f32[N,5,3]; const %z f32[3] 0\n"
                 "%y, %l = scan(%x, %z) {sequences=1, carries=1, yields=1, body={\n"
                 "  argument %e f32[N,3]; argument %c f32[N,3]; %n = add(%c, %e); output %n; output %n }}\n"
                 "output y %y");
    const char *once = print(f, g);
    assert_string_equal(once, "graph s\n"
                              "  input %0 x f32[N,5,3]\n"
                              "  const %1 f32[3] 0.0\n"
                              "  %2, %3 = scan(%0, %1) {sequences=1, carries=1, yields=1, steps=5, body={\n"
                              "    argument %0 e f32[N,3]\n"
                              "    argument %1 c f32[N,3]\n"
                              "    %2 = add(%1, %0) : f32[N,3]\n"
                              "    output n %2\n"
                              "    output n %2\n"
                              "  }} : f32[N,5,3], f32[N,3]\n"
                              "  output y %2\n");
    assert_string_equal(print(f, parse(f, once)), once);
}

/* What a graph built by hand prints is the same after any number of readings, for every sample of every op.
 */
static void samples_read_back(void **state) {
    fixture *f = *state;
    int samples = 0;
    for (const op *const *o = ops; *o; o++)
        for (const char *const *s = (*o)->samples; s && *s; s++, samples++) {
            graph *g = parse(f, *s);
            if (!graph_check(g, &f->d)) fail_msg("%s: %s\n%s", (*o)->name, f->d.last->text, *s);
            const char *once = print(f, g);
            assert_string_equal(print(f, parse(f, once)), once);
            graph *c = graph_clone(&f->a, g);
            graph_sort(c);
            assert_string_equal(print(f, c), once);
        }
    assert_true(samples > 100);
}

static void every_op_has_a_sample_of_itself(void **state) {
    fixture *f = *state;
    for (const op *const *o = ops; *o; o++) {
        bool found = strcmp((*o)->name, "reorder") == 0; /* written by the pass that chooses layouts alone */
        for (const char *const *s = (*o)->samples; s && *s && !found; s++) {
            graph *g = parse(f, *s);
            for (int i = 0; i < g->nodes.count; i++) found |= g->nodes.at[i]->op == *o;
        }
        if (!found) fail_msg("no sample of '%s' has one", (*o)->name);
    }
}

static const struct {
    const char *source;
    int line, column;
    const char *error;
} mistakes[] = {
    {"%y = relu(%x)", 1, 11, "%x is not defined above"},
    {"input %x f32[N,4]\n%y = rleu(%x)", 2, 6, "there is no operation 'rleu'; did you mean 'relu'?"},
    {"input %x f32[N,4]\n%y = frobnicate(%x)", 2, 6, "there is no operation 'frobnicate'"},
    {"input %x f32[N,4]; input %x f32[N,4]", 1, 26, "%x is defined twice"},
    {"input %x f16[N,4]", 1, 13, "a type must stand here"},
    {"input %x image g[N,4]", 1, 16, "a type must stand here"},
    {"input %x f32[4,N]", 1, 16, "a whole number"},
    {"input %x f32[N,0]", 1, 16, "a dimension must be positive"},
    {"input %x f32[N,99999999999999999999]", 1, 16, "a whole number within 2^46"},
    {"input %x f32[N,9000000000,9000000000]", 1, 10, "more than 2^46 numbers"},
    {"input %x f32[1,1,1,1,1,1,1,1,1]", 1, 30, "at most 8 dimensions"},
    {"input %x f32[N,3] normalize mean=[1,2] std=[1]", 1, 19, "have 2 and 1"},
    {"param %x i32[4]", 1, 10, "a parameter is f32 always"},
    {"state %x f32[N,4] next=%y", 1, 24, "%y is not defined"},
    {"state %x f32[N,4] next=%y; input %y f32[N,5]", 1, 24,
     "a state's next value must have the state's type"},
    {"const %x f32[3] [1,2]", 1, 17, "2 numbers are listed for a tensor of 3"},
    {"const %x f32[3] [1,2", 1, 21, "',' of a list of numbers is missing here"},
    {"const %x f32[3] one", 1, 17, "a number must stand here"},
    {"input %x f32[N,4]\n%y = add(%x)", 2, 6, "'add' takes 2 inputs"},
    {"input %x f32[N,4]\n%y, %z = relu(%x)", 2, 10, "'relu' gives 1 result, but 2 are named"},
    {"input %x f32[N,4]\n%y = relu(%x) : f32[N,5]", 2, 17, "the operation gives f32[N,4], not this"},
    {"input %x f32[N,4]\n%y = relu(%x) {slope=1}", 2, 16, "'relu' has no attribute 'slope'"},
    {"input %x f32[N,4]\n%y = softmax(%x) {axes=1}", 2, 19,
     "'softmax' has no attribute 'axes'; did you mean 'axis'?"},
    {"input %x f32[N,4]\n%y = softmax(%x) {axis=1, axis=1}", 2, 27, "'axis' is given twice"},
    {"input %x f32[N,4]\n%y = softmax(%x) {axis=1", 2, 25, "',' of attributes is missing here"},
    {"input %x f32[N,4]\n%y = relu(%x | %x)", 2, 6, "operands behind '|' need {epilogue"},
    {"input %x f32[N,4]\n%y = relu(%x | %x) {epilogue=\"add(i0,i2)\"}", 2, 6, "reads i2, but has 2 inputs"},
    {"input %x f32[N,4]\n%y = relu(%x) {epilogue=\"add(i0\"}", 2, 25, "this is not an expression"},
    {"input %x f32[N,4]\n%y = map(%x)", 2, 6, "'map' needs {expr"},
    {"input %x f32[N,4]\n%y = relu(%x) by magic", 2, 18, "not computed in a way of this name"},
    {"input %x f32[N,4] output y %x", 1, 19, "the statement should end here"},
    {"graph", 1, 6, "the graph's name must stand here"},
    {"inptu %x f32[N,4]", 1, 1, "a statement must begin here"},
    {"output \"y", 1, 8, "this string does not end on its line"},
    {"labels [\"a\\q\"]", 1, 9, "an escape other than"},
    {"input %x f32[N,4] $", 1, 19, "no use for this character"},
    {"input %5000000 x f32[N,4]", 1, 7, "past the largest id"},
    {"input %1 x f32[N]; input %01 y f32[N]", 1, 26, "two values have the number 1"},
    {"input % f32[N]", 1, 7, "a name or number must follow '%'"},
};

static void mistakes_are_refused_at_their_place(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        f->d = (diags){.arena = &f->a};
        if (parse_bytes(f, mistakes[i].source, strlen(mistakes[i].source)))
            fail_msg("'%s' is read", mistakes[i].source);
        int line, column;
        span_place(f->d.first->at, &line, &column);
        if (line != mistakes[i].line || column != mistakes[i].column ||
            !strstr(f->d.first->text, mistakes[i].error))
            fail_msg("'%s': %d:%d: %s", mistakes[i].source, line, column, f->d.first->text);
    }
}

static void deep_bodies_are_refused(void **state) {
    fixture *f = *state;
    text t = text_in(&f->a);
    for (int i = 0; i < 100000; i++)
        text_puts(&t, "const %z f32[3] 0; %y = scan(%z) {sequences=0, carries=1, yields=0, steps=1, body={ ");
    assert_null(parse_bytes(f, t.at, t.length));
    assert_non_null(strstr(f->d.first->text, "bodies lie more than 4 deep"));
}

typedef enum outcome { READ, REFUSED, SILENT } outcome;

/* What reading these bytes ends in; no byte past the end belongs to them. */
static outcome read_damaged(const char *s, size_t bytes) {
    fixture f = {0};
    char *exact = malloc(bytes ? bytes : 1);
    volatile outcome end = REFUSED;
    memcpy(exact, s, bytes);
    arena_init(&f.a, (size_t)64 << 20, &f.t);
    f.d.arena = &f.a;
    if (setjmp(f.t.jump) == 0) end = parse_bytes(&f, exact, bytes) ? READ : f.d.errors ? REFUSED : SILENT;
    arena_free(&f.a);
    free(exact);
    return end;
}

/* Whatever is cut off or changed, the reader ends with a graph or an error and touches nothing past the text
 * (sanitizers see the rest). */
static void damaged_texts_never_crash(void **state) {
    (void)state;
    size_t bytes = strlen(whole);
    uint64_t random = 1;
    int ends[3] = {0};
    char *copy = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) ends[read_damaged(whole, i)]++;
    for (size_t i = 0; i < 2 * bytes; i++) {
        memcpy(copy, whole, bytes);
        for (int k = 0; k < 3; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            copy[(random >> 33) % bytes] = whole[(random >> 13) % bytes];
        }
        ends[read_damaged(copy, bytes)]++;
    }
    free(copy);
    assert_int_equal(ends[SILENT], 0);
    assert_true(ends[READ] > 0 && ends[REFUSED] > 1000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_whole_form_reads_back),
        TEST(hands_may_write_less),
        TEST(bodies_nest),
        TEST(samples_read_back),
        TEST(every_op_has_a_sample_of_itself),
        TEST(mistakes_are_refused_at_their_place),
        TEST(deep_bodies_are_refused),
        TEST(damaged_texts_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
