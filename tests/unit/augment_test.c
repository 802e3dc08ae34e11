/* Augmentations: places and colours as torchvision changes PIL's pictures (numbers by tests/goldens/augment.py),
 * chains of a recipe in training and in testing, what is drawn and what it depends on. */
#include "tests/support/hostile.h"

#include "runtime/augment.h"
#include "runtime/augment_rows.h"
#include "runtime/random.h"
#include "runtime/tensors.h"

#include <math.h>

#define DATA   "tests/data/runtime/"
#define GOLDEN "tests/data/augment/"

static image open_picture(bench *b, const char *name) {
    image m;
    const char *folder = strcmp(name, "rainbow.png") == 0 ? GOLDEN : DATA;
    assert_true(image_open(&m, &b->arena, arena_printf(&b->arena, "%s%s", folder, name), &b->diags));
    return m;
}

/* The golden PICTURE.CHANGE within so many levels. */
static void assert_near(bench *b, const tensors *goldens, const image *m, const char *picture,
                        const char *change, int levels) {
    const char *name = arena_printf(&b->arena, "%s.%s", picture, change);
    const stored_tensor *t = tensors_find(goldens, name);
    if (!t) fail_msg("%s is missing", name);
    assert_int_equal(t->dims[0], m->height);
    assert_int_equal(t->dims[1], m->width);
    assert_int_equal(t->rank == 3 ? t->dims[2] : 1, m->channels);
    for (int64_t i = 0; i < t->count; i++)
        if (abs(m->pixels[i] - t->data[i]) > levels)
            fail_msg("%s: byte %lld is %d, torchvision's is %d", name, (long long)i, m->pixels[i],
                     t->data[i]);
}

static void moves_as_torchvision(void **state) {
    (void)state;
    static const char *const names[] = {"rgb.png", "gray.png"};
    static const char *const golden[] = {
        "pad3",         "flip",         "vflip",        "crop_5_7_20_16", "resized_crop_5_7_20_16_24_12",
        "center_20_16", "center_64_16", "center_49_70", "resize_20",      "resize_50",
        "resize_31_17"};
    for (int k = 0; k < 2; k++) {
        BENCH(b);
        tensors t;
        assert_true(tensors_open(&t, &b.arena, GOLDEN "torchvision.npz", &b.diags));
        arena *a = &b.arena;
        image m = open_picture(&b, names[k]);
        const image_window w = {7, 5, 16, 20}, all = {0, 0, m.width, m.height};
        int height[2], width[2];
        image_shorter_side(&m, 20, &height[0], &width[0]);
        image_shorter_side(&m, 50, &height[1], &width[1]);
        const image made[] = {image_pad(a, &m, 3, 3, 3, 3),
                              image_flip(a, &m),
                              image_flip_vertical(a, &m),
                              image_crop(a, &m, w),
                              image_resized_crop(a, &m, w, 24, 12),
                              image_center_crop(a, &m, 20, 16),
                              image_center_crop(a, &m, 64, 16),
                              image_center_crop(a, &m, 49, 70),
                              image_resized_crop(a, &m, all, height[0], width[0]),
                              image_resized_crop(a, &m, all, height[1], width[1]),
                              image_resized_crop(a, &m, all, 31, 17)};
        for (int i = 0; i < 11; i++) assert_near(&b, &t, &made[i], names[k], golden[i], 0);
        tensors_close(&t);
        bench_end(&b);
    }
}

static const struct {
    const char *name;
    image (*change)(arena *, const image *, double);
    int count;
    const char *factors[5];
} colors[] = {{"brightness", image_brightness, 4, {"0.0", "0.4", "1.0", "1.7"}},
              {"contrast", image_contrast, 4, {"0.0", "0.4", "1.0", "1.7"}},
              {"saturation", image_saturation, 4, {"0.0", "0.4", "1.0", "1.7"}},
              {"hue", image_hue, 5, {"-0.5", "-0.13", "0.0", "0.07", "0.5"}}};

static void colours_as_torchvision(void **state) {
    (void)state;
    static const char *const names[] = {"rgb.png", "gray.png", "rainbow.png"};
    for (int k = 0; k < 3; k++) {
        BENCH(b);
        tensors t;
        assert_true(tensors_open(&t, &b.arena, GOLDEN "torchvision.npz", &b.diags));
        image m = open_picture(&b, names[k]), gray = image_grayscale(&b.arena, &m);
        assert_near(&b, &t, &gray, names[k], "grayscale", 0);
        for (int c = 0; c < 4; c++)
            for (int f = 0; f < colors[c].count; f++) {
                image out = colors[c].change(&b.arena, &m, strtod(colors[c].factors[f], NULL));
                assert_near(&b, &t, &out, names[k],
                            arena_printf(&b.arena, "%s_%s", colors[c].name, colors[c].factors[f]), 0);
            }
        tensors_close(&t);
        bench_end(&b);
    }
}

/* ---- chains ---- */

#define NUMBER(key, x)                                                                                       \
    { .name = key, .number = x }
#define LIST(key, ...)                                                                                       \
    {                                                                                                        \
        .name = key, .list = (const double[]){__VA_ARGS__},                                                  \
        .count = sizeof((double[]){__VA_ARGS__}) / sizeof(double)                                            \
    }

static picture_input input_of(int channels, int height, int width) {
    return (picture_input){channels, height, width, {.divisor = 255, .std = {1, 1, 1}}};
}

/* A picture whose pixels all differ. */
static image numbered(arena *a, int height, int width) {
    image m = {width, height, 1, arena_alloc(a, (size_t)(height * width), 1)};
    for (int k = 0; k < height * width; k++) m.pixels[k] = (unsigned char)(k + 1);
    return m;
}

/* The picture after a chain; without pixels where it was refused. */
static image changed(bench *b, const image *m, const net_rule *rules, int count, picture_input to,
                     bool training, int64_t index) {
    augment *g = augment_new(&b->arena, rules, count, &to, training, 0, 0, &b->diags);
    const augment_sample s = {7, 3, index, "x.png"};
    image begun, out;
    assert_non_null(g);
    if (!augment_begin(g, &begun, &b->arena, m, "x.png", &b->diags) ||
        !augment_finish(g, &out, &b->arena, &begun, &s, &b->diags))
        return (image){0};
    return out;
}

static bool same(const image *x, const image *y) {
    return x->width == y->width && x->height == y->height && x->channels == y->channels &&
           memcmp(x->pixels, y->pixels, (size_t)(x->width * x->height * x->channels)) == 0;
}

/* Each is a crop of the padded picture, and each place comes up about as often. */
static void random_crops_come_from_everywhere(void **state) {
    (void)state;
    BENCH(b);
    image m = numbered(&b.arena, 6, 5), padded = image_pad(&b.arena, &m, 2, 2, 2, 2);
    const net_rule_arg args[] = {LIST("size", 6, 5), NUMBER("pad", 2)};
    const net_rule crop = {"random_crop", args, 2};
    int counts[5][5] = {{0}}, found = 0;
    for (int i = 0; i < 2500; i++) {
        image out = changed(&b, &m, &crop, 1, input_of(1, 6, 5), true, i);
        for (int y = 0; y < 5; y++)
            for (int x = 0; x < 5; x++) {
                image part = image_crop(&b.arena, &padded, (image_window){x, y, 5, 6});
                if (same(&out, &part)) counts[y][x]++, found++;
            }
    }
    assert_int_equal(found, 2500);
    for (int k = 0; k < 25; k++) assert_in_range(counts[k / 5][k % 5], 60, 140);
    bench_end(&b);
}

static void flips_as_often_as_asked(void **state) {
    (void)state;
    BENCH(b);
    image m = numbered(&b.arena, 4, 4);
    const image flipped[] = {image_flip(&b.arena, &m), image_flip_vertical(&b.arena, &m)};
    static const char *const names[] = {"random_flip", "random_vertical_flip"};
    static const double chances[] = {0, 0.5, 0.9, 1};
    for (int k = 0; k < 8; k++) {
        const net_rule_arg p = {.name = "p", .number = chances[k / 2]};
        const net_rule rule = {names[k % 2], &p, 1};
        int turned = 0, kept = 0;
        for (int i = 0; i < 1000; i++) {
            image out = changed(&b, &m, &rule, 1, input_of(1, 4, 4), true, i);
            turned += same(&out, &flipped[k % 2]);
            kept += same(&out, &m);
        }
        assert_int_equal(turned + kept, 1000);
        assert_true(fabs(turned - 1000 * chances[k / 2]) <=
                    (chances[k / 2] > 0 && chances[k / 2] < 1 ? 60 : 0));
    }
    bench_end(&b);
}

/* On a slope from 0 to 255 a crop's levels tell its place and size. */
static void resized_crops_have_the_areas_and_shapes_asked_for(void **state) {
    (void)state;
    BENCH(b);
    image m = {256, 256, 3, arena_alloc(&b.arena, 256 * 256, 3)};
    for (int k = 0; k < 256 * 256; k++)
        m.pixels[3 * k] = (unsigned char)(k % 256), m.pixels[3 * k + 1] = (unsigned char)(k / 256);
    const net_rule_arg args[] = {NUMBER("size", 64), LIST("scale", 0.25, 0.5), LIST("ratio", 0.5, 2)};
    const net_rule rule = {"random_resized_crop", args, 3};
    double least = 1, most = 0;
    for (int i = 0; i < 300; i++) {
        image out = changed(&b, &m, &rule, 1, input_of(3, 64, 64), true, i);
        const unsigned char *first = out.pixels, *last = out.pixels + 3 * (64 * 64 - 1);
        double width = (last[0] - first[0]) * 64.0 / 63, height = (last[1] - first[1]) * 64.0 / 63;
        double area = width * height / 65536, ratio = width / height;
        assert_true(area > 0.23 && area < 0.53 && ratio > 0.47 && ratio < 2.1);
        least = fmin(least, ratio), most = fmax(most, ratio);
    }
    assert_true(least < 0.6 && most > 1.7);
    bench_end(&b);
}

/* As torchvision falls back to the middle. */
static void resized_crops_of_thin_pictures_take_the_middle(void **state) {
    (void)state;
    BENCH(b);
    image m = numbered(&b.arena, 200, 1);
    const net_rule_arg args[] = {NUMBER("size", 1), LIST("scale", 1, 1)};
    const net_rule rule = {"random_resized_crop", args, 2};
    image out = changed(&b, &m, &rule, 1, input_of(1, 1, 1), true, 0);
    assert_in_range(out.pixels[0], 99, 102);
    bench_end(&b);
}

/* Factors 0.5 to 1.5, each picture its own; hue alone keeps the greatest channel. */
static void jitters_within_bounds(void **state) {
    (void)state;
    BENCH(b);
    image m = numbered(&b.arena, 1, 1);
    m.pixels[0] = 100;
    const net_rule_arg bright = NUMBER("brightness", 0.5), hue = NUMBER("hue", 0.5);
    int least = 255, most = 0;
    for (int i = 0; i < 300; i++) {
        image out = changed(&b, &m, &(net_rule){"color_jitter", &bright, 1}, 1, input_of(1, 1, 1), true, i);
        least = out.pixels[0] < least ? out.pixels[0] : least;
        most = out.pixels[0] > most ? out.pixels[0] : most;
    }
    assert_true(least >= 50 && least < 55 && most <= 150 && most > 145);
    image color = {1, 1, 3, (unsigned char[]){200, 100, 50}};
    int different = 0;
    for (int i = 0; i < 100; i++) {
        image out = changed(&b, &color, &(net_rule){"color_jitter", &hue, 1}, 1, input_of(3, 1, 1), true, i);
        int top = out.pixels[0];
        for (int c = 1; c < 3; c++) top = out.pixels[c] > top ? out.pixels[c] : top;
        assert_int_equal(top, 200);
        different += !same(&out, &color);
    }
    assert_true(different > 90);
    bench_end(&b);
}

/* The order of the four is drawn: darkening and contrast do not commute. */
static void jitters_in_any_order(void **state) {
    (void)state;
    BENCH(b);
    image m = open_picture(&b, "rgb.png");
    const net_rule_arg args[] = {NUMBER("brightness", 0.9), NUMBER("contrast", 0.9)};
    const net_rule rule = {"color_jitter", args, 2};
    int brighter_first = 0, tried = 40;
    for (int i = 0; i < tried; i++) {
        const augment_sample s = {7, 3, i, "x.png"};
        draws r = draws_of(&s, 0);
        int order[4] = {0, 1, 2, 3};
        for (int k = 3; k > 0; k--) {
            int other = draw_below(&r, k + 1), held = order[k];
            order[k] = order[other], order[other] = held;
        }
        double bright = draw_between(&r, 0.1, 1.9), contrast = draw_between(&r, 0.1, 1.9);
        bool first = false;
        for (int k = 0, seen = 0; k < 4 && !seen; k++) seen = order[k] < 2, first = order[k] == 0;
        image x = first ? image_brightness(&b.arena, &m, bright) : image_contrast(&b.arena, &m, contrast);
        x = first ? image_contrast(&b.arena, &x, contrast) : image_brightness(&b.arena, &x, bright);
        image out = changed(&b, &m, &rule, 1, input_of(3, m.height, m.width), true, i);
        assert_true(same(&out, &x));
        brighter_first += first;
    }
    assert_in_range(brighter_first, 8, 32);
    bench_end(&b);
}

static void permutes_once_and_for_all(void **state) {
    (void)state;
    BENCH(b);
    image m = numbered(&b.arena, 5, 7);
    const net_rule_arg one = NUMBER("seed", 1), two = NUMBER("seed", 2);
    const net_rule rule = {"permute", &one, 1}, other = {"permute", &two, 1};
    image train = changed(&b, &m, &rule, 1, input_of(1, 5, 7), true, 0);
    image later = changed(&b, &m, &rule, 1, input_of(1, 5, 7), true, 99);
    image test = changed(&b, &m, &rule, 1, input_of(1, 5, 7), false, 5);
    image else_where = changed(&b, &m, &other, 1, input_of(1, 5, 7), false, 5);
    assert_true(same(&train, &later) && same(&train, &test) && !same(&train, &m) &&
                !same(&train, &else_where));
    int seen[36] = {0};
    for (int k = 0; k < 35; k++) seen[train.pixels[k]]++;
    for (int k = 1; k <= 35; k++) assert_int_equal(seen[k], 1);
    bench_end(&b);
}

/* In testing nothing is drawn: crops take the middle, the rest is left out. */
static void tests_without_chance(void **state) {
    (void)state;
    BENCH(b);
    image m = open_picture(&b, "rgb.png"), fitted;
    const net_rule_arg crop[] = {NUMBER("size", 32), NUMBER("pad", 4)}, jitter = NUMBER("contrast", 1);
    const net_rule rules[] = {
        {"random_crop", crop, 2}, {"random_flip", NULL, 0}, {"color_jitter", &jitter, 1}};
    image middle = image_center_crop(&b.arena, &m, 32, 32);
    image out = changed(&b, &m, rules, 3, input_of(3, 32, 32), false, 1);
    assert_true(same(&out, &middle));
    const net_rule resized = {"random_resized_crop", crop, 1};
    assert_true(image_fit(&fitted, &b.arena, &m, 3, 32, 32, "x", &b.diags));
    out = changed(&b, &m, &resized, 1, input_of(3, 32, 32), false, 1);
    assert_true(same(&out, &fitted));
    out = changed(&b, &m, NULL, 0, input_of(3, 32, 32), true, 1);
    assert_true(same(&out, &fitted));
    bench_end(&b);
}

/* Seed, epoch and index change what is drawn; nothing else does. */
static void draws_by_counter(void **state) {
    (void)state;
    const augment_sample samples[] = {{7, 3, 5, NULL}, {8, 3, 5, NULL}, {7, 4, 5, NULL}, {7, 3, 6, NULL}};
    double first[5], again;
    for (int k = 0; k < 5; k++) {
        draws r = draws_of(&samples[k % 4], k / 4);
        first[k] = draw_between(&r, 0, 1);
        assert_true(first[k] > 0 && first[k] < 1);
        for (int i = 0; i < k; i++) assert_true(first[i] != first[k]);
        r = draws_of(&samples[k % 4], k / 4);
        again = draw_between(&r, 0, 1);
        assert_true(again == first[k]); /* to the bit */
    }
}

static void refuses_what_cannot_be(void **state) {
    (void)state;
    static const net_rule_arg crop40 = NUMBER("size", 40), pad2 = NUMBER("pad", 2),
                              huge = NUMBER("size", 60000);
    const net_rule_arg wrong[] = {NUMBER("size", 32),
                                  {.name = "scale", .list = (const double[]){1, 0.5}, .count = 2}};
    BENCH(b);
    const picture_input to = input_of(1, 28, 28);
    image m = numbered(&b.arena, 28, 28);
    assert_null(augment_new(&b.arena, &(net_rule){"pad", &pad2, 1}, 1, &to, true, 28, 28, &b.diags));
    assert_told(&b, "after pad pictures are 32 x 32, but the net takes 28 x 28");
    assert_null(
        augment_new(&b.arena, &(net_rule){"random_resized_crop", wrong, 2}, 1, &to, true, 0, 0, &b.diags));
    assert_told(&b, "'scale' is a list of two numbers");
    assert_null(
        changed(&b, &m, &(net_rule){"random_crop", &crop40, 1}, 1, input_of(1, 40, 40), true, 0).pixels);
    assert_told(&b, "x.png: random_crop takes 40 x 40 of a picture that is only 28 x 28");
    assert_null(changed(&b, &m, &(net_rule){"resize", &huge, 1}, 1, to, true, 0).pixels);
    assert_told(&b, "x.png: resize would make this picture 60000 x 60000");
    bench_end(&b);
}

/* Against libm's, which may differ in the last bit. */
static void steady_functions_are_near(void **state) {
    (void)state;
    for (double x = -20; x < 20; x += 0.37) assert_true(fabs(steady_exp(x) / exp(x) - 1) < 1e-14);
    for (double x = 1e-3; x < 1e3; x *= 1.7)
        assert_true(fabs(steady_log(x) - log(x)) < 1e-14 * (1 + fabs(log(x))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_as_torchvision),
        cmocka_unit_test(colours_as_torchvision),
        cmocka_unit_test(random_crops_come_from_everywhere),
        cmocka_unit_test(flips_as_often_as_asked),
        cmocka_unit_test(resized_crops_have_the_areas_and_shapes_asked_for),
        cmocka_unit_test(resized_crops_of_thin_pictures_take_the_middle),
        cmocka_unit_test(jitters_within_bounds),
        cmocka_unit_test(jitters_in_any_order),
        cmocka_unit_test(permutes_once_and_for_all),
        cmocka_unit_test(tests_without_chance),
        cmocka_unit_test(draws_by_counter),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(steady_functions_are_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
