/* Pictures: PNG and JPEG decoded to 8 bits, resized, cropped and normalised as torchvision does it on PIL's
 * pictures, bit for bit. A picture is what its content says, whatever its suffix.
 *
 * How a picture becomes a net's input of C×H×W (image_fit):
 *   1. colour: C = 1 takes PIL's grey (19595 R + 38470 G + 7471 B + 32768) >> 16, C = 3 repeats grey thrice;
 *      other C are refused. Transparency is dropped, 16 bits keep their upper 8, CMYK becomes RGB as in PIL.
 *   2. of H×W already: taken as it is.
 *   3. 28×28 for C = 1 (a digit; all of it matters): into 32×32 it is padded with 2 zeros on each side, as
 * for LeNet-5; else it is resized whole to H×W.
 *   4. otherwise resized so that the shorter side is S, then cropped in the centre to H×W, with S = H for
 * nets smaller than 96 and S = round(H·256/224) from there on (torchvision's 256 → 224). Where H ≠ W, so that
 *      both sides cover theirs. Resizing is antialiased bilinear. */
#ifndef NETC_RUNTIME_IMAGE_H
#define NETC_RUNTIME_IMAGE_H

#include "ir/base/diag.h"

typedef struct image {
    int width, height;
    int channels;          /* 1 grey, 3 red green blue */
    unsigned char *pixels; /* [height][width][channels] */
} image;

/* Larger pictures are refused: 2^15 a side, 2^26 pixels in all. */
enum { IMAGE_MAX_SIDE = 1 << 15, IMAGE_MAX_PIXELS = 1 << 26 };

bool image_open(image *m, arena *a, const char *path, diags *d);
/* Of bytes in memory; `path` names them in messages. Truncated and damaged pictures are refused. */
bool image_decode(image *m, arena *a, const unsigned char *bytes, size_t size, const char *path, diags *d);

image image_convert(arena *a, const image *m, int channels); /* 1 or 3 */

typedef struct image_window {
    int x, y, width, height;
} image_window;

/* The window of the picture as it would be when resized to width × height: only what is seen is computed. */
image image_resize(arena *a, const image *m, int width, int height, image_window window);

/* The picture as input of a net: rules above. `path` names it in messages. */
bool image_fit(image *out, arena *a, const image *m, int channels, int height, int width, const char *path,
               diags *d);

/* (pixel / divisor − mean) / std, in float as torchvision computes it. */
typedef struct image_norm {
    float divisor; /* 255, or 1 for nets that take raw pixels */
    float mean[3], std[3];
} image_norm;

/* What every level of every channel becomes. */
typedef struct image_levels {
    float of[3][256];
} image_levels;
image_levels image_levels_of(const image_norm *norm);

/* [H][W][C] bytes to [C][H][W] floats. */
void image_planar(float *out, const image *m, const image_levels *levels);

#endif
