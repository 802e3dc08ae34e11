/* The table of outputs. */
#include "frontend/api/output.h"

#include "frontend/api/output_c.h"
#include "frontend/api/output_llvm.h"

#include <string.h>

const output_kind outputs[] = {
    {".c", "portable C, a .c and its .h", output_c},
    {".o", "an object and its .h", output_object},
    {".s", "assembly and its .h", output_assembly},
    {".ll", "LLVM's language and its .h", output_llvm_text},
    {".so", "a shared object and its .h", output_shared},
    {0},
};

static const char *suffix_of(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return dot && dot != name ? dot : "";
}

const output_kind *output_find(const char *path, diags *d) {
    const char *suffix = suffix_of(path);
    text list = text_in(d->arena);
    for (const output_kind *k = outputs; k->suffix; k++) {
        if (strcmp(k->suffix, suffix) == 0) return k;
        text_printf(&list, "%s%s (%s)", list.length ? ", " : "", k->suffix, k->summary);
    }
    diag_add(d, DIAG_ERROR, (span){0}, "-o %s: the suffix says what to write, and this netc writes %s", path,
             list.at);
    return NULL;
}

bool output_write(arena *a, const net *n, const graph *g, const output_options *o,
                  const char *const **written, diags *d) {
    const output_kind *k = output_find(o->path, d);
    return k && k->write(a, n, g, o, written, d);
}
