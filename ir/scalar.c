/* The rows of scalar.def as a table and as an evaluator. */
#include "ir/scalar.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { KERNEL, GRAPH };

const scalar_info scalars[S_COUNT] = {
#define SCALAR(NAME, name, arity, kind, eval, c, derivative) {#name, arity, kind, c, derivative},
#include "ir/scalar.def"
};

#define SCALAR(NAME, name, arity, kind, eval, spelling, derivative)                                          \
    case S_##NAME: return eval;

double scalar_eval(scalar_op op, double a, double b, double c) {
    switch (op) {
#include "ir/scalar.def"
    case S_COUNT: break;
    }
    return 0;
}

bool real_same(double a, double b) {
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

scalar_op scalar_find(const char *name, size_t length) {
    for (int i = 0; i < S_COUNT; i++)
        if (strlen(scalars[i].name) == length && memcmp(scalars[i].name, name, length) == 0) return i;
    return S_COUNT;
}
