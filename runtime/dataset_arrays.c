/* Pairs of arrays, x and y: .npy files in a folder, or entries of one .npz. */
#include "runtime/archive.h"
#include "runtime/dataset_kinds.h"
#include "runtime/npy.h"
#include "runtime/shown.h"

#include <string.h>
#include <sys/stat.h>

enum { MAX_CLASSES = 100000 };

/* How pairs are called, and what they are for. */
static const struct pair_name {
    const char *x, *y;
    bool test, train;
} pairs[] = {
    {"test_x", "test_y", true, false},
    {"x_test", "y_test", true, false},
    {"train_x", "train_y", false, true},
    {"x_train", "y_train", false, true},
    {"x", "y", true, true},
};

/* Where arrays lie: in the .npz that is open in the data set, or else in the folder. */
static bool has_array(const opening *o, const char *name, const char **path) {
    const struct archive *zip = o->set->archive;
    if (!zip) return dataset_file(o, "", arena_printf(o->arena, "%s.npy", name), path);
    *path = arena_printf(o->arena, "%s[%s]", o->path, name);
    return archive_find(zip, arena_printf(o->arena, "%s.npy", name));
}

static bool read_array(const opening *o, const char *name, const char *path, stored_tensor *t) {
    struct archive *zip = o->set->archive;
    if (zip) {
        const archive_entry *e = archive_find(zip, arena_printf(o->arena, "%s.npy", name));
        const unsigned char *bytes = archive_data(zip, e);
        return bytes && npy_parse(t, o->arena, bytes, (size_t)e->size, path, o->diags);
    }
    const file_map *m = dataset_map(o, path);
    return m && npy_parse(t, o->arena, m->bytes, m->size, path, o->diags);
}

/* ---- as pictures ---- */

static bool picture(const dataset *s, int64_t i, image *m, arena *a, diags *d) {
    (void)d;
    const stored_tensor *x = &s->arrays.x;
    size_t bytes = (size_t)(x->count / x->dims[0]);
    *m = (image){s->width, s->height, x->rank == 4 ? (int)x->dims[3] : 1,
                 arena_copy(a, x->data + (size_t)i * bytes, bytes)};
    return true;
}

static void find_pictures(dataset *s) {
    const stored_tensor *x = &s->arrays.x;
    bool shaped = x->rank == 3 || (x->rank == 4 && (x->dims[3] == 1 || x->dims[3] == 3));
    if (x->type != EL_U8 || !shaped || x->dims[1] < 1 || x->dims[2] < 1 || x->dims[1] > IMAGE_MAX_SIDE ||
        x->dims[2] > IMAGE_MAX_SIDE || x->dims[1] * x->dims[2] > IMAGE_MAX_PIXELS)
        return;
    s->height = (int)x->dims[1];
    s->width = (int)x->dims[2];
    s->picture = picture;
}

/* ---- labels ---- */

static int label(const dataset *s, int64_t i) {
    return (int)element_real(s->arrays.y.type, s->arrays.y.data, i);
}

static const char *file(const dataset *s, int64_t i) {
    (void)i;
    return s->arrays.y_path;
}

/* Whole numbers, one a sample. */
static bool find_labels(const opening *o) {
    dataset *s = o->set;
    const stored_tensor *y = &s->arrays.y;
    double most = 0;
    s->file = file;
    if (element_infos[y->type].real || y->count != s->count) return true;
    for (int64_t i = 0; i < s->count; i++) {
        double x = element_real(y->type, y->data, i);
        if (x < 0 || x >= MAX_CLASSES)
            return diag_file(o->diags, s->arrays.y_path,
                             "sample %lld has the label %.0f: labels count from 0 to %d", (long long)i, x,
                             MAX_CLASSES - 1);
        most = x > most ? x : most;
    }
    number_classes(o, (int)most + 1);
    s->label = label;
    return true;
}

static outcome open_pair(const opening *o, const struct pair_name *name, const char *kind) {
    dataset *s = o->set;
    stored_tensor *x = &s->arrays.x, *y = &s->arrays.y;
    if (!read_array(o, name->x, s->arrays.x_path, x) || !read_array(o, name->y, s->arrays.y_path, y))
        return REFUSED;
    if (x->rank < 1 || y->rank < 1 || x->count < 1 || y->count < 1)
        return refuse_set(o, x->rank < 1 || x->count < 1 ? s->arrays.x_path : s->arrays.y_path,
                          "the array has no samples: its first dimension counts them");
    if (x->dims[0] != y->dims[0]) {
        diag_file(o->diags, s->arrays.y_path, "it is %s, but %s is %s: they must hold as many samples",
                  shown_shape(o->diags->arena, y->rank, y->dims), s->arrays.x_path,
                  shown_shape(o->diags->arena, x->rank, x->dims));
        return REFUSED;
    }
    s->kind = kind;
    s->holds = HOLDS_ARRAYS;
    s->count = x->dims[0];
    find_pictures(s);
    return find_labels(o) ? OPENED : REFUSED;
}

static outcome open_pairs(const opening *o, const char *kind) {
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
        const struct pair_name *n = &pairs[k];
        bool both = n->train && n->test;
        if (both ? o->optional : !((n->train && o->train) || (n->test && o->test))) continue;
        bool x = has_array(o, n->x, &o->set->arrays.x_path), y = has_array(o, n->y, &o->set->arrays.y_path);
        if (x && y) return open_pair(o, n, kind);
        if (x || y)
            return refuse_set(o, x ? o->set->arrays.x_path : o->set->arrays.y_path,
                              "the array that belongs to it is missing: x and y go together");
    }
    return ABSENT;
}

/* ---- files ---- */

static outcome refuse_names(const opening *o) {
    const struct archive *zip = o->set->archive;
    const char *names = "";
    for (int k = 0; k < zip->count && k < 8; k++)
        names = arena_printf(o->diags->arena, "%s%s%s", names, k ? ", " : "",
                             shown(o->diags->arena, zip->at[k].name, strlen(zip->at[k].name)));
    diag_file(o->diags, o->path, "it lacks %s: it holds %s",
              o->train && o->test ? "x_test and y_test, x_train and y_train, x and y"
              : o->train          ? "x_train and y_train (or x and y)"
                                  : "x_test and y_test (or x and y)",
              zip->count ? names : "nothing");
    return REFUSED;
}

static outcome open_npz(const opening *o) {
    const file_map *m = dataset_map(o, o->path);
    if (!m) return REFUSED;
    const weight_file f = {o->path, m->bytes, m->size, o->arena, o->diags};
    weight_file *kept = arena_copy(o->arena, &f, sizeof f);
    struct archive *zip = o->set->archive = NEW(o->arena, struct archive);
    if (!archive_open(zip, kept)) return REFUSED;
    outcome r = open_pairs(o, "npz");
    if (r == ABSENT && !o->optional) r = refuse_names(o);
    archive_close(zip); /* what was read has been copied */
    return r;
}

outcome open_arrays(opening *o) {
    struct stat s;
    const char *dot = strrchr(o->path, '.');
    if (stat(o->path, &s) == 0 && S_ISREG(s.st_mode))
        return dot && !strcmp(dot, ".npz") ? open_npz(o) : ABSENT;
    return open_pairs(o, "npy");
}
