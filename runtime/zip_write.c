/* Puts libzip on top of a file written aside. Its calls back never touch an arena: no jump crosses it. */
#include "runtime/zip_write.h"

#include "runtime/aside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

enum { DOS_1980 = 1 << 5 | 1 /* the first of January of zip's first year: the same bytes on every day */ };

typedef struct sink {
    int file;
    zip_error_t error;
} sink;

static zip_int64_t fail(sink *s) {
    zip_error_set(&s->error, ZIP_ER_WRITE, errno);
    return -1;
}

static zip_int64_t put(sink *s, const char *bytes, zip_uint64_t count) {
    zip_uint64_t left = count;
    while (left) {
        ssize_t n = write(s->file, bytes, left);
        if (n < 0 && errno != EINTR) return fail(s);
        if (n < 0) continue;
        bytes += n;
        left -= (zip_uint64_t)n;
    }
    return (zip_int64_t)count;
}

static zip_int64_t seek(sink *s, void *data, zip_uint64_t size) {
    const zip_source_args_seek_t *to = ZIP_SOURCE_GET_ARGS(zip_source_args_seek_t, data, size, &s->error);
    if (!to) return -1;
    return lseek(s->file, to->offset, to->whence) < 0 ? fail(s) : 0;
}

/* An empty file to read, and a file to write. */
static zip_int64_t serve(void *state, void *data, zip_uint64_t size, zip_source_cmd_t command) {
    sink *s = state;
    switch (command) {
    case ZIP_SOURCE_SUPPORTS: return ZIP_SOURCE_SUPPORTS_WRITABLE;
    case ZIP_SOURCE_STAT:
        zip_stat_init(data);
        ((zip_stat_t *)data)->valid = ZIP_STAT_SIZE;
        ((zip_stat_t *)data)->size = 0;
        return sizeof(zip_stat_t);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&s->error, data, size);
    case ZIP_SOURCE_WRITE: return put(s, data, size);
    case ZIP_SOURCE_SEEK_WRITE: return seek(s, data, size);
    case ZIP_SOURCE_TELL_WRITE: {
        off_t at = lseek(s->file, 0, SEEK_CUR);
        return at < 0 ? fail(s) : (zip_int64_t)at;
    }
    default: return 0; /* open, close, read of nothing, begin, commit */
    }
}

static zip_t *open_zip(sink *s, zip_error_t *error) {
    zip_source_t *to = zip_source_function_create(serve, s, error);
    zip_t *zip = to ? zip_open_from_source(to, ZIP_CREATE | ZIP_TRUNCATE, error) : NULL;
    if (to && !zip) zip_source_free(to);
    return zip;
}

static bool add(zip_t *zip, const zip_part *p) {
    zip_buffer_fragment_t pieces[2];
    zip_uint64_t count = 0;
    if (p->front_bytes)
        pieces[count++] = (zip_buffer_fragment_t){(zip_uint8_t *)(uintptr_t)p->front, p->front_bytes};
    if (p->data_bytes)
        pieces[count++] = (zip_buffer_fragment_t){(zip_uint8_t *)(uintptr_t)p->data, p->data_bytes};
    zip_source_t *from = zip_source_buffer_fragment(zip, pieces, count, 0);
    zip_int64_t at = from ? zip_file_add(zip, p->name, from, ZIP_FL_ENC_UTF_8) : -1;
    if (from && at < 0) zip_source_free(from);
    return at >= 0 && zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(zip, (zip_uint64_t)at, 0, DOS_1980, 0) == 0;
}

/* Why libzip could not, in *error. */
static bool write_parts(sink *s, const zip_part *parts, int count, zip_error_t *error) {
    zip_t *zip = open_zip(s, error);
    bool good = zip;
    for (int k = 0; good && k < count; k++) good = add(zip, &parts[k]);
    if (zip && (!good || zip_close(zip) != 0)) {
        const zip_error_t *why = zip_get_error(zip);
        zip_error_set(error, zip_error_code_zip(why), zip_error_code_system(why));
        zip_discard(zip);
        good = false;
    }
    return good;
}

bool zip_write(const char *path, const zip_part *parts, int count, diags *d) {
    aside w;
    if (!aside_open(&w, path, d)) return false;
    sink s = {.file = w.file};
    zip_error_t error;
    char why[200];
    zip_error_init(&s.error);
    zip_error_init(&error);
    bool good = write_parts(&s, parts, count, &error);
    snprintf(why, sizeof why, "%s", zip_error_strerror(&error));
    zip_error_fini(&error);
    zip_error_fini(&s.error);
    if (good) return aside_commit(&w);
    aside_drop(&w);
    return diag_file(d, path, "cannot write: %s; nothing under this name has changed", why);
}
