/* What a profile says of a net's layers: names, counts, bytes, sums. Times are the machine's own affair. */
#include "tests/support/hostile.h"

#include "frontend/api/describe.h"
#include "frontend/api/layers.h"
#include "frontend/api/profile.h"
#include "runtime/weights.h"

#include <math.h>

static const char convolutions[] =
    "net m {\n"
    "    input image[2, 8, 8]\n"
    "    x = image -> conv1: conv(16, 3, pad = 1) -> bn1: batchnorm -> relu -> maxpool(2)\n"
    "    output y = x -> flatten -> fc: linear(3)\n"
    "    train {\n"
    "        loss = cross_entropy(y)\n"
    "        optimizer = sgd(lr = 0.1, momentum = 0.9)\n"
    "        init = uniform\n"
    "        batch = 4\n"
    "    }\n"
    "}\n";
static const char recurrent[] = "net r {\n"
                                "    input rows[5, 4]\n"
                                "    y = rows -> cell: rnn(6)\n"
                                "    output z = y[-1] -> fc: linear(3)\n"
                                "}\n";

static const speed machine = {.gflops = 1, .gbs = 2};

typedef struct profiled_net {
    bench *b;
    graph *graph;
    net net;
    profile profile;
    profile_table table;
} profiled_net;

static void run(profiled_net *p, bench *b, const char *words, int64_t batch, bool train) {
    source *s = NEW(&b->arena, source);
    *s = (source){"test.net", words, strlen(words)};
    p->graph = lang_compile(&b->arena, s, NULL, &b->diags);
    assert_quiet(b);
    describe_graph(&p->net, &b->arena, p->graph);
    float *params = NEW_ARRAY(&b->arena, float, p->net.values + 1);
    weights_draw(&p->net, 3, params);
    profile_options o = {.executor = &interp_executor, .how.threads = 1};
    o.how.compile.max_batch = batch;
    o.how.compile.train = train;
    bool good = profile_run(&p->profile, &b->arena, &p->net, p->graph, params, &o, &b->diags);
    assert_quiet(b);
    assert_true(good);
    p->table = profile_rows(&p->profile, &b->arena, p->graph, &machine);
    net_close(&p->net);
}

static const profile_row *row(const profiled_net *p, const char *name, profile_phase phase) {
    for (int k = 0; k < p->table.count; k++)
        if (p->table.at[k].phase == phase && strcmp(p->table.at[k].name, name) == 0) return &p->table.at[k];
    fail_msg("there is no row %s in %s", name, profile_phases[phase]);
    return NULL;
}

static int64_t all_work(const profile_table *t, profile_phase phase) {
    int64_t sum = 0;
    for (int k = 0; k < t->count; k++)
        if (t->at[k].phase == phase) sum += t->at[k].multiply_adds;
    return sum;
}

/* Every call is in one row, every event in its pass, and shares are shares of one. */
static void assert_whole(const profiled_net *p) {
    int calls = 0;
    double share = 0;
    for (int k = 0; k < p->table.count; k++) {
        calls += p->table.at[k].call_count;
        share += p->table.at[k].share;
        assert_true(p->table.at[k].ms > 0 && p->table.at[k].bytes > 0);
    }
    assert_int_equal(calls, p->profile.count);
    assert_true(fabs(share - 1) < 1e-9);
    assert_true(p->profile.passes >= PROFILE_LEAST && p->profile.total > 0);
    int64_t last = 0;
    for (int k = 0; k < p->profile.event_count; k++) {
        const profile_event *e = &p->profile.events[k];
        assert_true(e->call >= 0 && e->call < p->profile.count && e->begin >= last && e->end >= e->begin);
        last = e->end;
    }
}

static void layers_of_a_pass(void **state) {
    (void)state;
    BENCH(b);
    profiled_net p = {.b = &b};
    run(&p, &b, convolutions, 3, false);
    assert_whole(&p);
    layer_table shown = layers_of(&b.arena, p.graph);
    assert_true(all_work(&p.table, PHASE_FORWARD) == 3 * shown.multiply_adds);
    const profile_row *conv = row(&p, "conv1", PHASE_FORWARD), *fc = row(&p, "fc", PHASE_FORWARD);
    assert_int_equal(conv->layer_count, 3);
    assert_string_equal(conv->layers[0], "conv1");
    assert_string_equal(conv->layers[1], "bn1");
    assert_string_equal(conv->layers[2], "relu0");
    assert_string_equal(conv->op, "conv2d");
    assert_string_equal(conv->way, "direct");
    assert_true(conv->multiply_adds == 3 * 16 * 64 * 2 * 9);
    assert_true(fc->multiply_adds == 3 * 256 * 3);
    assert_int_equal(fc->call_count, 1);
    assert_true(fabs(conv->gflops - 2e-6 * (double)conv->multiply_adds / conv->ms) < 1e-9 * conv->gflops);
    /* 1 GF/s: arithmetic is the longer; pooling has none */
    assert_true(fabs(conv->floor - 2e-6 * (double)conv->multiply_adds) < 1e-12);
    const profile_row *pool = row(&p, "maxpool0", PHASE_FORWARD);
    assert_true(!pool->multiply_adds && fabs(pool->floor - (double)pool->bytes / 2e6) < 1e-12);
    /* in and out, of 3 samples, channels in a block of 16 */
    assert_true(pool->bytes == 3 * 4 * (16 * 64 + 16 * 16));
    assert_int_equal(p.profile.event_count, p.profile.count);
    bench_end(&b);
}

static void phases_of_a_step(void **state) {
    (void)state;
    BENCH(b);
    profiled_net p = {.b = &b};
    run(&p, &b, convolutions, 4, true);
    assert_whole(&p);
    layer_table shown = layers_of(&b.arena, p.graph);
    int64_t forward = 4 * shown.multiply_adds, first = 4 * 16 * 64 * 2 * 9;
    assert_true(all_work(&p.table, PHASE_FORWARD) == forward);
    /* gradients of weights and inputs, but not of the picture */
    assert_true(all_work(&p.table, PHASE_BACKWARD) == 2 * forward - first);
    assert_true(all_work(&p.table, PHASE_UPDATE) == 0);
    row(&p, "loss", PHASE_FORWARD);
    row(&p, "loss", PHASE_BACKWARD);
    row(&p, "bn1", PHASE_BACKWARD);
    assert_true(row(&p, "conv1", PHASE_BACKWARD)->multiply_adds == first);
    for (int k = 1; k < p.table.count; k++) assert_true(p.table.at[k].phase >= p.table.at[k - 1].phase);
    assert_int_equal(p.table.at[p.table.count - 1].phase, PHASE_UPDATE);
    bench_end(&b);
}

/* What a loop holds is one call that runs at every step. */
static void loops(void **state) {
    (void)state;
    BENCH(b);
    profiled_net p = {.b = &b};
    run(&p, &b, recurrent, 2, false);
    assert_whole(&p);
    layer_table shown = layers_of(&b.arena, p.graph);
    assert_true(all_work(&p.table, PHASE_FORWARD) == 2 * shown.multiply_adds);
    int64_t events = 0;
    bool looped = false;
    for (int k = 0; k < p.profile.count; k++) {
        events += p.profile.calls[k].times;
        looped |= p.profile.calls[k].times == 5;
    }
    assert_true(looped);
    assert_int_equal(p.profile.event_count, events);
    const profile_row *cell = row(&p, "cell", PHASE_FORWARD);
    assert_true(cell->multiply_adds == 2 * 5 * (4 * 6 + 6 * 6));
    bench_end(&b);
}

/* Without marks a program is what it was; with them the entries say so to whoever keeps code. */
static void marks(void **state) {
    (void)state;
    BENCH(b);
    source *s = NEW(&b.arena, source);
    *s = (source){"test.net", convolutions, strlen(convolutions)};
    graph *g = lang_compile(&b.arena, s, NULL, &b.diags);
    compile_options o = {.max_batch = 1, .max_threads = 1, .train = true, .targets[TARGET_C99] = true};
    const program *plain = compile_program(&b.arena, g, &o, &b.diags);
    o.profiled = true;
    const program *marked = compile_program(&b.arena, g, &o, &b.diags);
    assert_quiet(&b);
    assert_int_equal(marked->workspace_bytes, plain->workspace_bytes + BUFFER_ALIGN);
    assert_int_equal(marked->step_bytes, plain->step_bytes + BUFFER_ALIGN);
    for (int k = 0; k < ENTRY_KINDS; k++) {
        entry_kind kind = (entry_kind)k;
        bool runs = kind == ENTRY_FORWARD || kind == ENTRY_STEP || kind == ENTRY_UPDATE;
        assert_int_equal(entry_marked(marked, kind), runs);
        assert_false(entry_marked(plain, kind));
        assert_int_equal(marked->entries[k].calls > 0, runs);
    }
    bench_end(&b);
}

/* The others run the same calls, and mark them in the same order. */
static void other_executors(void **state) {
    (void)state;
    BENCH(b);
    const executor *const all[] = {&interp_executor, &llvm_executor, &c_executor};
    for (int train = 0; train < 2; train++) {
        int calls = 0;
        for (int k = 0; k < 3; k++) {
            profile p;
            net n;
            source *s = NEW(&b.arena, source);
            *s = (source){"test.net", convolutions, strlen(convolutions)};
            if (!all[k]->available()) continue;
            graph *g = lang_compile(&b.arena, s, NULL, &b.diags);
            describe_graph(&n, &b.arena, g);
            float *params = NEW_ARRAY(&b.arena, float, n.values + 1);
            weights_draw(&n, 3, params);
            profile_options o = {.executor = all[k], .how.threads = 2, .how.no_cache = true};
            o.how.compile.max_batch = 2;
            o.how.compile.train = train;
            assert_true(profile_run(&p, &b.arena, &n, g, params, &o, &b.diags));
            assert_quiet(&b);
            if (!calls) calls = p.count;
            assert_int_equal(p.count, calls);
            assert_int_equal(p.event_count, calls);
            for (int i = 0; i < calls; i++) assert_int_equal(p.events[i].call, i);
            net_close(&n);
        }
    }
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_a_pass),
        cmocka_unit_test(phases_of_a_step),
        cmocka_unit_test(loops),
        cmocka_unit_test(marks),
        cmocka_unit_test(other_executors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
