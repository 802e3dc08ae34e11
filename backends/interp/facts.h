/* What the compiler of functions knows of every instruction before it writes code: who uses it where, so that
 * a read register, an added constant, a splat after a load and a set after an operation cost nothing. */
#ifndef NETC_BACKENDS_INTERP_FACTS_H
#define NETC_BACKENDS_INTERP_FACTS_H

#include "backends/interp/code.h"

typedef struct fact {
    const kblock *block; /* that holds it */
    const kinst *user;   /* the last one */
    int order, last;     /* in the function; of the last use */
    int uses;
    bool elsewhere; /* used in a block within its own */
    bool done;      /* another instruction's code does its work */
    void *slot;
} fact;

typedef struct facts {
    arena *arena;
    const kfunc *f;
    fact *at; /* by id */
} facts;

#define FACT(F, X) (&(F)->at[(X)->id])

facts facts_of(arena *a, const kfunc *f);
/* The index of a load, store or offset as a value and a number: *base NULL where there is only the number. */
int64_t index_parts(const kinst *index, const kinst **base);
/* A load whose only user is a splat of it, which then is loaded at once: the splat. */
const kinst *splat_of(const facts *f, const kinst *load);
/* Nothing that has code stands between x and y. */
bool follows(const facts *f, const kinst *x, const kinst *y);
/* x is computed straight into a register's element: the set that names it; NULL if it is not. */
const kinst *set_of(const facts *f, const kinst *x);
/* The register's element may stand for what a get took from it. */
bool get_is_register(const facts *f, const kinst *get);
/* Index of the element that a get or set names, or −1 where it is known only when it runs. */
int register_element(const kinst *access);

#endif
