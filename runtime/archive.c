/* Zip files through libzip. It checks that the directory, the entries' own headers, sizes and CRCs agree; what
 * is checked here is what it leaves to its caller: how much work and memory a file may cost. */
#include "runtime/archive.h"

#include "ir/base/size.h"
#include "runtime/shown.h"

#include <string.h>
#include <zip.h>

enum {
    MAX_ENTRIES = 100000,
    END_BYTES = 22,                 /* the record at the end of a zip file, comment aside */
    TAIL_BYTES = 65535 + END_BYTES, /* where it may lie */
    MAX_ENDS = 4,                   /* of what may look like that record */
    ENTRY_BYTES = 30 + 46,          /* what an entry takes beside its data and its name, twice */
    DEFLATE_BEST = 1032,            /* deflate packs no better than this */
    FILE_RATIO = 16,                /* a file may unpack to so many times itself */
    FILE_SLACK = 64 << 20           /* and so much more */
};
static const int64_t FILE_EXCESS = (int64_t)16 << 30; /* and to no more than this beyond itself */

/* libzip's reasons, in a reader's words. */
static const struct {
    int code;
    const char *why;
} reasons[] = {
    {ZIP_ER_NOZIP, "it has no valid directory at its end: it is truncated or damaged"},
    {ZIP_ER_INCONS, "its directory contradicts itself or the entries: it is damaged"},
    {ZIP_ER_EOF, "it is truncated"},
    {ZIP_ER_READ, "it is truncated"},
    {ZIP_ER_SEEK, "it points outside itself: it is truncated or damaged"},
    {ZIP_ER_MEMORY, "memory has run out"},
    {ZIP_ER_EXISTS, "an entry occurs twice"},
    {ZIP_ER_MULTIDISK, "it is one part of several: join them first"},
    {ZIP_ER_CRC, "its checksum is wrong: the file is damaged"},
    {ZIP_ER_ZLIB, "its compressed data are damaged"},
    {ZIP_ER_COMPRESSED_DATA, "its compressed data are damaged"},
};

static const char *reason(const archive *a, const zip_error_t *error) {
    int code = zip_error_code_zip(error);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == code) return reasons[i].why;
    return arena_printf(a->file->diags->arena, "libzip cannot read it (its error %d)", code);
}

static bool refuse(const archive *a, const char *why) {
    return diag_file(a->file->diags, a->file->path, "the zip file is refused: %s", why);
}

static bool refuse_entry(const archive *a, const archive_entry *e, const char *why) {
    return diag_file(a->file->diags, a->file->path, "zip entry '%s': %s",
                     shown(a->file->diags->arena, e->name, strlen(e->name)), why);
}

/* libzip reads a whole directory for each end that it finds, and a file's comment has room for thousands. */
static bool few_ends(const weight_file *f) {
    const unsigned char *end = f->bytes + f->size, *p = f->size > TAIL_BYTES ? end - TAIL_BYTES : f->bytes;
    int found = 0;
    while ((p = memmem(p, (size_t)(end - p), "PK\5\6", 4))) p++, found++;
    return found <= MAX_ENDS;
}

static bool open_zip(archive *a) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *from = zip_source_buffer_create(a->file->bytes, a->file->size, 0, &error);
    if (from) a->zip = zip_open_from_source(from, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (!a->zip) {
        zip_source_free(from);
        refuse(a, reason(a, &error));
    }
    zip_error_fini(&error);
    return a->zip != NULL;
}

/* Takes an entry over from libzip and adds what it occupies in the file to *taken. */
static bool add_entry(archive *a, zip_uint64_t i, int64_t *taken) {
    zip_stat_t s;
    if (zip_stat_index(a->zip, i, ZIP_FL_ENC_RAW, &s)) return refuse(a, reason(a, zip_get_error(a->zip)));
    size_t length = strlen(s.name);
    archive_entry *e = &a->at[a->count++];
    *e = (archive_entry){arena_text(a->file->arena, s.name, length), (int64_t)s.comp_size, (int64_t)s.size};
    if (s.encryption_method != ZIP_EM_NONE) return refuse_entry(a, e, "it is encrypted");
    if (s.comp_method != ZIP_CM_STORE && s.comp_method != ZIP_CM_DEFLATE)
        return refuse_entry(a, e, "its compression is neither none nor deflate");
    if (e->size < 0 || e->size > SIZE_LIMIT || !size_add(*taken, e->packed, taken) ||
        !size_add(*taken, ENTRY_BYTES + 2 * (int64_t)length, taken))
        return refuse_entry(a, e, "its sizes are impossible");
    if (s.comp_method == ZIP_CM_STORE && e->packed != e->size)
        return refuse_entry(a, e, "its two sizes differ");
    if (e->size / DEFLATE_BEST > e->packed + 1)
        return refuse_entry(a, e, "it cannot unpack to the size it claims");
    if (map_get(&a->names, e->name)) return refuse_entry(a, e, "it occurs twice");
    map_put(&a->names, e->name, e);
    return true;
}

bool archive_open(archive *a, const weight_file *f) {
    *a = (archive){.file = f, .names = map_in(f->arena)};
    if (!few_ends(f)) return refuse(a, "it has several ends: it is damaged, or made to keep readers busy");
    if (!open_zip(a)) return false;
    zip_int64_t count = zip_get_num_entries(a->zip, 0);
    if (count < 0 || count > MAX_ENTRIES) return refuse(a, "it has more than 100000 entries");
    a->at = NEW_ARRAY(f->arena, archive_entry, count + 1);
    int64_t taken = END_BYTES;
    for (zip_int64_t i = 0; i < count; i++)
        if (!add_entry(a, (zip_uint64_t)i, &taken)) return false;
    return taken <= (int64_t)f->size || refuse(a, "its entries are together larger than it: they overlap");
}

void archive_close(archive *a) {
    if (a->zip) zip_discard(a->zip);
    a->zip = NULL;
}

const archive_entry *archive_find(const archive *a, const char *name) {
    return map_get(&a->names, name);
}

static bool may_unpack(archive *a, const archive_entry *e) {
    int64_t size = (int64_t)a->file->size, most = FILE_RATIO * size + FILE_SLACK;
    if (most > size + FILE_EXCESS) most = size + FILE_EXCESS;
    if (e->size > most - a->unpacked)
        return refuse_entry(
            a, e, "the file unpacks to far more than its size, as a zip bomb does: save it uncompressed");
    a->unpacked += e->size;
    return true;
}

/* Reads on past the content: there libzip checks CRC and length. Between open and close nothing may jump. */
static bool read_entry(const archive *a, const archive_entry *e, unsigned char *to) {
    zip_file_t *from = zip_fopen_index(a->zip, (zip_uint64_t)(e - a->at), 0);
    if (!from) return refuse_entry(a, e, reason(a, zip_get_error(a->zip)));
    int64_t got = 0, n;
    do {
        n = zip_fread(from, to + got, (zip_uint64_t)(e->size + 1 - got));
        if (n > 0) got += n;
    } while (n > 0 && got <= e->size);
    const zip_error_t error = *zip_file_get_error(from);
    zip_fclose(from);
    if (n < 0) return refuse_entry(a, e, reason(a, &error));
    return got == e->size || refuse_entry(a, e, "it unpacks to another size than it claims");
}

const unsigned char *archive_data(archive *a, const archive_entry *e) {
    if (!may_unpack(a, e)) return NULL;
    unsigned char *to = arena_alloc(a->file->arena, (size_t)e->size + 1, 1);
    return read_entry(a, e, to) ? to : NULL;
}
