/* From a data set's samples to the numbers that a net takes, one at a time: pictures through the chain of
 * augmentations, arrays and texts as they are; and the targets that the loss reads. Between loader.c and the
 * data sets. */
#ifndef NETC_RUNTIME_SAMPLES_H
#define NETC_RUNTIME_SAMPLES_H

#include "runtime/loader.h"
#include "runtime/picture.h"

#include <stdatomic.h>

typedef struct samples samples;

/* A picture kept, with its pixels behind it. */
typedef struct kept_picture {
    image image;
    unsigned char pixels[];
} kept_picture;

/* Where one sample goes. */
typedef struct sample_place {
    int64_t epoch, index;
    void *input;    /* [count] of the net's input */
    void *target;   /* [targets] */
    int32_t *label; /* of sets with labels */
} sample_place;

struct samples {
    const net *net;
    const dataset *set;
    const loader_options *options;
    int64_t count; /* of an epoch */

    bool classes; /* the target is `targets` classes below class_count; else so many floats */
    int64_t targets, class_count;
    const int *class_of; /* a class of the set: of the net's; NULL: samples have no label */

    bool (*input)(samples *s, const sample_place *p, arena *scratch, diags *d);
    bool (*target)(samples *s, const sample_place *p, diags *d);

    struct augment *augment;
    picture_input to; /* of sets of pictures */
    image_levels levels;
    _Atomic(kept_picture *) *kept; /* a picture each; NULL: nothing is kept */
    atomic_llong kept_bytes;
};

/* False with an error where the set does not fit the net. */
bool samples_open(samples *s, arena *a, const net *n, const dataset *set, const loader_options *o, diags *d);
/* Several threads may fill places at once, each with its own arena and diags. */
bool samples_fill(samples *s, const sample_place *p, arena *scratch, diags *d);
void samples_close(samples *s);

/* ---- between samples.c and what it consists of ---- */

bool samples_of_pictures(samples *s, arena *a, diags *d);
bool samples_of_text(samples *s, diags *d);
bool samples_find_target(samples *s, arena *a, diags *d);

#endif
