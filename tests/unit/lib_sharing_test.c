/* libnetc among threads: one model run by four, two compiling meanwhile, threads that the host lends. `make tsan` runs
 * this under ThreadSanitizer. Run from the repository's root. */
#include "frontend/api/executor.h"
#include "frontend/api/netc.h"
#include "runtime/random.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RUNNERS = 4, COMPILERS = 2, IMAGES = 4, ROUNDS = 6, CLASSES = 10, PIXELS = 28 * 28 };

static const char path[] = "examples/mnist.net";

typedef struct shared {
    const netc_options *options;
    netc_model *model;
    float images[IMAGES][PIXELS], want[IMAGES][CLASSES];
} shared;

typedef struct guest {
    shared *all;
    int index;
    char why[256]; /* "": it went well; cmocka's asserts are the main thread's alone */
    pthread_t thread;
} guest;

static void complain(guest *g, const char *what, const netc_error *e) {
    snprintf(g->why, sizeof g->why, "%s: code %d, %.180s", what, e->code, e->message);
}

static void *run_images(void *context) {
    guest *g = context;
    netc_error e;
    float got[CLASSES];
    netc_session *s = netc_session_new(g->all->model, &e);
    if (!s) complain(g, "netc_session_new", &e);
    for (int k = 0; s && k < ROUNDS * IMAGES && !*g->why; k++) {
        int i = (k + g->index) % IMAGES;
        if (!netc_run(s, 1, (const void *const[]){g->all->images[i]}, (void *const[]){got}, &e))
            complain(g, "netc_run", &e);
        else if (memcmp(got, g->all->want[i], sizeof got) != 0)
            complain(g, "other numbers than alone", &e);
    }
    netc_session_free(s);
    return NULL;
}

/* A model of its own, whose numbers are those of the shared one. */
static void *compile_and_run(void *context) {
    guest *g = context;
    guest mine = {.all = calloc(1, sizeof *mine.all), .index = g->index};
    netc_error e;
    if (!mine.all) return NULL;
    *mine.all = *g->all;
    mine.all->model = netc_compile_file(path, g->all->options, &e);
    if (!mine.all->model || !netc_init_weights(mine.all->model, 1, &e))
        complain(g, "compiling", &e);
    else
        run_images(&mine);
    if (*mine.why) memcpy(g->why, mine.why, sizeof g->why);
    netc_model_free(mine.all->model);
    free(mine.all);
    return NULL;
}

static void prepare(shared *all, const netc_options *o) {
    netc_error e;
    all->options = o;
    all->model = netc_compile_file(path, o, &e);
    if (!all->model || !netc_init_weights(all->model, 1, &e)) fail_msg("%s", e.message);
    random_normal(all->images[0], 0, IMAGES * PIXELS, 1, (random_stream){5, 0});
    netc_session *s = netc_session_new(all->model, &e);
    if (!s) fail_msg("%s", e.message);
    for (int k = 0; k < IMAGES; k++)
        if (!netc_run(s, 1, (const void *const[]){all->images[k]}, (void *const[]){all->want[k]}, &e))
            fail_msg("%s", e.message);
    netc_session_free(s);
}

static void share(const netc_options *o) {
    shared *all = calloc(1, sizeof *all);
    guest guests[RUNNERS + COMPILERS];
    assert_non_null(all);
    prepare(all, o);
    for (int k = 0; k < RUNNERS + COMPILERS; k++) {
        guests[k] = (guest){.all = all, .index = k};
        assert_int_equal(
            pthread_create(&guests[k].thread, NULL, k < RUNNERS ? run_images : compile_and_run, &guests[k]),
            0);
    }
    for (int k = 0; k < RUNNERS + COMPILERS; k++) pthread_join(guests[k].thread, NULL);
    for (int k = 0; k < RUNNERS + COMPILERS; k++)
        if (*guests[k].why) fail_msg("thread %d: %s", k, guests[k].why);
    netc_model_free(all->model);
    free(all);
}

static void threads_share(const char *backend, const executor *e) {
    netc_options o = {.size = sizeof o, .backend = backend, .threads = 3};
    if (!e->available()) skip();
    share(&o);
}

static void threads_share_llvm(void **state) {
    (void)state;
    threads_share("llvm", &llvm_executor);
}

static void threads_share_the_interpreter(void **state) {
    (void)state;
    threads_share("interp", &interp_executor);
}

/* libgomp's own barriers look like races to ThreadSanitizer, which does not see into it. */
static void threads_share_c(void **state) {
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip();
#endif
    threads_share("c", &c_executor);
}

/* ---- threads that the host lends ---- */

typedef struct lent {
    int calls;
    netc_session *session; /* to be run from inside, where it is busy; NULL: not yet */
    int refused;
} lent;

/* One thread in two slots: enough to see who calls what. */
static void run_lent(void *user, void (*body)(void *arg, int i, int slot), void *arg, int count) {
    lent *l = user;
    netc_error e;
    l->calls++;
    if (l->session && !netc_run(l->session, 1, NULL, NULL, &e)) l->refused += e.code == NETC_BUSY;
    for (int i = count - 1; i >= 0; i--) body(arg, i, i % 2);
}

static const char wide_text[] = "net wide {\n    input x[2048]\n    output y = x -> fc: linear(2048)\n}\n";

static void run_wide(const netc_options *o, lent *l, float *y) {
    static float x[2048];
    netc_error e;
    netc_model *m = netc_compile_text(wide_text, strlen(wide_text), o, &e);
    if (!m || !netc_init_weights(m, 1, &e)) fail_msg("%s", e.message);
    for (int k = 0; k < 2048; k++) x[k] = (float)(k % 7) - 3;
    netc_session *s = netc_session_new(m, &e);
    if (!s) fail_msg("%s", e.message);
    if (l) l->session = s;
    if (!netc_run(s, 1, (const void *const[]){x}, (void *const[]){y}, &e)) fail_msg("%s", e.message);
    netc_session_free(s);
    netc_model_free(m);
}

static void the_hosts_threads_are_used(void **state) {
    static float alone[2048], lent_to[2048];
    lent l = {0};
    const netc_executor threads = {&l, 2, run_lent};
    netc_options o = {.size = sizeof o, .backend = "llvm", .threads = 1};
    (void)state;
    if (!llvm_executor.available()) skip();
    run_wide(&o, NULL, alone);
    o.executor = &threads;
    run_wide(&o, &l, lent_to);
    assert_true(l.calls > 0);
    assert_true(l.refused > 0); /* a session that runs is not run a second time */
    assert_memory_equal(alone, lent_to, sizeof alone);
}

static void other_backends_say_that_they_take_none(void **state) {
    lent l = {0};
    const netc_executor threads = {&l, 2, run_lent};
    netc_options o = {.size = sizeof o, .backend = "c", .executor = &threads};
    netc_error e;
    (void)state;
    if (!c_executor.available()) skip();
    assert_null(netc_compile_file(path, &o, &e));
    assert_int_equal(e.code, NETC_UNSUPPORTED);
    assert_non_null(strstr(e.message, "options.executor"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_llvm),
        cmocka_unit_test(threads_share_the_interpreter),
        cmocka_unit_test(threads_share_c),
        cmocka_unit_test(the_hosts_threads_are_used),
        cmocka_unit_test(other_backends_say_that_they_take_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
