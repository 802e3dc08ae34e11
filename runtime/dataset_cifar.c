/* CIFAR-10's binary version: records of a label and 3 × 32 × 32 bytes, red first. */
#include "runtime/dataset_kinds.h"

#include <string.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, TRAIN_FILES = 5 };

static const char *const folders[] = {"", "cifar-10-batches-bin"};

static const char *const names[CIFAR_CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                 "dog",      "frog",       "horse", "ship", "truck"};

static int part_of(const dataset *s, int64_t i) {
    int part = 0;
    while (i >= s->cifar.starts[part + 1]) part++;
    return part;
}

static const unsigned char *record_of(const dataset *s, int64_t i) {
    int part = part_of(s, i);
    return s->cifar.records[part] + (i - s->cifar.starts[part]) * RECORD;
}

static bool picture(const dataset *s, int64_t i, image *m, arena *a, diags *d) {
    (void)d;
    const unsigned char *red = record_of(s, i) + 1, *green = red + PLANE, *blue = green + PLANE;
    *m = (image){SIDE, SIDE, 3, arena_alloc(a, 3 * PLANE, 1)};
    unsigned char *to = m->pixels;
    for (int p = 0; p < PLANE; p++, to += 3) to[0] = red[p], to[1] = green[p], to[2] = blue[p];
    return true;
}

static int label(const dataset *s, int64_t i) {
    return record_of(s, i)[0];
}

static const char *file(const dataset *s, int64_t i) {
    return s->cifar.paths[part_of(s, i)];
}

static bool add_file(const opening *o, const char *path) {
    dataset *s = o->set;
    const file_map *m = dataset_map(o, path);
    if (!m) return false;
    if (m->size == 0 || m->size % RECORD)
        return diag_file(o->diags, path,
                         "its %zu bytes are no whole number of pictures (of %d bytes): it is truncated",
                         m->size, RECORD);
    int64_t count = (int64_t)m->size / RECORD;
    for (int64_t i = 0; i < count; i++)
        if (m->bytes[i * RECORD] >= CIFAR_CLASSES)
            return diag_file(o->diags, path, "picture %lld has the label %d, but there are 10 classes",
                             (long long)i, m->bytes[i * RECORD]);
    s->cifar.paths[s->cifar.files] = path;
    s->cifar.records[s->cifar.files++] = m->bytes;
    s->count += count;
    s->cifar.starts[s->cifar.files] = s->count;
    return true;
}

static outcome opened(const opening *o) {
    o->set->kind = "CIFAR-10";
    o->set->classes = CIFAR_CLASSES;
    o->set->names = names;
    o->set->height = o->set->width = SIDE;
    o->set->picture = picture;
    o->set->label = label;
    o->set->file = file;
    return OPENED;
}

static outcome open_train(const opening *o, const char *folder) {
    for (int i = 1; i <= TRAIN_FILES; i++) {
        const char *path;
        if (!dataset_file(o, folder, arena_printf(o->arena, "data_batch_%d.bin", i), &path))
            return i == 1 ? ABSENT
                          : refuse_set(o, path, "this file is missing: CIFAR-10's training set has five");
        if (!add_file(o, path)) return REFUSED;
    }
    return opened(o);
}

outcome open_cifar(opening *o) {
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path;
        if (o->test && dataset_file(o, folders[i], "test_batch.bin", &path))
            return add_file(o, path) ? opened(o) : REFUSED;
        outcome r = o->train ? open_train(o, folders[i]) : ABSENT;
        if (r != ABSENT) return r;
    }
    return ABSENT;
}
