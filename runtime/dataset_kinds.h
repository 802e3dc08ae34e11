/* Between dataset.c and the kinds of data set. */
#ifndef NETC_RUNTIME_DATASET_KINDS_H
#define NETC_RUNTIME_DATASET_KINDS_H

#include "runtime/dataset.h"

#include "ir/base/file.h"

enum { DATASET_MAX_FILES = 8, CIFAR_CLASSES = 10 };

typedef struct labelled_file {
    const char *path;
    int label;
} labelled_file;

struct dataset {
    const char *path, *kind;
    int64_t count;
    int classes;
    const char *const *names;
    bool (*picture)(const dataset *s, int64_t i, image *m, arena *a, int *label, diags *d);
    file_map maps[DATASET_MAX_FILES]; /* held until dataset_close */
    int map_count;
    union {
        struct {
            int width, height;
            const unsigned char *pixels, *labels;
        } idx;
        struct {
            const unsigned char *records[DATASET_MAX_FILES]; /* of each file */
            int64_t starts[DATASET_MAX_FILES + 1];           /* first picture of each file, then the count */
            int files;
        } cifar;
        const labelled_file *files; /* pictures */
    };
};

typedef struct opening {
    dataset *set;
    const char *path;
    bool train, test; /* which splits will do; both if none was asked for */
    arena *arena;
    diags *diags;
} opening;

/* Nothing of this kind is there; it is and is open; it is, but wrong: an error was told. */
typedef enum outcome { ABSENT, OPENED, REFUSED } outcome;

outcome open_idx(opening *o);
outcome open_cifar(opening *o);
outcome open_pictures(opening *o);

/* FOLDER/NAME as text; true if that exists. */
bool dataset_file(const opening *o, const char *folder, const char *name, const char **path);
/* Maps a file for the set's life. */
const file_map *dataset_map(const opening *o, const char *path);
outcome refuse_set(const opening *o, const char *path, const char *why);

#endif
