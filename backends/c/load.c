/* Runs the C compiler on a generated pair in a folder of its own, which only this user can enter, and opens
 * what comes out. No shell is involved: names with blanks or quotes are just names. */
#include "backends/c/load.h"

#include "ir/base/file.h"
#include "ir/base/guard.h"

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

enum { FILE_CODE, FILE_HEADER, FILE_LIBRARY, FILE_MESSAGES, FILES };

typedef struct workshop {
    arena *arena;
    diags *diags;
    const c_options *options;
    const program *program;
    const text *code, *header;
    c_library *library;
    char *folder;
    char *file[FILES]; /* their paths, so that the folder can be emptied when there is no memory */
    bool open;
} workshop;

static bool open_workshop(workshop *w) {
    const char *const names[FILES] = {"net.c", w->options->header_name, "net.so", "messages"};
    const char *root = getenv("TMPDIR");
    w->folder = arena_printf(w->arena, "%s/netc-XXXXXX", root && *root ? root : "/tmp");
    for (int k = 0; k < FILES; k++) w->file[k] = arena_printf(w->arena, "%s/%s", w->folder, names[k]);
    w->open = mkdtemp(w->folder);
    if (!w->open)
        return diag_file(w->diags, w->folder,
                         "cannot make a folder to compile in: %s; set TMPDIR to one that you may "
                         "write in",
                         strerror(errno));
    for (int k = 0; k < FILES; k++) memcpy(w->file[k], w->folder, strlen(w->folder));
    return true;
}

static void close_workshop(const workshop *w) {
    for (int k = 0; k < FILES; k++) unlink(w->file[k]);
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
    argv[count++] = w->file[FILE_LIBRARY];
    if (openmp) argv[count++] = "-fopenmp";
    argv[count++] = w->file[FILE_CODE];
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
    int file = open(w->file[FILE_MESSAGES], O_RDONLY | O_CLOEXEC);
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
        int status = run(argv, w->file[FILE_MESSAGES]);
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

static bool open_library(const workshop *w) {
    c_library *l = w->library;
    const char *prefix = w->options->prefix ? w->options->prefix : w->program->name;
    l->handle = dlopen(w->file[FILE_LIBRARY], RTLD_NOW | RTLD_LOCAL);
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

static bool load(void *context) {
    workshop *w = context;
    return open_workshop(w) && file_write(w->file[FILE_CODE], w->code->at, w->code->length, w->diags) &&
           file_write(w->file[FILE_HEADER], w->header->at, w->header->length, w->diags) && compile(w) &&
           open_library(w);
}

static void drop(void *context) {
    workshop *w = context;
    if (w->open) close_workshop(w);
    c_unload(w->library);
}

bool c_load(c_library *l, arena *a, const program *p, const c_options *o, const text *code,
            const text *header, diags *d) {
    workshop w = {a, d, o, p, code, header, .library = l};
    *l = (c_library){0};
    bool good = guard_undo(a, load, drop, &w);
    if (w.open) close_workshop(&w);
    return good;
}

void c_unload(c_library *l) {
    if (l->handle) dlclose(l->handle);
    *l = (c_library){0};
}
