/* The augmentations of a net's recipe, as a chain from a decoded picture to one that fits the net's input.
 *   1. colour: to the input's channels (image.h's rule 1)
 *   2. each augmentation of the text in its order; names and meanings are torchvision's, on PIL's pictures
 *   3. a picture that still has another size is made fit by image.h's rules
 * Where pictures are tested nothing is drawn: a random crop becomes the crop of the middle, a random resized
 * crop image.h's rules for its size, and what flips or colours is left out. What is drawn depends on the seed,
 * the epoch, the sample and the augmentation's place in the chain alone. */
#ifndef NETC_RUNTIME_AUGMENT_H
#define NETC_RUNTIME_AUGMENT_H

#include "runtime/net.h"
#include "runtime/picture.h"

typedef struct augment augment;

/* NULL with an error where an argument is wrong or the sizes cannot fit. `height`, `width`: of all pictures,
 * 0 where they differ. `training`: as in training, else as in testing. */
augment *augment_new(arena *a, const net_rule *rules, int count, const picture_input *to, bool training,
                     int height, int width, diags *d);

/* Whose picture it is. */
typedef struct augment_sample {
    uint64_t seed;
    int64_t epoch, index;
    const char *path; /* names it in messages */
} augment_sample;

/* The part of the chain that is the same whenever a picture is shown, up to what is drawn first; then the rest.
 * Results lie in the arena or are the picture itself. False with an error where the picture is too small for a
 * crop or would become too large. */
bool augment_begin(const augment *g, image *out, arena *a, const image *m, const char *path, diags *d);
bool augment_finish(const augment *g, image *out, arena *a, const image *m, const augment_sample *s,
                    diags *d);

#endif
