/* Threads that someone lends: what compiled code runs its kernels on (the executor of the public interface).
 */
#ifndef NETC_IR_BASE_TEAM_H
#define NETC_IR_BASE_TEAM_H

typedef void team_body(void *arg, int i, int slot);

typedef struct team {
    void *user;
    int threads; /* ≥ 1: slots are 0..threads-1 */
    /* Calls body(arg, i, slot) for every i in 0..count, in any order, on up to `threads` threads at once, and
     * returns when all are done. Calls that run at the same time have different slots; one from outside of
     * run may count as slot 0. */
    void (*run)(void *user, team_body *body, void *arg, int count);
} team;

#endif
