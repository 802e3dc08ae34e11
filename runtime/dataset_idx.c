/* IDX, the format of MNIST: big-endian counts, then bytes. Plain files stay mapped; .gz is unpacked into the
 * arena once. */
#include "ir/base/size.h"
#include "runtime/dataset_kinds.h"

#include <string.h>
#include <zlib.h>

/* A .gz may unpack to 32 times itself and 16 MiB: MNIST's do to 5 times, a bomb's to 1000. */
enum {
    IMAGES_MAGIC = 0x803,
    LABELS_MAGIC = 0x801,
    IMAGES_HEADER = 16,
    LABELS_HEADER = 8,
    GZ_RATIO = 32,
    GZ_SLACK = 16 << 20
};

static const char *const folders[] = {"", "raw", "MNIST/raw", "FashionMNIST/raw"};

static const char *const fashion[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

typedef struct idx_file {
    const char *path;
    const unsigned char *bytes;
    size_t size;
    bool packed;
} idx_file;

static int64_t big32(const unsigned char *p) {
    return (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* The first `size` bytes of what a .gz unpacks to; `whole`: there must be no more. */
static bool unpack(const idx_file *f, unsigned char *to, size_t size, bool whole) {
    z_stream s = {.next_in = (Bytef *)(uintptr_t)f->bytes, .avail_in = (uInt)f->size};
    unsigned char more;
    s.next_out = to, s.avail_out = (uInt)size;
    if (f->size > UINT32_MAX || size > UINT32_MAX || inflateInit2(&s, 16 + MAX_WBITS) != Z_OK) return false;
    int state = inflate(&s, Z_NO_FLUSH);
    bool full = s.avail_out == 0;
    if (full && state == Z_OK && whole) { /* the end of the stream, with its checksum, is still to come */
        s.next_out = &more, s.avail_out = 1;
        state = inflate(&s, Z_NO_FLUSH);
        full = s.avail_out == 1;
    }
    inflateEnd(&s);
    return full && (state == Z_STREAM_END || (!whole && state == Z_OK));
}

/* Reads the header and checks that the file is as long as it says; `body` are the bytes after it. */
static bool read_body(const opening *o, const idx_file *f, size_t header, int64_t *dims,
                      const unsigned char **body) {
    unsigned char front[IMAGES_HEADER];
    int64_t size = 1;
    if (f->packed ? !unpack(f, front, header, false) : f->size < header)
        return diag_file(o->diags, f->path, "the file is truncated or damaged: it has no whole header");
    if (!f->packed) memcpy(front, f->bytes, header);
    bool images = header == IMAGES_HEADER;
    if (big32(front) != (images ? IMAGES_MAGIC : LABELS_MAGIC))
        return diag_file(o->diags, f->path, "this is no IDX file of 8-bit %s",
                         images ? "pictures" : "labels");
    for (size_t i = 0; i < header / 4 - 1; i++) dims[i] = big32(front + 4 + 4 * i);
    for (size_t i = 0; i < header / 4 - 1; i++)
        if (!size_mul(size, dims[i], &size))
            return diag_file(o->diags, f->path, "its header claims impossible sizes");
    *body = f->bytes + header;
    if (!f->packed)
        return size == (int64_t)(f->size - header) ||
               diag_file(o->diags, f->path, "its header asks for %lld bytes after it, but %zu are there",
                         (long long)size, f->size - header);
    if (size > GZ_RATIO * (int64_t)f->size + GZ_SLACK)
        return diag_file(o->diags, f->path, "it claims to unpack to %lld bytes, which a file of %zu does not",
                         (long long)size, f->size);
    unsigned char *all = arena_alloc(o->arena, header + (size_t)size, 1);
    *body = all + header;
    return unpack(f, all, header + (size_t)size, true) ||
           diag_file(o->diags, f->path,
                     "the .gz file is truncated, damaged, or not of the size that its header says");
}

/* FOLDER/PREFIX-REST, plain or .gz. */
static bool find_file(const opening *o, const char *folder, const char *prefix, const char *rest,
                      idx_file *f) {
    return dataset_file(o, folder, arena_printf(o->arena, "%s-%s", prefix, rest), &f->path) ||
           dataset_file(o, folder, arena_printf(o->arena, "%s-%s.gz", prefix, rest), &f->path);
}

static bool map_file(const opening *o, idx_file *f) {
    const file_map *m = dataset_map(o, f->path);
    if (!m) return false;
    f->bytes = m->bytes;
    f->size = m->size;
    f->packed = m->size > 2 && m->bytes[0] == 0x1f && m->bytes[1] == 0x8b;
    return true;
}

static bool picture(const dataset *s, int64_t i, image *m, arena *a, diags *d) {
    (void)d;
    size_t bytes = (size_t)s->width * (size_t)s->height;
    *m = (image){s->width, s->height, 1, arena_copy(a, s->idx.pixels + (size_t)i * bytes, bytes)};
    return true;
}

static int label(const dataset *s, int64_t i) {
    return s->idx.labels[i];
}

static const char *file(const dataset *s, int64_t i) {
    (void)i;
    return s->idx.path;
}

/* The pictures do not say what they show; their folder's name does. */
static void name_classes(const opening *o, const char *path) {
    dataset *s = o->set;
    int most = 9;
    for (int64_t i = 0; i < s->count; i++) most = s->idx.labels[i] > most ? s->idx.labels[i] : most;
    number_classes(o, most + 1);
    if (most == 9 && strcasestr(path, "fashion")) s->names = fashion;
}

static outcome open_pair(const opening *o, idx_file *images, idx_file *labels) {
    int64_t dims[3] = {0}, count = 0;
    dataset *s = o->set;
    if (!map_file(o, images) || !map_file(o, labels) ||
        !read_body(o, images, IMAGES_HEADER, dims, &s->idx.pixels) ||
        !read_body(o, labels, LABELS_HEADER, &count, &s->idx.labels))
        return REFUSED;
    if (count != dims[0])
        return refuse_set(o, labels->path, "it has another number of labels than there are pictures");
    if (count < 1 || dims[1] < 1 || dims[2] < 1 || dims[1] > IMAGE_MAX_SIDE || dims[2] > IMAGE_MAX_SIDE)
        return refuse_set(o, images->path, "its pictures are empty or too large");
    s->kind = "IDX";
    s->count = count;
    s->height = (int)dims[1];
    s->width = (int)dims[2];
    s->idx.path = labels->path;
    s->picture = picture;
    s->label = label;
    s->file = file;
    name_classes(o, images->path);
    return OPENED;
}

outcome open_idx(opening *o) {
    const char *const prefixes[] = {o->test ? "t10k" : NULL, o->train ? "train" : NULL};
    for (int p = 0; p < 2; p++)
        for (size_t i = 0; prefixes[p] && i < sizeof folders / sizeof *folders; i++) {
            idx_file images, labels;
            if (!find_file(o, folders[i], prefixes[p], "images-idx3-ubyte", &images)) continue;
            if (!find_file(o, folders[i], prefixes[p], "labels-idx1-ubyte", &labels))
                return refuse_set(o, images.path, "the file of labels that belongs to it is missing");
            return open_pair(o, &images, &labels);
        }
    return ABSENT;
}
