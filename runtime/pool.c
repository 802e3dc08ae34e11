/* Every thread owns a range of a job's parts, [begin, end) in one 64-bit word together with the job's number.
 * It takes parts from its own range's front, then from the backs of others'. The word's number keeps a thread
 * that comes late away from the next job's parts: its exchange fails. */
#include "runtime/pool.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    SPIN_NS = 40000, /* how long a thread looks for work before it sleeps: waking one costs some 5 µs */
    LOOKS = 32,      /* between two looks at the clock */
    PARTS = 1 << 16, /* of one round of a job: a word has 16 bits for each end of a range */
    LINE = 128       /* bytes that processors fetch together */
};

/* number << 32 | begin << 16 | end */
typedef struct range {
    _Alignas(LINE) _Atomic uint64_t word;
} range;

struct pool {
    team team;
    _Alignas(LINE) _Atomic uint32_t number; /* of the job at hand; workers sleep on it */
    _Atomic uint32_t quit;
    _Atomic(team_body *) body;
    _Atomic(void *) arg;
    _Alignas(LINE) _Atomic uint32_t asleep; /* workers */
    _Alignas(LINE) _Atomic uint32_t done;   /* parts; the caller sleeps on it */
    _Atomic uint32_t waiting;               /* the caller sleeps */
    _Alignas(LINE) atomic_flag taken;
    _Atomic int started; /* workers that know their slot */
    range *ranges;       /* by slot */
    pthread_t *workers;  /* of slots 1.. */
    int running;         /* workers */
};

static const uint64_t PART_MASK = PARTS - 1;

static uint64_t word_of(uint32_t number, uint64_t begin, uint64_t end) {
    return (uint64_t)number << 32 | begin << 16 | end;
}

static void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void futex_wait(_Atomic uint32_t *at, uint32_t while_equal) {
    syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, while_equal, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *at, int most) {
    syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* True once *at is (or, with `other`, is no longer) `value`; false after SPIN_NS. */
static bool spin(_Atomic uint32_t *at, uint32_t value, bool other) {
    int64_t end = 0;
    for (;;) {
        for (int k = 0; k < LOOKS; k++) {
            if ((atomic_load_explicit(at, memory_order_acquire) == value) != other) return true;
            pause_cpu();
        }
        int64_t now = now_ns();
        if (!end) end = now + SPIN_NS;
        if (now >= end) return false;
    }
}

/* ---- parts ---- */

/* Takes a part of this range for job `number`: from the front, or the back. −1: there is none. */
static int take(range *r, uint32_t number, bool front) {
    uint64_t word = atomic_load_explicit(&r->word, memory_order_acquire);
    for (;;) {
        uint64_t begin = word >> 16 & PART_MASK, end = word & PART_MASK;
        if (word >> 32 != number || begin >= end) return -1;
        uint64_t rest = front ? word_of(number, begin + 1, end) : word_of(number, begin, end - 1);
        if (atomic_compare_exchange_weak_explicit(&r->word, &word, rest, memory_order_acq_rel,
                                                  memory_order_acquire))
            return (int)(front ? begin : end - 1);
    }
}

/* Does what is left of job `number`. body and arg are read before a part is taken: while a part that we took
 * is not done, no other job can begin, and where we took none they are not used. */
static uint32_t work(pool *p, uint32_t number, int slot) {
    team_body *body = atomic_load_explicit(&p->body, memory_order_relaxed);
    void *arg = atomic_load_explicit(&p->arg, memory_order_relaxed);
    uint32_t count = 0;
    for (int k = 0; k < p->team.threads; k++) {
        range *r = &p->ranges[(slot + k) % p->team.threads];
        for (int i; (i = take(r, number, k == 0)) >= 0; count++) body(arg, i, slot);
    }
    return count;
}

/* ---- workers ---- */

static void report(pool *p, uint32_t count) {
    if (!count) return;
    atomic_fetch_add_explicit(&p->done, count, memory_order_seq_cst);
    if (atomic_load_explicit(&p->waiting, memory_order_seq_cst)) futex_wake(&p->done, 1);
}

static void wait_for_job(pool *p, uint32_t last) {
    if (spin(&p->number, last, true)) return;
    atomic_fetch_add_explicit(&p->asleep, 1, memory_order_seq_cst);
    while (atomic_load_explicit(&p->number, memory_order_seq_cst) == last) futex_wait(&p->number, last);
    atomic_fetch_sub_explicit(&p->asleep, 1, memory_order_seq_cst);
}

static void *worker(void *context) {
    pool *p = context;
    int slot = 1 + atomic_fetch_add(&p->started, 1);
    for (uint32_t last = 0;;) {
        wait_for_job(p, last);
        last = atomic_load_explicit(&p->number, memory_order_acquire);
        if (atomic_load_explicit(&p->quit, memory_order_relaxed)) return NULL;
        report(p, work(p, last, slot));
    }
}

/* ---- the caller ---- */

static void wait_for_parts(pool *p, uint32_t count) {
    if (spin(&p->done, count, false)) return;
    atomic_store_explicit(&p->waiting, 1, memory_order_seq_cst);
    for (uint32_t done; (done = atomic_load_explicit(&p->done, memory_order_seq_cst)) != count;)
        futex_wait(&p->done, done);
    atomic_store_explicit(&p->waiting, 0, memory_order_relaxed);
}

static void announce(pool *p, uint32_t number) {
    atomic_store_explicit(&p->number, number, memory_order_seq_cst);
    if (atomic_load_explicit(&p->asleep, memory_order_seq_cst)) futex_wake(&p->number, INT_MAX);
}

static void run_round(pool *p, team_body *body, void *arg, uint64_t count) {
    uint32_t number = atomic_load_explicit(&p->number, memory_order_relaxed) + 1;
    uint64_t threads = (uint64_t)p->team.threads;
    atomic_store_explicit(&p->body, body, memory_order_relaxed);
    atomic_store_explicit(&p->arg, arg, memory_order_relaxed);
    atomic_store_explicit(&p->done, 0, memory_order_relaxed);
    for (uint64_t k = 0; k < threads; k++)
        atomic_store_explicit(&p->ranges[k].word,
                              word_of(number, count * k / threads, count * (k + 1) / threads),
                              memory_order_release);
    announce(p, number);
    uint32_t mine = work(p, number, 0);
    if (atomic_fetch_add_explicit(&p->done, mine, memory_order_acq_rel) + mine != (uint32_t)count)
        wait_for_parts(p, (uint32_t)count);
}

typedef struct shifted {
    team_body *body;
    void *arg;
    int base;
} shifted;

static void run_shifted(void *context, int i, int slot) {
    const shifted *s = context;
    s->body(s->arg, s->base + i, slot);
}

static void run(void *user, team_body *body, void *arg, int count) {
    enum { MOST = PARTS - 1 };
    if (count > 0 && count <= MOST) {
        run_round(user, body, arg, (uint64_t)count);
        return;
    }
    for (int64_t base = 0; base < count; base += MOST) {
        shifted s = {body, arg, (int)base};
        run_round(user, run_shifted, &s, (uint64_t)(count - base < MOST ? count - base : MOST));
    }
}

/* ---- its life ---- */

static void *aligned_zero(size_t bytes) {
    bytes = (bytes + LINE - 1) / LINE * LINE;
    void *at = aligned_alloc(LINE, bytes);
    if (at) memset(at, 0, bytes);
    return at;
}

/* 0, or why there are no more. Signals are the host's threads' to take. */
static int start_workers(pool *p) {
    int why = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (p->running < p->team.threads - 1 && !why) {
        why = pthread_create(&p->workers[p->running], NULL, worker, p);
        if (!why) p->running++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return why;
}

pool *pool_new(int threads, diags *d) {
    pool *p = aligned_zero(sizeof *p);
    bool good = p && threads >= 1 && threads <= POOL_MOST;
    if (good) {
        p->team = (team){p, threads, run};
        p->ranges = aligned_zero((size_t)threads * sizeof *p->ranges);
        p->workers = calloc((size_t)threads, sizeof *p->workers);
        good = p->ranges && p->workers;
    }
    int why = good ? start_workers(p) : 0, running = good ? p->running : 0;
    if (good && !why) return p;
    pool_free(p);
    if (why)
        diag_add(d, DIAG_ERROR, (span){0}, "cannot start thread %d of %d: %s; ask for fewer with --threads",
                 running + 2, threads, strerror(why));
    else
        diag_add(d, DIAG_ERROR, (span){0}, "no memory for %d threads; ask for fewer with --threads", threads);
    return NULL;
}

void pool_free(pool *p) {
    if (!p) return;
    atomic_store(&p->quit, 1);
    if (p->running) announce(p, atomic_load(&p->number) + 1);
    for (int k = 0; k < p->running; k++) pthread_join(p->workers[k], NULL);
    free(p->workers);
    free(p->ranges);
    free(p);
}

const team *pool_take(pool *p) {
    if (!p || p->team.threads == 1 || atomic_flag_test_and_set_explicit(&p->taken, memory_order_acquire))
        return NULL;
    return &p->team;
}

void pool_give(pool *p, const team *t) {
    if (t) atomic_flag_clear_explicit(&p->taken, memory_order_release);
}
