/* A net written by hand, as a compiler would fill it in: softmax regression on pictures of 4×4, trained by SGD with
 * momentum and a dropout of its inputs, so that weights, moments, a running statistic, the step count and the seed
 * all matter to what the next step gives. And a data set of such pictures. */
#ifndef NETC_TESTS_SUPPORT_TINY_NET_H
#define NETC_TESTS_SUPPORT_TINY_NET_H

#include "runtime/net.h"

enum { TINY_INPUTS = 16, TINY_CLASSES = 3, TINY_BATCH = 5, TINY_TRAIN = 24, TINY_TEST = 9, TINY_STEPS = 5 };

typedef struct tiny {
    net net;
    net_recipe recipe;
    net_param params[3];
    net_moment moments[2];
    net_tensor input, output;
    int64_t refuse_at;   /* the step, from 1, that ... (0: none) */
    net_stepped refusal; /* ... is refused so */
} tiny;

/* Weights at their start; the record may be changed before it is used. */
void tiny_open(tiny *t, float *params);
int64_t tiny_values(void);
/* MNIST-like files of TINY_TRAIN and TINY_TEST pictures, which a linear net tells apart, in this folder. */
void tiny_write_data(const char *folder);

#endif
