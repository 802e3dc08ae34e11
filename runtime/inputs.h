/* Samples for a net's inputs, from what a user names: pictures, .npy arrays, random numbers.
 *
 * Every item is "X" or "NAME=X", X one of
 *   FILE         a .npy array [samples, ...] of exactly the input's shape, or a PNG or JPEG picture (one
 * sample, made fit by image.h's rules and normalised as the input says) random:SEED  fills every input that
 * no file fills: normal numbers; integers below the input's bound Several files for one input follow one
 * another as samples. NAME is needed where the net has several inputs. */
#ifndef NETC_RUNTIME_INPUTS_H
#define NETC_RUNTIME_INPUTS_H

#include "runtime/net.h"
#include "runtime/npy.h"

typedef struct inputs {
    int64_t samples;
    const void **data; /* an input each: [samples][count], float or int32_t */
    const char *
        *titles; /* a sample each: the file it came from, without folders; "cat.npy[3]", "random[0]" */
    npy *open;   /* arrays used where they lie */
    int open_count;
} inputs;

/* `random_samples`: how many where no file says (at least 1). All items are checked before any is read. */
bool inputs_read(inputs *in, arena *a, const net *n, const char *const *items, int count,
                 int64_t random_samples, diags *d);
void inputs_close(inputs *in);

/* "NAME=FILE" where NAME is one of the tensors: its index, and *rest behind the '='. -1 without a name, where
 * *rest is all. -2 with an error where NAME is a plain word that no tensor is called; `what`: "input",
 * "output". */
int tensor_named(const net_tensor *list, int count, const char *given, const char **rest, const char *what,
                 diags *d);

#endif
