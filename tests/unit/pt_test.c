/* PyTorch's files: the zip and the older format, read as data only. */
#include "tests/support/hostile.h"

#include "runtime/tensors.h"

#define DATA "tests/data/runtime/"

/* Element i of tensor k in the committed files (tests/goldens/make_runtime.py). */
static double pattern(int64_t i, int k) {
    return (double)((37 * i + 11 * k) % 101 - 50) / 8;
}

static void check(const tensors *t, const char *name, int k, int rank, int64_t last_dim, int64_t count) {
    const stored_tensor *s = tensors_find(t, name);
    if (!s) fail_msg("no tensor '%s'", name);
    assert_int_equal(s->rank, rank);
    assert_int_equal(s->dims[rank - 1], last_dim);
    assert_int_equal(s->count, count);
    assert_int_equal(s->bytes, count * element_infos[s->type].bytes);
    for (int64_t i = 0; i < count; i++) assert_true(element_real(s->type, s->data, i) == pattern(i, k));
}

static void check_tiny(const tensors *t, const char *prefix) {
    char name[64];
    static const struct {
        const char *name;
        int rank;
        int64_t last, count;
    } rows[] = {{"conv.weight", 4, 3, 108},
                {"conv.bias", 1, 4, 4},
                {"bn.running_mean", 1, 4, 4},
                {"fc.weight", 2, 16, 32}};
    assert_int_equal(t->count, 5);
    for (int k = 0; k < 4; k++) {
        snprintf(name, sizeof name, "%s%s", prefix, rows[k].name);
        assert_string_equal(t->at[k].name, name); /* the state dict's own order */
        check(t, name, k, rows[k].rank, rows[k].last, rows[k].count);
    }
    assert_int_equal(t->at[4].type, EL_I64);
    assert_true(element_real(EL_I64, t->at[4].data, 0) == 7);
}

static void check_kinds(const tensors *t, const char *prefix) {
    (void)prefix;
    check(t, "float64", 0, 2, 5, 10);
    check(t, "float16", 1, 2, 5, 10);
    check(t, "bfloat16", 2, 2, 5, 10);
    check(t, "float32", 3, 2, 5, 10);
    assert_int_equal(tensors_find(t, "bfloat16")->type, EL_BF16);
    for (int i = 0; i < 6; i++) assert_true(element_real(EL_I64, tensors_find(t, "int64")->data, i) == i - 3);
    for (int i = 0; i < 6; i++)
        assert_true(element_real(EL_U8, tensors_find(t, "uint8")->data, i) == 250 + i);
    assert_int_equal(tensors_find(t, "bool")->type, EL_BOOL);
    assert_true(element_real(EL_F32, tensors_find(t, "scalar")->data, 0) == 2.5);
    assert_int_equal(tensors_find(t, "empty")->count, 0);
}

static void check_strided(const tensors *t, const char *prefix) {
    (void)prefix;
    check(t, "channels_last", 0, 4, 5, 120);
    check(t, "transposed", 1, 2, 4, 24);
    check(t, "slice", 2, 1, 8, 8);
    check(t, "every_second", 3, 1, 5, 5);
}

static void check_linear(const tensors *t, const char *prefix) {
    (void)prefix;
    assert_int_equal(t->count, 2);
    check(t, "weight", 0, 2, 3, 6);
    check(t, "bias", 1, 1, 2, 2);
}

static void reads_what_torch_writes(void **state) {
    (void)state;
    static const struct {
        const char *name, *prefix;
        void (*check)(const tensors *, const char *);
    } files[] = {{"tiny", "", check_tiny},         {"kinds", "", check_kinds},
                 {"strided", "", check_strided},   {"linear", "", check_linear},
                 {"parameters", "", check_linear}, {"checkpoint", "module.", check_tiny}};
    for (size_t i = 0; i < 2 * sizeof files / sizeof *files; i++) {
        BENCH(b);
        tensors t;
        const char *path = arena_printf(&b.arena, DATA "%s_%s.pt", files[i / 2].name, i % 2 ? "old" : "zip");
        assert_true(tensors_open(&t, &b.arena, path, &b.diags));
        assert_quiet(&b);
        assert_string_equal(t.format, i % 2 ? "PyTorch (older format)" : "PyTorch");
        files[i / 2].check(&t, files[i / 2].prefix);
        tensors_close(&t);
        bench_end(&b);
    }
}

static void executes_nothing(void **state) {
    (void)state;
    static const char *const files[] = {"evil_0.pkl", "evil_1.pkl",  "evil_2.pkl",
                                        "evil_4.pkl", "evil_zip.pt", "evil_old.pt"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        BENCH(b);
        tensors t;
        assert_false(tensors_open(&t, &b.arena, arena_printf(&b.arena, DATA "%s", files[i]), &b.diags));
        assert_told(&b, "wants to call posix.system: netc reads weights as data and executes nothing");
        assert_int_equal(b.diags.errors, 1);
        bench_end(&b);
    }
    assert_int_equal(access("netc-was-here", F_OK), -1);
}

/* Pickles by hand: what is refused and why. */
#define P2 "\x80\x02"
static const struct {
    const char *bytes;
    size_t size;
    const char *told;
} pickles[] = {
#define CASE(bytes, told)                                                                                    \
    { bytes, sizeof bytes - 1, told }
    CASE(P2 "cos\nsystem\nX\2\0\0\0ls\x85R.", "wants to call os.system"),
    CASE("cos\nsystem\n(S'ls'\ntR.", "wants to call os.system"),
    CASE("(S'ls'\nios\nsystem\n.", "wants to call os.system"),
    CASE("\x80\x04\x8c\x08"
         "builtins\x8c\x04"
         "eval\x93\x8c\x01"
         "1\x85R.",
         "wants to call builtins.eval"),
    CASE(P2 "ctorch.\033[2J\nload\n.", "wants to call torch.?[2J.load"),
    CASE(P2 "ctorch\nload\n.", "wants to call torch.load"),
    CASE(P2 "ctorch\nFloatStorage\n)R.", "makes a storage by hand"),
    CASE(P2 "ccollections\nOrderedDict\n)\x81.", "operation 0x81"),
    CASE(P2 "K\1)R.", "calls what is no function"),
    CASE(P2 "R.", "takes more from its stack"),
    CASE(P2 "(R.", "takes more from its stack"),
    CASE(P2 "t.", "mark is missing"),
    CASE(P2 "h\5.", "never noted"),
    CASE(P2 "Nr\xff\xff\xff\x7f.", "notes more than"),
    CASE(P2 "X\xff\xff\xff\x7fls.", "ends in the middle"),
    CASE(P2 "\x8d\xff\xff\xff\xff\xff\xff\xff\xffls.", "ends in the middle"),
    CASE(P2 "N", "ends in the middle"),
    CASE(P2 "N(K\1K\2u.", "what is no dictionary"),
    CASE(P2 "}(K\1u.", "what is no dictionary"),
    CASE(P2 "Nb.", "takes more from its stack"),
    CASE(P2 "NNb.", "neither a dictionary nor a tensor"),
    CASE(P2 "NQ.", "refers to something outside"),
    CASE(P2 "P0\n.", "operation 0x50"),
    CASE(P2 "ctorch._utils\n_rebuild_tensor_v2\n)R.", "other than a storage"),
    CASE(P2 "ctorch._utils\n_rebuild_parameter\nN\x85R.", "what is no tensor"),
    CASE(P2 "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"
            "0X\3\0\0\0cpu\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x3ftQ.",
         "larger than the file"),
    CASE(P2 "}.", "not one that torch.save wrote"),
#undef CASE
};

static void refuses_other_pickles(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++) {
        BENCH(b);
        tensors t;
        assert_false(tensors_open_memory(&t, &b.arena, "w", pickles[i].bytes, pickles[i].size, &b.diags));
        assert_told(&b, pickles[i].told);
        assert_int_equal(b.diags.errors, 1);
        bench_end(&b);
    }
}

/* 8 MiB of one piece over and over: each must end soon, within the bench's 64 MiB. */
static void refuse_endless(const char *front, const char *piece, size_t length, const char *told) {
    size_t size = 8 << 20, at = 2 + strlen(front);
    char *file = malloc(size);
    assert_non_null(file);
    memcpy(file, P2, 2);
    memcpy(file + 2, front, strlen(front));
    for (size_t i = at; i < size; i++) file[i] = piece[(i - at) % length];
    BENCH(b);
    tensors t;
    double began = seconds_used();
    assert_false(tensors_open_memory(&t, &b.arena, "w", file, size, &b.diags));
    assert_true(seconds_used() - began < REFUSAL_SECONDS);
    assert_told(&b, told);
    bench_end(&b);
    free(file);
}

static void refuses_endless_pickles(void **state) {
    (void)state;
    refuse_endless("", "N", 1, "stack grows past");
    refuse_endless("", "N0", 2, "more than");
    refuse_endless("", "(", 1, "nests past");
    refuse_endless("", "]", 1, "stack grows past");
    refuse_endless("]q", "\0h\0a", 4, "operation 0x00");
    refuse_endless("]q\1", "h\1a", 3, "more than 2097152 operations");
    refuse_endless("", "(t0", 3, "more than");
    refuse_endless("N", "\x94", 1, "notes more than");
    refuse_endless("ccollections\nOrderedDict\nq\1)q\2", "h\1h\2R0", 6, "more than");
}

static void refuses_lying_files(void **state) {
    (void)state;
    size_t size;
    unsigned char *file = bytes_of(DATA "tiny_old.pt", &size), *copy = malloc(size + 8);
    assert_non_null(copy);
    for (size_t cut = 0; cut < size; cut++) { /* every truncation */
        BENCH(b);
        tensors t;
        assert_false(tensors_open_memory(&t, &b.arena, "w", file, cut, &b.diags));
        assert_int_equal(b.diags.errors, 1);
        bench_end(&b);
    }
    BENCH(b);
    tensors t;
    memcpy(copy, file, size);
    assert_false(tensors_open_memory(&t, &b.arena, "w", copy, size + 8, &b.diags));
    assert_told(&b, "8 bytes after the last storage");
    bench_end(&b);
    free(copy);
    free(file);
}

/* The shape (4,3,3,3) becomes (4,3,3,9): past its storage. */
static void refuses_lying_shapes(void **state) {
    (void)state;
    size_t size;
    unsigned char *file = bytes_of(DATA "tiny_old.pt", &size);
    unsigned char *shape = memmem(file, size, "(K\4K\3K\3K\3t", 10);
    assert_non_null(shape);
    BENCH(b);
    tensors t;
    shape[8] = 9;
    assert_false(tensors_open_memory(&t, &b.arena, "w", file, size, &b.diags));
    assert_told(&b, "tensor 'conv.weight': its shape reaches past its storage");
    bench_end(&b);
    free(file);
}

static void refuses_bad_archives(void **state) {
    (void)state;
    size_t size;
    unsigned char *file = bytes_of(DATA "tiny_zip.pt", &size);
    for (size_t cut = 4; cut < size; cut += 3) {
        BENCH(b);
        tensors t;
        assert_false(tensors_open_memory(&t, &b.arena, "w", file, cut, &b.diags));
        assert_told(&b, "truncated");
        bench_end(&b);
    }
    unsigned char *last = memmem(file, size, "fc.weight", 9);
    assert_non_null(last);
    BENCH(b);
    tensors t;
    last[0] = 'g';
    assert_false(tensors_open_memory(&t, &b.arena, "w", file, size, &b.diags));
    assert_told(&b, "its checksum is wrong");
    bench_end(&b);
    free(file);
}

static void survives_mutation(void **state) {
    (void)state;
    static const char *const paths[] = {DATA "tiny_old.pt",   DATA "strided_old.pt", DATA "checkpoint_old.pt",
                                        DATA "linear_old.pt", DATA "tiny_zip.pt",    DATA "evil_old.pt"};
    uint64_t seed = 2;
    double sum = 0;
    int refused = 0;
    for (int p = 0; p < 6; p++) {
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
    assert_true(refused > 4500 && refused < 9000 && sum > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_torch_writes), cmocka_unit_test(executes_nothing),
        cmocka_unit_test(refuses_other_pickles),   cmocka_unit_test(refuses_endless_pickles),
        cmocka_unit_test(refuses_lying_files),     cmocka_unit_test(refuses_lying_shapes),
        cmocka_unit_test(refuses_bad_archives),    cmocka_unit_test(survives_mutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
