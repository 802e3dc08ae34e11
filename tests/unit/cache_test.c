/* Code kept between processes: what comes back is what was kept or nothing, whatever happens to folder and files; and
 * a program's digest tells apart all that a backend sees. Run from the repository's root. */
#include "frontend/api/cache.h"
#include "frontend/api/compile.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

enum { FOLDER = 64, PATH = 320, CODE = 5000 };

/* ---- folders ---- */

typedef struct corner {
    char root[FOLDER], folder[FOLDER + 8];
} corner;

static int set_up(void **state) {
    corner *p = calloc(1, sizeof *p);
    strcpy(p->root, "/tmp/netc-cache-XXXXXX");
    *state = p;
    if (!mkdtemp(p->root)) return -1;
    snprintf(p->folder, sizeof p->folder, "%s/netc", p->root);
    return setenv("XDG_CACHE_HOME", p->root, 1);
}

static void each_file(const corner *p, void (*what)(const char *path, void *context), void *context) {
    DIR *folder = opendir(p->folder);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        char path[PATH + 16];
        snprintf(path, sizeof path, "%s/%s", p->folder, e->d_name);
        if (e->d_name[0] != '.') what(path, context);
    }
    if (folder) closedir(folder);
}

static void remove_it(const char *path, void *context) {
    (void)context;
    unlink(path);
}

static void count_it(const char *path, void *context) {
    (void)path;
    ++*(int *)context;
}

static int files(const corner *p) {
    int count = 0;
    each_file(p, count_it, &count);
    return count;
}

static int tear_down(void **state) {
    corner *p = *state;
    each_file(p, remove_it, NULL);
    rmdir(p->folder);
    int result = rmdir(p->root);
    free(p);
    return result;
}

static void path_of(const corner *p, const cache_key *k, char path[PATH]) {
    int length = snprintf(path, PATH, "%s/", p->folder);
    for (int i = 0; i < DIGEST_BYTES; i++) snprintf(path + length + 2 * i, 3, "%02x", k->bytes[i]);
}

static cache_key key_of(int64_t number) {
    digest d;
    assert_true(cache_begin(&d));
    digest_number(&d, number);
    return cache_end(&d);
}

static const char *code_of(int64_t number) {
    static _Thread_local char code[CODE];
    for (int k = 0; k < CODE; k++) code[k] = (char)(k * 7 + number * 31 + k / 256);
    return code;
}

static void keep(int64_t number) {
    const cache_key k = key_of(number);
    cache_write(&k, code_of(number), CODE);
}

/* 1: it is there, as it was kept; 0: it is not there; -1: other bytes. */
static int kept(int64_t number) {
    const cache_key k = key_of(number);
    size_t bytes = 0;
    void *at = cache_read(&k, &bytes);
    int result = !at ? 0 : bytes == CODE && memcmp(at, code_of(number), CODE) == 0 ? 1 : -1;
    free(at);
    return result;
}

/* ---- what is kept ---- */

static void what_is_kept_comes_back(void **state) {
    assert_int_equal(kept(1), 0);
    keep(1);
    assert_int_equal(kept(1), 1);
    assert_int_equal(kept(2), 0);
    keep(2);
    keep(1);
    assert_int_equal(kept(1), 1);
    assert_int_equal(kept(2), 1);
    assert_int_equal(files(*state), 2);
}

static void the_folder_is_made_for_its_owner_alone(void **state) {
    const corner *p = *state;
    struct stat s;
    keep(1);
    assert_int_equal(stat(p->folder, &s), 0);
    assert_int_equal(s.st_mode & 07777, 0700);
    char path[PATH];
    const cache_key k = key_of(1);
    path_of(p, &k, path);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 077, 0);
}

static void damage_is_found_and_replaced(void **state) {
    char path[PATH];
    const cache_key k = key_of(1);
    path_of(*state, &k, path);
    for (off_t at = 0; at < CODE; at += at < 64 ? 1 : 617) {
        keep(1);
        int file = open(path, O_RDWR);
        unsigned char byte = 0;
        assert_true(file >= 0 && pread(file, &byte, 1, at) == 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        close(file);
        assert_int_equal(kept(1), 0);
    }
    for (off_t length = 0; length < CODE; length += length < 70 ? 7 : 1111) {
        keep(1);
        assert_int_equal(truncate(path, length), 0);
        assert_int_equal(kept(1), 0);
    }
    keep(1);
    assert_int_equal(kept(1), 1);
    assert_int_equal(files(*state), 1);
}

static void a_file_under_another_name_is_not_taken(void **state) {
    char from[PATH], to[PATH];
    const cache_key a = key_of(1), b = key_of(2);
    path_of(*state, &a, from);
    path_of(*state, &b, to);
    keep(1);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(kept(2), 0);
}

static void what_others_may_write_is_not_taken(void **state) {
    const corner *p = *state;
    char path[PATH], moved[PATH + 8];
    const cache_key k = key_of(1);
    path_of(p, &k, path);
    keep(1);
    assert_int_equal(chmod(path, 0622), 0);
    assert_int_equal(kept(1), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(kept(1), 1);
    snprintf(moved, sizeof moved, "%s.else", path);
    assert_int_equal(rename(path, moved) | symlink(moved, path), 0);
    assert_int_equal(kept(1), 0);
    assert_int_equal(unlink(path) | rename(moved, path), 0);
    assert_int_equal(chmod(p->folder, 0777), 0);
    assert_int_equal(kept(1), 0);
    assert_int_equal(chmod(p->folder, 0700), 0);
    assert_int_equal(kept(1), 1);
}

/* ---- where there is none ---- */

static void no_folder_is_no_cache(void **state) {
    const corner *p = *state;
    const char *const bad[] = {"", "relative/folder", "/dev/null", "/dev/null/x", "/proc/none"};
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    unsetenv("HOME");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("XDG_CACHE_HOME", bad[i], 1);
        keep(1);
        cache_trim(0);
        assert_int_equal(kept(1), 0);
    }
    unsetenv("XDG_CACHE_HOME");
    keep(1);
    assert_int_equal(kept(1), 0);
    assert_int_equal(files(p), 0);
    if (home) setenv("HOME", home, 1);
    free(home);
}

static void a_full_disk_keeps_nothing(void **state) {
    struct rlimit most = {CODE / 2, RLIM_INFINITY}, old;
    void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
    keep(1);
    getrlimit(RLIMIT_FSIZE, &old);
    most.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &most);
    keep(1);
    keep(2);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, was);
    assert_int_equal(kept(1), 1);
    assert_int_equal(kept(2), 0);
    assert_int_equal(files(*state), 1);
}

/* ---- size ---- */

static void set_age(const corner *p, int64_t number, int hours) {
    char path[PATH];
    const cache_key k = key_of(number);
    path_of(p, &k, path);
    const struct timespec at[2] = {{time(NULL) - 3600L * hours, 0}, {time(NULL) - 3600L * hours, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

static void the_oldest_goes_first(void **state) {
    const corner *p = *state;
    for (int k = 0; k < 4; k++) {
        keep(k);
        set_age(p, k, 10 - k);
    }
    assert_int_equal(kept(0), 1); /* and now it has been used */
    cache_trim(3 * (CODE + 200));
    assert_int_equal(files(p), 3);
    assert_int_equal(kept(1), 0);
    cache_trim(CODE + 200);
    assert_int_equal(files(p), 1);
    assert_int_equal(kept(0), 1);
    cache_trim(0);
    assert_int_equal(files(p), 0);
}

static void only_our_files_are_removed(void **state) {
    const corner *p = *state;
    char other[PATH], old[PATH], young[PATH];
    snprintf(other, sizeof other, "%s/notes.txt", p->folder);
    snprintf(old, sizeof old, "%s/12-0.tmp", p->folder);
    snprintf(young, sizeof young, "%s/12-1.tmp", p->folder);
    keep(1);
    const char *const made[] = {other, old, young};
    for (int k = 0; k < 3; k++) close(open(made[k], O_CREAT | O_WRONLY, 0600));
    const struct timespec past[2] = {{time(NULL) - 7200, 0}, {time(NULL) - 7200, 0}};
    assert_int_equal(utimensat(AT_FDCWD, old, past, 0), 0);
    cache_trim(0);
    assert_int_equal(access(other, F_OK), 0);
    assert_int_equal(access(young, F_OK), 0);
    assert_int_not_equal(access(old, F_OK), 0);
    assert_int_equal(files(p), 2);
}

/* ---- many at once ---- */

enum { THREADS = 6, TURNS = 60 };

typedef struct crowd {
    atomic_int wrong, seen;
} crowd;

static void *write_and_read(void *context) {
    crowd *c = context;
    for (int k = 0; k < TURNS; k++) {
        keep(k % 3);
        int found = kept((k + 1) % 3);
        c->wrong += found < 0;
        c->seen += found > 0;
    }
    return NULL;
}

static void many_at_once(void **state) {
    crowd c = {0};
    pthread_t thread[THREADS];
    for (int k = 0; k < THREADS; k++)
        assert_int_equal(pthread_create(&thread[k], NULL, write_and_read, &c), 0);
    for (int k = 0; k < THREADS; k++) pthread_join(thread[k], NULL);
    assert_int_equal(c.wrong, 0);
    assert_true(c.seen > TURNS);
    assert_int_equal(files(*state), 3);
}

/* ---- digests ---- */

static void assert_digest(const char *bytes, size_t count, const char *want) {
    digest d;
    unsigned char out[DIGEST_BYTES];
    char hex[2 * DIGEST_BYTES + 1];
    digest_start(&d);
    for (size_t k = 0; k < count; k++) digest_add(&d, bytes + k, 1);
    digest_end(&d, out);
    for (int k = 0; k < DIGEST_BYTES; k++) snprintf(hex + 2 * k, 3, "%02x", out[k]);
    assert_string_equal(hex, want);
}

/* As b2sum -l 256 gives them. */
static void digests_are_blake2b(void **state) {
    (void)state;
    char many[300];
    memset(many, 'x', sizeof many);
    assert_digest("abc", 3, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    assert_digest("", 0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    assert_digest(many, 128, "164ffb7089bae6f5a62fb0795e751dc9e88eac92e1a5b2fafe93a25abf2d9c3b");
    assert_digest(many, 300, "5aa7fbbf37986bb2a5d547c0d3c4d4326a24d786e7d57bf93fc784176e38b33d");
}

static cache_key digest_of(arena *a, const program *p) {
    digest d;
    digest_start(&d);
    program_digest(a, p, TARGET_C99, &d);
    return cache_end(&d);
}

static bool same(cache_key x, cache_key y) {
    return memcmp(&x, &y, sizeof x) == 0;
}

static program *compile(arena *a, const char *path, diags *d) {
    const lang_options lang = {0};
    compile_options o = {.max_batch = 2, .max_threads = 2, .rolled = true};
    o.targets[TARGET_C99] = true;
    const graph *g = compile_read(a, path, &lang, d);
    program *p = g ? compile_program(a, g, &o, d) : NULL;
    assert_non_null(p);
    return p;
}

static kinst *find_constant(kblock *b) {
    for (kinst *x = b->first; x; x = x->next) {
        kinst *within = x->op == K_CONST ? x : find_constant(&x->body);
        if (within) return within;
    }
    return NULL;
}

/* A change here and there, undone again: every one gives another digest. */
#define CHANGED(place, by)                                                                                   \
    do {                                                                                                     \
        (place) += (by);                                                                                     \
        assert_false(same(digest_of(&a, p), want));                                                          \
        (place) -= (by);                                                                                     \
        assert_true(same(digest_of(&a, p), want));                                                           \
    } while (0)

static void programs_are_told_apart(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    program *p = compile(&a, "examples/row_lstm.net", &d);
    const cache_key want = digest_of(&a, p);
    assert_true(same(want, digest_of(&a, compile(&a, "examples/row_lstm.net", &d))));
    assert_false(same(want, digest_of(&a, compile(&a, "examples/lenet5.net", &d))));
    CHANGED(p->max_batch, 1);
    CHANGED(p->max_threads, 1);
    CHANGED(p->scratch_offset, 64);
    CHANGED(p->buffers.at[0]->offset, 64);
    CHANGED(p->buffers.at[1]->per_sample, 1);
    steps *s = &p->entries[ENTRY_FORWARD].steps;
    for (int k = 0; k < s->list.count; k++) {
        if (s->list.at[k].is_loop) CHANGED(s->list.at[k].count, 1);
        call *c = s->list.at[k].is_loop ? &s->list.at[k].body->list.at[0].call : &s->list.at[k].call;
        kernel *called = c->kernel;
        CHANGED(c->arg[0].offset, 1);
        CHANGED(c->arg[0].stride[0], 1);
        CHANGED(called->count.mul, 1);
        CHANGED(called->work, 1);
        kinst *constant = find_constant(&called->body[TARGET_C99]->body);
        if (!constant) continue;
        CHANGED(constant->i, 1);
        CHANGED(constant->f, 0.5);
    }
    for (int i = 0; i < p->micros[TARGET_C99].count; i++)
        if (find_constant(&p->micros[TARGET_C99].at[i]->body))
            CHANGED(find_constant(&p->micros[TARGET_C99].at[i]->body)->i, 1);
    p->entries[ENTRY_PREPARE].present = false;
    assert_false(same(digest_of(&a, p), want));
    arena_free(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_kept_comes_back),
        TEST(the_folder_is_made_for_its_owner_alone),
        TEST(damage_is_found_and_replaced),
        TEST(a_file_under_another_name_is_not_taken),
        TEST(what_others_may_write_is_not_taken),
        TEST(no_folder_is_no_cache),
        TEST(a_full_disk_keeps_nothing),
        TEST(the_oldest_goes_first),
        TEST(only_our_files_are_removed),
        TEST(many_at_once),
        cmocka_unit_test(digests_are_blake2b),
        cmocka_unit_test(programs_are_told_apart),
    };
    return cmocka_run_group_tests_name("kept code", tests, NULL, NULL);
}
