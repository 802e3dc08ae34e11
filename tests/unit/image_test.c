/* Pictures: the same pixels as PIL, resized and cropped as torchvision does; damaged ones refused. */
#include "tests/support/hostile.h"

#include "runtime/image.h"
#include "runtime/npy.h"

#include <math.h>

#define DATA "tests/data/runtime/"

/* All pixels as in the .npy that PIL's were saved to. */
static void assert_same(bench *b, const image *m, const char *golden) {
    npy n;
    if (!npy_open(&n, &b->arena, golden, &b->diags)) fail_msg("%s", golden);
    const stored_tensor *t = &n.tensor;
    assert_int_equal(t->type, EL_U8);
    assert_int_equal(t->dims[0], m->height);
    assert_int_equal(t->dims[1], m->width);
    assert_int_equal(t->rank == 3 ? t->dims[2] : 1, m->channels);
    for (int64_t i = 0; i < t->count; i++)
        if (m->pixels[i] != t->data[i])
            fail_msg("%s: byte %lld is %d, PIL's is %d", golden, (long long)i, m->pixels[i], t->data[i]);
    npy_close(&n);
}

static void decodes_as_pil(void **state) {
    (void)state;
    static const char *const names[] = {"rgb.png",  "gray.png", "rgba.png",  "palette.png", "bilevel.png",
                                        "la.png",   "j420.jpg", "j422.jpg",  "j444.jpg",    "progressive.jpg",
                                        "gray.jpg", "cmyk.jpg", "gray16.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        BENCH(b);
        image m;
        assert_true(image_open(&m, &b.arena, arena_printf(&b.arena, DATA "%s", names[i]), &b.diags));
        assert_int_equal(m.channels,
                         strstr("gray.png bilevel.png la.png gray.jpg gray16.png", names[i]) ? 1 : 3);
        m = image_convert(&b.arena, &m, 3);
        assert_same(&b, &m, arena_printf(&b.arena, DATA "%s.rgb.npy", names[i]));
        bench_end(&b);
    }
}

static void fits_as_torchvision(void **state) {
    (void)state;
    static const char *const names[] = {"rgb.png", "j420.jpg", "gray.png", "wide.png", "tall.png"};
    static const struct {
        int side, channels;
        const char *golden;
    } inputs[] = {{32, 3, "32RGB"}, {32, 1, "32L"}, {64, 1, "64L"}, {100, 1, "100L"}};
    for (size_t i = 0; i < 20; i++) {
        BENCH(b);
        image m, out;
        int side = inputs[i % 4].side;
        const char *path = arena_printf(&b.arena, DATA "%s", names[i / 4]);
        assert_true(image_open(&m, &b.arena, path, &b.diags));
        assert_true(image_fit(&out, &b.arena, &m, inputs[i % 4].channels, side, side, path, &b.diags));
        assert_same(&b, &out, arena_printf(&b.arena, "%s.%s.npy", path, inputs[i % 4].golden));
        bench_end(&b);
    }
}

/* A window of the picture is what the whole would hold there. */
static void resizes_whole_or_in_part(void **state) {
    (void)state;
    BENCH(b);
    image m;
    assert_true(image_open(&m, &b.arena, DATA "rgb.png", &b.diags));
    image low = image_resize(&b.arena, &m, 90, 17, (image_window){0, 0, 90, 17});
    assert_same(&b, &low, DATA "rgb.png.17x90.npy");
    image high = image_resize(&b.arena, &m, 17, 90, (image_window){0, 0, 17, 90});
    assert_same(&b, &high, DATA "rgb.png.90x17.npy");
    image part = image_resize(&b.arena, &m, 90, 17, (image_window){40, 5, 9, 3});
    for (int y = 0; y < 3; y++)
        assert_memory_equal(part.pixels + 27 * y, low.pixels + 3 * ((y + 5) * 90 + 40), 27);
    part = image_resize(&b.arena, &m, 17, 90, (image_window){3, 50, 5, 7});
    for (int y = 0; y < 7; y++)
        assert_memory_equal(part.pixels + 15 * y, high.pixels + 3 * ((y + 50) * 17 + 3), 15);
    bench_end(&b);
}

static void pads_and_stretches_digits(void **state) {
    (void)state;
    BENCH(b);
    image m, out;
    assert_true(image_open(&m, &b.arena, DATA "digit.png", &b.diags));
    assert_true(image_fit(&out, &b.arena, &m, 1, 28, 28, "x", &b.diags));
    assert_memory_equal(out.pixels, m.pixels, 784);
    assert_true(image_fit(&out, &b.arena, &m, 1, 32, 32, "x", &b.diags));
    for (int y = 0; y < 32; y++)
        for (int x = 0; x < 32; x++) {
            bool inside = x >= 2 && x < 30 && y >= 2 && y < 30;
            assert_int_equal(out.pixels[32 * y + x], inside ? m.pixels[28 * (y - 2) + x - 2] : 0);
        }
    assert_true(image_fit(&out, &b.arena, &m, 1, 50, 50, "x", &b.diags));
    assert_same(&b, &out, DATA "digit.png.50.npy");
    assert_true(image_fit(&out, &b.arena, &m, 3, 28, 28, "x", &b.diags));
    assert_true(out.channels == 3 && out.pixels[3] == m.pixels[1] && out.pixels[5] == m.pixels[1]);
    bench_end(&b);
}

/* Inputs that are not square are covered, then cropped. */
static void fits_other_shapes(void **state) {
    (void)state;
    BENCH(b);
    image m, out;
    assert_true(image_open(&m, &b.arena, DATA "rgb.png", &b.diags));
    const int sizes[][2] = {{10, 60}, {60, 10}, {45, 30}, {1, 1}, {224, 100}};
    for (int i = 0; i < 5; i++) {
        assert_true(image_fit(&out, &b.arena, &m, 3, sizes[i][0], sizes[i][1], "x", &b.diags));
        assert_true(out.height == sizes[i][0] && out.width == sizes[i][1] && out.channels == 3);
    }
    image_fit(&out, &b.arena, &m, 3, 45, 31, "x",
              &b.diags); /* as high as the picture: a crop in the middle */
    for (int y = 0; y < 45; y++) assert_memory_equal(out.pixels + 93 * y, m.pixels + 3 * (61 * y + 15), 93);
    assert_false(image_fit(&out, &b.arena, &m, 4, 32, 32, "x", &b.diags));
    assert_told(&b, "the net's input has 4");
    assert_false(image_fit(&out, &b.arena, &m, 3, 1 << 20, 32, "x", &b.diags));
    bench_end(&b);
}

static void normalises_as_torchvision(void **state) {
    (void)state;
    BENCH(b);
    image m, out;
    npy n;
    float got[3 * 32 * 32];
    const image_norm norm = {255, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
    assert_true(image_open(&m, &b.arena, DATA "rgb.png", &b.diags));
    assert_true(image_fit(&out, &b.arena, &m, 3, 32, 32, "x", &b.diags));
    const image_levels levels = image_levels_of(&norm);
    image_planar(got, &out, &levels);
    assert_true(npy_open(&n, &b.arena, DATA "rgb.png.32norm.npy", &b.diags));
    assert_int_equal(n.tensor.bytes, sizeof got);
    assert_memory_equal(got, n.tensor.data,
                        sizeof got); /* the same operations in the same order: the same bits */
    npy_close(&n);
    bench_end(&b);
}

static void refuses_what_is_no_picture(void **state) {
    (void)state;
    static const char *const paths[] = {DATA "a_f4.npy", "tests", "/dev/zero", "tests/none.png"};
    static const char *const told[] = {"neither a PNG nor a JPEG", "a folder", "a device", "cannot open"};
    for (int i = 0; i < 4; i++) {
        BENCH(b);
        image m;
        assert_false(image_open(&m, &b.arena, paths[i], &b.diags));
        assert_told(&b, told[i]);
        bench_end(&b);
    }
    BENCH(b);
    image m;
    assert_false(image_decode(&m, &b.arena, (const unsigned char *)"GIF89a", 6, "x", &b.diags));
    assert_told(&b, "a GIF picture");
    assert_false(image_decode(&m, &b.arena, NULL, 0, "x", &b.diags));
    assert_told(&b, "empty");
    bench_end(&b);
}

static void refuse_cuts(const char *path, size_t step) {
    size_t size;
    unsigned char *file = bytes_of(path, &size);
    for (size_t cut = 1; cut < size - 2; cut += step) { /* JPEG's last two bytes say only that it ends */
        BENCH(b);
        image m;
        unsigned char *copy = malloc(cut);
        assert_non_null(copy);
        memcpy(copy, file, cut);
        if (image_decode(&m, &b.arena, copy, cut, path, &b.diags))
            fail_msg("%s cut to %zu bytes was read", path, cut);
        assert_int_equal(b.diags.errors, 1);
        free(copy);
        bench_end(&b);
    }
    free(file);
}

static void refuses_truncated_pictures(void **state) {
    (void)state;
    refuse_cuts(DATA "rgb.png", 7);
    refuse_cuts(DATA "bilevel.png", 1);
    refuse_cuts(DATA "j420.jpg", 5);
    refuse_cuts(DATA "progressive.jpg", 5);
    refuse_cuts(DATA "gray.jpg", 3);
}

/* Headers that claim much: width and height at an offset, big-endian, of `bytes` each. */
static void refuse_claim(const char *path, const char *mark, size_t length, size_t skip, size_t bytes,
                         uint32_t claim, const char *told) {
    size_t size;
    unsigned char *file = bytes_of(path, &size), *at = memmem(file, size, mark, length);
    assert_non_null(at);
    for (size_t i = 0; i < 2 * bytes; i++)
        at[length + skip + i] = (unsigned char)(claim >> 8 * (bytes - 1 - i % bytes));
    BENCH(b);
    image m;
    double began = seconds_used();
    assert_false(image_decode(&m, &b.arena, file, size, path, &b.diags));
    assert_true(seconds_used() - began < REFUSAL_SECONDS);
    assert_told(&b, told);
    bench_end(&b);
    free(file);
}

static void refuses_claims(void **state) {
    (void)state;
    refuse_claim(DATA "rgb.png", "IHDR", 4, 0, 4, 0xffffffff, "up to 32768 a side");
    refuse_claim(DATA "rgb.png", "IHDR", 4, 0, 4, 20000, "up to 32768 a side");
    refuse_claim(DATA "rgb.png", "IHDR", 4, 0, 4, 8000, "cannot hold");
    refuse_claim(DATA "rgb.png", "IHDR", 4, 0, 4, 0, "0 x 0");
    refuse_claim(DATA "rgb.png", "IHDR", 4, 0, 4, 61, "damaged"); /* its checksum is wrong now */
    refuse_claim(DATA "j420.jpg", "\xff\xc0", 2, 3, 2, 8000, "cannot hold");
    refuse_claim(DATA "j420.jpg", "\xff\xc0", 2, 3, 2, 0, "damaged");
    refuse_claim(DATA "progressive.jpg", "\xff\xc2", 2, 3, 2, 60000, "up to 32768 a side");
    refuse_claim(DATA "progressive.jpg", "\xff\xc2", 2, 3, 2, 900, "damaged");
}

static void survives_mutation(void **state) {
    (void)state;
    static const char *const paths[] = {DATA "gray.png", DATA "palette.png",     DATA "bilevel.png",
                                        DATA "j420.jpg", DATA "progressive.jpg", DATA "cmyk.jpg",
                                        DATA "gray.jpg"};
    uint64_t seed = 4;
    int refused = 0, read = 0;
    double sum = 0;
    for (int p = 0; p < 7; p++) {
        size_t size;
        unsigned char *file = bytes_of(paths[p], &size), *copy = malloc(size);
        assert_non_null(copy);
        for (int i = 0; i < 500; i++) {
            BENCH(b);
            image m;
            memcpy(copy, file, size);
            size_t cut = mutate(copy, size, &seed);
            bool ok = image_decode(&m, &b.arena, copy, cut, "x", &b.diags);
            assert_int_equal(ok, b.diags.errors == 0);
            for (int k = 0; ok && k < m.width * m.height * m.channels; k++) sum += m.pixels[k];
            refused += !ok;
            read += ok;
            bench_end(&b);
        }
        free(copy);
        free(file);
    }
    assert_true(refused > 1000 && read > 100 && sum > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_as_pil),
        cmocka_unit_test(fits_as_torchvision),
        cmocka_unit_test(resizes_whole_or_in_part),
        cmocka_unit_test(pads_and_stretches_digits),
        cmocka_unit_test(fits_other_shapes),
        cmocka_unit_test(normalises_as_torchvision),
        cmocka_unit_test(refuses_what_is_no_picture),
        cmocka_unit_test(refuses_truncated_pictures),
        cmocka_unit_test(refuses_claims),
        cmocka_unit_test(survives_mutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
