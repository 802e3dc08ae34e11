/* Between augment.c, which runs a chain, and the table of augmentations. */
#ifndef NETC_RUNTIME_AUGMENT_ROWS_H
#define NETC_RUNTIME_AUGMENT_ROWS_H

#include "runtime/augment.h"
#include "runtime/image_change.h"

/* One augmentation of a recipe, its arguments with torchvision's defaults. */
typedef struct augmentation {
    const struct augment_row *row;
    int height, width; /* size = [height, width]; of a single size both */
    bool single;       /* for resize a single size is the shorter side's */
    int pad;
    double p;                  /* probability */
    double scale[2], ratio[2]; /* of area; width / height */
    double brightness, contrast, saturation, hue;
    uint64_t seed;
    const int32_t *order; /* permute: of the input's pixels */
    picture_input to;
} augmentation;

/* Random numbers of one augmentation of one sample. */
typedef struct draws {
    uint64_t seed;
    uint32_t counter[4], words[4];
    int left;
} draws;

draws draws_of(const augment_sample *s, int place);
double draw_between(draws *r, double low, double high);
int draw_below(draws *r, int bound);

/* Work on one picture. */
typedef struct changing {
    arena *arena;
    const char *path;
    diags *diags;
    draws *draws; /* of the augmentations that draw */
} changing;

typedef bool augment_change(const changing *c, const augmentation *g, image *out, const image *m);

typedef struct augment_row {
    const char *name;
    bool random;
    augment_change *train, *test; /* NULL: nothing is done */
    /* What becomes of a picture's size, 0 where it is not known beforehand; NULL: it stays. */
    void (*resize)(const augmentation *g, int *height, int *width);
} augment_row;

extern const augment_row augment_rows[]; /* ends without a name */

#endif
