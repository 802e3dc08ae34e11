/* Writes safetensors: the header from the list, then each tensor's bytes straight from where they lie. */
#include "ir/base/size.h"
#include "ir/base/text.h"
#include "runtime/aside.h"
#include "runtime/tensors.h"

#include <string.h>

enum { ALIGN_BYTES = 8 };

static void add_string(text *t, const char *s) {
    text_puts(t, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_printf(t, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            text_printf(t, "\\u%04x", (unsigned char)*s);
        else
            text_add(t, s, 1);
    }
    text_puts(t, "\"");
}

static void add_metadata(text *t, const char *const *pairs) {
    text_puts(t, "\"__metadata__\":{");
    for (int i = 0; pairs[i] && pairs[i + 1]; i += 2) {
        if (i) text_puts(t, ",");
        add_string(t, pairs[i]);
        text_puts(t, ":");
        add_string(t, pairs[i + 1]);
    }
    text_puts(t, "}");
}

static void add_tensor(text *t, const stored_tensor *s, int64_t begin) {
    add_string(t, s->name);
    text_printf(t, ":{\"dtype\":\"%s\",\"shape\":[", element_infos[s->type].dtype);
    for (int i = 0; i < s->rank; i++) text_printf(t, i ? ",%lld" : "%lld", (long long)s->dims[i]);
    text_printf(t, "],\"data_offsets\":[%lld,%lld]}", (long long)begin,
                (long long)begin + (long long)s->bytes);
}

static bool add_header(text *t, const char *path, const stored_tensor *list, int count,
                       const char *const *metadata, diags *d) {
    int64_t at = 0;
    text_puts(t, "{");
    if (metadata) add_metadata(t, metadata);
    for (int i = 0; i < count; i++) {
        int64_t elements, bytes;
        if (i || metadata) text_puts(t, ",");
        add_tensor(t, &list[i], at);
        if (!element_size(list[i].type, list[i].rank, list[i].dims, &elements, &bytes) ||
            (size_t)bytes != list[i].bytes || !size_add(at, bytes, &at))
            return diag_file(d, path, "tensor '%s': its bytes are not those of its shape", list[i].name);
    }
    text_puts(t, "}");
    while (t->length % ALIGN_BYTES) text_puts(t, " "); /* so that data are aligned when mapped */
    return true;
}

bool tensors_save_safetensors(const char *path, const stored_tensor *list, int count,
                              const char *const *metadata, diags *d) {
    text header = text_in(d->arena);
    if (!add_header(&header, path, list, count, metadata, d)) return false;
    const uint64_t length = header.length;
    aside w;
    if (!aside_open(&w, path, d) || !aside_write(&w, &length, sizeof length) ||
        !aside_write(&w, header.at, header.length))
        return false;
    for (int i = 0; i < count; i++)
        if (!aside_write(&w, list[i].data, list[i].bytes)) return false;
    return aside_commit(&w);
}
