/* libnetc with memory that runs out: every n-th allocation refused, once or from then on, gives an error and leaves
 * nothing behind. Once through the host's hook, once in place of malloc and its kin: the Makefile wraps them for this
 * program, so that calls from netc's own code, and no library's, come by here. Run from the repository's root. */
#include "frontend/api/executor.h"
#include "frontend/api/netc.h"
#include "runtime/tensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- memory that runs out ---- */

typedef struct supply {
    atomic_long asked;  /* so often so far */
    atomic_long blocks; /* given out and not yet back */
    long fails;         /* that request is refused; 0: none */
    bool for_good;      /* and all after it */
} supply;

static bool refuses(supply *s) {
    long k = atomic_fetch_add(&s->asked, 1) + 1;
    return s->fails && (s->for_good ? k >= s->fails : k == s->fails);
}

static void *allocate(void *user, void *old, size_t bytes) {
    supply *s = user;
    if (!bytes) {
        atomic_fetch_sub(&s->blocks, old != NULL);
        free(old);
        return NULL;
    }
    if (refuses(s)) return NULL;
    atomic_fetch_add(&s->blocks, !old);
    return realloc(old, bytes);
}

static supply wrapped; /* for good: malloc has no argument that could carry it */
static atomic_bool wrapping;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
int __real_posix_memalign(void **to, size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **to, size_t alignment, size_t bytes);

static bool dry(void) {
    return atomic_load(&wrapping) && refuses(&wrapped);
}
void *__wrap_malloc(size_t bytes) {
    return dry() ? NULL : __real_malloc(bytes);
}
void *__wrap_calloc(size_t count, size_t bytes) {
    return dry() ? NULL : __real_calloc(count, bytes);
}
void *__wrap_realloc(void *old, size_t bytes) {
    return dry() ? NULL : __real_realloc(old, bytes);
}
void *__wrap_aligned_alloc(size_t alignment, size_t bytes) {
    return dry() ? NULL : __real_aligned_alloc(alignment, bytes);
}
int __wrap_posix_memalign(void **to, size_t alignment, size_t bytes) {
    return dry() ? 12 : __real_posix_memalign(to, alignment, bytes);
}

/* ---- a whole life of a model ---- */

static const char small[] =
    "net small {\n    input x[2, 4]\n    state h[8]\n    y, h = x -> rnn: rnn(8, h)\n"
    "    output logits = y -> flatten -> linear: linear(3)\n"
    "    train { loss = cross_entropy(logits) optimizer = adam(lr = 0.1) batch = 1 }\n}\n";

typedef struct life {
    const char *text, *weights; /* weights NULL: drawn */
    const char *saved;          /* what a trainer writes; NULL: there is no trainer */
    netc_options options;
    float numbers[3];
    netc_error error;
    bool told; /* some call failed, and said so */
} life;

static bool good(life *l, bool worked) {
    if (worked) return true;
    l->told = l->error.code == NETC_NO_MEMORY && strlen(l->error.message) > 5;
    return false;
}

/* A trainer's, of a model with weights and no session. */
static bool train(life *l, netc_model *m) {
    static const float x[8];
    const int32_t class = 1;
    netc_error *e = &l->error;
    netc_trainer *t = netc_trainer_new(m, 1, e);
    bool done = good(l, t) &&
                good(l, netc_train_step(t, 1, (const void *const[]){x}, &class, 0.1F, NULL, e)) &&
                good(l, netc_trainer_save(t, l->saved, e)) && good(l, netc_trainer_resume(t, l->saved, e)) &&
                good(l, netc_trainer_publish(t, m, e));
    netc_trainer_free(t);
    return done;
}

static bool live(life *l) {
    static float x[3 * 32 * 32], y[16];
    netc_session *s = NULL;
    netc_error *e = &l->error;
    l->told = false;
    netc_model *m = l->weights ? netc_compile_file(l->text, &l->options, e)
                               : netc_compile_text(l->text, strlen(l->text), &l->options, e);
    bool done = good(l, m) &&
                good(l, l->weights ? netc_load_weights(m, l->weights, e) : netc_init_weights(m, 1, e)) &&
                good(l, netc_get_parameter(m, "linear.bias", y, netc_output(m, 0)->bytes / 4, e)) &&
                good(l, netc_set_parameter(m, "linear.bias", y, netc_output(m, 0)->bytes / 4, e)) &&
                (!l->saved || train(l, m)) && good(l, (s = netc_session_new(m, e))) &&
                good(l, netc_run(s, 1, (const void *const[]){x}, (void *const[]){y}, e));
    memcpy(l->numbers, y, sizeof l->numbers);
    netc_session_free(s);
    netc_model_free(m);
    return done;
}

/* Lines of this process's map of memory that name a file. */
static int mapped(const char *file) {
    char line[4096];
    int count = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof line, f)) count += strstr(line, file) != NULL;
    if (f) fclose(f);
    return count;
}

static void starve(supply *s, life *l, atomic_bool *on) {
    float want[3];
    long most;
    s->fails = 0;
    atomic_store(on, true);
    if (!live(l)) fail_msg("%s", l->error.message);
    atomic_store(on, false);
    most = atomic_load(&s->asked);
    memcpy(want, l->numbers, sizeof want);
    assert_true(most > 5);
    for (int way = 0; way < 2; way++) {
        bool done = false;
        for (long n = 1; !done; n++) {
            s->fails = n;
            s->for_good = way;
            atomic_store(&s->asked, 0);
            atomic_store(on, true);
            done = live(l);
            atomic_store(on, false);
            if (!done && !l->told)
                fail_msg("allocation %ld of %ld: code %d, '%s'", n, most, l->error.code, l->error.message);
            if (atomic_load(&s->blocks)) fail_msg("allocation %ld: blocks were not given back", n);
            if (l->weights && mapped(l->weights)) fail_msg("allocation %ld: a file is still mapped", n);
            if (l->saved && mapped(l->saved)) fail_msg("allocation %ld: the checkpoint is still mapped", n);
            if (n > 4 * most) fail_msg("it never ends");
        }
        assert_memory_equal(l->numbers, want, sizeof want);
    }
}

/* ---- ways to run it ---- */

static life life_of(const char *backend) {
    return (life){.text = small, .options = {.size = sizeof(netc_options), .backend = backend, .threads = 2}};
}

static void through_the_hook(life l) {
    supply s = {0};
    atomic_bool always = true;
    l.options.allocate = allocate;
    l.options.user = &s;
    starve(&s, &l, &always);
}

static void in_place_of_malloc(const char *backend) {
    life l = life_of(backend);
    wrapped = (supply){0};
    starve(&wrapped, &l, &wrapping);
}

/* ---- a net and its weights as files ---- */

typedef struct files {
    char folder[64], net[96], weights[96], saved[96];
} files;

static bool save(const char *path, const netc_model *m) {
    arena a;
    trap t;
    arena_init(&a, 0, &t);
    diags d = {.arena = &a};
    int count = netc_parameter_count(m);
    stored_tensor *list = NEW_ARRAY(&a, stored_tensor, count);
    for (int k = 0; k < count; k++) {
        const netc_tensor *p = netc_parameter(m, k);
        list[k] = (stored_tensor){.name = p->name, .type = EL_F32, .rank = p->rank, .dims = p->dims};
        list[k].count = (int64_t)p->bytes / 4;
        list[k].bytes = p->bytes;
        list[k].data = arena_alloc(&a, p->bytes, 1);
        netc_get_parameter(m, p->name, (float *)(uintptr_t)list[k].data, p->bytes / 4, NULL);
    }
    bool done = tensors_save_safetensors(path, list, count, NULL, &d);
    arena_free(&a);
    return done;
}

static int write_files(void **state) {
    static files f;
    const char *root = getenv("TMPDIR");
    const life l = life_of("interp");
    snprintf(f.folder, sizeof f.folder, "%.40s/netc-lib-XXXXXX", root ? root : "/tmp");
    if (!mkdtemp(f.folder)) return -1;
    snprintf(f.net, sizeof f.net, "%s/small.net", f.folder);
    snprintf(f.weights, sizeof f.weights, "%s/small.safetensors", f.folder);
    snprintf(f.saved, sizeof f.saved, "%s/saved.safetensors", f.folder);
    FILE *to = fopen(f.net, "w");
    bool written = to && fputs(small, to) >= 0;
    written = to && fclose(to) == 0 && written;
    netc_model *m = netc_compile_text(small, strlen(small), &l.options, NULL);
    written = written && netc_init_weights(m, 2, NULL) && save(f.weights, m);
    netc_model_free(m);
    *state = &f;
    return written ? 0 : -1;
}

static int remove_files(void **state) {
    const files *f = *state;
    unlink(f->saved);
    return unlink(f->net) | unlink(f->weights) | rmdir(f->folder);
}

/* ---- what runs dry ---- */

static void the_hook_runs_dry(void **state) {
    const files *f = *state;
    life l = life_of("interp");
    l.text = f->net;
    l.weights = f->weights;
    l.saved = f->saved;
    through_the_hook(l);
}

static void the_hook_runs_dry_under_llvm(void **state) {
    (void)state;
    if (!llvm_executor.available()) skip();
    through_the_hook(life_of("llvm"));
}

static void malloc_runs_dry(void **state) {
    (void)state;
    in_place_of_malloc(llvm_executor.available() ? "llvm" : "interp");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_hook_runs_dry, write_files, remove_files),
        cmocka_unit_test(the_hook_runs_dry_under_llvm),
        cmocka_unit_test(malloc_runs_dry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
