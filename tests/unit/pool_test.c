/* The pool of threads: every part is done once, on a slot that nobody else has, whoever sleeps or is taken. */
#include "runtime/pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above first */
#include <cmocka.h>

typedef struct tally {
    atomic_int *done; /* by part */
    atomic_int in_slot[POOL_MOST];
    atomic_int clashes;
    int threads;
    int sleep_us;
} tally;

static void count_part(void *arg, int i, int slot) {
    tally *t = arg;
    if (slot < 0 || slot >= t->threads || atomic_fetch_add(&t->in_slot[slot], 1)) t->clashes++;
    t->done[i]++;
    if (t->sleep_us) usleep((unsigned)t->sleep_us);
    atomic_fetch_sub(&t->in_slot[slot], 1);
}

static void run_and_check(const team *t, tally *y, int count) {
    y->done = calloc((size_t)count + 1, sizeof *y->done);
    assert_non_null(y->done);
    t->run(t->user, count_part, y, count);
    int wrong = 0;
    for (int i = 0; i < count; i++) wrong += y->done[i] != 1;
    assert_int_equal(wrong, 0);
    assert_int_equal(y->done[count], 0);
    assert_int_equal(y->clashes, 0);
    free(y->done);
}

static pool *open_pool(int threads) {
    static const diags none = {0};
    diags d = none; /* nothing fails here, so nothing is added */
    pool *p = pool_new(threads, &d);
    assert_non_null(p);
    return p;
}

static void every_part_once(void **state) {
    (void)state;
    static const int counts[] = {0, 1, 2, 3, 7, 64, 1000, 65535, 65536, 200001};
    for (int threads = 2; threads <= 5; threads++) {
        pool *p = open_pool(threads);
        const team *t = pool_take(p);
        assert_non_null(t);
        assert_int_equal(t->threads, threads);
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            tally y = {.threads = threads};
            run_and_check(t, &y, counts[k]);
        }
        pool_give(p, t);
        pool_free(p);
    }
}

/* Many jobs in a row, with workers awake, asleep and falling asleep. */
static void many_jobs(void **state) {
    (void)state;
    pool *p = open_pool(3);
    const team *t = pool_take(p);
    for (int k = 0; k < 3000; k++) {
        tally y = {.threads = 3};
        run_and_check(t, &y, 1 + k % 9);
        if (k % 100 == 0) usleep(300);
        if (k % 100 == 50) usleep(40);
    }
    tally slow = {.threads = 3, .sleep_us = 500}; /* the caller sleeps too */
    run_and_check(t, &slow, 8);
    pool_give(p, t);
    pool_free(p);
}

static void one_at_a_time(void **state) {
    (void)state;
    pool *p = open_pool(2);
    const team *t = pool_take(p);
    assert_non_null(t);
    assert_null(pool_take(p));
    pool_give(p, NULL); /* what the second got */
    assert_null(pool_take(p));
    pool_give(p, t);
    t = pool_take(p);
    assert_non_null(t);
    pool_give(p, t);
    pool_free(p);
    pool *alone = open_pool(1);
    assert_null(pool_take(alone));
    pool_free(alone);
    pool_free(NULL);
}

static void *hammer(void *context) {
    pool *p = context;
    for (int k = 0; k < 300; k++) {
        const team *t = pool_take(p);
        tally y = {.threads = 3};
        if (t) run_and_check(t, &y, 5);
        pool_give(p, t);
    }
    return NULL;
}

static void several_callers(void **state) {
    (void)state;
    pool *p = open_pool(3);
    pthread_t other[3];
    for (int k = 0; k < 3; k++) assert_int_equal(pthread_create(&other[k], NULL, hammer, p), 0);
    for (int k = 0; k < 3; k++) pthread_join(other[k], NULL);
    tally y = {.threads = 3};
    const team *t = pool_take(p);
    assert_non_null(t);
    run_and_check(t, &y, 10);
    pool_give(p, t);
    pool_free(p);
}

static void refuses(void **state) {
    (void)state;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    if (setjmp(t.jump)) fail_msg("%s", t.reason);
    diags d = {.arena = &a};
    assert_null(pool_new(0, &d));
    assert_null(pool_new(POOL_MOST + 1, &d));
    assert_int_equal(d.errors, 2);
    arena_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_once), cmocka_unit_test(many_jobs), cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(several_callers), cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
