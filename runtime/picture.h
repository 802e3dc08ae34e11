/* Pictures as input of a net. */
#ifndef NETC_RUNTIME_PICTURE_H
#define NETC_RUNTIME_PICTURE_H

#include "runtime/image.h"
#include "runtime/net.h"

/* What a net's input wants a picture to be. [C,H,W], or [H,W]: a grey picture's rows as a sequence. */
typedef struct picture_input {
    int channels, height, width;
    image_norm norm; /* as the input says; pixels / 255 where it is silent */
} picture_input;

/* False where no picture can be that input: integers, other ranks or channels, too large. */
bool picture_input_of(const net_tensor *t, picture_input *out);
/* Decodes, fits and normalises a PNG or JPEG file into to[C][H][W]. */
bool picture_read(float *to, const picture_input *p, const char *path, diags *d);

#endif
