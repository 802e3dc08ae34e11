/* Between image.c and the decoders of each format. */
#ifndef NETC_RUNTIME_IMAGE_READ_H
#define NETC_RUNTIME_IMAGE_READ_H

#include "runtime/image.h"

typedef struct picture_file {
    const char *path;
    const unsigned char *bytes;
    size_t size;
    arena *arena;
    diags *diags;
} picture_file;

bool read_png(image *m, const picture_file *f);
bool read_jpeg(image *m, const picture_file *f);

/* Gives the picture its pixels once its size is known to be bearable and possible: `most` is the number of
 * pixels that one byte of such a file can stand for at best. */
bool image_allocate(image *m, const picture_file *f, int64_t width, int64_t height, int channels, int most);

#endif
