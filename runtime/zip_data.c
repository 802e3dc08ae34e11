/* Contents of zip entries: in place where stored, inflated into the arena where packed. */
#include "runtime/shown.h"
#include "runtime/zip.h"

#include <string.h>
#include <zlib.h>

/* Deflate packs 1032 to 1 at best; a whole file may unpack to 16 times itself and 64 MiB. */
enum { DEFLATE_BEST = 1032, FILE_RATIO = 16, FILE_SLACK = 64 << 20 };

static const unsigned char *refuse(const zip *z, const zip_entry *e, const char *why) {
    diag_file(z->file->diags, z->file->path, "zip entry '%s': %s",
              shown(z->file->diags->arena, e->name, strlen(e->name)), why);
    return NULL;
}

/* Raw deflate from memory to memory; true if exactly `size` bytes came out of exactly `packed`. */
static bool inflate_all(const unsigned char *from, int64_t packed, unsigned char *to, int64_t size) {
    enum { STEP = 1 << 30 };
    z_stream s = {.next_in = (Bytef *)(uintptr_t)from, .next_out = to};
    if (inflateInit2(&s, -MAX_WBITS) != Z_OK) return false;
    int state = Z_OK;
    while (state == Z_OK) {
        if (s.avail_in == 0) s.avail_in = (uInt)(packed < STEP ? packed : STEP), packed -= s.avail_in;
        if (s.avail_out == 0) s.avail_out = (uInt)(size < STEP ? size : STEP), size -= s.avail_out;
        state = inflate(&s, Z_NO_FLUSH); /* Z_BUF_ERROR when either has run out */
    }
    inflateEnd(&s);
    return state == Z_STREAM_END && packed == 0 && size == 0 && s.avail_in == 0 && s.avail_out == 0;
}

static const unsigned char *unpack(zip *z, const zip_entry *e) {
    if (e->size / DEFLATE_BEST > e->packed + 1) return refuse(z, e, "it cannot unpack to the size it claims");
    if (e->size > FILE_RATIO * (int64_t)z->file->size + FILE_SLACK - z->unpacked)
        return refuse(z, e,
                      "the file unpacks to far more than its size, as a zip bomb does: save it uncompressed");
    z->unpacked += e->size;
    unsigned char *to = arena_alloc(z->file->arena, (size_t)e->size + 1, 1);
    return inflate_all(e->data, e->packed, to, e->size) ? to
                                                        : refuse(z, e, "its compressed data are damaged");
}

const unsigned char *zip_data(zip *z, const zip_entry *e) {
    const unsigned char *data = e->method == 0 ? e->data : unpack(z, e);
    if (data && crc32_z(0, data, (size_t)e->size) != e->crc)
        return refuse(z, e, "its checksum is wrong: the file is damaged");
    return data;
}
