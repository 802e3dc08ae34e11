/* Says on a terminal what netc is waiting for, once it has lasted a second: "compiling resnet50 ... 4 s". */
#ifndef NETC_FRONTEND_CLI_WAITING_H
#define NETC_FRONTEND_CLI_WAITING_H

#include <pthread.h>
#include <stdbool.h>

typedef struct waiting {
    const char *what;
    bool running, done;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
} waiting;

/* Nothing happens where stderr is no terminal. */
void waiting_begin(waiting *w, const char *what);
/* Takes the line away; may be called of one that has not begun. */
void waiting_end(waiting *w);

#endif
