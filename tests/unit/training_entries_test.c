/* The entries that train, on every executor: parameters start with the runtime's numbers, masks are Philox's, steps
 * agree, and what is refused changes nothing. */
#include "backends/c/load.h"
#include "backends/interp/interp.h"
#include "frontend/api/compile.h"
#include "frontend/api/describe.h"
#include "frontend/api/executor.h"
#include "ir/base/draw.h"
#include "runtime/random.h"
#include "runtime/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#ifdef NETC_LLVM
#include "backends/llvm/llvm.h"
#endif

/* Rules of every kind, sizes that are no multiple of four or of a chunk, a mask, running statistics. */
static const char net_text[] =
    "net tiny {\n"
    "    input image[3, 9, 11]\n"
    "    x = image -> conv1: conv(20, 3, pad = 1) -> bn1: batchnorm -> relu -> maxpool(2)\n"
    "    x = x -> conv2: conv(7, 3, bias = false) -> prelu -> flatten -> dropout(0.25)\n"
    "    x = x -> fc1: linear(101)\n"
    "    v = param(\"v\", [101, 33], init = \"normal\", scale = 0.05)\n"
    "    u = param(\"u\", [33], init = \"constant\", scale = 0.1)\n"
    "    output y = op.linear(x, transpose(v, [1, 0]), u) -> relu -> fc2: linear(5)\n"
    "    train {\n        loss = cross_entropy(y)\n        optimizer = sgd(lr = 0.05, momentum = 0.9)\n"
    "        batch = 4\n        init = xavier\n    }\n"
    "}\n";

enum { BATCH = 4, PIXELS = 3 * 9 * 11, CLASSES = 5 };

typedef struct bench {
    trap trap;
    arena arena;
    diags d;
    graph *g;
    net n;
} bench;

static void refuse(bench *b, const char *what) {
    diags_print(&b->d, stderr, false);
    fail_msg("%s", what);
}

static void set_up(bench *b, const char *net_source) {
    memset(b, 0, sizeof *b);
    arena_init(&b->arena, 0, &b->trap);
    b->d.arena = &b->arena;
    source *s = NEW(&b->arena, source);
    *s = (source){"test.net", net_source, strlen(net_source)};
    b->g = lang_compile(&b->arena, s, NULL, &b->d);
    if (!b->g) refuse(b, "not read");
    describe_graph(&b->n, &b->arena, b->g);
}

static void tear_down(bench *b) {
    arena_free(&b->arena);
}

static program *compile(bench *b, target_id t, bool train) {
    pass_options o = {.real = KB_F32, .max_batch = BATCH, .max_threads = 2, .train = train, .check = true};
    o.targets[t] = true;
    program *p = passes_run(&b->arena, b->g, &o, &b->d);
    if (!p) refuse(b, "not compiled");
    return p;
}

static void *room(arena *a, int64_t bytes) {
    char *p = arena_alloc(a, (size_t)bytes + 2 * BUFFER_ALIGN, 1);
    return p + (BUFFER_ALIGN - (uintptr_t)p % BUFFER_ALIGN) % BUFFER_ALIGN;
}

/* ---- one program on every backend ---- */

typedef struct runner {
    const char *name;
    bool (*run)(bench *b, target_id t, bool train, entry_kind kind, run_args *args, bool forward);
} runner;

static bool run_interp(bench *b, target_id t, bool train, entry_kind kind, run_args *args, bool forward) {
    interp *in = interp_new(&b->arena, compile(b, t, train), t, &(interp_options){true}, &b->d);
    return in && (!forward || interp_run(in, ENTRY_PREPARE, args, &b->d)) &&
           interp_run(in, kind, args, &b->d);
}

static bool run_c(bench *b, target_id t, bool train, entry_kind kind, run_args *args, bool forward) {
    c_options o = {.prefix = "net", .header_name = "net.h", .invoke = true};
    text code = text_in(&b->arena), header = text_in(&b->arena);
    program *p = compile(b, t, train);
    c_library l;
    o.targets[t] = true;
    legalise(p, t, c_supported(t));
    if (!c_emit(&b->arena, p, &o, &code, &header, &b->d)) return false;
    if (!c_load(&l, &b->arena, p, &o, &code, &header, &b->d)) return false;
    uint64_t seed = args->init ? (uint32_t)args->init[0] | (uint64_t)(uint32_t)args->init[1] << 32 : 0;
    const void *seeds[1] = {&seed};
    int bad = forward ? l.invoke(ENTRY_PREPARE, 1, args->params, args->packed, NULL, NULL, NULL, NULL, 0) : 0;
    bad |= l.invoke(kind, (int)args->n, args->params, args->packed, forward ? args->inputs : seeds,
                    args->outputs, NULL, args->workspace, (size_t)p->workspace_bytes);
    c_unload(&l);
    return bad == 0;
}

#ifdef NETC_LLVM
static bool run_llvm(bench *b, target_id t, bool train, entry_kind kind, run_args *args, bool forward) {
    program *p = compile(b, t, train);
    legalise(p, t, llvm_supported(t));
    llvm_code *c = llvm_load(&b->arena, p, &(llvm_options){.target = t, .threads = 1}, &b->d);
    bool good = c && (!forward || llvm_run(c, ENTRY_PREPARE, args, NULL, &b->d)) &&
                llvm_run(c, kind, args, NULL, &b->d);
    llvm_unload(c);
    return good;
}
#endif

static const runner runners[] = {
    {"interp", run_interp},
    {"c", run_c},
#ifdef NETC_LLVM
    {"llvm", run_llvm},
#endif
};
enum { RUNNERS = sizeof runners / sizeof *runners };

/* ---- parameters ---- */

static void parameters_start_alike(void **state) {
    (void)state;
    const uint64_t seed = 0xfedcba9876543210;
    const int32_t words[4] = {(int32_t)(uint32_t)seed, (int32_t)(uint32_t)(seed >> 32), 0, 0};
    bench b;
    set_up(&b, net_text);
    float *want = NEW_ARRAY(&b.arena, float, b.n.values);
    weights_draw(&b.n, seed, want);
    for (int k = 0; k < RUNNERS; k++) {
        for (int t = 0; t < 2; t++) {
            float *got = NEW_ARRAY(&b.arena, float, b.n.values);
            run_args args = {.n = 1, .params = got, .init = words};
            if (!runners[k].run(&b, t ? compile_host_target() : TARGET_C99, true, ENTRY_INIT, &args, false))
                refuse(&b, runners[k].name);
            for (int64_t i = 0; i < b.n.values; i++)
                if (memcmp(&got[i], &want[i], sizeof *got) != 0)
                    fail_msg("%s: number %lld is %a, not %a", runners[k].name, (long long)i, (double)got[i],
                             (double)want[i]);
        }
    }
    tear_down(&b);
}

/* ---- masks ---- */

enum { KEPT = 1030, SAMPLES = 3 };

static const char mask_text[] = "graph keep\ninput %c i32[4]\ninput %x f32[N,1030]\n"
                                "%m = random_keep(%c) {p=0.25, stream=5, shape=[-1,1030]}\n"
                                "%y = mul(%x, %m)\noutput y %y\n";

/* What ir/base/draw.h says of masks, by the runtime's generator. */
static float kept(const int32_t counter[4], int64_t sample, int64_t i) {
    uint64_t key = (uint32_t)counter[2] | (uint64_t)((uint32_t)counter[3] ^ (uint32_t)counter[1]) << 32;
    uint32_t at[4] = {(uint32_t)(i / 4), (uint32_t)sample, RANDOM_MASKS + 5, (uint32_t)counter[0]}, w[4];
    philox(w, at, key);
    return w[i % 4] < 0x40000000u ? 0 : (float)(1 / 0.75);
}

static void masks_are_philox(void **state) {
    (void)state;
    static const int32_t counter[4] = {7, 1, -5, 123456789};
    static float x[SAMPLES * KEPT];
    for (int i = 0; i < SAMPLES * KEPT; i++) x[i] = 1;
    for (int k = 0; k < RUNNERS; k++) {
        bench b = {0};
        arena_init(&b.arena, 0, &b.trap);
        b.d.arena = &b.arena;
        source *s = NEW(&b.arena, source);
        *s = (source){"test.graph", mask_text, sizeof mask_text - 1};
        b.g = graph_parse(&b.arena, s, &b.d);
        if (!b.g) refuse(&b, "not read");
        float *y = room(&b.arena, sizeof x);
        run_args args = {.n = SAMPLES,
                         .params = x,
                         .packed = room(&b.arena, 1024),
                         .inputs = (const void *const[]){counter, x},
                         .outputs = (void *const[]){y},
                         .workspace = room(&b.arena, 1 << 16)};
        if (!runners[k].run(&b, compile_host_target(), false, ENTRY_FORWARD, &args, true))
            refuse(&b, runners[k].name);
        int64_t dropped = 0;
        for (int64_t n = 0; n < SAMPLES; n++)
            for (int64_t i = 0; i < KEPT; i++) {
                dropped += y[n * KEPT + i] == 0;
                if (y[n * KEPT + i] != kept(counter, n, i))
                    fail_msg("%s: number %lld of sample %lld is not Philox's", runners[k].name, (long long)i,
                             (long long)n);
            }
        assert_in_range(dropped, 652, 893); /* 772.5 ± 5 √(n p q) */
        tear_down(&b);
    }
}

/* ---- steps ---- */

typedef struct trained {
    net n;
    float *params, *output, loss[3];
    net_optimizer *optimizer;
    void *workspace;
    float image[BATCH * PIXELS];
    int32_t label[BATCH];
} trained;

static void open_trained(bench *b, trained *t, const char *backend) {
    executor_options o = {.compile = {.max_batch = BATCH, .max_threads = 2, .train = true}, .threads = 2};
    t->n = b->n;
    if (!executor_open(executor_find(backend, &b->d), &t->n, &b->arena, b->g, &o, &b->d)) refuse(b, backend);
    assert_non_null(t->n.step);
    t->params = NEW_ARRAY(&b->arena, float, b->n.values);
    t->output = NEW_ARRAY(&b->arena, float, BATCH *CLASSES);
    t->optimizer = room(&b->arena, (int64_t)sizeof *t->optimizer + t->n.moment_values * 4);
    *t->optimizer = (net_optimizer){.seed = 99};
    memset(t->optimizer + 1, 0, (size_t)t->n.moment_values * 4);
    t->workspace = room(&b->arena, t->n.step_workspace_bytes);
    weights_draw(&b->n, 3, t->params);
    random_normal(t->image, 0, BATCH * PIXELS, 1, (random_stream){4, 0});
    for (int k = 0; k < BATCH; k++) t->label[k] = (k * 3 + 1) % CLASSES;
}

static net_stepped step_on(bench *b, trained *t, float rate, float *loss) {
    const void *inputs[1] = {t->image};
    net_step s = {.n = BATCH,
                  .params = t->params,
                  .optimizer = t->optimizer,
                  .inputs = inputs,
                  .target = t->label,
                  .learning_rate = rate,
                  .loss = loss,
                  .output = t->output,
                  .workspace = t->workspace};
    net_stepped done = t->n.step(t->n.self, &s, &b->d);
    if (done == STEP_FAILED) refuse(b, "the step failed");
    return done;
}

static float cross_entropy_of(const trained *t) {
    double sum = 0;
    for (int k = 0; k < BATCH; k++) {
        double all = 0;
        for (int c = 0; c < CLASSES; c++) all += exp((double)t->output[k * CLASSES + c]);
        sum += log(all) - (double)t->output[k * CLASSES + t->label[k]];
    }
    return (float)(sum / BATCH);
}

static void near(const char *what, const float *a, const float *b, int64_t count, float most) {
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) <= most * fmaxf(1, fabsf(b[i]))))
            fail_msg("%s: number %lld is %g, elsewhere %g", what, (long long)i, (double)a[i], (double)b[i]);
}

static const char *const backends[] = {
    "interp",
    "c",
#ifdef NETC_LLVM
    "llvm",
#endif
};
enum { BACKENDS = sizeof backends / sizeof *backends };

static void steps_agree(void **state) {
    (void)state;
    bench b;
    set_up(&b, net_text);
    trained first, next;
    for (int k = 0; k < BACKENDS; k++) {
        trained *t = k ? &next : &first;
        open_trained(&b, t, backends[k]);
        float before = t->params[0];
        for (int i = 0; i < 3; i++) {
            assert_int_equal(step_on(&b, t, 0.01f, &t->loss[i]), STEP_DONE);
            near("loss", &t->loss[i], (float[]){cross_entropy_of(t)}, 1, 1e-5f);
        }
        assert_int_equal(t->optimizer->step, 3);
        assert_int_equal(t->optimizer->seed, 99);
        assert_true(t->params[0] != before && t->loss[2] != t->loss[0]);
        near(backends[k], t->loss, first.loss, 3, 1e-4f);
        near(backends[k], t->params, first.params, b.n.values, 1e-4f);
        near(backends[k], (float *)(t->optimizer + 1), (float *)(first.optimizer + 1), t->n.moment_values,
             1e-3f);
        net_close(&t->n);
    }
    tear_down(&b);
}

/* A label that is no class, pixels and a rate that are no numbers. */
static void what_is_refused_changes_nothing(void **state) {
    (void)state;
    bench b;
    set_up(&b, net_text);
    for (int k = 0; k < BACKENDS; k++) {
        trained t;
        float loss = 7;
        open_trained(&b, &t, backends[k]);
        assert_int_equal(step_on(&b, &t, 0.05f, &loss), STEP_DONE);
        size_t memory = sizeof *t.optimizer + (size_t)t.n.moment_values * 4;
        void *params = arena_copy(&b.arena, t.params, (size_t)b.n.values * 4);
        void *optimizer = arena_copy(&b.arena, t.optimizer, memory);
        for (int what = 0; what < 4; what++) {
            t.label[2] = what == 0 ? -1 : what == 1 ? CLASSES : 0;
            t.image[5] = what == 2 ? NAN : 0;
            net_stepped want = what < 2 ? STEP_BAD_LABEL : STEP_NOT_FINITE;
            assert_int_equal(step_on(&b, &t, what == 3 ? INFINITY : 0.05f, &loss), want);
            assert_memory_equal(t.params, params, (size_t)b.n.values * 4);
            assert_memory_equal(t.optimizer, optimizer, memory);
        }
        assert_int_equal(step_on(&b, &t, 0.05f, &loss), STEP_DONE);
        assert_int_equal(t.optimizer->step, 2);
        net_close(&t.n);
    }
    tear_down(&b);
}

/* The interpreter follows every number from the step into the update; an update that no step has prepared reads what
 * nobody wrote. */
static void updates_follow_their_step(void **state) {
    (void)state;
    bench b;
    set_up(&b, net_text);
    program *p = compile(&b, TARGET_C99, true);
    interp *in = interp_new(&b.arena, p, TARGET_C99, &(interp_options){true}, &b.d);
    static float image[BATCH * PIXELS];
    static const int32_t label[BATCH] = {1, 2, 3, 4}, counter[4] = {0, 0, 9, 0};
    float rate = 0.1f, loss = 0;
    const void *inputs[8] = {image};
    inputs[p->step_inputs.target] = label;
    inputs[p->step_inputs.learning_rate] = &rate;
    inputs[p->step_inputs.counter] = counter;
    run_args args = {.n = BATCH,
                     .params = room(&b.arena, p->params_bytes),
                     .moments = room(&b.arena, p->moments_bytes),
                     .inputs = inputs,
                     .loss = &loss,
                     .workspace = room(&b.arena, p->step_bytes)};
    weights_draw(&b.n, 5, (float *)(uintptr_t)args.params);
    memset(args.moments, 0, (size_t)p->moments_bytes);
    if (!interp_run(in, ENTRY_STEP, &args, &b.d) || !interp_run(in, ENTRY_UPDATE, &args, &b.d))
        refuse(&b, "a step");
    assert_true(loss > 1 && loss < 3);
    assert_false(interp_run(in, ENTRY_UPDATE, &args, &b.d));
    assert_non_null(strstr(b.d.first->text, "which nobody has written"));
    args.loss = NULL;
    assert_false(interp_run(in, ENTRY_STEP, &args, &b.d));
    tear_down(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_start_alike),
        cmocka_unit_test(masks_are_philox),
        cmocka_unit_test(steps_agree),
        cmocka_unit_test(what_is_refused_changes_nothing),
        cmocka_unit_test(updates_follow_their_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
