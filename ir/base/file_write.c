/* Writing a file so that it appears whole or not at all: aside in the same folder, fsync, rename. */
#include "ir/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 100 };

static bool fail(diags *d, const char *path, const char *what, int error, bool aside) {
    char reason[128];
    return diag_file(d, path, "cannot %s: %s%s", what, strerror_r(error, reason, sizeof reason),
                     aside ? "; nothing under this name has changed" : "");
}

/* 0, or errno. */
static int write_all(int f, const char *bytes, size_t size) {
    while (size) {
        ssize_t n = write(f, bytes, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        if (n == 0) return EIO;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Devices and pipes cannot be replaced: their bytes go straight in. */
static bool write_plainly(int f, const char *path, const void *bytes, size_t size, diags *d) {
    int error = f < 0 ? errno : write_all(f, bytes, size);
    if (f > STDERR_FILENO && close(f) != 0 && !error) error = errno;
    return error ? fail(d, path, "write", error, false) : true;
}

static const char *folder_of(arena *a, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return ".";
    return slash == path ? "/" : arena_text(a, path, (size_t)(slash - path));
}

/* Opens a new file beside the target. The kernel applies the umask; the name is free or the next is tried. */
static int open_aside(const char *folder, char *name, size_t room) {
    for (int i = 0; i < ATTEMPTS; i++) {
        if (snprintf(name, room, "%s/.netc-%ld-%d.tmp", folder, (long)getpid(), i) >= (int)room) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int f = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (f >= 0 || errno != EEXIST) return f;
    }
    return -1;
}

/* 0, or errno. Some file systems cannot sync a folder, and some folders cannot be read: neither is an error.
 */
static int sync_folder(const char *folder) {
    int f = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f < 0) return 0;
    int error = fsync(f) == 0 ? 0 : errno;
    close(f);
    return error == EINVAL || error == ENOTSUP || error == EROFS ? 0 : error;
}

/* Bytes into f, on the disk and closed: 0, or errno. `old`: the file that will be replaced keeps its mode. */
static int fill(int f, const void *bytes, size_t size, const struct stat *old) {
    int error = old && fchmod(f, old->st_mode & 07777) != 0 ? errno : 0;
    if (!error) error = write_all(f, bytes, size);
    if (!error && fsync(f) != 0) error = errno;
    if (close(f) != 0 && !error) error = errno;
    return error;
}

static bool replace(const char *path, const void *bytes, size_t size, const struct stat *old, diags *d) {
    char aside[PATH_MAX], target[PATH_MAX];
    /* through a symbolic link, the file it names is replaced and the link stays */
    const char *real = old && realpath(path, target) ? target : path;
    const char *folder = folder_of(d->arena, real);
    int f = open_aside(folder, aside, sizeof aside);
    if (f < 0) return fail(d, path, "create a file in its folder", errno, false);
    int error = fill(f, bytes, size, old);
    if (!error && rename(aside, real) != 0) error = errno;
    if (error) {
        unlink(aside);
        return fail(d, path, "write", error, true);
    }
    error = sync_folder(folder);
    return error ? fail(d, path, "sync its folder", error, false) : true;
}

bool file_write(const char *path, const void *bytes, size_t size, diags *d) {
    struct stat s;
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0) {
        fflush(stdout);
        return write_plainly(STDOUT_FILENO, "standard output", bytes, size, d);
    }
    bool exists = stat(path, &s) == 0;
    if (exists && S_ISDIR(s.st_mode)) return diag_file(d, path, "cannot write: this is a folder");
    if (exists && !S_ISREG(s.st_mode))
        return write_plainly(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), path, bytes, size, d);
    return replace(path, bytes, size, exists ? &s : NULL, d);
}
