/* Data sets: each kind found and read, from several threads; damaged and missing ones refused. The sets are
 * made here; a real one is looked at where it lies beside the repository. */
#include "tests/support/hostile.h"

#include "runtime/characters.h"
#include "runtime/dataset.h"
#include "runtime/dataset_kinds.h"
#include "runtime/npy.h"
#include "runtime/progress.h"

#include <ftw.h>
#include <pthread.h>
#include <sys/stat.h>
#include <zlib.h>

#define DATA "tests/data/runtime/"

typedef struct folder {
    char path[64];
} folder;

static folder new_folder(void) {
    folder f = {"/tmp/netc-dataset-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    return f;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)s, (void)kind, (void)at;
    return remove(path);
}

static void remove_folder(const folder *f) {
    assert_int_equal(nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const char *in(const folder *f, const char *name) {
    static _Thread_local char path[256];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    return path;
}

static void make_dir(const folder *f, const char *name) {
    assert_int_equal(mkdir(in(f, name), 0700), 0);
}

static void copy_file(const char *from, const char *to) {
    size_t size;
    unsigned char *bytes = bytes_of(from, &size);
    write_bytes(to, bytes, size);
    free(bytes);
}

/* Picture i made fit for a net, and its label. */
static bool dataset_get(const dataset *s, int64_t i, unsigned char *pixels, int channels, int height,
                        int width, int *label, diags *d) {
    trap t;
    arena a;
    image m, fitted;
    arena_init(&a, 0, &t);
    bool good =
        dataset_picture(s, i, &m, &a, d) && image_fit(&fitted, &a, &m, channels, height, width, "x", d);
    if (good) memcpy(pixels, fitted.pixels, (size_t)(channels * height * width));
    if (good) *label = dataset_label(s, i);
    arena_free(&a);
    return good;
}

enum { PICTURES = 5, SIDE = 6 };

/* Pixel p of IDX picture i; its label is 3 i mod 10. */
static unsigned char pixel(int i, int p) {
    return (unsigned char)(40 * i + p);
}

static size_t make_images(unsigned char *to) {
    const unsigned char header[16] = {0, 0, 8, 3, 0, 0, 0, PICTURES, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    memcpy(to, header, 16);
    for (int i = 0; i < PICTURES * SIDE * SIDE; i++) to[16 + i] = pixel(i / (SIDE * SIDE), i % (SIDE * SIDE));
    return 16 + PICTURES * SIDE * SIDE;
}

static size_t make_labels(unsigned char *to) {
    const unsigned char header[8] = {0, 0, 8, 1, 0, 0, 0, PICTURES};
    memcpy(to, header, 8);
    for (int i = 0; i < PICTURES; i++) to[8 + i] = (unsigned char)(3 * i % 10);
    return 8 + PICTURES;
}

static void write_gz(const char *path, const void *bytes, size_t size) {
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(f), Z_OK);
}

static void write_idx(const folder *f, const char *prefix, bool packed) {
    unsigned char bytes[512];
    char name[128];
    size_t size = make_images(bytes);
    snprintf(name, sizeof name, "%s-images-idx3-ubyte%s", prefix, packed ? ".gz" : "");
    packed ? write_gz(in(f, name), bytes, size) : write_bytes(in(f, name), bytes, size);
    size = make_labels(bytes);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte%s", prefix, packed ? ".gz" : "");
    packed ? write_gz(in(f, name), bytes, size) : write_bytes(in(f, name), bytes, size);
}

static void reads_idx(void **state) {
    (void)state;
    folder f = new_folder();
    make_dir(&f, "MNIST");
    make_dir(&f, "MNIST/raw");
    write_idx(&f, "MNIST/raw/t10k", true);
    write_idx(&f, "train", false);
    static const char *const splits[] = {"test", "train", NULL};
    for (int k = 0; k < 3; k++) {
        BENCH(b);
        dataset *s = dataset_open(&b.arena, f.path, splits[k], &b.diags);
        assert_non_null(s);
        assert_quiet(&b);
        assert_string_equal(dataset_kind(s), "IDX");
        assert_int_equal(dataset_count(s), PICTURES);
        assert_int_equal(dataset_classes(s), 10);
        assert_string_equal(dataset_class_name(s, 7), "7");
        for (int i = 0; i < PICTURES; i++) {
            unsigned char got[SIDE * SIDE];
            int label = -1;
            assert_true(dataset_get(s, i, got, 1, SIDE, SIDE, &label, &b.diags));
            assert_int_equal(label, 3 * i % 10);
            for (int p = 0; p < SIDE * SIDE; p++) assert_int_equal(got[p], pixel(i, p));
        }
        unsigned char got[1];
        int label;
        assert_false(dataset_get(s, PICTURES, got, 1, 1, 1, &label, &b.diags));
        assert_false(dataset_get(s, -1, got, 1, 1, 1, &label, &b.diags));
        assert_false(dataset_get(s, 0, got, 2, 1, 1, &label, &b.diags));
        dataset_close(s);
        bench_end(&b);
    }
    remove_folder(&f);
}

/* What is wrong with a pair of files: a byte changed in one of them, or its length. */
static const struct {
    const char *file;
    int at, value, cut;
    const char *told;
} damages[] = {
    {"images-idx3", 2, 9, 0, "no IDX file of 8-bit pictures"},
    {"labels-idx1", 3, 3, 0, "no IDX file of 8-bit labels"},
    {"images-idx3", 7, 6, 0, "asks for 216 bytes"},
    {"labels-idx1", 7, 4, 1, "another number of labels"},
    {"images-idx3", 4, 255, 0, "asks for"},
    {"images-idx3", 0, 0, 1, "asks for"},
    {"images-idx3", 0, 0, 190, "no whole header"},
    {"labels-idx1", 0, 0, 13, "no whole header"},
};

static void refuses_damaged_idx(void **state) {
    (void)state;
    for (int k = 0; k < 2 * (int)(sizeof damages / sizeof *damages); k++) {
        BENCH(b);
        folder f = new_folder();
        unsigned char bytes[512];
        bool packed = k % 2, images = damages[k / 2].file[0] == 'i';
        write_idx(&f, "t10k", packed);
        size_t size = (images ? make_images(bytes) : make_labels(bytes)) - (size_t)damages[k / 2].cut;
        if (size > (size_t)damages[k / 2].at) bytes[damages[k / 2].at] = (unsigned char)damages[k / 2].value;
        const char *path =
            in(&f, arena_printf(&b.arena, "t10k-%s-ubyte%s", damages[k / 2].file, packed ? ".gz" : ""));
        packed ? write_gz(path, bytes, size) : write_bytes(path, bytes, size);
        assert_null(dataset_open(&b.arena, f.path, "test", &b.diags));
        if (!packed || !strstr(damages[k / 2].told, "asks for")) assert_told(&b, damages[k / 2].told);
        assert_int_equal(b.diags.errors, 1);
        remove_folder(&f);
        bench_end(&b);
    }
}

static void refuses_gz_bombs(void **state) {
    (void)state;
    folder f = new_folder();
    write_idx(&f, "t10k", true);
    size_t size = 40 << 20;
    unsigned char *zeros = calloc(size, 1);
    assert_non_null(zeros);
    const unsigned char header[16] = {0, 0, 8, 3, 0, 0, 0xc8, 0, 0, 0, 0, 28, 0, 0, 0, 28};
    memcpy(zeros, header, 16);
    write_gz(in(&f, "t10k-images-idx3-ubyte.gz"), zeros, size);
    BENCH(b);
    double began = seconds_used();
    assert_null(dataset_open(&b.arena, f.path, "test", &b.diags));
    assert_true(seconds_used() - began < REFUSAL_SECONDS);
    assert_told(&b, "claims to unpack to 40140800 bytes");
    free(zeros);
    remove_folder(&f);
    bench_end(&b);
}

enum { RECORD = 3073 };

static void write_cifar(const char *path, int pictures, int seed) {
    unsigned char *bytes = malloc((size_t)pictures * RECORD);
    assert_non_null(bytes);
    for (int i = 0; i < pictures * RECORD; i++) bytes[i] = (unsigned char)(7 * i + seed);
    for (int i = 0; i < pictures; i++) bytes[i * RECORD] = (unsigned char)((i + seed) % 10);
    write_bytes(path, bytes, (size_t)pictures * RECORD);
    free(bytes);
}

static void reads_cifar(void **state) {
    (void)state;
    folder f = new_folder();
    BENCH(b);
    make_dir(&f, "cifar-10-batches-bin");
    write_cifar(in(&f, "cifar-10-batches-bin/test_batch.bin"), 3, 0);
    for (int i = 1; i <= 5; i++)
        write_cifar(in(&f, arena_printf(&b.arena, "cifar-10-batches-bin/data_batch_%d.bin", i)), i, i);
    dataset *s = dataset_open(&b.arena, f.path, "train", &b.diags);
    assert_non_null(s);
    assert_true(dataset_count(s) == 15 && dataset_classes(s) == 10);
    assert_string_equal(dataset_class_name(s, 3), "cat");
    unsigned char got[3072];
    int label;
    assert_true(
        dataset_get(s, 5, got, 3, 32, 32, &label, &b.diags)); /* the third picture of the third file */
    assert_int_equal(label, 5);
    for (int p = 0; p < 1024; p++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(got[3 * p + c], (unsigned char)(7 * (2 * RECORD + 1 + 1024 * c + p) + 3));
    dataset_close(s);
    s = dataset_open(&b.arena, in(&f, "cifar-10-batches-bin"), NULL, &b.diags);
    assert_int_equal(dataset_count(s), 3);
    dataset_close(s);
    unlink(in(&f, "cifar-10-batches-bin/data_batch_4.bin"));
    assert_null(dataset_open(&b.arena, f.path, "train", &b.diags));
    assert_told(&b, "training set has five");
    remove_folder(&f);
    bench_end(&b);
}

static void refuses_damaged_cifar(void **state) {
    (void)state;
    folder f = new_folder();
    const char *const told[] = {"no whole number of pictures", "the label 200", "no whole number"};
    for (int k = 0; k < 3; k++) {
        BENCH(b);
        unsigned char bytes[2 * RECORD] = {0};
        bytes[RECORD] = k == 1 ? 200 : 1;
        write_bytes(in(&f, "test_batch.bin"), bytes, k == 0 ? 2 * RECORD - 1 : k == 1 ? 2 * RECORD : 0);
        assert_null(dataset_open(&b.arena, f.path, NULL, &b.diags));
        assert_told(&b, told[k]);
        bench_end(&b);
    }
    remove_folder(&f);
}

/* test/ holds b (two pictures, one in a folder below) and a (one); train/ holds a. */
static folder make_pictures(void) {
    folder f = new_folder();
    static const char *const folders[] = {"test",         "test/b", "test/b/more", "test/a",
                                          "test/.hidden", "train",  "train/a"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) make_dir(&f, folders[i]);
    copy_file(DATA "rgb.png", in(&f, "test/b/z.PNG"));
    copy_file(DATA "gray.jpg", in(&f, "test/b/more/1.jpeg"));
    copy_file(DATA "j420.jpg", in(&f, "test/a/really-a-jpeg.png"));
    copy_file(DATA "rgb.png", in(&f, "train/a/1.png"));
    write_bytes(in(&f, "test/a/notes.txt"), "no picture", 10);
    return f;
}

static void reads_pictures(void **state) {
    (void)state;
    folder f = make_pictures();
    BENCH(b);
    dataset *s = dataset_open(&b.arena, f.path, NULL, &b.diags);
    assert_non_null(s);
    assert_quiet(&b);
    assert_true(dataset_count(s) == 3 && dataset_classes(s) == 2);
    assert_string_equal(dataset_class_name(s, 0), "a");
    assert_string_equal(dataset_class_name(s, 1), "b");
    static const char *const expected[] = {DATA "j420.jpg", DATA "rgb.png", DATA "gray.jpg"};
    for (int i = 0; i < 3; i++) {
        unsigned char got[3 * 32 * 32];
        int label;
        image m, fitted;
        assert_true(dataset_get(s, i, got, 3, 32, 32, &label, &b.diags));
        assert_int_equal(label, i > 0);
        assert_true(image_open(&m, &b.arena, expected[i], &b.diags));
        assert_true(image_fit(&fitted, &b.arena, &m, 3, 32, 32, "x", &b.diags));
        assert_memory_equal(got, fitted.pixels, sizeof got);
    }
    dataset_close(s);
    s = dataset_open(&b.arena, f.path, "train", &b.diags);
    assert_true(dataset_count(s) == 1 && dataset_classes(s) == 1);
    dataset_close(s);
    s = dataset_open(&b.arena, in(&f, "test"), "test", &b.diags);
    assert_int_equal(dataset_count(s), 3);
    dataset_close(s);
    remove_folder(&f);
    bench_end(&b);
}

static void refuses_bad_pictures(void **state) {
    (void)state;
    folder f = make_pictures();
    BENCH(b);
    unsigned char got[3 * 32 * 32];
    int label;
    write_bytes(in(&f, "test/a/really-a-jpeg.png"), "\xff\xd8\xff junk", 8);
    dataset *s = dataset_open(&b.arena, f.path, "test", &b.diags);
    assert_false(dataset_get(s, 0, got, 3, 32, 32, &label, &b.diags));
    assert_told(&b, "really-a-jpeg.png: the JPEG picture is damaged");
    dataset_close(s);
    unlink(in(&f, "test/a/really-a-jpeg.png"));
    assert_null(dataset_open(&b.arena, f.path, "test", &b.diags));
    assert_told(&b, "test/a: there is no .jpg or .png in the folder of this class");
    assert_null(dataset_open(&b.arena, in(&f, "train/a"), "test", &b.diags));
    assert_told(&b, "holds no data set for testing");
    remove_folder(&f);
    bench_end(&b);
}

static void survives_circles(void **state) {
    (void)state;
    folder f = make_pictures();
    BENCH(b);
    assert_int_equal(symlink("..", in(&f, "test/b/up")), 0);
    assert_int_equal(symlink(".", in(&f, "test/b/self")), 0);
    dataset *s = dataset_open(&b.arena, f.path, "test", &b.diags);
    assert_non_null(s); /* to a depth, like any tree */
    assert_true(dataset_count(s) > 3 && dataset_count(s) < 500 && dataset_classes(s) == 2);
    dataset_close(s);
    remove_folder(&f);
    bench_end(&b);
}

/* ---- arrays ---- */

static const unsigned char array_pixels[3 * 4 * 5] = {9, 8, 7, 6, 5};

/* x: three pictures of 4 x 5; y as given. */
static void write_pair(const folder *f, const char *x, const char *y, element_type type, const void *labels) {
    BENCH(b);
    const int64_t dims[] = {3, 4, 5};
    assert_true(npy_write(in(f, x), EL_U8, 3, dims, array_pixels, &b.diags));
    assert_true(npy_write(in(f, y), type, 1, dims, labels, &b.diags));
    bench_end(&b);
}

static void reads_arrays(void **state) {
    (void)state;
    static const int64_t labels[] = {2, 0, 5};
    static const unsigned char bytes[] = {1, 1, 1};
    folder f = new_folder();
    BENCH(b);
    write_pair(&f, "train_x.npy", "train_y.npy", EL_I64, labels);
    write_pair(&f, "x_test.npy", "y_test.npy", EL_U8, bytes);
    dataset *s = dataset_open(&b.arena, f.path, "train", &b.diags);
    assert_non_null(s);
    assert_quiet(&b);
    assert_string_equal(dataset_kind(s), "npy");
    assert_true(dataset_count(s) == 3 && dataset_classes(s) == 6);
    assert_string_equal(dataset_class_name(s, 5), "5");
    for (int i = 0; i < 3; i++) {
        image m;
        assert_int_equal(dataset_label(s, i), labels[i]);
        assert_true(dataset_picture(s, i, &m, &b.arena, &b.diags));
        assert_true(m.width == 5 && m.height == 4 && m.channels == 1);
        assert_memory_equal(m.pixels, array_pixels + 20 * i, 20);
    }
    dataset_close(s);
    s = dataset_open(&b.arena, f.path, NULL, &b.diags);
    assert_int_equal(dataset_classes(s), 2);
    dataset_close(s);
    remove_folder(&f);
    bench_end(&b);
}

static void refuses_arrays_that_do_not_fit(void **state) {
    (void)state;
    static const int64_t labels[] = {2, 0, -1}, many[] = {2, 0, 100000};
    folder f = new_folder();
    BENCH(b);
    write_pair(&f, "x.npy", "y.npy", EL_I64, labels);
    assert_null(dataset_open(&b.arena, f.path, "train", &b.diags));
    assert_told(&b, "y.npy: sample 2 has the label -1: labels count from 0");
    write_pair(&f, "x.npy", "y.npy", EL_I64, many);
    assert_null(dataset_open(&b.arena, f.path, "train", &b.diags));
    assert_told(&b, "sample 2 has the label 100000");
    const int64_t two = 2, none = 0;
    assert_true(npy_write(in(&f, "y.npy"), EL_I64, 1, &two, labels, &b.diags));
    assert_null(dataset_open(&b.arena, f.path, "train", &b.diags));
    assert_told(&b, "they must hold as many samples");
    assert_true(npy_write(in(&f, "y.npy"), EL_I64, 1, &none, labels, &b.diags));
    assert_null(dataset_open(&b.arena, f.path, "train", &b.diags));
    assert_told(&b, "y.npy: the array has no samples");
    unlink(in(&f, "y.npy"));
    assert_null(dataset_open(&b.arena, f.path, "train", &b.diags));
    assert_told(&b, "x.npy: the array that belongs to it is missing");
    remove_folder(&f);
    bench_end(&b);
}

/* Made by numpy, as Keras' mnist.npz is. */
static void reads_npz(void **state) {
    (void)state;
    BENCH(b);
    dataset *s = dataset_open(&b.arena, DATA "digits.npz", "train", &b.diags), *test;
    assert_non_null(s);
    assert_quiet(&b);
    assert_string_equal(dataset_kind(s), "npz");
    assert_true(dataset_count(s) == 4 && dataset_classes(s) == 8);
    assert_true(dataset_open_test(&test, &b.arena, DATA "digits.npz", &b.diags));
    assert_int_equal(dataset_count(test), 2);
    for (int i = 0; i < 6; i++) {
        image m;
        const dataset *part = i < 4 ? s : test;
        int64_t k = i < 4 ? i : i - 4;
        assert_int_equal(dataset_label(part, k), i < 4 ? 7 - i : 3 + k);
        assert_true(dataset_picture(part, k, &m, &b.arena, &b.diags));
        assert_true(m.width == 7 && m.height == 5 && m.channels == 1);
        for (int p = 0; p < 35; p++) assert_int_equal(m.pixels[p], (i < 4 ? 0 : 100) + 35 * k % 256 + p);
    }
    dataset_close(s);
    dataset_close(test);
    assert_null(dataset_open(&b.arena, DATA "tiny.npz", "train", &b.diags));
    assert_told(&b, "tiny.npz: it lacks x_train and y_train (or x and y): it holds conv.weight.npy");
    bench_end(&b);
}

static void survives_damaged_npz(void **state) {
    (void)state;
    folder f = new_folder();
    size_t size;
    unsigned char *whole = bytes_of(DATA "digits.npz", &size), *bytes = malloc(size);
    uint64_t random = 5;
    assert_non_null(bytes);
    for (int k = 0; k < 200; k++) {
        BENCH(b);
        memcpy(bytes, whole, size);
        write_bytes(in(&f, "x.npz"), bytes, mutate(bytes, size, &random));
        dataset *s = dataset_open(&b.arena, in(&f, "x.npz"), "train", &b.diags);
        assert_true(s || b.diags.errors == 1);
        image m;
        for (int64_t i = 0; s && i < dataset_count(s); i++) dataset_picture(s, i, &m, &b.arena, &b.diags);
        dataset_close(s);
        bench_end(&b);
    }
    free(whole), free(bytes);
    remove_folder(&f);
}

/* ---- text ---- */

static void assert_text(const dataset *s, const char *text) {
    assert_int_equal(dataset_count(s), strlen(text));
    for (size_t k = 0; text[k]; k++) assert_int_equal(character_of(s->text[k]), text[k]);
}

static void reads_text(void **state) {
    (void)state;
    folder f = new_folder();
    BENCH(b);
    write_bytes(in(&f, "all.txt"), "Ab ~\r\n0123456789x\nYZ!", 21);
    static const char *const splits[] = {NULL, "train", "test"};
    static const char *const expected[] = {"Ab ~\n0123456789x\nYZ!", "Ab ~\n0123456789x\nY", "Z!"};
    for (int k = 0; k < 3; k++) {
        dataset *s = dataset_open(&b.arena, in(&f, "all.txt"), splits[k], &b.diags);
        assert_non_null(s);
        assert_string_equal(dataset_kind(s), "text");
        assert_text(s, expected[k]);
        dataset_close(s);
    }
    make_dir(&f, "parts");
    write_bytes(in(&f, "parts/train.txt"), "one", 3);
    write_bytes(in(&f, "parts/val.txt"), "two", 3);
    for (int k = 0; k < 3; k++) {
        dataset *s = dataset_open(&b.arena, in(&f, "parts"), splits[k], &b.diags);
        assert_text(s, k == 1 ? "one" : "two");
        dataset_close(s);
    }
    write_bytes(in(&f, "bad.txt"), "one\ntw\xc3\xb6\n", 9);
    assert_null(dataset_open(&b.arena, in(&f, "bad.txt"), NULL, &b.diags));
    assert_told(&b, "bad.txt: line 2, byte 3: 0xc3 is no printable ASCII");
    write_bytes(in(&f, "bad.txt"), "", 0);
    assert_null(dataset_open(&b.arena, in(&f, "bad.txt"), NULL, &b.diags));
    assert_told(&b, "the text is empty");
    remove_folder(&f);
    bench_end(&b);
}

/* ---- what to test on ---- */

/* A folder of one part has none; a damaged one is told. */
static void finds_what_to_test_on(void **state) {
    (void)state;
    folder f = new_folder();
    BENCH(b);
    dataset *s;
    static const int64_t labels[] = {2, 0, 1};
    make_dir(&f, "arrays");
    write_pair(&f, "arrays/x.npy", "arrays/y.npy", EL_I64, labels);
    make_dir(&f, "pictures"), make_dir(&f, "pictures/a");
    copy_file(DATA "rgb.png", in(&f, "pictures/a/1.png"));
    make_dir(&f, "idx");
    write_idx(&f, "idx/train", false);
    static const char *const alone[] = {"arrays", "pictures", "idx"};
    for (int k = 0; k < 3; k++) {
        assert_true(dataset_open_test(&s, &b.arena, in(&f, alone[k]), &b.diags));
        assert_null(s);
        s = dataset_open(&b.arena, in(&f, alone[k]), "train", &b.diags);
        assert_non_null(s);
        dataset_close(s);
    }
    write_idx(&f, "idx/t10k", true);
    assert_true(dataset_open_test(&s, &b.arena, in(&f, "idx"), &b.diags));
    assert_int_equal(dataset_count(s), PICTURES);
    dataset_close(s);
    assert_quiet(&b);
    write_bytes(in(&f, "idx/t10k-labels-idx1-ubyte.gz"), "junk", 4);
    assert_false(dataset_open_test(&s, &b.arena, in(&f, "idx"), &b.diags));
    assert_told(&b, "t10k-labels");
    remove_folder(&f);
    bench_end(&b);
}

static void says_where_to_get_it(void **state) {
    (void)state;
    static const char *const paths[] = {"tests/none", "Makefile", "tests/data/runtime"};
    static const char *const told[] = {"there is no such folder", "this is a file", "holds no data set"};
    for (int i = 0; i < 3; i++) {
        BENCH(b);
        assert_null(dataset_open(&b.arena, paths[i], NULL, &b.diags));
        assert_told(&b, told[i]);
        assert_told(&b, "cs.toronto.edu/~kriz/cifar.html");
        assert_told(&b, "dataset-fashion-mnist");
        assert_told(&b, "mnist.npz");
        bench_end(&b);
    }
}

typedef struct reader {
    const dataset *set;
    int first;
    uint64_t sum;
} reader;

static void *read_all(void *arg) {
    reader *r = arg;
    trap t;
    arena a;
    arena_init(&a, 0, &t);
    diags d = {.arena = &a};
    for (int k = 0; k < 60; k++) {
        unsigned char got[3 * 32 * 32];
        int label = 0;
        if (!dataset_get(r->set, (r->first + k) % 3, got, 3, 32, 32, &label, &d)) r->sum = 1ull << 60;
        for (size_t i = 0; i < sizeof got; i++) r->sum += (uint64_t)got[i] * (1 + (unsigned)label);
    }
    arena_free(&a);
    return NULL;
}

static void reads_from_several_threads(void **state) {
    (void)state;
    folder f = make_pictures();
    BENCH(b);
    const dataset *s = dataset_open(&b.arena, f.path, "test", &b.diags);
    pthread_t threads[4];
    reader readers[4], alone = {s, 0, 0};
    read_all(&alone);
    for (int i = 0; i < 4; i++) {
        readers[i] = (reader){s, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(readers[i].sum == alone.sum && alone.sum > 0 && alone.sum < 1ull << 60);
    }
    remove_folder(&f);
    bench_end(&b);
}

/* The real MNIST, where it lies beside the repository. */
static void reads_mnist(void **state) {
    (void)state;
    if (access("../shared/data/mnist", R_OK) != 0) skip();
    trap t;
    bench b = {0};
    arena_init(&b.arena, 0, &t);
    b.diags.arena = &b.arena;
    dataset *s = dataset_open(&b.arena, "../shared/data/mnist", NULL, &b.diags);
    assert_non_null(s);
    assert_true(dataset_count(s) == 10000 && dataset_classes(s) == 10);
    int counts[10] = {0};
    static const int known[10] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
    for (int i = 0; i < 10000; i++) {
        unsigned char got[784];
        int label;
        assert_true(dataset_get(s, i, got, 1, 28, 28, &label, &b.diags));
        counts[label]++;
    }
    assert_memory_equal(counts, known, sizeof counts);
    dataset_close(s);
    bench_end(&b);
}

static void draws_a_line(void **state) {
    (void)state;
    char line[256];
    progress p = {.what = "eval", .unit = "images", .total = 10000};
    progress_line(line, sizeof line, &p, 5000, 4, 100);
    assert_string_equal(line, "eval  [############............]  5000/10000 images  1250/s  4 s left");
    progress_line(line, sizeof line, &p, 10, 10, 100);
    assert_string_equal(line, "eval  [........................]  10/10000 images  1.0/s  2:46:30 left");
    progress_line(line, sizeof line, &p, 0, 0, 100);
    assert_string_equal(line, "eval  [........................]  0/10000 images  0.0/s  ? left");
    progress_line(line, sizeof line, &p, 5000, 4, 40);
    assert_string_equal(line, "eval  50 %");
    progress_line(line, sizeof line, &p, 20000, 4, 62);
    assert_int_equal(strlen(line), 61); /* never wraps */
    p.what = "epoch 2/9";
    p.note = "loss 0.3121  accuracy 90.1 %";
    p.from = 1000; /* where a run went on: 4,000 in 4 seconds, and 5,000 and 50,000 to come */
    p.later = 50000;
    progress_line(line, sizeof line, &p, 5000, 4, 80);
    assert_string_equal(line,
                        "epoch 2/9  [#####.....]  loss 0.3121  accuracy 90.1 %  1000 images/s  55 s left");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_idx),
        cmocka_unit_test(refuses_damaged_idx),
        cmocka_unit_test(refuses_gz_bombs),
        cmocka_unit_test(reads_cifar),
        cmocka_unit_test(refuses_damaged_cifar),
        cmocka_unit_test(reads_pictures),
        cmocka_unit_test(refuses_bad_pictures),
        cmocka_unit_test(survives_circles),
        cmocka_unit_test(reads_arrays),
        cmocka_unit_test(refuses_arrays_that_do_not_fit),
        cmocka_unit_test(reads_npz),
        cmocka_unit_test(survives_damaged_npz),
        cmocka_unit_test(reads_text),
        cmocka_unit_test(finds_what_to_test_on),
        cmocka_unit_test(says_where_to_get_it),
        cmocka_unit_test(reads_from_several_threads),
        cmocka_unit_test(reads_mnist),
        cmocka_unit_test(draws_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
