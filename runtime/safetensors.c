/* Reads safetensors: 8 bytes of length, a JSON header {"name": {"dtype", "shape", "data_offsets"}, ...}, then
 * the data, which must follow one another without gap or overlap to the end of the file. */
#include "ir/base/size.h"
#include "runtime/shown.h"
#include "runtime/tensors_read.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_DEPTH = 8, TREE_BYTES = 48 << 20 };

typedef struct header {
    const weight_file *file;
    const unsigned char *data; /* what the offsets count from */
    int64_t data_bytes;
} header;

/* Refuses what would make a deep or a huge tree before there is a tree: the parser takes some 40 bytes a
 * value and 250 a container. */
static bool check_tree(const weight_file *f, const char *text, size_t length) {
    size_t cost = 0;
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '"') quoted = !quoted;
        if (quoted && c == '\\') i++;
        if (quoted) continue;
        bool opens = c == '{' || c == '[';
        depth += opens ? 1 : c == '}' || c == ']' ? -1 : 0;
        cost += opens ? 250 : c == ',' || c == ':' ? 48 : 0;
        if (depth > HEADER_DEPTH)
            return diag_file(f->diags, f->path, "the header nests deeper than safetensors does");
    }
    if (cost + length > TREE_BYTES)
        return diag_file(f->diags, f->path, "the header is too large for a list of tensors");
    return true;
}

static json_t *parse_header(const weight_file *f, size_t length) {
    const char *text = (const char *)f->bytes + 8;
    if (!check_tree(f, text, length)) return NULL;
    json_error_t e;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &e);
    if (!root)
        diag_file(f->diags, f->path, "the header is no valid JSON: %s",
                  shown(f->diags->arena, e.text, strlen(e.text)));
    return root;
}

static bool refuse(const header *h, const stored_tensor *s, const char *why) {
    return diag_file(h->file->diags, h->file->path, "tensor '%s': %s",
                     shown(h->file->diags->arena, s->name, strlen(s->name)), why);
}

static bool read_type(const header *h, stored_tensor *s, const json_t *v) {
    const char *name = json_string_value(v);
    if (!name) return refuse(h, s, "its dtype is missing");
    for (int i = 0; i < EL_TYPES; i++)
        if (strcmp(element_infos[i].dtype, name) == 0) {
            s->type = (element_type)i;
            return true;
        }
    const char *seen = shown(h->file->diags->arena, name, strlen(name));
    return refuse(h, s, arena_printf(h->file->diags->arena, "netc does not know its dtype '%s'", seen));
}

static bool read_shape(const header *h, stored_tensor *s, const json_t *v) {
    if (!json_is_array(v)) return refuse(h, s, "its shape is missing");
    if (json_array_size(v) > STORED_MAX_RANK) return refuse(h, s, "its shape has more than 16 dimensions");
    s->rank = (int)json_array_size(v);
    int64_t *dims = NEW_ARRAY(h->file->arena, int64_t, s->rank + 1), bytes;
    for (int i = 0; i < s->rank; i++) {
        const json_t *dim = json_array_get(v, (size_t)i);
        if (!json_is_integer(dim)) return refuse(h, s, "its shape holds something other than whole numbers");
        dims[i] = json_integer_value(dim);
    }
    s->dims = dims;
    if (!element_size(s->type, s->rank, dims, &s->count, &bytes))
        return refuse(h, s, "its shape is negative or larger than any file");
    s->bytes = (size_t)bytes;
    return true;
}

static bool read_offsets(const header *h, stored_tensor *s, const json_t *v) {
    const json_t *b = json_array_get(v, 0), *e = json_array_get(v, 1);
    if (!json_is_integer(b) || !json_is_integer(e) || json_array_size(v) != 2)
        return refuse(h, s, "its data_offsets are not two whole numbers");
    int64_t begin = json_integer_value(b), end = json_integer_value(e);
    if (begin < 0 || end < begin || end > h->data_bytes)
        return refuse(h, s, "its data_offsets point outside the file: is it truncated?");
    if (end - begin != (int64_t)s->bytes)
        return refuse(h, s, "its data_offsets do not span as many bytes as its shape and dtype need");
    s->data = h->data + begin;
    return true;
}

static bool read_entry(const header *h, stored_tensor *s, const char *name, const json_t *v) {
    s->name = arena_text(h->file->arena, name, strlen(name));
    if (!json_is_object(v)) return refuse(h, s, "its description is no JSON object");
    return read_type(h, s, json_object_get(v, "dtype")) && read_shape(h, s, json_object_get(v, "shape")) &&
           read_offsets(h, s, json_object_get(v, "data_offsets"));
}

/* The format wants texts under "__metadata__"; what is none is left out. */
static void read_metadata(tensors *t, const header *h, json_t *v) {
    const char **pairs = NEW_ARRAY(h->file->arena, const char *, 2 * json_object_size(v) + 1);
    const char *key;
    json_t *text;
    int count = 0;
    json_object_foreach(v, key, text) {
        if (!json_is_string(text)) continue;
        pairs[count++] = arena_text(h->file->arena, key, strlen(key));
        pairs[count++] = arena_text(h->file->arena, json_string_value(text), json_string_length(text));
    }
    t->metadata = pairs;
}

static int by_place(const void *a, const void *b) {
    const stored_tensor *x = *(const stored_tensor *const *)a, *y = *(const stored_tensor *const *)b;
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* The format's own rule: data lie one after the other, so no byte is hidden and none is shared. */
static bool check_places(const header *h, const tensors *t) {
    const stored_tensor **sorted = NEW_ARRAY(h->file->arena, const stored_tensor *, t->count + 1);
    for (int i = 0; i < t->count; i++) sorted[i] = &t->at[i];
    qsort(sorted, (size_t)t->count, sizeof *sorted, by_place);
    const unsigned char *next = h->data;
    for (int i = 0; i < t->count; i++) {
        if (sorted[i]->data < next) return refuse(h, sorted[i], "its data overlap another tensor's");
        if (sorted[i]->data > next) return refuse(h, sorted[i], "there is a gap in front of its data");
        next += sorted[i]->bytes;
    }
    if (next != h->data + h->data_bytes)
        return diag_file(h->file->diags, h->file->path, "%lld bytes after the last tensor belong to none",
                         (long long)(h->data + h->data_bytes - next));
    return true;
}

static bool read_entries(tensors *t, const header *h) {
    json_t *root = t->json;
    if (!json_is_object(root))
        return diag_file(h->file->diags, h->file->path, "the header is no JSON object");
    t->at = NEW_ARRAY(h->file->arena, stored_tensor, json_object_size(root) + 1);
    const char *name;
    json_t *v;
    json_object_foreach(root, name, v) {
        if (strcmp(name, "__metadata__") == 0)
            read_metadata(t, h, v);
        else if (!read_entry(h, &t->at[t->count++], name, v))
            return false;
    }
    return check_places(h, t);
}

bool read_safetensors(tensors *t, const weight_file *f) {
    uint64_t length = little64(f->bytes);
    if (length > f->size - 8)
        return diag_file(f->diags, f->path,
                         "the header is said to have %llu bytes, but the file has %zu: it is truncated",
                         (unsigned long long)length, f->size);
    const header h = {f, f->bytes + 8 + length, (int64_t)(f->size - 8 - length)};
    t->format = "safetensors";
    t->json = parse_header(f, length);
    if (!t->json || !read_entries(t, &h)) return false;
    json_decref(t->json);
    t->json = NULL;
    return true;
}
