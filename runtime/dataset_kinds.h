/* Between dataset.c, samples.c and the kinds of data set. */
#ifndef NETC_RUNTIME_DATASET_KINDS_H
#define NETC_RUNTIME_DATASET_KINDS_H

#include "runtime/dataset.h"

#include "ir/base/file.h"
#include "runtime/tensors.h"

enum { DATASET_MAX_FILES = 8, CIFAR_CLASSES = 10 };

typedef enum dataset_holds { HOLDS_PICTURES, HOLDS_ARRAYS, HOLDS_TEXT } dataset_holds;

typedef struct labelled_file {
    const char *path;
    int label;
} labelled_file;

struct dataset {
    const char *path, *kind;
    dataset_holds holds; /* arrays may be pictures too */
    int64_t count;
    int classes;              /* 0: no sample has a single label */
    const char *const *names; /* of the classes */
    int height, width;        /* of every picture; 0: each has its own */
    bool encoded;             /* pictures must be decoded */
    bool (*picture)(const dataset *s, int64_t i, image *m, arena *a, diags *d); /* NULL: there are none */
    int (*label)(const dataset *s, int64_t i);                                  /* in [0, classes) */
    const char *(*file)(const dataset *s, int64_t i);                           /* where the label stands */
    file_map maps[DATASET_MAX_FILES];                                           /* held until dataset_close */
    int map_count;
    struct archive *archive; /* while an .npz is read */
    union {
        struct {
            const unsigned char *pixels, *labels;
            const char *path; /* of the labels */
        } idx;
        struct {
            const unsigned char *records[DATASET_MAX_FILES]; /* of each file */
            int64_t starts[DATASET_MAX_FILES + 1];           /* first picture of each file, then the count */
            const char *paths[DATASET_MAX_FILES];
            int files;
        } cifar;
        const labelled_file *files; /* pictures */
        struct {
            stored_tensor x, y;
            const char *x_path, *y_path;
        } arrays;
        const unsigned char *text; /* a character each */
    };
};

typedef struct opening {
    dataset *set;
    const char *path;
    bool train, test; /* which splits will do; both if none was asked for */
    bool optional;    /* a split of its own or nothing */
    arena *arena;
    diags *diags;
} opening;

/* Nothing of this kind is there; it is and is open; it is, but wrong: an error was told. */
typedef enum outcome { ABSENT, OPENED, REFUSED } outcome;

outcome open_idx(opening *o);
outcome open_cifar(opening *o);
outcome open_pictures(opening *o);
outcome open_arrays(opening *o);
outcome open_text(opening *o);

/* Names for classes that have none: "0", "1", ... */
void number_classes(const opening *o, int count);
/* FOLDER/NAME as text; true if that exists. */
bool dataset_file(const opening *o, const char *folder, const char *name, const char **path);
/* Maps a file for the set's life. */
const file_map *dataset_map(const opening *o, const char *path);
outcome refuse_set(const opening *o, const char *path, const char *why);

#endif
