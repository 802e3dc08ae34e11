/* What augmentations are made of: pictures changed as torchvision changes PIL's, to the bit. Each gives a new
 * picture in the arena, or the old one where nothing changes. */
#ifndef NETC_RUNTIME_IMAGE_CHANGE_H
#define NETC_RUNTIME_IMAGE_CHANGE_H

#include "runtime/image.h"

/* ---- places ---- */

/* The window must lie inside the picture. */
image image_crop(arena *a, const image *m, image_window w);
/* Zeros added on each side. */
image image_pad(arena *a, const image *m, int left, int top, int right, int bottom);
/* The middle; a picture that is too small is padded with zeros first. */
image image_center_crop(arena *a, const image *m, int height, int width);
/* A window, resized. */
image image_resized_crop(arena *a, const image *m, image_window w, int height, int width);
image image_flip(arena *a, const image *m);          /* left becomes right */
image image_flip_vertical(arena *a, const image *m); /* top becomes bottom */
/* Pixel k is the old one's pixel order[k]; order has as many as the picture. */
image image_permute(arena *a, const image *m, const int32_t *order);
/* How high and wide a picture is whose shorter side is resized to `side`. */
void image_shorter_side(const image *m, int side, int *height, int *width);

/* ---- colours: a factor of 1 changes nothing, 0 takes all away ---- */

image image_brightness(arena *a, const image *m, double factor);
image image_contrast(arena *a, const image *m, double factor);
image image_saturation(arena *a, const image *m, double factor);
/* Turns the circle of colours by -0.5..0.5 of it. */
image image_hue(arena *a, const image *m, double turn);
/* Of as many channels as before. */
image image_grayscale(arena *a, const image *m);

#endif
