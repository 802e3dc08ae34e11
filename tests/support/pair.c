/* A folder with a generated pair in it. */
#include "tests/support/pair.h"

#include "ir/base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

pair_folder pair_open(arena *a) {
    const char *root = getenv("TMPDIR");
    char *path = arena_printf(a, "%s/netc-test-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(path)) abort();
    return (pair_folder){a, path};
}

void pair_close(pair_folder *f) {
    pair_run(f, "rm -f -- *", NULL);
    remove(f->path);
}

void pair_write(const pair_folder *f, const char *name, const void *bytes, size_t size) {
    diags d = {.arena = f->arena};
    if (!file_write(arena_printf(f->arena, "%s/%s", f->path, name), bytes, size, &d)) abort();
}

int pair_run(const pair_folder *f, const char *command, const char **output) {
    FILE *from = popen(arena_printf(f->arena, "cd '%s' && { %s ; } 2>&1", f->path, command), "r");
    if (!from) return -1;
    text all = text_in(f->arena);
    char some[4096];
    text_puts(&all, "");
    for (size_t n; (n = fread(some, 1, sizeof some, from)) > 0;) text_add(&all, some, n);
    int status = pclose(from);
    if (output) *output = all.at;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

bool pair_emit(const pair_folder *f, const program *p, c_options o, diags *d) {
    text code = text_in(f->arena), header = text_in(f->arena);
    o.prefix = "net";
    o.header_name = "net.h";
    if (!c_emit(f->arena, p, &o, &code, &header, d)) return false;
    pair_write(f, "net.c", code.at, code.length);
    pair_write(f, "net.h", header.at, header.length);
    return true;
}

bool pair_has(const char *command) {
    char line[256];
    snprintf(line, sizeof line, "command -v %s >/dev/null 2>&1", command);
    return system(line) == 0;
}
