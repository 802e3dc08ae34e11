/* Writes PyTorch's zip format: data.pkl, a pickle of an OrderedDict whose tensors name their storages, and each
 * storage as an entry. The pickle (protocol 2) uses only opcodes and names that torch.load's weights-only reader
 * takes. */
#include "ir/base/text.h"
#include "runtime/pickle.h"
#include "runtime/save.h"
#include "runtime/zip_write.h"

#include <string.h>

enum { FOLDER_ENTRIES = 3, NUMBER_BYTES = 8, SMALL = 0x7fffffff };

/* ---- the pickle ---- */

static void add_text(text *t, const char *s) {
    uint32_t length = (uint32_t)strlen(s);
    text_puts(t, "X"); /* BINUNICODE */
    text_add(t, (const char *)&length, sizeof length);
    text_add(t, s, length);
}

static void add_number(text *t, int64_t n) {
    if (n <= SMALL) {
        int32_t small = (int32_t)n;
        text_puts(t, "J"); /* BININT */
        text_add(t, (const char *)&small, sizeof small);
        return;
    }
    text_add(t, "\x8a\x08", 2); /* LONG1 of eight bytes */
    text_add(t, (const char *)&n, NUMBER_BYTES);
}

static void add_tuple(text *t, const int64_t *numbers, int count) {
    text_puts(t, "(");
    for (int k = 0; k < count; k++) add_number(t, numbers[k]);
    text_puts(t, "t");
}

/* Row-major, in elements. */
static void add_strides(text *t, const stored_tensor *s) {
    int64_t strides[STORED_MAX_RANK], step = 1;
    for (int k = s->rank; k-- > 0; step *= s->dims[k] > 0 ? s->dims[k] : 1) strides[k] = step;
    add_tuple(t, strides, s->rank);
}

/* _rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()), the storage by its persistent id. */
static void add_tensor(text *t, const stored_tensor *s, const char *class, const char *key) {
    add_text(t, s->name);
    text_puts(t, "ctorch._utils\n_rebuild_tensor_v2\n((");
    add_text(t, "storage");
    text_printf(t, "ctorch\n%s\n", class);
    add_text(t, key);
    add_text(t, "cpu");
    add_number(t, s->count);
    text_puts(t, "tQ");
    add_number(t, 0);
    add_tuple(t, s->dims, s->rank);
    add_strides(t, s);
    text_puts(t, "\x89"
                 "ccollections\nOrderedDict\n)RtR");
}

static bool add_pickle(text *t, const char *path, const stored_tensor *list, int count, diags *d) {
    text_puts(t, "\x80\x02"
                 "ccollections\nOrderedDict\n)R(");
    for (int k = 0; k < count; k++) {
        const char *class = pickle_storage_name(list[k].type);
        if (!class)
            return diag_file(d, path, "tensor '%s': PyTorch's format has no storage of %s", list[k].name,
                             element_infos[list[k].type].name);
        add_tensor(t, &list[k], class, arena_printf(d->arena, "%d", k));
    }
    text_puts(t, "u.");
    return true;
}

/* ---- the file ---- */

static zip_part part_of(const char *name, const void *data, size_t bytes) {
    return (zip_part){.name = name, .data = data, .data_bytes = bytes};
}

bool tensors_save_torch(const char *path, const stored_tensor *list, int count, diags *d) {
    zip_part *parts = NEW_ARRAY(d->arena, zip_part, count + FOLDER_ENTRIES);
    text pickled = text_in(d->arena);
    int at = 0;
    if (!add_pickle(&pickled, path, list, count, d)) return false;
    parts[at++] = part_of("archive/data.pkl", pickled.at, pickled.length);
    parts[at++] = part_of("archive/byteorder", "little", strlen("little"));
    for (int k = 0; k < count; k++)
        parts[at++] = part_of(arena_printf(d->arena, "archive/data/%d", k), list[k].data, list[k].bytes);
    parts[at++] = part_of("archive/version", "3\n", 2);
    return zip_write(path, parts, at, d);
}
