/* Writes aside and renames: file_write of ir/base for what is too large to be put together in memory first.
 */
#include "runtime/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 100 };

static bool fail(aside *w, const char *what) {
    char reason[128];
    const char *why = strerror_r(errno, reason, sizeof reason);
    if (w->file >= 0) close(w->file);
    if (w->temporary) unlink(w->temporary);
    diag_file(w->diags, w->path, "cannot %s: %s%s", what, why,
              w->temporary ? "; nothing under this name has changed" : "");
    w->file = -1;
    w->temporary = NULL;
    return false;
}

static const char *folder_of(arena *a, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return ".";
    return slash == path ? "/" : arena_text(a, path, (size_t)(slash - path));
}

/* Opens a new file beside the target. The kernel applies the umask; the name is free or the next is tried. */
static bool open_beside(aside *w) {
    for (int i = 0; i < ATTEMPTS; i++) {
        char *name = arena_printf(w->diags->arena, "%s/.netc-%ld-w%d.tmp", w->folder, (long)getpid(), i);
        w->file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (w->file >= 0) w->temporary = name;
        if (w->file >= 0 || errno != EEXIST) break;
    }
    return w->file >= 0 || fail(w, "create a file in its folder");
}

/* Devices and pipes cannot be replaced: their bytes go straight in. */
static bool open_plainly(aside *w, bool out) {
    w->file = out ? dup(STDOUT_FILENO) : open(w->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return w->file >= 0 || fail(w, "write");
}

bool aside_open(aside *w, const char *path, diags *d) {
    *w = (aside){.path = path, .file = -1, .diags = d};
    struct stat old;
    bool exists = stat(path, &old) == 0, out = strcmp(path, "-") == 0;
    if (exists && S_ISDIR(old.st_mode)) return diag_file(d, path, "cannot write: this is a folder");
    if (out || (exists && !S_ISREG(old.st_mode))) return open_plainly(w, out);
    char real[PATH_MAX]; /* through a symbolic link, the file it names is replaced and the link stays */
    const char *target = exists && realpath(path, real) ? real : path;
    w->target = arena_text(d->arena, target, strlen(target));
    w->folder = folder_of(d->arena, w->target);
    if (!open_beside(w)) return false;
    return !exists || fchmod(w->file, old.st_mode & 07777) == 0 || fail(w, "keep the mode of the old file");
}

bool aside_write(aside *w, const void *bytes, size_t size) {
    const char *at = bytes;
    while (w->file >= 0 && size) {
        ssize_t n = write(w->file, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail(w, "write");
        at += n;
        size -= (size_t)n;
    }
    return w->file >= 0;
}

/* The rename itself must reach the disk too; file systems that cannot sync a folder are not at fault. */
static void sync_folder(const char *folder) {
    int f = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f < 0) return;
    fsync(f);
    close(f);
}

bool aside_sync(aside *w) {
    if (w->file < 0) return false;
    return !w->temporary || fsync(w->file) == 0 || fail(w, "write");
}

void aside_drop(aside *w) {
    if (w->file >= 0) close(w->file);
    if (w->temporary) unlink(w->temporary);
    w->file = -1;
    w->temporary = NULL;
}

bool aside_commit(aside *w) {
    if (!aside_sync(w)) return false;
    int closed = close(w->file);
    w->file = -1;
    if (closed != 0) return fail(w, "write");
    if (!w->temporary) return true;
    if (rename(w->temporary, w->target) != 0) return fail(w, "write");
    w->temporary = NULL;
    sync_folder(w->folder);
    return true;
}
