/* Weights to start from that fit in part: what fits is taken, the rest starts fresh and is named. And texts beside the
 * tensors of a safetensors file. */
#include "runtime/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct fixture {
    arena arena;
    trap trap;
    diags diags;
    char path[64];
    tensors file;
} fixture;

static const param stored[] = {
    {"body.weight", 0, 4, 2, {2, 2}}, {"body.bias", 4, 2, 1, {2}}, {"head.weight", 6, 4, 2, {2, 2}}};
static const float numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
static const char *const metadata[] = {"netc.batch", "64", "odd \"key\"\n", "a\\b", NULL};

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 0, &f->trap);
    f->diags.arena = &f->arena;
    strcpy(f->path, "/tmp/netc-params-XXXXXX");
    close(mkstemp(f->path));
    *state = f;
    return tensors_save_safetensors(f->path, params_list(&f->arena, stored, 3, numbers), 3, metadata,
                                    &f->diags) &&
                   tensors_open(&f->file, &f->arena, f->path, &f->diags)
               ? 0
               : -1;
}

static int tear_down(void **state) {
    fixture *f = *state;
    tensors_close(&f->file);
    unlink(f->path);
    arena_free(&f->arena);
    free(f);
    return 0;
}

static bool was_told(const fixture *f, severity s, const char *text) {
    for (const diag *d = f->diags.first; d; d = d->next)
        if (d->severity == s && strstr(d->text, text)) return true;
    return false;
}

static void a_head_of_another_size_starts_fresh(void **state) {
    static const param wanted[] = {{"body.weight", 0, 4, 2, {2, 2}},
                                   {"body.bias", 4, 2, 1, {2}},
                                   {"head.weight", 6, 6, 2, {3, 2}},
                                   {"extra.bias", 12, 1, 1, {1}}};
    static const float want[] = {1, 2, 3, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1};
    fixture *f = *state;
    float to[13];
    for (int k = 0; k < 13; k++) to[k] = -1;
    assert_true(params_load_some(&f->file, wanted, 4, to, &f->arena, &f->diags));
    assert_memory_equal(to, want, sizeof to);
    assert_int_equal(f->diags.errors, 0);
    assert_true(was_told(f, DIAG_NOTE, "starts fresh: 'head.weight' is [2,2] in the file, [3,2] in the net"));
    assert_true(was_told(f, DIAG_NOTE, "starts fresh: 'extra.bias' [1] is not in the file"));
}

static void what_the_net_has_no_place_for_is_named(void **state) {
    fixture *f = *state;
    float to[4] = {0};
    assert_true(params_load_some(&f->file, stored, 1, to, &f->arena, &f->diags));
    assert_memory_equal(to, numbers, sizeof to);
    assert_true(was_told(f, DIAG_NOTE, "not used: 'body.bias'"));
}

static void weights_of_another_net_are_refused(void **state) {
    static const param wanted[] = {{"conv.weight", 0, 4, 2, {2, 2}}, {"body.bias", 4, 3, 1, {3}}};
    fixture *f = *state;
    float to[7] = {0};
    assert_false(params_load_some(&f->file, wanted, 2, to, &f->arena, &f->diags));
    assert_true(was_told(f, DIAG_ERROR, "none of its 3 tensors has a name and a shape of this net's"));
    for (int k = 0; k < 7; k++) assert_true(to[k] == 0);
}

static void texts_come_back(void **state) {
    fixture *f = *state;
    assert_string_equal(tensors_metadata(&f->file, "netc.batch"), "64");
    assert_string_equal(tensors_metadata(&f->file, metadata[2]), "a\\b");
    assert_null(tensors_metadata(&f->file, "netc.seed"));
    assert_int_equal(f->file.count, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_head_of_another_size_starts_fresh),
        TEST(what_the_net_has_no_place_for_is_named),
        TEST(weights_of_another_net_are_refused),
        TEST(texts_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
