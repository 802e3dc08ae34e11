/* A folder of pictures by class, in the order of torchvision's ImageFolder. */
#include "runtime/dataset_kinds.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_CLASSES = 100000, MAX_PICTURES = 1 << 24, MAX_DEPTH = 4, MAX_FOLDERS = 200000 };

typedef struct entry {
    const char *folder, *name; /* sorted by folder first: "a/z.jpg" stands before "a/b/c.jpg" */
    bool is_folder;
} entry;

typedef VEC(entry) entries;

static int by_name(const void *a, const void *b) {
    const entry *x = a, *y = b;
    int folder = strcmp(x->folder, y->folder);
    return folder ? folder : strcmp(x->name, y->name);
}

static bool is_picture(const char *name) {
    static const char *const suffixes[] = {".jpg", ".jpeg", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcasecmp(dot, suffixes[i]) == 0) return true;
    return false;
}

/* Links are followed, as torchvision does; DT_UNKNOWN comes from file systems that do not say. */
static bool is_folder(arena *a, const char *folder, const struct dirent *e) {
    struct stat s;
    if (e->d_type != DT_LNK && e->d_type != DT_UNKNOWN) return e->d_type == DT_DIR;
    return stat(arena_printf(a, "%s/%s", folder, e->d_name), &s) == 0 && S_ISDIR(s.st_mode);
}

static void read_entries(arena *a, DIR *dir, const char *folder, entries *out) {
    for (const struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.' && out->count < MAX_PICTURES) {
            entry x = {folder, arena_text(a, e->d_name, strlen(e->d_name)), is_folder(a, folder, e)};
            VEC_PUSH(a, out, x);
        }
}

/* Adds all that lies in one folder. The arena's jump is caught on its way out, to close the folder. */
static bool list_folder(const opening *o, const char *folder, entries *out) {
    DIR *dir = opendir(folder);
    if (!dir) {
        char reason[128];
        return diag_file(o->diags, folder, "cannot read this folder: %s",
                         strerror_r(errno, reason, sizeof reason));
    }
    trap here, *outer = o->arena->trap;
    o->arena->trap = &here;
    if (setjmp(here.jump)) {
        o->arena->trap = outer;
        closedir(dir);
        trap_spring(outer, here.reason);
    }
    read_entries(o->arena, dir, folder, out);
    o->arena->trap = outer;
    closedir(dir);
    return true;
}

static const char *path_of(arena *a, const entry *e) {
    return arena_printf(a, "%s/%s", e->folder, e->name);
}

typedef struct walk {
    const opening *opening;
    entries found; /* pictures of one class */
    int visited;   /* folders, all classes together: links can make a small tree endless */
    VEC(labelled_file) files;
    VEC(const char *) names;
} walk;

static bool find_pictures(walk *w, const char *folder, int depth) {
    entries here = {0};
    if (++w->visited > MAX_FOLDERS)
        return diag_file(w->opening->diags, folder, "more than %d folders lie below: do links go in a circle",
                         MAX_FOLDERS);
    if (!list_folder(w->opening, folder, &here)) return false;
    for (int i = 0; i < here.count; i++) {
        const entry *e = &here.at[i];
        if (e->is_folder && depth < MAX_DEPTH && !find_pictures(w, path_of(w->opening->arena, e), depth + 1))
            return false;
        if (!e->is_folder && is_picture(e->name)) VEC_PUSH(w->opening->arena, &w->found, *e);
    }
    return true;
}

static bool add_class(walk *w, const entry *class) {
    const opening *o = w->opening;
    const char *folder = path_of(o->arena, class);
    if (w->names.count == MAX_CLASSES)
        return diag_file(o->diags, o->path, "there are more than %d classes", MAX_CLASSES);
    w->found.count = 0;
    if (!find_pictures(w, folder, 0)) return false;
    if (!w->found.count)
        return diag_file(o->diags, folder, "there is no .jpg or .png in the folder of this class");
    if (w->files.count > MAX_PICTURES - w->found.count)
        return diag_file(o->diags, o->path, "there are more than %d pictures", MAX_PICTURES);
    qsort(w->found.at, (size_t)w->found.count, sizeof(entry), by_name);
    for (int i = 0; i < w->found.count; i++) {
        labelled_file f = {path_of(o->arena, &w->found.at[i]), w->names.count};
        VEC_PUSH(o->arena, &w->files, f);
    }
    VEC_PUSH(o->arena, &w->names, class->name);
    return true;
}

static bool picture(const dataset *s, int64_t i, image *m, arena *a, diags *d) {
    return image_open(m, a, s->files[i].path, d);
}

static int label(const dataset *s, int64_t i) {
    return s->files[i].label;
}

static const char *file(const dataset *s, int64_t i) {
    return s->files[i].path;
}

/* Every folder in `root` is a class. */
static outcome open_classes(const opening *o, const char *root) {
    walk w = {.opening = o};
    entries all = {0};
    if (!list_folder(o, root, &all)) return REFUSED;
    if (all.count) qsort(all.at, (size_t)all.count, sizeof(entry), by_name);
    for (int i = 0; i < all.count; i++)
        if (all.at[i].is_folder && !add_class(&w, &all.at[i])) return REFUSED;
    if (!w.names.count) return ABSENT;
    dataset *s = o->set;
    s->kind = "pictures";
    s->encoded = true;
    s->picture = picture;
    s->label = label;
    s->file = file;
    s->count = w.files.count;
    s->files = w.files.at;
    s->classes = w.names.count;
    s->names = w.names.at;
    return OPENED;
}

outcome open_pictures(opening *o) {
    static const char *const test[] = {"test", "val", "valid", "validation", NULL};
    static const char *const train[] = {"train", "training", NULL};
    struct stat s;
    const char *path, *other = NULL;
    if (stat(o->path, &s) != 0 || !S_ISDIR(s.st_mode)) return ABSENT;
    for (int k = 0; k < 2; k++)
        for (const char *const *name = k ? train : test; *name; name++) {
            if (!dataset_file(o, "", *name, &path)) continue;
            if (k ? o->train : o->test) return open_classes(o, path);
            other = *name;
        }
    if (o->optional) return ABSENT; /* a folder without parts is all for training */
    if (!other) return open_classes(o, o->path);
    return refuse_set(o, o->path,
                      o->train ? "it has pictures for testing, but no train/ folder"
                               : "it has pictures for training, but no test/ or val/ folder");
}
