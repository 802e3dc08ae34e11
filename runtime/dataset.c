/* Opens a data set of whatever kind, and hands out its pictures. */
#include "runtime/dataset.h"

#include "runtime/archive.h"
#include "runtime/dataset_kinds.h"

#include <string.h>
#include <sys/stat.h>

bool dataset_file(const opening *o, const char *folder, const char *name, const char **path) {
    struct stat s;
    *path = arena_printf(o->arena, *folder ? "%s/%s/%s" : "%s%s/%s", o->path, folder, name);
    return stat(*path, &s) == 0;
}

const file_map *dataset_map(const opening *o, const char *path) {
    file_map *m = &o->set->maps[o->set->map_count];
    if (!file_open(m, path, o->diags)) return NULL;
    o->set->map_count++;
    return m;
}

outcome refuse_set(const opening *o, const char *path, const char *why) {
    diag_file(o->diags, path, "%s", why);
    return REFUSED;
}

/* Where the common sets come from. */
static const char *const sources[] = {
    "MNIST: four files train-images-idx3-ubyte.gz, ... from http://yann.lecun.com/exdb/mnist or "
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "Fashion-MNIST: Debian's package dataset-fashion-mnist, or "
    "https://github.com/zalandoresearch/fashion-mnist",
    "CIFAR-10: the binary version from https://www.cs.toronto.edu/~kriz/cifar.html, unpacked",
    "pictures of your own: one folder a class with .jpg and .png files in it, below train/ and test/",
    "arrays of your own: x.npy and y.npy in a folder (or train_x.npy, train_y.npy, test_x.npy, test_y.npy), "
    "or "
    "one .npz file with x_train, y_train, x_test, y_test, as Keras' mnist.npz at "
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "a text for nets that read characters: a .txt file, as those of https://www.gutenberg.org",
};

static outcome refuse_absent(const opening *o) {
    struct stat s;
    bool exists = stat(o->path, &s) == 0;
    const char *which = o->train == o->test ? "" : o->train ? " for training" : " for testing";
    diag_file(o->diags, o->path,
              !exists               ? "there is no such folder, so no data set%s"
              : !S_ISDIR(s.st_mode) ? "this is a file: a data set%s is a folder, an .npz or a .txt file"
                                    : "this folder holds no data set%s that netc knows",
              which);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        diag_add(o->diags, DIAG_NOTE, (span){0}, "%s", sources[i]);
    return REFUSED;
}

static outcome open_any(opening *o) {
    outcome (*const kinds[])(opening *) = {open_idx, open_cifar, open_arrays, open_text, open_pictures};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        outcome r = kinds[i](o);
        if (r != ABSENT) return r;
    }
    return o->optional ? ABSENT : refuse_absent(o);
}

/* The arena's jump is caught on its way out, so that no map stays behind. */
static outcome open_guarded(opening *o) {
    trap here, *outer = o->arena->trap;
    o->arena->trap = &here;
    if (setjmp(here.jump)) {
        o->arena->trap = outer;
        dataset_close(o->set);
        trap_spring(outer, here.reason);
    }
    outcome r = open_any(o);
    o->arena->trap = outer;
    return r;
}

dataset *dataset_open(arena *a, const char *path, const char *split, diags *d) {
    dataset *s = NEW(a, dataset);
    s->path = arena_text(a, path, strlen(path));
    bool train = split && strcmp(split, "train") == 0, test = split && !train;
    opening o = {s, s->path, train || !split, test || !split, false, a, d};
    if (open_guarded(&o) == OPENED) return s;
    dataset_close(s);
    return NULL;
}

bool dataset_open_test(dataset **out, arena *a, const char *path, diags *d) {
    dataset *s = NEW(a, dataset);
    s->path = arena_text(a, path, strlen(path));
    opening o = {s, s->path, false, true, true, a, d};
    outcome r = open_guarded(&o);
    *out = r == OPENED ? s : NULL;
    if (r != OPENED) dataset_close(s);
    return r != REFUSED;
}

void dataset_close(dataset *s) {
    if (s && s->archive) archive_close(s->archive);
    while (s && s->map_count) file_close(&s->maps[--s->map_count]);
}

void number_classes(const opening *o, int count) {
    const char **names = NEW_ARRAY(o->arena, const char *, count + 1);
    for (int i = 0; i < count; i++) names[i] = arena_printf(o->arena, "%d", i);
    o->set->classes = count;
    o->set->names = names;
}

int64_t dataset_count(const dataset *s) {
    return s->count;
}

int dataset_classes(const dataset *s) {
    return s->classes;
}

const char *dataset_class_name(const dataset *s, int label) {
    return s->names[label];
}

const char *dataset_kind(const dataset *s) {
    return s->kind;
}

int dataset_label(const dataset *s, int64_t i) {
    return s->label(s, i);
}

bool dataset_picture(const dataset *s, int64_t i, image *m, arena *a, diags *d) {
    if (i < 0 || i >= s->count)
        return diag_file(d, s->path, "there is no picture %lld: the data set has %lld", (long long)i,
                         (long long)s->count);
    if (!s->picture)
        return diag_file(d, s->path, "this data set holds no pictures: it is of kind '%s'", s->kind);
    return s->picture(s, i, m, a, d);
}
