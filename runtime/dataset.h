/* Samples on disk, most of them labelled pictures, decoded on demand. What a path holds is found out by what is
 * there:
 *   IDX        train-images-idx3-ubyte, t10k-images-idx3-ubyte and their labels, plain or .gz, in the folder,
 *              in raw/, MNIST/raw/ or FashionMNIST/raw/ below it (as torchvision lays them)
 *   CIFAR-10   data_batch_1.bin … data_batch_5.bin, test_batch.bin, in the folder or in cifar-10-batches-bin/
 *   npy        train_x.npy and train_y.npy, test_x.npy and test_y.npy (or x_train.npy, ...), or x.npy and
 *              y.npy, all of it for training
 *   npz        one file with such arrays
 *   text       a .txt file: nine tenths for training, the last for testing; or a folder with train.txt and
 *              test.txt (val.txt). Printable ASCII and ends of lines (characters.h)
 *   pictures   a folder a class, PNG and JPEG in it or in folders below; classes in the order of their sorted
 *              names, pictures in the order of their sorted paths (torchvision's ImageFolder; names that begin
 *              with a dot are passed over); test/, val/ and train/ with the classes below are found
 *
 * Arrays: x [n,height,width] or [n,height,width,1 or 3] of uint8 are pictures; other x are a net's input as it
 * is, sample by sample (samples.h). y [n] or [n,1] of whole numbers are labels; other y are targets. */
#ifndef NETC_RUNTIME_DATASET_H
#define NETC_RUNTIME_DATASET_H

#include "runtime/image.h"

typedef struct dataset dataset;

/* `split` is "train", "test" (which takes val/ too) or NULL: test where a split is to be had, else all there
 * is. NULL with an error, which says where the common sets come from. The arena outlives the data set. */
dataset *dataset_open(arena *a, const char *path, const char *split, diags *d);
/* What to test on while training on the rest of `path`: *out is NULL where there is no such part. False with an
 * error where there is one but it is damaged. */
bool dataset_open_test(dataset **out, arena *a, const char *path, diags *d);
void dataset_close(dataset *s); /* takes NULL */

int64_t dataset_count(const dataset *s); /* samples; characters of a text */
int dataset_classes(const dataset *s);   /* 0: samples have no single label */
const char *dataset_class_name(const dataset *s, int label);
const char *dataset_kind(const dataset *s); /* "IDX", "CIFAR-10", "npy", "npz", "text", "pictures" */

/* Of a set with classes: in [0, classes). */
int dataset_label(const dataset *s, int64_t i);
/* Picture i in its own size, in the arena. Several threads may read one set, each with an arena and diags of its
 * own. */
bool dataset_picture(const dataset *s, int64_t i, image *m, arena *a, diags *d);

#endif
