/* Weight files that are zip files: PyTorch's (NAME/data.pkl beside NAME/data/KEY) and numpy's .npz. */
#include "runtime/archive.h"
#include "runtime/npy.h"
#include "runtime/torch.h"

#include <string.h>

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), e = strlen(end);
    return n >= e && strcmp(name + n - e, end) == 0;
}

/* The folder that holds data.pkl, with its slash; NULL if no such entry. */
static const char *find_pickle(const archive *a) {
    for (int i = 0; i < a->count; i++)
        if (ends_with(a->at[i].name, "/data.pkl") || strcmp(a->at[i].name, "data.pkl") == 0)
            return arena_text(a->file->arena, a->at[i].name, strlen(a->at[i].name) - strlen("data.pkl"));
    return NULL;
}

static const archive_entry *find_in(const archive *a, const char *folder, const char *name) {
    return archive_find(a, arena_printf(a->file->arena, "%s%s", folder, name));
}

static bool find_storages(archive *a, const pickle *p, const char *folder) {
    for (storage *s = p->first; s; s = s->next) {
        const archive_entry *e = archive_find(a, arena_printf(a->file->arena, "%sdata/%s", folder, s->key));
        if (!e) return pickle_refuse(p, "a storage that a tensor uses is not in the file");
        if (e->size != s->count * element_infos[s->type].bytes)
            return pickle_refuse(p, "a storage has another size than the pickle says");
        s->data = archive_data(a, e);
        if (!s->data) return false;
    }
    return true;
}

/* Files from before PyTorch 2.1 do not say. */
static bool is_little_endian(archive *a, const archive_entry *order) {
    if (!order || order->size != 3) return true;
    const unsigned char *text = archive_data(a, order);
    if (!text) return false;
    return memcmp(text, "big", 3) != 0 ||
           diag_file(a->file->diags, a->file->path,
                     "the file was written on a big-endian machine, which netc does not read");
}

static bool read_torch(tensors *t, archive *a, const char *folder) {
    const weight_file *f = a->file;
    t->format = "PyTorch";
    const archive_entry *order = find_in(a, folder, "byteorder"), *e = find_in(a, folder, "data.pkl");
    if (find_in(a, folder, "constants.pkl"))
        return diag_file(f->diags, f->path,
                         "this is a TorchScript program: save its state_dict() with torch.save instead");
    if (!is_little_endian(a, order)) return false;
    const unsigned char *data = archive_data(a, e);
    if (!data) return false;
    pickle p;
    pickle_start(&p, f, data, data + e->size);
    const pickle_value *root = pickle_read(&p);
    if (!root || !find_storages(a, &p, folder)) return false;
    const pickle_value *dict = torch_state_dict(&p, root);
    return dict && torch_tensors(t, &p, dict);
}

static bool read_npz(tensors *t, archive *a) {
    const weight_file *f = a->file;
    t->format = "npz";
    t->at = NEW_ARRAY(f->arena, stored_tensor, a->count + 1);
    for (int i = 0; i < a->count; i++) {
        const archive_entry *e = &a->at[i];
        if (!ends_with(e->name, ".npy")) continue;
        const unsigned char *data = archive_data(a, e);
        const char *name = arena_text(f->arena, e->name, strlen(e->name) - 4);
        stored_tensor *s = &t->at[t->count++];
        if (!data || !npy_parse(s, f->arena, data, (size_t)e->size, f->path, f->diags)) return false;
        s->name = name;
    }
    return t->count ||
           diag_file(f->diags, f->path, "this zip file holds neither PyTorch's nor numpy's arrays");
}

bool read_zip_weights(tensors *t, const weight_file *f) {
    archive *a = t->archive = NEW(f->arena, archive);
    if (!archive_open(a, f)) return false;
    const char *folder = find_pickle(a);
    bool good = folder ? read_torch(t, a, folder) : read_npz(t, a);
    archive_close(a); /* all that the tensors need has been copied */
    return good;
}
