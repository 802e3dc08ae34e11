/* Weight files that are not pickles: safetensors, .npz, what is none; mapping by name; writing. */
#include "tests/support/hostile.h"

#include "runtime/npy.h"
#include "runtime/params.h"
#include "runtime/tensors.h"

#include <math.h>
#include <sys/stat.h>

#define DATA "tests/data/runtime/"

/* Element i of tensor k in the committed files (tests/goldens/make_runtime.py). */
static double pattern(int64_t i, int k) {
    return (double)((37 * i + 11 * k) % 101 - 50) / 8;
}

static void check_pattern(const tensors *t, const char *name, int k, int rank, int64_t first_dim,
                          int64_t count) {
    const stored_tensor *s = tensors_find(t, name);
    assert_non_null(s);
    assert_int_equal(s->rank, rank);
    assert_int_equal(s->dims[0], first_dim);
    assert_int_equal(s->count, count);
    assert_int_equal(s->bytes, count * element_infos[s->type].bytes);
    for (int64_t i = 0; i < count; i++) assert_true(element_real(s->type, s->data, i) == pattern(i, k));
}

static void check_tiny(const char *path, const char *format) {
    BENCH(b);
    tensors t;
    assert_true(tensors_open(&t, &b.arena, path, &b.diags));
    assert_quiet(&b);
    assert_string_equal(t.format, format);
    assert_int_equal(t.count, 5);
    check_pattern(&t, "conv.weight", 0, 4, 4, 108);
    check_pattern(&t, "conv.bias", 1, 1, 4, 4);
    check_pattern(&t, "bn.running_mean", 2, 1, 4, 4);
    check_pattern(&t, "fc.weight", 3, 2, 2, 32);
    const stored_tensor *counter = tensors_find(&t, "bn.num_batches_tracked");
    assert_int_equal(counter->type, EL_I64);
    assert_int_equal(counter->rank, 0);
    assert_true(element_real(counter->type, counter->data, 0) == 7);
    tensors_close(&t);
    bench_end(&b);
}

static void reads_what_others_write(void **state) {
    (void)state;
    check_tiny(DATA "tiny.safetensors", "safetensors");
    check_tiny(DATA "tiny.npz", "npz");
    check_tiny(DATA "tiny_deflated.npz", "npz");
}

static void reads_every_type(void **state) {
    (void)state;
    BENCH(b);
    tensors t;
    assert_true(tensors_open(&t, &b.arena, DATA "kinds.safetensors", &b.diags));
    check_pattern(&t, "float64", 0, 2, 2, 10);
    check_pattern(&t, "float16", 1, 2, 2, 10);
    check_pattern(&t, "bfloat16", 2, 2, 2, 10);
    check_pattern(&t, "float32", 3, 2, 2, 10);
    assert_true(element_real(EL_I64, tensors_find(&t, "int64")->data, 0) == -3);
    assert_true(element_real(EL_U8, tensors_find(&t, "uint8")->data, 5) == 255);
    assert_int_equal(tensors_find(&t, "empty")->count, 0);
    tensors_close(&t);
    bench_end(&b);
}

static void converts_halves(void **state) {
    (void)state;
    const uint16_t f16[] = {0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x7c00, 0xfc00, 0x8000};
    const double values[] = {1, -2, 0x1p-24, 0x1.ff8p-15, 65504, INFINITY, -INFINITY, 0};
    for (int i = 0; i < 8; i++) assert_true(element_real(EL_F16, (const unsigned char *)f16, i) == values[i]);
    const uint16_t nan = 0x7e01, b16[] = {0x3f80, 0xff80, 0x0001};
    assert_true(isnan(element_real(EL_F16, (const unsigned char *)&nan, 0)));
    assert_true(element_real(EL_BF16, (const unsigned char *)b16, 0) == 1);
    assert_true(element_real(EL_BF16, (const unsigned char *)b16, 1) == -INFINITY);
    assert_true(element_real(EL_BF16, (const unsigned char *)b16, 2) == 0x1p-133);
}

/* A safetensors file of this header and so many bytes of data. */
static size_t make_file(unsigned char *file, const char *header, size_t data) {
    uint64_t length = strlen(header);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    memset(file + 8 + length, 0, data);
    return 8 + length + data;
}

static const struct {
    const char *header;
    size_t data;
    const char *told;
} bad_headers[] = {
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "outside the file"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 12, "belong to none"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "span as many bytes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "outside the file"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", 8, "outside the file"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}", 8,
     "larger than any"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}", 8,
     "no valid JSON"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "negative"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}}", 8, "whole numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8,
     "16"},
    {"{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "F99"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
     12, "overlap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]}}",
     20, "gap"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     8, "duplicate"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "data_offsets"},
    {"{\"a\":7}", 0, "no JSON object"},
    {"{\"\\u001b[31m\":7}", 0, "'?[31m'"}, /* what a name holds does not reach the terminal */
    {"{\"a\":{", 0, "no valid JSON"},
    {"{} {}", 0, "no valid JSON"},
};

static void refuses_lying_headers(void **state) {
    (void)state;
    unsigned char file[1024];
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        BENCH(b);
        tensors t;
        size_t size = make_file(file, bad_headers[i].header, bad_headers[i].data);
        assert_false(tensors_open_memory(&t, &b.arena, "w", file, size, &b.diags));
        assert_told(&b, bad_headers[i].told);
        assert_int_equal(b.diags.errors, 1);
        bench_end(&b);
    }
}

/* 16 MiB of one byte pair as a header: deep, or wide, and refused before there is a tree. */
static void refuse_bomb(const char *fill, const char *told) {
    size_t size = 16 << 20;
    unsigned char *file = malloc(size);
    assert_non_null(file);
    for (size_t i = 8; i < size; i++) file[i] = (unsigned char)fill[i % 2];
    memcpy(file + 8, "{\"a\":", 5);
    uint64_t length = size - 8;
    memcpy(file, &length, 8);
    BENCH(b);
    tensors t;
    double began = seconds_used();
    assert_false(tensors_open_memory(&t, &b.arena, "w", file, size, &b.diags));
    assert_true(seconds_used() - began < REFUSAL_SECONDS);
    assert_told(&b, told);
    bench_end(&b);
    free(file);
}

static void refuses_bombs(void **state) {
    (void)state;
    refuse_bomb("[[", "deeper");
    refuse_bomb("[]", "too large");
    refuse_bomb("1,", "too large");
}

static const struct {
    const char *bytes;
    size_t size;
    const char *told;
} foreign[] = {
    {"", 0, "empty"},
    {"PK\5\6", 4, "truncated"},
    {"\x93NUMPY\1\0aaaaaaaaa", 17, "--input"},
    {"\x89HDF\r\n\x1a\n", 8, "HDF5"},
    {"\x1f\x8b\x08\0", 4, "unpack it first"},
    {"hello, world", 12, "no weight file"},
    {"\377\377\377\377\377\377\377\377{}", 10, "truncated"},
};

static void refuses_what_is_none(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        BENCH(b);
        tensors t;
        assert_false(tensors_open_memory(&t, &b.arena, "w", foreign[i].bytes, foreign[i].size, &b.diags));
        assert_told(&b, foreign[i].told);
        bench_end(&b);
    }
}

static void refuses_what_is_no_file(void **state) {
    (void)state;
    char fifo[] = "/tmp/netc-weights-XXXXXX";
    assert_int_not_equal(mkstemp(fifo), -1);
    unlink(fifo);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const char *const paths[] = {"tests", "/dev/zero", fifo, "tests/none.safetensors"};
    const char *const told[] = {"a folder", "a device", "a pipe", "cannot open"};
    for (int i = 0; i < 4; i++) {
        BENCH(b);
        tensors t;
        assert_false(tensors_open(&t, &b.arena, paths[i], &b.diags));
        assert_told(&b, told[i]);
        bench_end(&b);
    }
    unlink(fifo);
}

/* Byte offset of a text in a file. */
static size_t find(const unsigned char *bytes, size_t size, const char *text, size_t length) {
    const unsigned char *p = memmem(bytes, size, text, length);
    assert_non_null(p);
    return (size_t)(p - bytes);
}

static void refuses_bad_zips(void **state) {
    (void)state;
    static const struct {
        size_t offset; /* in the first record of the directory */
        uint32_t value;
        const char *told;
    } cases[] = {
        {24, 0x7fffffff, "contradicts"},        {20, 0x7fffffff, "no valid directory"},
        {42, 0x7fffffff, "no valid directory"}, {16, 12345, "contradicts"},
        {46, 0x41414141, "contradicts"},        {28, 0xffff, "contradicts"},
        {42, 200, "no valid directory"},        {10, 99, "contradicts"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BENCH(b);
        tensors t;
        size_t size;
        unsigned char *file = bytes_of(DATA "tiny.npz", &size);
        memcpy(file + find(file, size, "PK\1\2", 4) + cases[i].offset, &cases[i].value,
               cases[i].offset == 10 ? 2 : 4);
        assert_false(tensors_open_memory(&t, &b.arena, "w", file, size, &b.diags));
        assert_told(&b, cases[i].told);
        bench_end(&b);
        free(file);
    }
}

/* A deflated entry that claims 4 GB, and one that claims what deflate could just do; both its headers do. */
static void refuses_zip_bombs(void **state) {
    (void)state;
    const uint32_t claims[] = {0xfffffffe, 300000000};
    for (int i = 0; i < 2; i++) {
        BENCH(b);
        tensors t;
        size_t size;
        unsigned char *file = bytes_of(DATA "tiny_deflated.npz", &size);
        size_t record = find(file, size, "PK\1\2", 4), extra = 30u + file[26]; /* ZIP64: numpy writes that */
        assert_memory_equal(file + extra, "\1\0\20\0", 4);
        memcpy(file + record + 24, &claims[i], 4);
        memcpy(file + extra + 4, &claims[i], 4);
        assert_false(tensors_open_memory(&t, &b.arena, "w", file, size, &b.diags));
        assert_told(&b, "cannot unpack to the size");
        bench_end(&b);
        free(file);
    }
}

static void survives_mutation(void **state) {
    (void)state;
    static const char *const paths[] = {DATA "tiny.safetensors", DATA "kinds.safetensors", DATA "tiny.npz",
                                        DATA "tiny_deflated.npz"};
    uint64_t seed = 1;
    double sum = 0;
    int refused = 0;
    for (int p = 0; p < 4; p++) {
        size_t size;
        unsigned char *file = bytes_of(paths[p], &size), *copy = malloc(size);
        assert_non_null(copy);
        for (int i = 0; i < 1500; i++) {
            BENCH(b);
            tensors t;
            memcpy(copy, file, size);
            size_t cut = mutate(copy, size, &seed);
            bool ok = tensors_open_memory(&t, &b.arena, "w", copy, cut, &b.diags);
            assert_int_equal(ok, b.diags.errors == 0);
            for (int k = 0; ok && k < t.count; k++)
                for (int64_t e = 0; e < t.at[k].count; e++)
                    sum += element_real(t.at[k].type, t.at[k].data, e) != 0;
            refused += !ok;
            tensors_close(&t);
            bench_end(&b);
        }
        free(copy);
        free(file);
    }
    assert_true(refused > 3000 && refused < 6000 && sum > 0);
}

/* A net's table for the committed files. */
static const param table[] = {
    {"conv.weight", 0, 108, 4, {4, 3, 3, 3}},
    {"conv.bias", 108, 4, 1, {4}},
    {"bn.running_mean", 112, 4, 1, {4}},
    {"fc.weight", 116, 32, 2, {2, 16}},
};

static void maps_by_name(void **state) {
    (void)state;
    static const char *const paths[] = {DATA "tiny.safetensors", DATA "checkpoint_zip.pt",
                                        DATA "checkpoint_old.pt"};
    for (int p = 0; p < 3; p++) {
        BENCH(b);
        tensors t;
        float to[148];
        double twice[148];
        assert_true(tensors_open(&t, &b.arena, paths[p], &b.diags));
        assert_true(params_load(&t, table, 4, to, &b.arena, &b.diags));
        assert_int_equal(b.diags.errors + b.diags.warnings, 0);
        assert_int_equal(was_told(&b, "begins with 'module.', which is left off"), p > 0);
        assert_true(params_load_double(&t, table, 4, twice, &b.arena, &b.diags));
        for (int i = 0; i < 148; i++) assert_true(to[i] == (float)twice[i]);
        assert_true(to[107] == (float)pattern(107, 0) && to[111] == (float)pattern(3, 1) &&
                    to[147] == (float)pattern(31, 3));
        tensors_close(&t);
        bench_end(&b);
    }
}

static void tells_all_that_does_not_fit(void **state) {
    (void)state;
    static const param other[] = {
        {"conv.weight", 0, 108, 4, {4, 3, 3, 3}},   {"conv.bias", 108, 5, 1, {5}},
        {"fc.weight", 113, 32, 2, {16, 2}},         {"fc.bias", 145, 2, 1, {2}},
        {"bn.num_batches_tracked", 147, 1, 0, {0}},
    };
    BENCH(b);
    tensors t;
    float to[148] = {0};
    assert_true(tensors_open(&t, &b.arena, DATA "tiny.safetensors", &b.diags));
    assert_false(params_load(&t, other, 5, to, &b.arena, &b.diags));
    assert_int_equal(b.diags.errors, 1);
    assert_told(&b, "1 missing, 1 extra, 2 misshapen, 1 not floats");
    assert_told(&b, "'fc.bias' [2] is not in the file");
    assert_told(&b, "'bn.running_mean' [4] is not in the net");
    assert_told(&b, "'conv.bias' is [4] in the file, [5] in the net");
    assert_told(&b, "'fc.weight' is [2,16] in the file, [16,2] in the net");
    assert_told(&b, "'bn.num_batches_tracked' holds int64");
    for (int i = 0; i < 148; i++) assert_true(to[i] == 0);
    tensors_close(&t);
    bench_end(&b);
}

static void caps_its_lists(void **state) {
    (void)state;
    BENCH(b);
    param many[50];
    const tensors none = {.path = "w"};
    float to[50];
    for (int i = 0; i < 50; i++) many[i] = (param){arena_printf(&b.arena, "p%d", i), i, 1, 1, {1}};
    assert_false(params_load(&none, many, 50, to, &b.arena, &b.diags));
    int notes = 0;
    for (const diag *d = b.diags.first; d; d = d->next) notes += d->severity == DIAG_NOTE;
    assert_int_equal(notes, 21);
    assert_told(&b, "and 30 more");
    bench_end(&b);
}

static void saves_and_reads_back(void **state) {
    (void)state;
    BENCH(b);
    char path[] = "/tmp/netc-weights-XXXXXX";
    int f = mkstemp(path);
    assert_true(f >= 0 && close(f) == 0 && chmod(path, 0640) == 0);
    float from[148], to[148];
    for (int i = 0; i < 148; i++) from[i] = (float)i / 3;
    from[110] = NAN;
    const char *const metadata[] = {"netc", "a \"quoted\" \\ text\n", NULL};
    stored_tensor *list = params_list(&b.arena, table, 4, from);
    assert_true(tensors_save_safetensors(path, list, 4, metadata, &b.diags));
    tensors t;
    struct stat s;
    assert_true(tensors_open(&t, &b.arena, path, &b.diags));
    assert_true(stat(path, &s) == 0 && (s.st_mode & 0777) == 0640);
    for (int i = 0; i < 4; i++) assert_string_equal(t.at[i].name, table[i].name);
    assert_int_equal((uintptr_t)t.at[0].data % 8, 0);
    assert_true(params_load(&t, table, 4, to, &b.arena, &b.diags));
    assert_memory_equal(to, from, sizeof to);
    assert_true(b.diags.warnings == 1 &&
                was_told(&b, "1 weights are NaN or infinite, the first in 'conv.bias' at 2"));
    tensors_close(&t);
    unlink(path);
    bench_end(&b);
}

static void keeps_the_old_file(void **state) {
    (void)state;
    BENCH(b);
    char folder[] = "/tmp/netc-weights-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *path = arena_printf(&b.arena, "%s/w", folder);
    write_bytes(path, "old", 3);
    stored_tensor lying = {
        .name = "a", .type = EL_F32, .rank = 1, .dims = (const int64_t[]){2}, .bytes = 4, .count = 2};
    assert_false(tensors_save_safetensors(path, &lying, 1, NULL, &b.diags));
    assert_told(&b, "not those of its shape");
    lying = (stored_tensor){
        .name = "a", .type = EL_U8, .rank = 0, .bytes = 1, .count = 1, .data = (const unsigned char *)"x"};
    assert_false(tensors_save_safetensors("/dev/full", &lying, 1, NULL, &b.diags));
    assert_told(&b, "No space left");
    assert_false(tensors_save_safetensors(folder, &lying, 1, NULL, &b.diags));
    size_t size;
    unsigned char *now = bytes_of(path, &size);
    assert_true(size == 3 && memcmp(now, "old", 3) == 0);
    free(now);
    unlink(path);
    assert_int_equal(rmdir(folder), 0); /* nothing else was left in it */
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_others_write),
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(converts_halves),
        cmocka_unit_test(refuses_lying_headers),
        cmocka_unit_test(refuses_bombs),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(refuses_bad_zips),
        cmocka_unit_test(refuses_zip_bombs),
        cmocka_unit_test(survives_mutation),
        cmocka_unit_test(maps_by_name),
        cmocka_unit_test(tells_all_that_does_not_fit),
        cmocka_unit_test(caps_its_lists),
        cmocka_unit_test(saves_and_reads_back),
        cmocka_unit_test(keeps_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
