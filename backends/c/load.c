/* Runs the C compiler on a generated pair in a folder of its own, which only this user can enter, and opens
 * what comes out. No shell is involved: names with blanks or quotes are just names. */
#include "backends/c/load.h"

#include "ir/base/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_WORDS = 32 };

typedef struct workshop {
    arena *arena;
    diags *diags;
    const char *folder;
    const char *header_name;
} workshop;

static const char *in_folder(const workshop *w, const char *name) {
    return arena_printf(w->arena, "%s/%s", w->folder, name);
}

static bool open_workshop(workshop *w) {
    const char *root = getenv("TMPDIR");
    char *folder = arena_printf(w->arena, "%s/netc-XXXXXX", root && *root ? root : "/tmp");
    if (!mkdtemp(folder))
        return diag_file(w->diags, folder,
                         "cannot make a folder to compile in: %s; set TMPDIR to one that you may "
                         "write in",
                         strerror(errno));
    w->folder = folder;
    return true;
}

static void close_workshop(const workshop *w) {
    const char *const files[] = {"net.c", "net.so", "messages", w->header_name};
    for (int k = 0; k < 4; k++) unlink(in_folder(w, files[k]));
    rmdir(w->folder);
}

/* The words of $CC ("ccache gcc"), then our own. */
static int compiler_words(const workshop *w, const char *compiler, bool openmp, char **argv) {
    static const char *const flags[] = {"-O2", "-w", "-shared", "-fPIC", "-o"};
    char *rest = arena_text(w->arena, compiler, strlen(compiler)), *save = NULL;
    int count = 0;
    for (char *s = strtok_r(rest, " \t", &save); s && count < MAX_WORDS - 12;
         s = strtok_r(NULL, " \t", &save))
        argv[count++] = s;
    for (int k = 0; k < 5; k++) argv[count++] = (char *)flags[k];
    argv[count++] = (char *)in_folder(w, "net.so");
    if (openmp) argv[count++] = "-fopenmp";
    argv[count++] = (char *)in_folder(w, "net.c");
    argv[count] = NULL;
    return count;
}

/* The exit status, 127 if there is no such program, 126 if it was killed. */
static int run(char **argv, const char *messages) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, messages, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child;
    int failed = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ), status = 0;
    posix_spawn_file_actions_destroy(&actions);
    if (failed) return 127;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 126;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

/* The compiler's first line. */
static const char *first_message(const workshop *w) {
    char s[200];
    int file = open(in_folder(w, "messages"), O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, s, sizeof s - 1);
    if (file >= 0) close(file);
    s[length > 0 ? length : 0] = 0;
    s[strcspn(s, "\n")] = 0;
    return *s ? arena_text(w->arena, s, strlen(s)) : "it says nothing";
}

/* 0 where there is no such compiler, 1 where it failed, 2 where net.so is there. */
static int try_compiler(const workshop *w, const char *compiler) {
    char *argv[MAX_WORDS];
    for (int openmp = 1; openmp >= 0; openmp--) {
        compiler_words(w, compiler, openmp, argv);
        int status = run(argv, in_folder(w, "messages"));
        if (status == 0) return 2;
        if (status == 127) return 0;
    }
    return 1;
}

static bool compile(const workshop *w) {
    const char *chosen = getenv("CC");
    bool given = chosen && chosen[strspn(chosen, " \t")];
    const char *const candidates[] = {given ? chosen : "cc", "gcc", "clang"};
    for (int k = 0; k < (given ? 1 : 3); k++) {
        int result = try_compiler(w, candidates[k]);
        if (result == 2) return true;
        if (result == 1)
            return diag_file(w->diags, candidates[k], "the C compiler failed: %s", first_message(w));
    }
    if (given) return diag_file(w->diags, chosen, "there is no such compiler, though CC names it");
    diag_add(
        w->diags, DIAG_ERROR, (span){0},
        "there is no C compiler (cc, gcc or clang): install gcc, name one in CC, or use --backend interp");
    return false;
}

/* OpenMP's threads outlive the call that made them, so their library must outlive ours. */
static void pin_openmp(const c_library *l) {
    Dl_info info;
    void *symbol = dlsym(l->handle, "omp_get_max_threads");
    if (symbol && dladdr(symbol, &info) && info.dli_fname) dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

static bool open_library(const workshop *w, c_library *l, const char *prefix) {
    l->handle = dlopen(in_folder(w, "net.so"), RTLD_NOW | RTLD_LOCAL);
    if (!l->handle) {
        const char *why = dlerror();
        return diag_file(w->diags, w->folder,
                         "cannot load what was compiled here: %s; set TMPDIR to a folder whose "
                         "files may be executed",
                         why ? why : "no reason given");
    }
    pin_openmp(l);
    void *symbol = dlsym(l->handle, arena_printf(w->arena, "%s_invoke", prefix));
    memcpy(&l->invoke, &symbol, sizeof symbol); /* ISO C has no cast from data to function pointers */
    if (l->invoke) return true;
    c_unload(l);
    return diag_file(w->diags, w->folder, "what was compiled has no %s_invoke; this is a bug in netc",
                     prefix);
}

bool c_load(c_library *l, arena *a, const program *p, const c_options *o, const text *code,
            const text *header, diags *d) {
    workshop w = {.arena = a, .diags = d, .header_name = o->header_name};
    *l = (c_library){0};
    if (!open_workshop(&w)) return false;
    bool ok = file_write(in_folder(&w, "net.c"), code->at, code->length, d) &&
              file_write(in_folder(&w, o->header_name), header->at, header->length, d) && compile(&w) &&
              open_library(&w, l, o->prefix ? o->prefix : p->name);
    close_workshop(&w);
    return ok;
}

void c_unload(c_library *l) {
    if (l->handle) dlclose(l->handle);
    *l = (c_library){0};
}
