/* Makes it, locks it, cleans it. */
#include "runtime/run_folder.h"

#include "ir/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_RUNS = 1000000 };

static const char checkpoint_name[] = "last.safetensors";

static bool fail(diags *d, const char *path, const char *what) {
    return diag_file(d, path, "cannot %s: %s", what, strerror(errno));
}

/* The folders that a path's last name lies in. */
static bool make_parents(const char *path, diags *d) {
    for (const char *slash = path; (slash = strchr(slash + 1, '/'));) {
        const char *parent = arena_text(d->arena, path, (size_t)(slash - path));
        if (mkdir(parent, 0777) != 0 && errno != EEXIST) return fail(d, parent, "make this folder");
    }
    return true;
}

/* *made where it was not there. */
static bool make_folders(const char *path, bool *made, diags *d) {
    if (!make_parents(path, d)) return false;
    *made = mkdir(path, 0777) == 0;
    struct stat s;
    if (!*made && errno != EEXIST) return fail(d, path, "make this folder");
    if (stat(path, &s) != 0) return fail(d, path, "use this folder");
    return S_ISDIR(s.st_mode) || diag_file(d, path, "this is a file, and a run leaves a folder");
}

static const char *numbered(arena *a, const char *net, int k) {
    return arena_printf(a, "runs/%s-%d", net, k);
}

/* The first that nobody has: mkdir decides between two that look at the same time. */
static bool make_next(run_folder *f, const char *net, diags *d) {
    bool made;
    if (!make_folders("runs", &made, d)) return false;
    for (int k = 1; k < MOST_RUNS; k++) {
        f->path = numbered(d->arena, net, k);
        f->made = mkdir(f->path, 0777) == 0;
        if (f->made) return true;
        if (errno != EEXIST) return fail(d, f->path, "make this folder");
    }
    return diag_file(d, "runs", "there are %d runs of %s; name a folder with --out", MOST_RUNS, net);
}

/* K of "NET-K"; 0 of any other name. */
static int number_of(const char *name, const char *net) {
    size_t length = strlen(net);
    int k = 0;
    if (strncmp(name, net, length) != 0 || name[length] != '-' || name[length + 1] == '0') return 0;
    for (const char *at = name + length + 1; *at; at++) {
        if (*at < '0' || *at > '9' || k >= MOST_RUNS) return 0;
        k = 10 * k + (*at - '0');
    }
    return k;
}

/* The largest K of runs/NET-K; 0: there is none. */
static int last_run(const char *net) {
    int most = 0;
    DIR *dir = opendir("runs");
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        int k = number_of(e->d_name, net);
        most = k > most ? k : most;
    }
    if (dir) closedir(dir);
    return most;
}

static bool choose(run_folder *f, const char *out, const char *net, bool resume, diags *d) {
    int last = !out && resume ? last_run(net) : 0;
    if (!out && !last) return make_next(f, net, d);
    f->path = out ? out : numbered(d->arena, net, last);
    return make_folders(f->path, &f->made, d);
}

/* File systems without locks lock nothing. */
static bool lock(run_folder *f, diags *d) {
    f->lock = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->lock < 0) return fail(d, f->path, "read this folder");
    if (flock(f->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;
    return diag_file(d, f->path, "another netc is training in this folder");
}

/* What runtime/aside.c and ir/base/file_write.c call their files until they are complete. */
static bool is_torn(const char *name) {
    size_t length = strlen(name);
    return strncmp(name, ".netc-", 6) == 0 && length > 10 && strcmp(name + length - 4, ".tmp") == 0;
}

static void clean(const run_folder *f) {
    DIR *dir = opendir(f->path);
    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (is_torn(e->d_name)) unlinkat(f->lock, e->d_name, 0);
    if (dir) closedir(dir);
}

static bool open_folder(run_folder *f, const char *out, const char *net, bool resume, diags *d) {
    if (!choose(f, out, net, resume, d) || !lock(f, d)) return false;
    clean(f);
    if (resume || !run_folder_has(f, checkpoint_name)) return true;
    return diag_file(d, f->path,
                     "a run has left its checkpoint here: go on with --resume, or name another --out");
}

bool run_folder_open(run_folder *f, const char *out, const char *net, bool resume, diags *d) {
    *f = (run_folder){.lock = -1};
    if (open_folder(f, out, net, resume, d)) return true;
    run_folder_close(f);
    return false;
}

const char *run_folder_path(const run_folder *f, const char *name, arena *a) {
    return arena_printf(a, "%s/%s", f->path, name);
}

bool run_folder_has(const run_folder *f, const char *name) {
    return faccessat(f->lock, name, F_OK, 0) == 0;
}

bool run_folder_write(const run_folder *f, const char *name, const void *bytes, size_t size, diags *d) {
    const char *path = run_folder_path(f, name, d->arena);
    return make_parents(path, d) && file_write(path, bytes, size, d);
}

void run_folder_close(run_folder *f) {
    if (f->made) rmdir(f->path);
    if (f->lock >= 0) close(f->lock);
    f->lock = -1;
    f->made = false;
}
