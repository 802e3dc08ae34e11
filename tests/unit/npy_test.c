/* .npy read and written. */
#include "tests/support/hostile.h"

#include "runtime/npy.h"

#define DATA "tests/data/runtime/"

static const double values[] = {1.5, -2, 3, 4, 5, 6.25};

static void reads_what_numpy_writes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        element_type type;
        bool whole, truth; /* what numpy's conversion left of |value| */
    } files[] = {{"f4", EL_F32, false, false}, {"f8", EL_F64, false, false}, {"i4", EL_I32, true, false},
                 {"i8", EL_I64, true, false},  {"u1", EL_U8, true, false},   {"b1", EL_BOOL, true, true}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        BENCH(b);
        npy n;
        assert_true(npy_open(&n, &b.arena, arena_printf(&b.arena, DATA "a_%s.npy", files[i].name), &b.diags));
        assert_quiet(&b);
        assert_int_equal(n.tensor.type, files[i].type);
        assert_true(n.tensor.rank == 2 && n.tensor.dims[0] == 2 && n.tensor.dims[1] == 3 &&
                    n.tensor.count == 6);
        for (int k = 0; k < 6; k++) {
            double v = values[k] < 0 ? -values[k] : values[k];
            v = files[i].truth ? 1 : files[i].whole ? (double)(int)v : v;
            assert_true(element_real(n.tensor.type, n.tensor.data, k) == v);
        }
        npy_close(&n);
        bench_end(&b);
    }
}

static void reads_versions_orders_and_scalars(void **state) {
    (void)state;
    static const char *const versions[] = {DATA "a_v2.npy", DATA "a_v3.npy"};
    BENCH(b);
    npy n;
    for (int i = 0; i < 2; i++) {
        assert_true(npy_open(&n, &b.arena, versions[i], &b.diags));
        for (int k = 0; k < 6; k++) assert_true(element_real(EL_F32, n.tensor.data, k) == values[k]);
        npy_close(&n);
    }
    assert_true(npy_open(&n, &b.arena, DATA "a_fortran.npy", &b.diags));
    assert_true(n.tensor.rank == 3 && n.tensor.dims[0] == 2 && n.tensor.dims[2] == 4);
    for (int k = 0; k < 24; k++) assert_true(element_real(EL_F32, n.tensor.data, k) == k);
    npy_close(&n);
    assert_true(npy_open(&n, &b.arena, DATA "a_scalar.npy", &b.diags));
    assert_true(n.tensor.rank == 0 && n.tensor.count == 1 && element_real(EL_F32, n.tensor.data, 0) == 2.5);
    npy_close(&n);
    bench_end(&b);
}

static void refuses_what_needs_python(void **state) {
    (void)state;
    static const char *const files[] = {DATA "a_big.npy", DATA "a_object.npy", DATA "a_struct.npy",
                                        DATA "rgb.png", "tests"};
    static const char *const told[] = {"big-endian", "Python objects", "structured", "no .npy array",
                                       "a folder"};
    for (int i = 0; i < 5; i++) {
        BENCH(b);
        npy n;
        assert_false(npy_open(&n, &b.arena, files[i], &b.diags));
        assert_told(&b, told[i]);
        bench_end(&b);
    }
}

static const struct {
    const char *header;
    size_t data;
    const char *told;
} headers[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8, NULL},
    {"{\"shape\":(2L,),'fortran_order':False,'descr':'<f4'}  \n", 8, NULL},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, NULL},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9999999), }", 0, NULL},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8, "truncated"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 8, "8 follow the header"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }", 8, "larger than any"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 8, "larger than any"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 8, "whole numbers"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 2), }", 8, "expected ','"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1), }", 4,
     "16 dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': 2}", 8, "no tuple"},
    {"{'descr': '<f4', 'fortran_order': maybe, 'shape': (2,)}", 8, "neither True nor False"},
    {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8, "twice"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", 8, "other than"},
    {"{'descr': '<f4', 'shape': (2,)}", 8, "missing"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} + 1", 8, "follows the dictionary"},
    {"__import__('os').system('ls')", 8, "no dictionary"},
    {"{'descr': '\033[2J', 'fortran_order': False, 'shape': (2,)}", 8, "'?[2J'"},
    {"{'descr': ''", 8, "of a type"},
    {"{'descr", 8, "does not end"},
    {"", 8, "no dictionary"},
};

static void reads_headers_to_the_letter(void **state) {
    (void)state;
    unsigned char file[512];
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        BENCH(b);
        stored_tensor t;
        size_t length = strlen(headers[i].header);
        memset(file, 0, sizeof file);
        memcpy(file, "\x93NUMPY\1\0", 8);
        file[8] = (unsigned char)length;
        memcpy(file + 10, headers[i].header, length);
        bool ok = npy_parse(&t, &b.arena, file, 10 + length + headers[i].data, "a", &b.diags);
        assert_int_equal(ok, headers[i].told == NULL);
        if (!ok) assert_told(&b, headers[i].told);
        if (ok) assert_int_equal(t.bytes, headers[i].data);
        bench_end(&b);
    }
}

static void writes_what_it_reads(void **state) {
    (void)state;
    BENCH(b);
    char path[] = "/tmp/netc-npy-XXXXXX";
    const int64_t dims[] = {2, 1, 3};
    const float from[] = {1, 2, 3, 4, 5, 6};
    int f = mkstemp(path);
    assert_true(f >= 0 && close(f) == 0);
    for (int rank = 0; rank <= 3; rank++) {
        npy n;
        int64_t count = rank == 0 ? 1 : rank == 3 ? 6 : 2;
        assert_true(npy_write(path, EL_F32, rank, dims, from, &b.diags));
        assert_true(npy_open(&n, &b.arena, path, &b.diags));
        assert_true(n.tensor.rank == rank && n.tensor.count == count && n.tensor.type == EL_F32);
        assert_memory_equal(n.tensor.data, from, (size_t)count * sizeof *from);
        assert_int_equal((uintptr_t)n.tensor.data % 64, 0);
        npy_close(&n);
    }
    size_t size;
    unsigned char *bytes = bytes_of(path, &size);
    assert_memory_equal(bytes + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 3), }", 62);
    free(bytes);
    unlink(path);
    assert_false(npy_write(path, EL_BF16, 1, dims, from, &b.diags));
    assert_false(npy_write("/dev/full", EL_F32, 1, dims, from, &b.diags));
    assert_told(&b, "No space left");
    assert_false(npy_write("tests", EL_F32, 1, dims, from, &b.diags));
    assert_false(npy_write("/none/here.npy", EL_F32, 1, dims, from, &b.diags));
    assert_told(&b, "cannot create");
    bench_end(&b);
}

static void survives_mutation(void **state) {
    (void)state;
    static const char *const paths[] = {DATA "a_fortran.npy", DATA "a_v3.npy", DATA "a_i8.npy"};
    uint64_t seed = 3;
    double sum = 0;
    int refused = 0;
    for (int p = 0; p < 3; p++) {
        size_t size;
        unsigned char *file = bytes_of(paths[p], &size), *copy = malloc(size);
        assert_non_null(copy);
        for (int i = 0; i < 3000; i++) {
            BENCH(b);
            stored_tensor t;
            memcpy(copy, file, size);
            size_t cut = mutate(copy, size, &seed);
            bool ok = npy_parse(&t, &b.arena, copy, cut, "a", &b.diags);
            assert_int_equal(ok, b.diags.errors == 0);
            for (int64_t e = 0; ok && e < t.count; e++) sum += element_real(t.type, t.data, e) != 0;
            refused += !ok;
            bench_end(&b);
        }
        free(copy);
        free(file);
    }
    assert_true(refused > 4000 && refused < 9000 && sum > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_numpy_writes),   cmocka_unit_test(reads_versions_orders_and_scalars),
        cmocka_unit_test(refuses_what_needs_python), cmocka_unit_test(reads_headers_to_the_letter),
        cmocka_unit_test(writes_what_it_reads),      cmocka_unit_test(survives_mutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
