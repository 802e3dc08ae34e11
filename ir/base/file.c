/* Reading files whole. Only regular files: a path in a user's text must not block on a FIFO or read a device.
 */
#include "ir/base/file.h"
#include "ir/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* "cannot do: why errno says"; false. */
static bool fail(diags *d, const char *path, const char *what, int error) {
    char reason[128];
    return diag_file(d, path, "cannot %s: %s", what, strerror_r(error, reason, sizeof reason));
}

static const char *kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

static bool regular(const struct stat *s, const char *path, diags *d) {
    if (S_ISREG(s->st_mode)) return true;
    return diag_file(d, path, "this is %s, but a regular file is needed", kind_of(s->st_mode));
}

/* A descriptor of a regular file and its size; -1 with an error. NONBLOCK: opening a FIFO must not wait. */
static int open_regular(const char *path, struct stat *s, diags *d) {
    int f = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (f < 0) return fail(d, path, "open", errno), -1;
    bool good = fstat(f, s) == 0;
    int error = errno;
    if (good && S_ISREG(s->st_mode)) return f;
    close(f);
    if (good)
        regular(s, path, d);
    else
        fail(d, path, "read", error);
    return -1;
}

bool file_open(file_map *m, const char *path, diags *d) {
    struct stat s;
    *m = (file_map){(const unsigned char *)"", 0};
    int f = open_regular(path, &s, d);
    if (f < 0) return false;
    void *bytes = s.st_size > 0 ? mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, f, 0) : NULL;
    int error = errno;
    close(f);
    if (bytes == MAP_FAILED) return fail(d, path, "map", error);
    if (bytes) *m = (file_map){bytes, (size_t)s.st_size};
    return true;
}

void file_close(file_map *m) {
    if (m->size) munmap((void *)(uintptr_t)m->bytes, m->size);
    *m = (file_map){(const unsigned char *)"", 0};
}

/* Reads until `size` bytes or the end; the count, or -1 with errno. */
static ssize_t read_up_to(int f, char *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(f, bytes + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static bool too_large(const char *path, size_t limit, diags *d) {
    return diag_file(d, path, "this file is larger than %zu bytes, the most that netc reads as text", limit);
}

static source *as_source(arena *a, const char *path, char *at, size_t bytes, diags *d) {
    const char *zero = memchr(at, 0, bytes);
    if (zero) {
        diag_file(d, path, "this is not a text file: byte %zu is zero", (size_t)(zero - at));
        return NULL;
    }
    source *s = NEW(a, source);
    *s = (source){path, at, bytes};
    return s;
}

static source *read_stdin(arena *a, size_t limit, diags *d) {
    text t = text_in(a);
    char part[4096];
    for (ssize_t n = 1; n > 0;) {
        n = read_up_to(0, part, sizeof part);
        if (n < 0) return fail(d, "standard input", "read", errno), NULL;
        if (t.length + (size_t)n > limit) return too_large("standard input", limit, d), NULL;
        text_add(&t, part, (size_t)n);
    }
    return as_source(a, "standard input", t.at, t.length, d);
}

source *file_read_text(arena *a, const char *path, size_t limit, diags *d) {
    struct stat s;
    if (limit > UINT32_MAX - 1) limit = UINT32_MAX - 1; /* spans are 32 bits */
    if (strcmp(path, "-") == 0) return read_stdin(a, limit, d);
    if (stat(path, &s) != 0) return fail(d, path, "open", errno), NULL;
    if (!regular(&s, path, d)) return NULL;
    if (s.st_size < 0 || (uint64_t)s.st_size > limit) return too_large(path, limit, d), NULL;
    /* the arena may jump: nothing may be open while it is asked */
    char *bytes = arena_alloc(a, (size_t)s.st_size + 2, 1);
    size_t room = (size_t)s.st_size + 1;
    int f = open_regular(path, &s, d);
    if (f < 0) return NULL;
    ssize_t n = read_up_to(f, bytes, room);
    int error = errno;
    close(f);
    if (n < 0) return fail(d, path, "read", error), NULL;
    if ((size_t)n == room)
        return diag_file(d, path, "this file grew while it was being read; try again"), NULL;
    return as_source(a, arena_text(a, path, strlen(path)), bytes, (size_t)n, d);
}
