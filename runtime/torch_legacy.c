/* PyTorch's format before 1.6: five pickles in a row (magic number, protocol, the machine's sizes, the
 * object, the keys of its storages), then each storage as a count and its numbers. Described in
 * torch/serialization.py. */
#include "ir/base/size.h"
#include "runtime/torch.h"

#include <string.h>

/* 0x1950a86a20f9469cfc6c as a pickled long, which stands behind the protocol's number and perhaps a frame's.
 */
static const unsigned char magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9,
                                      0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
enum { PROTOCOL = 1001, MAGIC_WITHIN = 32 };

bool is_legacy_torch(const weight_file *f) {
    size_t within = f->size < MAGIC_WITHIN ? f->size : MAGIC_WITHIN;
    return f->size && f->bytes[0] == 0x80 && memmem(f->bytes, within, magic, sizeof magic);
}

/* From protocol 2 on a pickle begins with its protocol's number; older ones with a name to call, a mark or a
 * container. All end with STOP. */
bool looks_like_pickle(const weight_file *f) {
    if (f->size < 2) return false;
    if (f->bytes[0] == 0x80) return f->bytes[1] <= 5;
    return strchr("c(}]", f->bytes[0]) && f->bytes[f->size - 1] == '.';
}

static bool check_machine(const pickle *p, const pickle_value *sizes) {
    if (sizes->kind != PICKLE_DICT) return pickle_refuse(p, "the file's third pickle is no dictionary");
    for (int i = 0; i + 1 < sizes->items.count; i += 2) {
        const pickle_value *v = sizes->items.at[i + 1];
        if (pickle_is(sizes->items.at[i], "little_endian") && v->kind == PICKLE_BOOL && !v->number)
            return pickle_refuse(p, "the file was written on a big-endian machine, which netc does not read");
    }
    return true;
}

/* One storage: its count (64 bits), then its numbers. */
static bool read_storage(pickle *p, const pickle_value *key) {
    if (key->kind != PICKLE_TEXT || key->text.length > 200 || memchr(key->text.at, 0, key->text.length))
        return pickle_refuse(p, "the list of storages is damaged");
    storage *s = map_get(&p->storages, arena_text(p->file->arena, key->text.at, key->text.length));
    if (!s || s->data)
        return pickle_refuse(p, "the list of storages names one that is not used, or one twice");
    if (p->end - p->at < 8) return pickle_refuse(p, "the file ends before its storages do: it is truncated");
    int64_t count = (int64_t)little64(p->at), bytes;
    p->at += 8;
    if (count != s->count) return pickle_refuse(p, "a storage has another size than the pickle says");
    if (!size_mul(count, element_infos[s->type].bytes, &bytes) || bytes > p->end - p->at)
        return pickle_refuse(p, "the file ends before its storages do: it is truncated");
    s->data = p->at;
    p->at += bytes;
    return true;
}

static bool read_storages(pickle *p, const pickle_value *keys) {
    if (keys->kind != PICKLE_LIST) return pickle_refuse(p, "the list of storages is missing");
    for (int i = 0; i < keys->items.count; i++)
        if (!read_storage(p, keys->items.at[i])) return false;
    for (const storage *s = p->first; s; s = s->next)
        if (!s->data) return pickle_refuse(p, "a storage that a tensor uses is not in the file");
    if (p->at != p->end)
        return pickle_refuse(p, "%td bytes after the last storage belong to none", p->end - p->at);
    return true;
}

bool read_legacy_torch(tensors *t, const weight_file *f) {
    pickle p;
    pickle_start(&p, f, f->bytes, f->bytes + f->size);
    t->format = "PyTorch (older format)";
    const pickle_value *v = pickle_read(&p);
    if (!v) return false;
    if (!is_legacy_torch(f))
        return pickle_refuse(
            &p, "this is a pickle, but not one that torch.save wrote: save model.state_dict() with it");
    if (!(v = pickle_read(&p))) return false;
    if (v->kind != PICKLE_INT || v->number != PROTOCOL)
        return pickle_refuse(&p, "the file has an unknown version of PyTorch's older format");
    const pickle_value *sizes = pickle_read(&p);
    if (!sizes || !check_machine(&p, sizes)) return false;
    const pickle_value *object = pickle_read(&p), *keys = object ? pickle_read(&p) : NULL;
    if (!keys || !read_storages(&p, keys)) return false;
    const pickle_value *dict = torch_state_dict(&p, object);
    return dict && torch_tensors(t, &p, dict);
}
