/* Weight files that are zip files: PyTorch's (NAME/data.pkl beside NAME/data/KEY) and numpy's .npz. */
#include "ir/base/size.h"
#include "runtime/npy.h"
#include "runtime/torch.h"
#include "runtime/zip.h"

#include <string.h>

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), e = strlen(end);
    return n >= e && strcmp(name + n - e, end) == 0;
}

/* The folder that holds data.pkl, with its slash; NULL if no such entry. */
static const char *find_archive(const zip *z) {
    for (int i = 0; i < z->count; i++)
        if (ends_with(z->at[i].name, "/data.pkl") || strcmp(z->at[i].name, "data.pkl") == 0)
            return arena_text(z->file->arena, z->at[i].name, strlen(z->at[i].name) - strlen("data.pkl"));
    return NULL;
}

static const zip_entry *find_in(const zip *z, const char *folder, const char *name) {
    return zip_find(z, arena_printf(z->file->arena, "%s%s", folder, name));
}

static bool find_storages(zip *z, const pickle *p, const char *folder) {
    for (storage *s = p->first; s; s = s->next) {
        const zip_entry *e = zip_find(z, arena_printf(z->file->arena, "%sdata/%s", folder, s->key));
        if (!e) return pickle_refuse(p, "a storage that a tensor uses is not in the file");
        if (e->size != s->count * element_infos[s->type].bytes)
            return pickle_refuse(p, "a storage has another size than the pickle says");
        s->data = zip_data(z, e);
        if (!s->data) return false;
    }
    return true;
}

static bool read_torch(tensors *t, zip *z, const char *folder) {
    const weight_file *f = z->file;
    t->format = "PyTorch";
    const zip_entry *order = find_in(z, folder, "byteorder"), *e = find_in(z, folder, "data.pkl");
    if (find_in(z, folder, "constants.pkl"))
        return diag_file(f->diags, f->path,
                         "this is a TorchScript program: save its state_dict() with torch.save instead");
    if (order && order->size == 3 && memcmp(order->data, "big", 3) == 0)
        return diag_file(f->diags, f->path,
                         "the file was written on a big-endian machine, which netc does not read");
    const unsigned char *data = zip_data(z, e);
    if (!data) return false;
    pickle p;
    pickle_start(&p, f, data, data + e->size);
    const pickle_value *root = pickle_read(&p);
    if (!root || !find_storages(z, &p, folder)) return false;
    const pickle_value *dict = torch_state_dict(&p, root);
    return dict && torch_tensors(t, &p, dict);
}

static bool read_npz(tensors *t, zip *z) {
    const weight_file *f = z->file;
    t->format = "npz";
    t->at = NEW_ARRAY(f->arena, stored_tensor, z->count + 1);
    for (int i = 0; i < z->count; i++) {
        const zip_entry *e = &z->at[i];
        if (!ends_with(e->name, ".npy")) continue;
        const unsigned char *data = zip_data(z, e);
        const char *name = arena_text(f->arena, e->name, strlen(e->name) - 4);
        stored_tensor *s = &t->at[t->count++];
        if (!data || !npy_parse(s, f->arena, data, (size_t)e->size, f->path, f->diags)) return false;
        s->name = name;
    }
    return t->count ||
           diag_file(f->diags, f->path, "this zip file holds neither PyTorch's nor numpy's arrays");
}

bool read_zip_weights(tensors *t, const weight_file *f) {
    zip *z = NEW(f->arena, zip);
    if (!zip_read(z, f)) return false;
    const char *folder = find_archive(z);
    return folder ? read_torch(t, z, folder) : read_npz(t, z);
}
