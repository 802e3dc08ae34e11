/* Opens a weight file by what it holds, not by its suffix, and closes it. */
#include "runtime/tensors.h"

#include "ir/base/map.h"
#include "ir/base/size.h"
#include "runtime/archive.h"
#include "runtime/shown.h"
#include "runtime/tensors_read.h"

#include <jansson.h>
#include <string.h>

const element_info element_infos[EL_TYPES] = {
    [EL_F32] = {"float32", "F32", "<f4", 4, true}, [EL_F64] = {"float64", "F64", "<f8", 8, true},
    [EL_F16] = {"float16", "F16", "<f2", 2, true}, [EL_BF16] = {"bfloat16", "BF16", "", 2, true},
    [EL_I64] = {"int64", "I64", "<i8", 8, false},  [EL_I32] = {"int32", "I32", "<i4", 4, false},
    [EL_I16] = {"int16", "I16", "<i2", 2, false},  [EL_I8] = {"int8", "I8", "|i1", 1, false},
    [EL_U64] = {"uint64", "U64", "<u8", 8, false}, [EL_U32] = {"uint32", "U32", "<u4", 4, false},
    [EL_U16] = {"uint16", "U16", "<u2", 2, false}, [EL_U8] = {"uint8", "U8", "|u1", 1, false},
    [EL_BOOL] = {"bool", "BOOL", "|b1", 1, false},
};

bool element_size(element_type type, int rank, const int64_t *dims, int64_t *count, int64_t *bytes) {
    *count = 1;
    for (int i = 0; i < rank; i++)
        if (!size_mul(*count, dims[i], count)) return false;
    return size_mul(*count, element_infos[type].bytes, bytes);
}

/* Kinds of file that people do hand to netc and that it does not read, by their first bytes. */
static const struct {
    size_t offset;
    const char *magic;
    const char *why;
} foreign[] = {
    {0, "\x93NUMPY",
     "this .npy file is one array without a name: put arrays into an .npz "
     "(numpy.savez), or give this one to --input"},
    {0, "\x89HDF", "this is an HDF5 (Keras) file, which netc does not read: save the weights as safetensors"},
    {0, "\x1f\x8b", "this is gzip: unpack it first"},
    {0,
     "\xfd"
     "7zXZ",
     "this is xz: unpack it first"},
    {257, "ustar",
     "this is a tar archive (or a PyTorch file from before 0.1.10): unpack it, or save the state "
     "dict again with a newer PyTorch"},
};

static bool refuse_foreign(const weight_file *f) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        size_t n = strlen(foreign[i].magic);
        if (f->size >= foreign[i].offset + n &&
            memcmp(f->bytes + foreign[i].offset, foreign[i].magic, n) == 0)
            return diag_file(f->diags, f->path, "%s", foreign[i].why);
    }
    return diag_file(f->diags, f->path,
                     "this is no weight file: netc reads safetensors, PyTorch .pt/.pth/.th and .npz");
}

static bool read_by_content(tensors *t, const weight_file *f) {
    if (f->size == 0) return diag_file(f->diags, f->path, "the file is empty: expected weights");
    if (f->size >= 4 && memcmp(f->bytes, "PK", 2) == 0 && f->bytes[2] < 8) return read_zip_weights(t, f);
    if (is_legacy_torch(f)) return read_legacy_torch(t, f);
    if (f->size >= 9 && f->bytes[8] == '{') return read_safetensors(t, f);
    if (looks_like_pickle(f)) return read_legacy_torch(t, f);
    return refuse_foreign(f);
}

static bool check_names(tensors *t, const weight_file *f) {
    map seen = map_in(f->arena);
    for (int i = 0; i < t->count; i++) {
        const char *name = t->at[i].name;
        if (map_get(&seen, name))
            return diag_file(f->diags, f->path, "the tensor '%s' occurs twice",
                             shown(f->diags->arena, name, strlen(name)));
        map_put(&seen, name, &t->at[i]);
    }
    return true;
}

/* The arena's jump is caught on its way out, so that neither map nor JSON tree nor archive stays behind. */
static bool read_guarded(tensors *t, const weight_file *f) {
    trap here, *outer = f->arena->trap;
    f->arena->trap = &here;
    if (setjmp(here.jump)) {
        f->arena->trap = outer;
        tensors_close(t);
        trap_spring(outer, here.reason);
    }
    bool ok = read_by_content(t, f) && check_names(t, f);
    f->arena->trap = outer;
    if (!ok) tensors_close(t);
    return ok;
}

bool tensors_open(tensors *t, arena *a, const char *path, diags *d) {
    *t = (tensors){.path = path};
    if (!file_open(&t->map, path, d)) return false;
    const weight_file f = {path, t->map.bytes, t->map.size, a, d};
    return read_guarded(t, &f);
}

bool tensors_open_memory(tensors *t, arena *a, const char *path, const void *bytes, size_t size, diags *d) {
    *t = (tensors){.path = path};
    const weight_file f = {path, bytes, size, a, d};
    return read_guarded(t, &f);
}

void tensors_close(tensors *t) {
    if (t->json) json_decref(t->json);
    if (t->archive) archive_close(t->archive);
    if (t->map.bytes) file_close(&t->map);
    *t = (tensors){.path = t->path};
}

const char *tensors_metadata(const tensors *t, const char *key) {
    for (int i = 0; t->metadata && t->metadata[i]; i += 2)
        if (strcmp(t->metadata[i], key) == 0) return t->metadata[i + 1];
    return NULL;
}

const stored_tensor *tensors_find(const tensors *t, const char *name) {
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->at[i].name, name) == 0) return &t->at[i];
    return NULL;
}
