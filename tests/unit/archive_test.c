/* Zip files that lie or cost too much, written by hand: each refused for the right reason, none leaking. */
#include "tests/support/hostile.h"

#include "runtime/tensors.h"

#include <zlib.h>

typedef struct piece { /* an entry to be written */
    const char *name;
    int method, flags;
    const void *data;    /* what is written, so much of it as `packed` says */
    size_t packed, size; /* as both headers claim */
    const void *content; /* what the CRC is of */
    size_t content_size;
    size_t inside;    /* nonzero: lies there already, only the directory names it */
    uint32_t at, crc; /* filled in on writing */
} piece;

typedef struct made {
    unsigned char *bytes;
    size_t size;
} made;

static void put(made *m, uint32_t value, size_t bytes) {
    memcpy(m->bytes + m->size, &value, bytes);
    m->size += bytes;
}

static void put_bytes(made *m, const void *bytes, size_t count) {
    memcpy(m->bytes + m->size, bytes, count);
    m->size += count;
}

/* What an entry's own header and its record in the directory have in common. */
static void put_shared(made *m, const piece *p) {
    const uint32_t fields[] = {p->crc, (uint32_t)p->packed, (uint32_t)p->size, (uint32_t)strlen(p->name)};
    put(m, 20, 2);
    put(m, (uint32_t)p->flags, 2);
    put(m, (uint32_t)p->method, 2);
    put(m, 0x21 << 16, 4); /* 1 January 1980 */
    for (int i = 0; i < 4; i++) put(m, fields[i], 4);
}

static void put_entry(made *m, piece *p) {
    p->crc = (uint32_t)crc32(0, p->content, (uInt)p->content_size);
    p->at = (uint32_t)(p->inside ? p->inside : m->size);
    if (p->inside) return;
    put_bytes(m, "PK\3\4", 4);
    put_shared(m, p);
    put_bytes(m, p->name, strlen(p->name));
    put_bytes(m, p->data, p->packed);
}

static void put_record(made *m, const piece *p) {
    put_bytes(m, "PK\1\2\24\0", 6);
    put_shared(m, p);
    put(m, 0, 4), put(m, 0, 4), put(m, 0, 2);
    put(m, p->at, 4);
    put_bytes(m, p->name, strlen(p->name));
}

/* The archive of the pieces, with a comment; its bytes are to be freed. */
static made make(piece *pieces, int count, const char *comment) {
    size_t room = 1024;
    for (int i = 0; i < count; i++) room += pieces[i].packed + 2 * strlen(pieces[i].name) + 76;
    made m = {calloc(1, room), 0};
    assert_non_null(m.bytes);
    for (int i = 0; i < count; i++) put_entry(&m, &pieces[i]);
    uint32_t directory = (uint32_t)m.size;
    for (int i = 0; i < count; i++) put_record(&m, &pieces[i]);
    uint32_t size = (uint32_t)m.size - directory;
    put_bytes(&m, "PK\5\6\0\0\0\0", 8);
    put(&m, (uint32_t)count & 0xffff, 2), put(&m, (uint32_t)count & 0xffff, 2);
    put(&m, size, 4), put(&m, directory, 4);
    put(&m, (uint32_t)strlen(comment), 2);
    put_bytes(&m, comment, strlen(comment));
    return m;
}

static void refuse(made m, const char *told) {
    BENCH(b);
    tensors t;
    double began = seconds_used();
    assert_false(tensors_open_memory(&t, &b.arena, "w", m.bytes, m.size, &b.diags));
    assert_true(seconds_used() - began < REFUSAL_SECONDS);
    assert_told(&b, told);
    assert_told(&b, "w: ");
    assert_int_equal(b.diags.errors, 1);
    bench_end(&b);
    free(m.bytes);
}

/* An .npy file of the two floats 1 and 2. */
static const unsigned char *array(size_t *size) {
    static const char head[] = "\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    static const float numbers[] = {1, 2};
    static unsigned char bytes[136];
    memset(bytes, ' ', 127);
    memcpy(bytes, head, sizeof head - 1);
    bytes[127] = '\n';
    memcpy(bytes + 128, numbers, 8);
    *size = sizeof bytes;
    return bytes;
}

static piece stored(const char *name) {
    piece p = {.name = name};
    p.data = p.content = array(&p.size);
    p.packed = p.content_size = p.size;
    return p;
}

/* Bytes as raw deflate, to be freed. */
static piece deflated(const char *name, const void *bytes, size_t size) {
    z_stream s = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size};
    assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&s, size);
    unsigned char *out = malloc(room);
    assert_non_null(out);
    s.next_out = out, s.avail_out = (uInt)room;
    assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
    piece p = {name, 8, 0, out, room - s.avail_out, size, bytes, size, 0, 0, 0};
    deflateEnd(&s);
    return p;
}

static void check_array(const tensors *t, const char *name) {
    const stored_tensor *s = tensors_find(t, name);
    assert_non_null(s);
    assert_int_equal(s->count, 2);
    assert_true(element_real(s->type, s->data, 0) == 1 && element_real(s->type, s->data, 1) == 2);
}

/* What is written here is a zip file that is read, so that the refusals below are for what they name. */
static void reads_what_is_right(void **state) {
    (void)state;
    size_t size;
    const unsigned char *bytes = array(&size);
    piece pieces[] = {stored("a.npy"), deflated("b.npy", bytes, size), stored("\xc3\xa4.npy")};
    made m = make(pieces, 3, "a comment");
    BENCH(b);
    tensors t;
    assert_true(tensors_open_memory(&t, &b.arena, "w", m.bytes, m.size, &b.diags));
    assert_quiet(&b);
    memset(m.bytes, 0, m.size); /* nothing points into the archive any more */
    assert_int_equal(t.count, 3);
    check_array(&t, "a"), check_array(&t, "b"), check_array(&t, "\xc3\xa4");
    tensors_close(&t);
    bench_end(&b);
    free(m.bytes);
    free((void *)(uintptr_t)pieces[1].data);
}

static void refuses_single_entries(void **state) {
    (void)state;
    const piece good = stored("a.npy");
    struct {
        piece piece;
        const char *told;
    } cases[] = {{good, "zip entry 'a.npy': it is encrypted"},
                 {good, "neither none nor deflate"},
                 {good, "its two sizes differ"},
                 {good, "its two sizes differ"},
                 {good, "zip entry 'a.npy': its checksum is wrong"},
                 {good, "cannot unpack to the size"},
                 {good, "compressed data are damaged"},
                 {good, "zip entry '?[2J.npy'"}};
    cases[0].piece.flags = 1;
    cases[1].piece.method = 12;
    cases[2].piece.size = 1u << 31;
    cases[3].piece.size = 1;
    cases[4].piece.content_size = 1;
    cases[5].piece.method = 8, cases[5].piece.size = 1u << 31;
    cases[6].piece.method = 8, cases[6].piece.data = "\7", cases[6].piece.packed = 1;
    cases[7].piece.name = "\033[2J.npy", cases[7].piece.content_size = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(make(&cases[i].piece, 1, ""), cases[i].told);
}

static void refuses_other_lengths(void **state) {
    (void)state;
    size_t size;
    const unsigned char *bytes = array(&size);
    for (size_t claim = size - 1; claim <= size + 1; claim += 2) {
        piece p = deflated("a.npy", bytes, size);
        p.size = claim;
        refuse(make(&p, 1, ""), "another size than it claims");
        free((void *)(uintptr_t)p.data);
    }
}

static void refuses_repeated_names(void **state) {
    (void)state;
    piece pieces[] = {stored("a.npy"), stored("b.npy"), stored("a.npy")};
    refuse(make(pieces, 3, ""), "occurs twice");
}

/* The second entry lies in the first one's data. */
static void refuses_overlaps(void **state) {
    (void)state;
    piece inner = stored("b.npy");
    made within = make(&inner, 1, "");
    piece outer = stored("a.npy");
    outer.data = outer.content = within.bytes;
    outer.packed = outer.size = outer.content_size = inner.size + 35; /* with its header */
    piece pieces[] = {outer, inner};
    pieces[1].inside = 35;
    refuse(make(pieces, 2, ""), "they overlap");
    free(within.bytes);
}

/* Honest in all it claims: 70 million zeros. */
static void refuses_bombs(void **state) {
    (void)state;
    size_t size = 70000000;
    unsigned char *zeros = calloc(1, size);
    assert_non_null(zeros);
    piece p = deflated("a.npy", zeros, size);
    refuse(make(&p, 1, ""), "zip entry 'a.npy': the file unpacks to far more than its size");
    free((void *)(uintptr_t)p.data);
    free(zeros);
}

static void refuses_many_ends(void **state) {
    (void)state;
    piece p = stored("a.npy");
    refuse(make(&p, 1, "PK\5\6PK\5\6PK\5\6PK\5\6"), "several ends");
}

static void refuses_many_entries(void **state) {
    (void)state;
    enum { COUNT = 100001 };
    static char names[COUNT][12];
    piece *pieces = calloc(COUNT, sizeof *pieces);
    assert_non_null(pieces);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        pieces[i] = (piece){.name = names[i], .data = ""};
    }
    made m = make(pieces, COUNT, "");
    BENCH(b);
    tensors t;
    assert_false(tensors_open_memory(&t, &b.arena, "w", m.bytes, m.size, &b.diags));
    assert_told(&b, "more than 100000 entries");
    bench_end(&b);
    free(m.bytes);
    free(pieces);
}

/* A jump out of the arena in the middle of an archive leaves nothing behind (the sanitizer watches). */
static void leaves_nothing_on_a_jump(void **state) {
    (void)state;
    piece p = stored("a.npy");
    made m = make(&p, 1, "");
    for (size_t cap = 16; cap <= 16384; cap += 16) {
        bench b = {0};
        tensors t = {0};
        arena_init(&b.arena, cap, &b.trap);
        b.diags.arena = &b.arena;
        if (setjmp(b.trap.jump) == 0) {
            bool good = tensors_open_memory(&t, &b.arena, "w", m.bytes, m.size, &b.diags);
            assert_true(good && cap > 16);
            tensors_close(&t);
        } else {
            assert_string_equal(b.trap.reason, "memory limit reached");
            assert_null(t.archive);
            assert_true(cap < 16384);
        }
        bench_end(&b);
    }
    free(m.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_right),      cmocka_unit_test(refuses_single_entries),
        cmocka_unit_test(refuses_other_lengths),    cmocka_unit_test(refuses_repeated_names),
        cmocka_unit_test(refuses_overlaps),         cmocka_unit_test(refuses_bombs),
        cmocka_unit_test(refuses_many_ends),        cmocka_unit_test(refuses_many_entries),
        cmocka_unit_test(leaves_nothing_on_a_jump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
