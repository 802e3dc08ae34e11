/* Labelled pictures on disk, decoded on demand. What a folder holds is found out by what is in it:
 *   IDX          train-images-idx3-ubyte, t10k-images-idx3-ubyte and their labels, plain or .gz, in the
 * folder, in raw/, MNIST/raw/ or FashionMNIST/raw/ below it (MNIST, Fashion-MNIST as torchvision lays them)
 *   CIFAR-10     data_batch_1.bin … data_batch_5.bin, test_batch.bin, in the folder or in
 * cifar-10-batches-bin/ pictures     a folder a class, PNG and JPEG in it or in folders below; classes in the
 * order of their sorted names, pictures in the order of their sorted paths (torchvision's ImageFolder; names
 * that begin with a dot are passed over); test/, val/ and train/ with the classes below are found */
#ifndef NETC_RUNTIME_DATASET_H
#define NETC_RUNTIME_DATASET_H

#include "runtime/image.h"

typedef struct dataset dataset;

/* `split` is "train", "test" (which takes val/ too) or NULL: test where a split is to be had, else all there
 * is. NULL with an error, which says where the common sets come from. The arena outlives the data set. */
dataset *dataset_open(arena *a, const char *path, const char *split, diags *d);
void dataset_close(dataset *s);

int64_t dataset_count(const dataset *s);
int dataset_classes(const dataset *s);
const char *dataset_class_name(const dataset *s, int label);
const char *dataset_kind(const dataset *s); /* "IDX", "CIFAR-10", "pictures" */

/* Picture i made fit for a net's input of channels × height × width (image_fit's rules) into
 * pixels[height][width][channels], and its label. Several threads may read one set, each with diags (and
 * their arena) of its own. */
bool dataset_get(const dataset *s, int64_t i, unsigned char *pixels, int channels, int height, int width,
                 int *label, diags *d);
/* Picture i in its own size, in the arena. */
bool dataset_picture(const dataset *s, int64_t i, image *m, arena *a, int *label, diags *d);

#endif
