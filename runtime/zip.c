/* The zip directory. Layout of the records: PKWARE's APPNOTE.TXT, 4.3; ZIP64 (which PyTorch writes): 4.3.14
 * and 4.5.3. */
#include "runtime/zip.h"

#include "ir/base/size.h"
#include "runtime/shown.h"

#include <stdlib.h>
#include <string.h>

enum {
    END_BYTES = 22,     /* end of central directory, comment aside */
    END64_BYTES = 56,   /* the same of ZIP64 */
    LOCATOR_BYTES = 20, /* says where that is */
    CENTRAL_BYTES = 46, /* an entry of the directory, name and extras aside */
    LOCAL_BYTES = 30,   /* what stands in front of an entry's data */
    MAX_ENTRIES = 100000
};

static bool refuse(const zip *z, const char *why) {
    return diag_file(z->file->diags, z->file->path, "the zip file is damaged: %s", why);
}

static bool refuse_entry(const zip *z, const zip_entry *e, const char *why) {
    return diag_file(z->file->diags, z->file->path, "zip entry '%s': %s",
                     shown(z->file->diags->arena, e->name, strlen(e->name)), why);
}

typedef struct directory {
    uint64_t entries, size, offset;
} directory;

/* The record at the end, behind which only its own comment may stand. */
static const unsigned char *find_end(const weight_file *f) {
    size_t reach = f->size < END_BYTES + 65535u ? f->size : END_BYTES + 65535u;
    for (size_t back = END_BYTES; back <= reach; back++) {
        const unsigned char *p = f->bytes + f->size - back;
        if (memcmp(p, "PK\5\6", 4) == 0 && little16(p + 20) == back - END_BYTES) return p;
    }
    return NULL;
}

static bool read_end64(const zip *z, const unsigned char *end, directory *dir) {
    size_t before = (size_t)(end - z->file->bytes);
    if (before < LOCATOR_BYTES || memcmp(end - LOCATOR_BYTES, "PK\6\7", 4) != 0)
        return refuse(z, "its ZIP64 directory is missing");
    uint64_t at = little64(end - LOCATOR_BYTES + 8);
    if (at > before || before - at < END64_BYTES || memcmp(z->file->bytes + at, "PK\6\6", 4) != 0)
        return refuse(z, "its ZIP64 directory is not where it is said to be");
    const unsigned char *p = z->file->bytes + at;
    *dir = (directory){little64(p + 32), little64(p + 40), little64(p + 48)};
    return true;
}

static bool find_directory(const zip *z, directory *dir) {
    const unsigned char *end = find_end(z->file);
    if (!end) return refuse(z, "it has no directory at its end: it is truncated");
    *dir = (directory){little16(end + 10), little32(end + 12), little32(end + 16)};
    if ((dir->entries == 0xffff || dir->size == 0xffffffff || dir->offset == 0xffffffff) &&
        !read_end64(z, end, dir))
        return false;
    uint64_t before = (uint64_t)(end - z->file->bytes);
    if (dir->offset > before || dir->size > before - dir->offset)
        return refuse(z, "its directory points outside the file");
    if (dir->entries > MAX_ENTRIES || dir->entries * CENTRAL_BYTES > dir->size)
        return refuse(z, "its directory claims more entries than it has room for");
    return true;
}

/* Sizes of 0xffffffff stand in the extra field of ZIP64, in this order, those that are needed. */
static bool read_extra64(const zip *z, zip_entry *e, const unsigned char *extra, size_t length) {
    int64_t *const fields[] = {&e->size, &e->packed, &e->header};
    size_t i = 0;
    while (length - i >= 4) {
        uint16_t tag = little16(extra + i), bytes = little16(extra + i + 2);
        const unsigned char *p = extra + i + 4;
        if (bytes > length - i - 4) return refuse_entry(z, e, "its extra field is longer than its record");
        i += 4u + bytes;
        if (tag != 1) continue;
        for (size_t k = 0, left = bytes; k < 3; k++) {
            if (*fields[k] != 0xffffffff) continue;
            if (left < 8 || little64(p) > (uint64_t)SIZE_LIMIT)
                return refuse_entry(z, e, "its ZIP64 sizes are impossible");
            *fields[k] = (int64_t)little64(p);
            p += 8, left -= 8;
        }
        return true;
    }
    return true;
}

/* One record of the directory; *at moves past it. */
static bool read_central(zip *z, zip_entry *e, const unsigned char **at, const unsigned char *end) {
    const unsigned char *p = *at;
    if (end - p < CENTRAL_BYTES || memcmp(p, "PK\1\2", 4) != 0)
        return refuse(z, "its directory is cut short");
    size_t name = little16(p + 28), extra = little16(p + 30), comment = little16(p + 32);
    if ((size_t)(end - p) - CENTRAL_BYTES < name + extra + comment)
        return refuse(z, "its directory is cut short");
    const char *text = (const char *)p + CENTRAL_BYTES;
    if (memchr(text, 0, name)) return refuse(z, "an entry's name holds a zero byte");
    *e = (zip_entry){.name = arena_text(z->file->arena, text, name),
                     .method = little16(p + 10),
                     .crc = little32(p + 16),
                     .packed = little32(p + 20),
                     .size = little32(p + 24),
                     .header = little32(p + 42)};
    *at = p + CENTRAL_BYTES + name + extra + comment;
    if (little16(p + 8) & 1) return refuse_entry(z, e, "it is encrypted");
    if (e->method != 0 && e->method != 8)
        return refuse_entry(z, e, "its compression is neither none nor deflate");
    return read_extra64(z, e, p + CENTRAL_BYTES + name, extra);
}

/* Finds the data behind the entry's own header, which must agree with the directory. */
static bool find_data(const zip *z, zip_entry *e) {
    int64_t size = (int64_t)z->file->size;
    size_t length = strlen(e->name);
    const unsigned char *p = z->file->bytes + (e->header < size ? e->header : size);
    if (e->header > size - LOCAL_BYTES || memcmp(p, "PK\3\4", 4) != 0 || little16(p + 26) != length)
        return refuse_entry(z, e, "its header is not where the directory says");
    int64_t skip = LOCAL_BYTES + (int64_t)length + little16(p + 28);
    if (e->header + skip > size || e->packed > size - e->header - skip)
        return refuse_entry(z, e, "its data run past the end of the file");
    if (memcmp(p + LOCAL_BYTES, e->name, length) != 0)
        return refuse_entry(z, e, "the directory calls it by another name");
    if (e->method == 0 && e->packed != e->size) return refuse_entry(z, e, "its two sizes differ");
    e->data = p + skip;
    return true;
}

static int by_place(const void *a, const void *b) {
    const zip_entry *x = *(const zip_entry *const *)a, *y = *(const zip_entry *const *)b;
    return (x->header > y->header) - (x->header < y->header);
}

static bool check_places(const zip *z) {
    zip_entry **sorted = NEW_ARRAY(z->file->arena, zip_entry *, z->count + 1);
    for (int i = 0; i < z->count; i++) sorted[i] = &z->at[i];
    qsort(sorted, (size_t)z->count, sizeof(zip_entry *), by_place);
    for (int i = 1; i < z->count; i++)
        if (sorted[i - 1]->data + sorted[i - 1]->packed > z->file->bytes + sorted[i]->header)
            return refuse_entry(z, sorted[i], "it overlaps another entry");
    return true;
}

bool zip_read(zip *z, const weight_file *f) {
    *z = (zip){.file = f, .names = map_in(f->arena)};
    directory dir = {0};
    if (!find_directory(z, &dir)) return false;
    z->at = NEW_ARRAY(f->arena, zip_entry, dir.entries + 1);
    const unsigned char *at = f->bytes + dir.offset, *end = at + dir.size;
    for (uint64_t i = 0; i < dir.entries; i++) {
        zip_entry *e = &z->at[z->count++];
        if (!read_central(z, e, &at, end) || !find_data(z, e)) return false;
        if (map_get(&z->names, e->name)) return refuse_entry(z, e, "it occurs twice");
        map_put(&z->names, e->name, e);
    }
    return check_places(z);
}

const zip_entry *zip_find(const zip *z, const char *name) {
    return map_get(&z->names, name);
}
