/* Weights written for others, read back: PyTorch's zip, .npz, safetensors. tests/e2e/features.sh asks PyTorch. */
#include "tests/support/hostile.h"

#include "runtime/save.h"
#include "runtime/zip_write.h"

static const int64_t matrix[] = {2, 3}, vector[] = {4}, nothing[] = {0, 5};
static const float floats[] = {1.5f, -2, 0, 3e38f, -0.0f, 1e-40f};
static const double doubles[] = {0.1, -1e300, 3, 4};
static const int64_t longs[] = {-1, 1ll << 40, 7, 0};
static const uint8_t bytes4[] = {0, 1, 255, 9}, truths[] = {1, 0, 0, 1};
static const uint16_t halves[] = {0x3c00, 0x0001, 0x8000, 0x7bff};
static const uint32_t unsigned32[] = {1, 2, 3, 0xffffffff};

#define TENSOR(name, type, rank, dims, count, data)                                                          \
    { name, type, rank, dims, count, sizeof data, (const void *)data }
static const stored_tensor list[] = {
    TENSOR("layer1.0.conv1.weight", EL_F32, 2, matrix, 6, floats),
    TENSOR("d", EL_F64, 1, vector, 4, doubles),
    TENSOR("l", EL_I64, 1, vector, 4, longs),
    TENSOR("b", EL_U8, 1, vector, 4, bytes4),
    TENSOR("t", EL_BOOL, 1, vector, 4, truths),
    TENSOR("h", EL_F16, 1, vector, 4, halves),
    {"scalar", EL_F32, 0, NULL, 1, 4, (const void *)floats},
    {"none", EL_F32, 2, nothing, 0, 0, NULL},
};
enum { COUNT = sizeof list / sizeof *list };

static const char *folder_path(bench *b, const char *name) {
    const char *root = getenv("TMPDIR");
    return arena_printf(&b->arena, "%s/netc-save-%ld-%s", root ? root : "/tmp", (long)getpid(), name);
}

static void assert_same(const tensors *t, const stored_tensor *want) {
    const stored_tensor *got = tensors_find(t, want->name);
    if (!got) fail_msg("no tensor '%s'", want->name);
    assert_int_equal(got->type, want->type);
    assert_int_equal(got->rank, want->rank);
    for (int k = 0; k < want->rank; k++) assert_int_equal(got->dims[k], want->dims[k]);
    assert_int_equal(got->bytes, want->bytes);
    if (want->bytes) assert_memory_equal(got->data, want->data, want->bytes);
}

static void every_kind_reads_back(void **state) {
    (void)state;
    static const struct {
        const char *name, *format;
    } files[] = {
        {"w.pt", "PyTorch"}, {"w.pth", "PyTorch"}, {"w.npz", "npz"}, {"w.safetensors", "safetensors"}};
    for (int k = 0; k < 4; k++) {
        BENCH(b);
        tensors t;
        const char *path = folder_path(&b, files[k].name);
        const save_kind *kind = save_kind_of(path, &b.diags);
        assert_non_null(kind);
        assert_true(kind->write(path, list, COUNT, &b.diags));
        assert_true(tensors_open(&t, &b.arena, path, &b.diags));
        assert_quiet(&b);
        assert_string_equal(t.format, files[k].format);
        assert_int_equal(t.count, COUNT);
        for (int i = 0; i < COUNT; i++) assert_same(&t, &list[i]);
        tensors_close(&t);
        unlink(path);
        bench_end(&b);
    }
}

static void the_same_list_gives_the_same_bytes(void **state) {
    (void)state;
    BENCH(b);
    const char *paths[] = {folder_path(&b, "1.pt"), folder_path(&b, "2.pt")};
    unsigned char *bytes[2];
    size_t sizes[2];
    for (int k = 0; k < 2; k++) {
        assert_true(tensors_save_torch(paths[k], list, COUNT, &b.diags));
        bytes[k] = bytes_of(paths[k], &sizes[k]);
        unlink(paths[k]);
    }
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    /* stored, not deflated, and in a folder, as torch.save does it */
    assert_memory_equal(bytes[0], "PK\3\4", 4);
    assert_int_equal(bytes[0][8], 0);
    assert_memory_equal(bytes[0] + 30, "archive/data.pkl", 16);
    free(bytes[0]);
    free(bytes[1]);
    bench_end(&b);
}

static void what_has_no_place_is_refused(void **state) {
    (void)state;
    static const stored_tensor odd = TENSOR("u", EL_U32, 1, vector, 4, unsigned32);
    BENCH(b);
    const char *path = folder_path(&b, "odd.pt");
    assert_false(tensors_save_torch(path, &odd, 1, &b.diags));
    assert_told(&b, "no storage of uint32");
    assert_int_not_equal(access(path, F_OK), 0);
    assert_null(save_kind_of("weights.onnx", &b.diags));
    assert_told(&b, ".safetensors");
    assert_null(save_kind_of("a.pt/weights", &b.diags));
    bench_end(&b);
}

/* The old file stays, and nothing is left beside it. */
static void a_failure_leaves_the_old_file(void **state) {
    (void)state;
    BENCH(b);
    const char *path = folder_path(&b, "old.pt"), *link = folder_path(&b, "full.pt");
    write_bytes(path, "old", 3);
    static const zip_part twice[] = {{.name = "a", .data = "1", .data_bytes = 1}, {.name = "a"}};
    assert_false(zip_write(path, twice, 2, &b.diags));
    assert_told(&b, "nothing under this name has changed");
    size_t size;
    unsigned char *bytes = bytes_of(path, &size);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "old", 3);
    free(bytes);
    unlink(path);
    if (access("/dev/full", W_OK) == 0 && symlink("/dev/full", link) == 0) {
        assert_false(tensors_save_torch(link, list, COUNT, &b.diags));
        assert_told(&b, "No space left");
        unlink(link);
    }
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_reads_back),
        cmocka_unit_test(the_same_list_gives_the_same_bytes),
        cmocka_unit_test(what_has_no_place_is_refused),
        cmocka_unit_test(a_failure_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
