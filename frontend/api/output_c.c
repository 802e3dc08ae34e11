/* NAME.c and NAME.h, and NAME.weights where the weights travel beside them. All are written aside before the
 * first takes its name, so that a full disk leaves what was there. */
#include "frontend/api/output_c.h"

#include "backends/c/c.h"
#include "frontend/api/describe.h"
#include "frontend/api/executor.h"
#include "frontend/api/version.h"
#include "runtime/aside.h"

#include <stdlib.h>
#include <string.h>

bool output_files(const output_file *files, int count, diags *d) {
    aside list[OUTPUT_FILES];
    bool good = true;
    int open = 0;
    while (good && open < count) {
        good = aside_open(&list[open], files[open].path, d);
        if (good) good = aside_write(&list[open], files[open].bytes, files[open].size);
        open++;
    }
    for (int k = 0; k < open && good; k++) good = aside_sync(&list[k]);
    for (int k = 0; k < open; k++) {
        if (good)
            good = aside_commit(&list[k]);
        else
            aside_drop(&list[k]);
    }
    return good;
}

const char *output_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static embed embed_of(const output_options *o, const program *p) {
    static const embed chosen[] = {
        [OUTPUT_ARRAY] = EMBED_ARRAY, [OUTPUT_INCBIN] = EMBED_INCBIN, [OUTPUT_FILE] = EMBED_FILE};
    if (!o->params) return EMBED_NONE;
    if (o->embed != OUTPUT_AUTO) return chosen[o->embed];
    return p->packed_bytes <= OUTPUT_ARRAY_BYTES ? EMBED_ARRAY : EMBED_FILE;
}

typedef struct pair {
    text code, header;
    c_options options;
    output_file files[OUTPUT_FILES];
    int count;
} pair;

static bool emit(pair *p, arena *a, const program *prog, const output_options *o, diags *d) {
    const char *stem = arena_text(a, o->path, strlen(o->path) - strlen(".c"));
    const char *header = arena_printf(a, "%s.h", stem), *weights = arena_printf(a, "%s.weights", stem);
    p->options.header_name = output_base_name(header);
    p->options.packed_file_name = output_base_name(weights);
    if (!c_emit(a, prog, &p->options, &p->code, &p->header, d)) return false;
    bool beside = p->options.embed == EMBED_INCBIN || p->options.embed == EMBED_FILE;
    if (beside) p->files[p->count++] = (output_file){weights, p->options.packed, p->options.packed_bytes};
    p->files[p->count++] = (output_file){header, p->header.at, p->header.length};
    p->files[p->count++] = (output_file){o->path, p->code.at, p->code.length};
    return true;
}

static const char *const *paths_of(arena *a, const pair *p) {
    const char **list = NEW_ARRAY(a, const char *, OUTPUT_FILES + 1);
    for (int k = 0; k < p->count; k++) list[k] = p->files[p->count - 1 - k].path;
    return list;
}

bool output_c(arena *a, const net *n, const graph *g, const output_options *o, const char *const **written,
              diags *d) {
    if (o->triple) {
        diag_add(d, DIAG_ERROR, (span){0}, "--triple is for .o, .s and .ll; C is for any machine as it is");
        return false;
    }
    program *prog = compile_program(a, g, &o->compile, d);
    if (!prog) return false;
    pair p = {.code = text_in(a), .header = text_in(a)};
    p.options = (c_options){
        .prefix = o->prefix, .version = NETC_VERSION, .embed = embed_of(o, prog), .executor = o->executor};
    memcpy(p.options.targets, o->compile.targets, sizeof p.options.targets);
    compile_legalise(prog);
    void *packed = o->params ? executor_pack(n, a, g, &o->compile, o->params, d) : NULL;
    if (o->params && !packed) return false;
    p.options.packed = packed;
    p.options.packed_bytes = (size_t)prog->packed_bytes;
    bool good = emit(&p, a, prog, o, d) && output_files(p.files, p.count, d);
    if (good) *written = paths_of(a, &p);
    free(packed);
    return good;
}
