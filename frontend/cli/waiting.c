/* A thread that wakes once a second. */
#include "frontend/cli/waiting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void *watch(void *context) {
    waiting *w = context;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    pthread_mutex_lock(&w->lock);
    for (int seconds = 1; !w->done; seconds++) {
        until.tv_sec++;
        while (!w->done && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0) continue;
        if (!w->done) fprintf(stderr, "\r%s ... %d s\033[K", w->what, seconds);
        fflush(stderr);
    }
    pthread_mutex_unlock(&w->lock);
    fputs("\r\033[K", stderr);
    fflush(stderr);
    return NULL;
}

void waiting_begin(waiting *w, const char *what) {
    const char *term = getenv("TERM");
    if (!isatty(STDERR_FILENO) || !term || strcmp(term, "dumb") == 0) return;
    w->what = what;
    w->done = false;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->running = pthread_create(&w->thread, NULL, watch, w) == 0;
}

void waiting_end(waiting *w) {
    if (!w->running) return;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->running = false;
}
