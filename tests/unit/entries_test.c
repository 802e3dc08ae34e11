/* The entries beside forward: 8-bit pixels give what normalised floats give, and recurrent state goes from
 * one call to the next. */
#include "backends/interp/interp.h"
#include "frontend/lang/lang.h"
#include "passes/passes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char picture_net[] =
    "net tiny {\n"
    "    input image[3, 9, 11] normalize(mean = [0.5, 0.25, 0.125], std = [0.5, 2, 0.25])\n"
    "    x = image -> conv1: conv(20, 3, stride = 2, pad = 1) -> relu\n"
    "    output y = x -> global_avgpool -> fc: linear(5)\n"
    "    output sum = image -> global_avgpool\n"
    "}\n";

static const char state_net[] = "net memory {\n"
                                "    input x[3]\n"
                                "    state h[3]\n"
                                "    h = h * 0.5 + x\n"
                                "    output y = h * 2\n"
                                "}\n";

typedef struct bench {
    arena arena;
    trap trap;
    diags d;
    program *program;
    interp *interp;
    run_args args;
    float *out[2];
} bench;

static void *room(arena *a, int64_t bytes) {
    char *p = arena_alloc(a, (size_t)bytes + BUFFER_ALIGN, 1);
    return p + (BUFFER_ALIGN - (uintptr_t)p % BUFFER_ALIGN) % BUFFER_ALIGN;
}

/* Compiles the text for two samples and prepares it with parameters 0.01, 0.02, ... */
static void set_up(bench *b, const char *text_) {
    arena_init(&b->arena, 0, &b->trap);
    b->d = (diags){.arena = &b->arena};
    source *s = NEW(&b->arena, source);
    *s = (source){"test.net", text_, strlen(text_)};
    graph *g = lang_compile(&b->arena, s, NULL, &b->d);
    pass_options o = {.real = KB_F32, .max_batch = 2, .max_threads = 1, .pixels = true, .check = true};
    o.targets[TARGET_C99] = true;
    b->program = g ? passes_run(&b->arena, g, &o, &b->d) : NULL;
    interp_options checked = {.check = true};
    b->interp = b->program ? interp_new(&b->arena, b->program, TARGET_C99, &checked, &b->d) : NULL;
    diags_print(&b->d, stderr, false);
    assert_non_null(b->interp);
    float *params = room(&b->arena, b->program->params_bytes);
    for (int64_t k = 0; k < b->program->params_bytes / 4; k++) params[k] = 0.01f * (float)(k % 37 - 18);
    for (int k = 0; k < 2; k++) b->out[k] = NEW_ARRAY(&b->arena, float, 64);
    b->args = (run_args){.n = 2,
                         .params = params,
                         .packed = room(&b->arena, b->program->packed_bytes),
                         .outputs = (void *const *)b->out,
                         .workspace = room(&b->arena, b->program->workspace_bytes)};
    assert_true(interp_run(b->interp, ENTRY_PREPARE, &b->args, &b->d));
}

static void run(bench *b, entry_kind kind, const void *input) {
    const void *inputs[] = {input};
    b->args.inputs = inputs;
    bool done = interp_run(b->interp, kind, &b->args, &b->d);
    diags_print(&b->d, stderr, false);
    assert_true(done);
}

static void pixels_are_normalised(void **state) {
    (void)state;
    enum { C = 3, H = 9, W = 11, SIZE = C * H * W };
    static const float mean[] = {0.5f, 0.25f, 0.125f}, std[] = {0.5f, 2, 0.25f};
    bench b;
    if (setjmp(b.trap.jump)) fail_msg("%s", b.trap.reason);
    set_up(&b, picture_net);
    uint8_t pixels[2 * SIZE];
    float image[2 * SIZE], want[2][10];
    for (int i = 0; i < 2 * SIZE; i++) pixels[i] = (uint8_t)(i * 89 + i / 7);
    for (int n = 0; n < 2; n++)
        for (int c = 0; c < C; c++)
            for (int p = 0; p < H * W; p++)
                image[n * SIZE + c * H * W + p] =
                    ((float)pixels[n * SIZE + p * C + c] / 255 - mean[c]) / std[c];
    run(&b, ENTRY_FORWARD, image);
    memcpy(want[0], b.out[0], sizeof want[0]);
    memcpy(want[1], b.out[1], sizeof(float) * 6);
    assert_true(fabsf(want[0][0]) > 1e-3f);
    run(&b, ENTRY_FORWARD_U8, pixels);
    assert_memory_equal(want[0], b.out[0], sizeof want[0]);
    assert_memory_equal(want[1], b.out[1], sizeof(float) * 6);
    arena_free(&b.arena);
}

static void state_is_kept(void **unused) {
    (void)unused;
    bench b;
    if (setjmp(b.trap.jump)) fail_msg("%s", b.trap.reason);
    set_up(&b, state_net);
    float x[6] = {1, 2, 3, -1, -2, -3}, kept[6] = {0};
    void *const states[] = {kept};
    b.args.states = states;
    run(&b, ENTRY_FORWARD, x);
    for (int k = 0; k < 6; k++) assert_true(b.out[0][k] == 2 * x[k]);
    for (int k = 0; k < 6; k++) assert_true(kept[k] == x[k]);
    run(&b, ENTRY_FORWARD, x);
    for (int k = 0; k < 6; k++) assert_true(b.out[0][k] == 3 * x[k]);
    for (int k = 0; k < 6; k++) assert_true(kept[k] == 1.5f * x[k]);
    b.args.states = NULL; /* zeros start it and nothing is kept */
    run(&b, ENTRY_FORWARD, x);
    for (int k = 0; k < 6; k++) assert_true(b.out[0][k] == 2 * x[k]);
    for (int k = 0; k < 6; k++) assert_true(kept[k] == 1.5f * x[k]);
    arena_free(&b.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pixels_are_normalised),
                                       cmocka_unit_test(state_is_kept)};
    return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
