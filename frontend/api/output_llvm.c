/* NAME.o, .s, .ll or .so and NAME.h. Weights travel inside. A shared object is linked by the machine's C
 * compiler, in a folder of its own. */
#include "frontend/api/output_llvm.h"

#ifdef NETC_LLVM

#include "backends/c/c.h"
#include "backends/llvm/llvm.h"
#include "frontend/api/executor.h"
#include "frontend/api/output_c.h"
#include "frontend/api/version.h"
#include "ir/base/file.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct made {
    text code, header;
    const char *header_path;
} made;

static bool make_header(made *m, arena *a, const program *p, const output_options *o, const char *suffix,
                        diags *d) {
    const c_options options = {.prefix = o->prefix,
                               .version = NETC_VERSION,
                               .embed = o->params ? EMBED_ARRAY : EMBED_NONE,
                               .executor = true};
    const char *stem = arena_text(a, o->path, strlen(o->path) - strlen(suffix));
    m->header_path = arena_printf(a, "%s.h", stem);
    m->header = text_in(a);
    return c_header(a, p, &options, &m->header, d);
}

/* Code in *m, for those of the chosen targets that the triple's processors may have. */
static bool make_code(made *m, arena *a, const net *n, const graph *g, const output_options *o,
                      llvm_form form, const char *suffix, diags *d) {
    llvm_output out = {.form = form, .triple = o->triple, .prefix = o->prefix};
    compile_options c = o->compile;
    memcpy(out.targets, c.targets, sizeof out.targets);
    if (o->embed == OUTPUT_INCBIN || o->embed == OUTPUT_FILE) {
        diag_add(d, DIAG_ERROR, (span){0}, "--embed: weights travel inside of %s files; leave it out",
                 suffix);
        return false;
    }
    if (!llvm_output_targets(&out, c.targets, d)) return false;
    program *p = compile_program(a, g, &c, d);
    if (!p || !make_header(m, a, p, o, suffix, d)) return false;
    for (int t = 0; t < TARGET_COUNT; t++)
        if (c.targets[t]) legalise(p, (target_id)t, llvm_supported((target_id)t));
    void *packed = o->params ? executor_pack(n, a, g, &c, o->params, d) : NULL;
    if (o->params && !packed) return false;
    out.packed = packed;
    m->code = text_in(a);
    bool good = llvm_emit(a, p, &out, &m->code, d);
    free(packed);
    return good;
}

static bool write_pair(arena *a, const made *m, const output_options *o, const char *const **written,
                       diags *d) {
    const output_file files[] = {{m->header_path, m->header.at, m->header.length},
                                 {o->path, m->code.at, m->code.length}};
    if (!output_files(files, 2, d)) return false;
    const char **list = NEW_ARRAY(a, const char *, 3);
    list[0] = o->path;
    list[1] = m->header_path;
    *written = list;
    return true;
}

static bool write_form(arena *a, const net *n, const graph *g, const output_options *o, llvm_form form,
                       const char *suffix, const char *const **written, diags *d) {
    made m;
    return make_code(&m, a, n, g, o, form, suffix, d) && write_pair(a, &m, o, written, d);
}

bool output_object(arena *a, const net *n, const graph *g, const output_options *o,
                   const char *const **written, diags *d) {
    return write_form(a, n, g, o, LLVM_FORM_OBJECT, ".o", written, d);
}

bool output_assembly(arena *a, const net *n, const graph *g, const output_options *o,
                     const char *const **written, diags *d) {
    return write_form(a, n, g, o, LLVM_FORM_ASSEMBLY, ".s", written, d);
}

bool output_llvm_text(arena *a, const net *n, const graph *g, const output_options *o,
                      const char *const **written, diags *d) {
    return write_form(a, n, g, o, LLVM_FORM_IR, ".ll", written, d);
}

/* ---- shared objects ---- */

/* True where `cc` (or $CC) made `to` of `from`. */
static bool link_with(const char *from, const char *to, diags *d) {
    const char *given = getenv("CC"), *cc = given && *given && !strchr(given, ' ') ? given : "cc";
    char *argv[] = {(char *)(uintptr_t)cc,   "-shared", "-o", (char *)(uintptr_t)to,
                    (char *)(uintptr_t)from, NULL};
    pid_t child;
    int status = 0, failed = posix_spawnp(&child, cc, NULL, NULL, argv, environ);
    while (!failed && waitpid(child, &status, 0) < 0)
        if (errno != EINTR) failed = errno;
    if (!failed && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    diag_add(d, DIAG_ERROR, (span){0},
             "%s cannot link a shared object%s%s; install gcc, name a compiler in CC, or write an .o", cc,
             failed ? ": " : "", failed ? strerror(failed) : "");
    return false;
}

/* Replaces the object in m->code by what the linker makes of it. */
static bool link_code(made *m, arena *a, const char *folder, diags *d) {
    const char *from = arena_printf(a, "%s/net.o", folder), *to = arena_printf(a, "%s/net.so", folder);
    file_map image = {0};
    bool good =
        file_write(from, m->code.at, m->code.length, d) && link_with(from, to, d) && file_open(&image, to, d);
    if (good) {
        char *copy = arena_copy(a, image.bytes, image.size);
        m->code = (text){.arena = a, .at = copy, .length = image.size, .room = image.size};
        file_close(&image);
    }
    unlink(from);
    unlink(to);
    return good;
}

bool output_shared(arena *a, const net *n, const graph *g, const output_options *o,
                   const char *const **written, diags *d) {
    made m;
    const char *root = getenv("TMPDIR");
    char *folder = arena_printf(a, "%s/netc-XXXXXX", root && *root ? root : "/tmp");
    if (o->triple) {
        diag_add(
            d, DIAG_ERROR, (span){0},
            "-o %s: the linker of this machine makes shared objects for it alone; with --triple write an .o",
            o->path);
        return false;
    }
    if (!make_code(&m, a, n, g, o, LLVM_FORM_OBJECT, ".so", d)) return false;
    if (!mkdtemp(folder))
        return diag_file(d, folder,
                         "cannot make a folder to link in: %s; set TMPDIR to one that you may write in",
                         strerror(errno));
    bool good = link_code(&m, a, folder, d);
    rmdir(folder);
    return good && write_pair(a, &m, o, written, d);
}

#else

static bool refuse(const output_options *o, diags *d) {
    diag_add(d, DIAG_ERROR, (span){0},
             "-o %s: this netc was built without LLVM; write .c, or install llvm-19-dev and build netc again",
             o->path);
    return false;
}

bool output_object(arena *a, const net *n, const graph *g, const output_options *o,
                   const char *const **written, diags *d) {
    (void)a, (void)n, (void)g, (void)written;
    return refuse(o, d);
}

bool output_assembly(arena *a, const net *n, const graph *g, const output_options *o,
                     const char *const **written, diags *d) {
    return output_object(a, n, g, o, written, d);
}

bool output_llvm_text(arena *a, const net *n, const graph *g, const output_options *o,
                      const char *const **written, diags *d) {
    return output_object(a, n, g, o, written, d);
}

bool output_shared(arena *a, const net *n, const graph *g, const output_options *o,
                   const char *const **written, diags *d) {
    return output_object(a, n, g, o, written, d);
}

#endif
