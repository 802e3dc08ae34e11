/* The table of kinds. */
#include "runtime/save.h"

#include "ir/base/text.h"

#include <string.h>

static bool save_safetensors(const char *path, const stored_tensor *list, int count, diags *d) {
    static const char *const metadata[] = {"format", "pt", NULL}; /* as PyTorch's safetensors writes it */
    return tensors_save_safetensors(path, list, count, metadata, d);
}

const save_kind save_kinds[] = {
    {".safetensors", "safetensors", save_safetensors},
    {".pt", "PyTorch's", tensors_save_torch},
    {".pth", "PyTorch's", tensors_save_torch},
    {".npz", "numpy's", tensors_save_npz},
    {0},
};

const save_kind *save_kind_of(const char *path, diags *d) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    text list = text_in(d->arena);
    for (const save_kind *k = save_kinds; k->suffix; k++) {
        if (dot && strcmp(dot, k->suffix) == 0) return k;
        text_printf(&list, "%s%s (%s)", list.length ? ", " : "", k->suffix, k->summary);
    }
    diag_add(d, DIAG_ERROR, (span){0}, "-o %s: the suffix says how to write weights: %s", path, list.at);
    return NULL;
}
