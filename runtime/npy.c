/* Reads .npy. The header is a Python dictionary of exactly three entries, e.g.
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }; format: numpy/lib/format.py. */
#include "runtime/npy.h"

#include "ir/base/size.h"
#include "runtime/shown.h"

#include <ctype.h>
#include <string.h>

enum { MAX_HEADER = 64 << 10 };

typedef struct header {
    const char *at, *end; /* what is left */
    const char *path;
    diags *diags;
    stored_tensor *tensor;
    int64_t dims[STORED_MAX_RANK];
    bool fortran, descr_seen, order_seen, shape_seen;
} header;

static bool bad(const header *h, const char *why) {
    diag_file(h->diags, h->path, "the .npy header is damaged: %s", why);
    return false;
}

static void skip_space(header *h) {
    while (h->at < h->end && (*h->at == ' ' || *h->at == '\n')) h->at++;
}

/* Takes the text, if it stands next. */
static bool accept(header *h, const char *text) {
    skip_space(h);
    size_t n = strlen(text);
    if ((size_t)(h->end - h->at) < n || memcmp(h->at, text, n) != 0) return false;
    h->at += n;
    return true;
}

/* 'text' or "text", without escapes. */
static bool quoted(header *h, const char **text, size_t *length) {
    char quote = accept(h, "'") ? '\'' : accept(h, "\"") ? '"' : 0;
    if (!quote) return bad(h, "expected a text in quotes");
    const char *e = memchr(h->at, quote, (size_t)(h->end - h->at));
    if (!e) return bad(h, "a text does not end");
    *text = h->at;
    *length = (size_t)(e - h->at);
    h->at = e + 1;
    return true;
}

static bool read_descr(header *h) {
    const char *text;
    size_t n;
    if (accept(h, "["))
        return diag_file(h->diags, h->path,
                         "the array is structured (several named fields): save one field alone");
    if (!quoted(h, &text, &n)) return false;
    for (int i = 0; i < EL_TYPES; i++)
        if (n && strlen(element_infos[i].descr) == n && memcmp(element_infos[i].descr, text, n) == 0) {
            h->tensor->type = (element_type)i;
            return true;
        }
    const char *seen = shown(h->diags->arena, text, n);
    const char *why = n && text[0] == '>' ? "are big-endian: save them with .astype('<f4')"
                      : n > 1 && text[1] == 'O'
                          ? "are Python objects, which would have to be executed: refused"
                          : "are of a type that netc does not read: save them as float32";
    return diag_file(h->diags, h->path, "the array's elements ('%s') %s", seen, why);
}

static bool read_order(header *h) {
    h->fortran = accept(h, "True");
    return h->fortran || accept(h, "False") || bad(h, "fortran_order is neither True nor False");
}

static bool read_dim(header *h, int64_t *dim) {
    skip_space(h);
    *dim = 0;
    const char *first = h->at;
    for (; h->at < h->end && isdigit((unsigned char)*h->at); h->at++)
        if (!size_mul(*dim, 10, dim) || !size_add(*dim, *h->at - '0', dim))
            return bad(h, "a dimension is larger than any file");
    accept(h, "L"); /* Python 2 wrote long numbers so */
    return h->at > first || bad(h, "the shape holds something other than whole numbers");
}

static bool read_shape(header *h) {
    stored_tensor *t = h->tensor;
    if (!accept(h, "(")) return bad(h, "the shape is no tuple");
    for (t->rank = 0; !accept(h, ")"); t->rank++) {
        if (t->rank == STORED_MAX_RANK) return bad(h, "the shape has more than 16 dimensions");
        if (t->rank && !accept(h, ",")) return bad(h, "expected ',' or ')' in the shape");
        if (t->rank && accept(h, ")")) break;
        if (!read_dim(h, &h->dims[t->rank])) return false;
    }
    return true;
}

static bool read_entry(header *h) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    bool (*const readers[])(header *) = {read_descr, read_order, read_shape};
    bool *const seen[] = {&h->descr_seen, &h->order_seen, &h->shape_seen};
    const char *key;
    size_t n;
    if (!quoted(h, &key, &n)) return false;
    for (int i = 0; i < 3; i++) {
        if (strlen(keys[i]) != n || memcmp(keys[i], key, n) != 0) continue;
        if (*seen[i]) return bad(h, "an entry occurs twice");
        *seen[i] = true;
        return accept(h, ":") ? readers[i](h) : bad(h, "expected ':' after a key");
    }
    return bad(h, "it has an entry other than descr, fortran_order and shape");
}

static bool read_header(header *h) {
    if (!accept(h, "{")) return bad(h, "it is no dictionary");
    for (bool first = true; !accept(h, "}"); first = false) {
        if (!first && !accept(h, ",")) return bad(h, "expected ',' or '}'");
        if (!first && accept(h, "}")) break;
        if (!read_entry(h)) return false;
    }
    skip_space(h);
    if (h->at != h->end) return bad(h, "something follows the dictionary");
    return (h->descr_seen && h->order_seen && h->shape_seen) ||
           bad(h, "descr, fortran_order or shape is missing");
}

/* From first index fastest to last index fastest. */
static void turn_round(unsigned char *to, const stored_tensor *t, int bytes) {
    int64_t index[STORED_MAX_RANK] = {0}, stride[STORED_MAX_RANK], from = 0, product = 1;
    for (int i = 0; i < t->rank; i++) stride[i] = product, product *= t->dims[i];
    for (int64_t i = 0; i < t->count; i++) {
        memcpy(to + i * bytes, t->data + from * bytes, (size_t)bytes);
        for (int d = t->rank; d-- > 0;) {
            from += stride[d];
            if (++index[d] < t->dims[d]) break;
            from -= stride[d] * t->dims[d];
            index[d] = 0;
        }
    }
}

static bool find_data(header *h, arena *a, size_t left) {
    stored_tensor *t = h->tensor;
    int64_t bytes;
    t->dims = arena_copy(a, h->dims, (size_t)t->rank * sizeof *h->dims);
    if (!element_size(t->type, t->rank, t->dims, &t->count, &bytes))
        return bad(h, "the shape is larger than any file");
    if ((uint64_t)bytes != left)
        return diag_file(h->diags, h->path,
                         "the array %s of %s needs %lld bytes, but %zu follow the header%s",
                         shown_shape(h->diags->arena, t->rank, t->dims), element_infos[t->type].name,
                         (long long)bytes, left, left < (uint64_t)bytes ? ": the file is truncated" : "");
    t->bytes = left;
    t->data = (const unsigned char *)h->end;
    if (h->fortran && t->rank > 1) {
        unsigned char *to = arena_alloc(a, left + 1, 1);
        turn_round(to, t, element_infos[t->type].bytes);
        t->data = to;
    }
    return true;
}

bool npy_parse(stored_tensor *t, arena *a, const unsigned char *bytes, size_t size, const char *path,
               diags *d) {
    *t = (stored_tensor){0};
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return diag_file(d, path, "this is no .npy array: it does not begin with numpy's mark");
    int version = bytes[6];
    size_t start = version == 1 ? 10 : 12;
    uint32_t length = bytes[8] | (uint32_t)bytes[9] << 8;
    if (version > 1) length |= (uint32_t)bytes[10] << 16 | (uint32_t)bytes[11] << 24;
    if (version < 1 || version > 3)
        return diag_file(d, path, "netc does not know version %d of .npy", version);
    if (length > size - start || length > MAX_HEADER)
        return diag_file(d, path, "the .npy header runs past the end of the file: it is truncated");
    const char *at = (const char *)bytes + start;
    header h = {.at = at, .end = at + length, .path = path, .diags = d, .tensor = t};
    return read_header(&h) && find_data(&h, a, size - start - length);
}

/* The arena's jump is caught on its way out, so that the map does not stay behind. */
bool npy_open(npy *n, arena *a, const char *path, diags *d) {
    *n = (npy){0};
    if (!file_open(&n->map, path, d)) return false;
    trap here, *outer = a->trap;
    a->trap = &here;
    if (setjmp(here.jump)) {
        a->trap = outer;
        npy_close(n);
        trap_spring(outer, here.reason);
    }
    bool ok = npy_parse(&n->tensor, a, n->map.bytes, n->map.size, path, d);
    a->trap = outer;
    if (!ok) npy_close(n);
    return ok;
}

void npy_close(npy *n) {
    if (n->map.bytes) file_close(&n->map);
    *n = (npy){0};
}
