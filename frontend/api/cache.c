/* Files of the cache. A folder or a file that someone else may write to is not taken: what lies here is run. */
#include "frontend/api/cache.h"

#include "ir/base/map.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NAME_BYTES = 2 * DIGEST_BYTES + 1,
    PATH_BYTES = 4096,
    ATTEMPTS = 16,
    HOUR = 3600,
    MOST_FILE = 1 << 28
};

/* In front of the code. */
typedef struct kept {
    char magic[8];
    cache_key key;
    uint64_t bytes, sum; /* of what follows */
} kept;
static const char magic[8] = {'n', 'e', 't', 'c', 'k', 'e', 'p', 't'};

bool cache_begin(digest *d) {
    digest_start(d);
    if (!identity_build(d)) return false;
    identity_processor(d);
    return true;
}

cache_key cache_end(digest *d) {
    cache_key k;
    digest_end(d, k.bytes);
    return k;
}

/* ---- the folder ---- */

static bool ours(const struct stat *s) {
    return s->st_uid == geteuid() && !(s->st_mode & (S_IWGRP | S_IWOTH));
}

/* A folder made if it is not there; its file descriptor, or -1. */
static int open_folder(const char *path) {
    struct stat s;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return -1;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0 && (fstat(folder, &s) != 0 || !ours(&s))) {
        close(folder);
        folder = -1;
    }
    return folder;
}

/* -1 where there is none. A path that is not absolute is no cache folder (XDG says so). */
static int cache_folder(void) {
    const char *given = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
    char path[PATH_BYTES];
    bool own = !given || *given != '/';
    if (own && (!home || *home != '/')) return -1;
    int length = snprintf(path, sizeof path, "%s%s/netc", own ? home : given, own ? "/.cache" : "");
    if (length < 0 || length >= PATH_BYTES) return -1;
    path[length - (int)strlen("/netc")] = 0;
    mkdir(path, 0700);
    path[length - (int)strlen("/netc")] = '/';
    return open_folder(path);
}

static void name_of(const cache_key *k, char name[NAME_BYTES]) {
    for (int i = 0; i < DIGEST_BYTES; i++) snprintf(name + 2 * i, 3, "%02x", k->bytes[i]);
}

/* ---- reading ---- */

static bool read_all(int file, void *to, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        ssize_t n = read(file, (char *)to + done, bytes - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* That it was used is written down once an hour. */
static void touch(int file, const struct stat *s) {
    if (time(NULL) - s->st_mtime > HOUR) futimens(file, NULL);
}

static void *read_file(int file, const cache_key *k, size_t *bytes) {
    struct stat s;
    kept head;
    if (fstat(file, &s) != 0 || !S_ISREG(s.st_mode) || !ours(&s)) return NULL;
    if (s.st_size <= (off_t)sizeof head || s.st_size > MOST_FILE) return NULL;
    *bytes = (size_t)s.st_size - sizeof head;
    if (!read_all(file, &head, sizeof head) || memcmp(head.magic, magic, sizeof magic) != 0) return NULL;
    if (memcmp(&head.key, k, sizeof *k) != 0 || head.bytes != *bytes) return NULL;
    char *at = malloc(*bytes);
    if (at && read_all(file, at, *bytes) && hash_bytes(at, *bytes, 0) == head.sum) {
        touch(file, &s);
        return at;
    }
    free(at);
    return NULL;
}

void *cache_read(const cache_key *k, size_t *bytes) {
    char name[NAME_BYTES];
    int folder = cache_folder();
    if (folder < 0) return NULL;
    name_of(k, name);
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    void *at = file >= 0 ? read_file(file, k, bytes) : NULL;
    if (file >= 0) close(file);
    close(folder);
    return at;
}

/* ---- writing ---- */

static bool write_all(int file, const void *from, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        ssize_t n = write(file, (const char *)from + done, bytes - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* A new file under a name that nobody else has, two threads of one process neither. */
static int open_aside(int folder, char *name, size_t room) {
    int file = -1;
    for (int k = 0; k < ATTEMPTS && file < 0; k++) {
        snprintf(name, room, "%ld-%d.tmp", (long)getpid(), k);
        file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (file < 0 && errno != EEXIST) break;
    }
    return file;
}

/* Written aside and renamed: readers see all of it or none. A crash of the machine may still leave any bytes, which the
 * sum tells, so nobody waits for the disk. */
void cache_write(const cache_key *k, const void *bytes, size_t size) {
    char name[NAME_BYTES], aside[64];
    kept head = {.key = *k, .bytes = size, .sum = hash_bytes(bytes, size, 0)};
    memcpy(head.magic, magic, sizeof magic);
    int folder = cache_folder();
    if (folder < 0) return;
    int file = open_aside(folder, aside, sizeof aside);
    if (file >= 0) {
        name_of(k, name);
        bool good = write_all(file, &head, sizeof head) && write_all(file, bytes, size);
        good = close(file) == 0 && good;
        if (!good || renameat(folder, aside, folder, name) != 0) unlinkat(folder, aside, 0);
    }
    close(folder);
    if (file >= 0) cache_trim(CACHE_BYTES);
}

/* ---- keeping it small ---- */

typedef struct found {
    char name[NAME_BYTES];
    struct timespec used;
    int64_t bytes;
} found;

typedef struct listing {
    found *at;
    size_t count, room;
    int64_t bytes;
} listing;

static int by_use(const void *a, const void *b) {
    const struct timespec *x = &((const found *)a)->used, *y = &((const found *)b)->used;
    if (x->tv_sec != y->tv_sec) return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static bool note(listing *l, const char *name, const struct stat *s) {
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 64;
        found *more = realloc(l->at, room * sizeof *more);
        if (!more) return false;
        l->at = more;
        l->room = room;
    }
    found *f = &l->at[l->count++];
    memcpy(f->name, name, sizeof f->name); /* NAME_BYTES, its zero among them */
    f->used = s->st_mtim;
    f->bytes = s->st_size;
    l->bytes += s->st_size;
    return true;
}

/* Our files, by their names; nothing else of the folder is touched. */
static void list(listing *l, DIR *folder) {
    for (struct dirent *e; (e = readdir(folder));) {
        struct stat s;
        size_t length = strlen(e->d_name), digits = strspn(e->d_name, "0123456789abcdef");
        bool code = length == NAME_BYTES - 1 && digits == length;
        bool aside = length > 4 && strcmp(e->d_name + length - 4, ".tmp") == 0;
        if ((!code && !aside) || fstatat(dirfd(folder), e->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (aside && time(NULL) - s.st_mtime > HOUR) unlinkat(dirfd(folder), e->d_name, 0);
        if (code && !note(l, e->d_name, &s)) return;
    }
}

void cache_trim(int64_t most) {
    listing l = {0};
    int file = cache_folder();
    DIR *folder = file >= 0 ? fdopendir(file) : NULL;
    if (!folder && file >= 0) close(file);
    if (!folder) return;
    list(&l, folder);
    if (l.bytes > most) qsort(l.at, l.count, sizeof *l.at, by_use);
    for (size_t k = 0; k < l.count && l.bytes > most; k++) {
        unlinkat(dirfd(folder), l.at[k].name, 0);
        l.bytes -= l.at[k].bytes;
    }
    free(l.at);
    closedir(folder);
}
