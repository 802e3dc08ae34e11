/* Writes .npy, version 1. */
#include "ir/base/text.h"
#include "runtime/aside.h"
#include "runtime/npy.h"

#include <string.h>

enum { FRONT_BYTES = 10, ALIGN_BYTES = 64 };

static void add_header(text *t, element_type type, int rank, const int64_t *dims) {
    text_printf(t, "{'descr': '%s', 'fortran_order': False, 'shape': (", element_infos[type].descr);
    for (int i = 0; i < rank; i++) text_printf(t, i ? " %lld," : "%lld,", (long long)dims[i]);
    if (rank > 1) t->at[--t->length] = 0; /* only a tuple of one needs its comma */
    text_puts(t, "), }");
    while ((FRONT_BYTES + t->length + 1) % ALIGN_BYTES) text_puts(t, " ");
    text_puts(t, "\n");
}

bool npy_front(text *t, element_type type, int rank, const int64_t *dims) {
    int64_t count, bytes;
    if (!element_size(type, rank, dims, &count, &bytes) || !*element_infos[type].descr) return false;
    text header = text_in(t->arena);
    add_header(&header, type, rank, dims);
    const unsigned char front[FRONT_BYTES] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, header.length & 255, (unsigned char)(header.length >> 8)};
    text_add(t, (const char *)front, sizeof front);
    text_add(t, header.at, header.length);
    return true;
}

bool npy_write(const char *path, element_type type, int rank, const int64_t *dims, const void *data,
               diags *d) {
    int64_t count, bytes;
    text front = text_in(d->arena);
    if (!npy_front(&front, type, rank, dims) || !element_size(type, rank, dims, &count, &bytes))
        return diag_file(d, path, "an array of this shape and type cannot be written as .npy");
    aside w;
    return aside_open(&w, path, d) && aside_write(&w, front.at, front.length) &&
           aside_write(&w, data, (size_t)bytes) && aside_commit(&w);
}
