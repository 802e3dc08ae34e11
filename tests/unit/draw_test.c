/* Charts, confusion matrices, maps: PNGs of the stated sizes with the stated colours where they belong. Without
 * Cairo: that this is said. */
#include "tests/support/hostile.h"

#include "runtime/image.h"
#include "runtime/maps.h"
#include "runtime/plot.h"

#include <math.h>

static const unsigned char BLUE[] = {0, 114, 178}, ORANGE[] = {230, 159, 0}, WHITE[] = {255, 255, 255};

typedef struct fixture {
    bench bench;
    char folder[64];
    bool draws; /* built with Cairo */
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    const char *root = getenv("TMPDIR");
    arena_init(&f->bench.arena, 512 << 20, &f->bench.trap);
    f->bench.diags.arena = &f->bench.arena;
    snprintf(f->folder, sizeof f->folder, "%.40s/netc-draw-XXXXXX", root ? root : "/tmp");
    *state = f;
    if (!mkdtemp(f->folder)) return -1;
    diags d = {.arena = &f->bench.arena};
    const char *path = arena_printf(&f->bench.arena, "%s/try.png", f->folder);
    f->draws = plot_results(path, NULL, 0, &d);
    return !f->draws && !strstr(d.first->text, "libcairo2-dev") ? -1 : 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int failed = system(command);
    bench_end(&f->bench);
    free(f);
    return failed;
}

#define NEEDS_CAIRO(f)                                                                                       \
    if (!(f)->draws) skip()

static const char *path_of(fixture *f, const char *name) {
    return arena_printf(&f->bench.arena, "%s/%s", f->folder, name);
}

static image open_image(fixture *f, const char *name) {
    image m;
    assert_true(image_open(&m, &f->bench.arena, path_of(f, name), &f->bench.diags));
    assert_quiet(&f->bench);
    return image_convert(&f->bench.arena, &m, 3);
}

static const unsigned char *pixel(const image *m, int x, int y) {
    assert_true(x >= 0 && x < m->width && y >= 0 && y < m->height);
    return m->pixels + 3 * ((int64_t)y * m->width + x);
}

static void assert_color(const image *m, int x, int y, const unsigned char color[3]) {
    const unsigned char *p = pixel(m, x, y);
    for (int k = 0; k < 3; k++)
        if (abs(p[k] - color[k]) > 1)
            fail_msg("(%d,%d) is %d %d %d, not %d %d %d", x, y, p[0], p[1], p[2], color[0], color[1],
                     color[2]);
}

/* Pixels of exactly this colour in columns from..to. */
static int count_color(const image *m, const unsigned char color[3], int from, int to) {
    int count = 0;
    for (int y = 0; y < m->height; y++)
        for (int x = from; x < to; x++) count += memcmp(pixel(m, x, y), color, 3) == 0;
    return count;
}

/* ---- a run ---- */

/* 540 × 216 units of 1/72 inch at 300 an inch. The panels' middles: x from 52 to 256 (and 270 further), y from 30
 * to 176. Loss runs over 0..2, so that 1 at the middle epoch is the middle. */
static void results_have_points_where_numbers_are(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const plot_row rows[] = {{1, 2, NAN, 0, NAN}, {2, 1, NAN, NAN, 0.5}, {3, 0, NAN, 1, NAN}};
    assert_true(plot_results(path_of(f, "r.png"), rows, 3, &f->bench.diags));
    image m = open_image(f, "r.png");
    assert_int_equal(m.width, 2250);
    assert_int_equal(m.height, 900);
    assert_color(&m, 154 * 300 / 72, 103 * 300 / 72, BLUE);
    assert_color(&m, 424 * 300 / 72, 103 * 300 / 72, ORANGE); /* 50 % of the test, alone at epoch 2 */
    assert_color(&m, 4, 4, WHITE);
    size_t size;
    unsigned char *bytes = bytes_of(path_of(f, "r.png"), &size);
    assert_memory_equal(bytes + 33, "\0\0\0\x09pHYs\0\0\x2e\x23\0\0\x2e\x23\x01", 17); /* 11811 a metre */
    free(bytes);
}

/* What explodes is no point; the picture stays one. */
static void results_bear_any_numbers(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const plot_row odd[][2] = {
        {{1, NAN, NAN, NAN, NAN}, {2, INFINITY, -INFINITY, NAN, NAN}},
        {{1, 1e300, 3, 0.5, 0.5}, {2, 1e-300, 3, 0.5, 0.5}},
        {{NAN, 1, 1, 1, 1}, {INFINITY, 1, 1, 1, 1}},
        {{1e9, 1, 1e29, 1, -1}, {1e9 + 1, -1e29, 1, 1, 1}},
    };
    for (int k = 0; k < 4; k++) {
        assert_true(plot_results(path_of(f, "odd.png"), odd[k], 2, &f->bench.diags));
        image m = open_image(f, "odd.png");
        assert_int_equal(m.width, 2250);
    }
    assert_true(plot_results(path_of(f, "none.png"), NULL, 0, &f->bench.diags));
    image none = open_image(f, "none.png");
    assert_true(count_color(&none, BLUE, 0, 1125) > 100); /* the key is there */
    assert_true(count_color(&none, BLUE, 0, 1125) < 5000);
    static const plot_row line[] = {{1, 0, 0, 0, 0}, {9, 9, 9, 1, 1}};
    assert_true(plot_results(path_of(f, "line.png"), line, 2, &f->bench.diags));
    image drawn = open_image(f, "line.png");
    assert_true(count_color(&drawn, ORANGE, 0, 1125) > count_color(&none, ORANGE, 0, 1125) + 1000);
    assert_true(count_color(&drawn, ORANGE, 1125, 2250) > count_color(&none, ORANGE, 1125, 2250) + 1000);
}

static void svg_where_the_path_says_so(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const plot_row rows[] = {{1, 2, 2, 0, 0}, {2, 1, 1, 1, 1}};
    size_t size;
    assert_true(plot_results(path_of(f, "r.svg"), rows, 2, &f->bench.diags));
    unsigned char *bytes = bytes_of(path_of(f, "r.svg"), &size);
    bytes[size - 1] = 0;
    assert_memory_equal(bytes, "<?xml", 5);
    assert_non_null(strstr((char *)bytes, "viewBox=\"0 0 540 216\""));
    assert_non_null(strstr((char *)bytes, "</svg>"));
    free(bytes);
}

static void what_cannot_be_written_is_told(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const plot_row rows[] = {{1, 2, 2, 0, 0}};
    static const int64_t wide[] = {1, 1, 20000};
    float *data = calloc(20000, sizeof *data);
    const maps_value v = {"wide", 3, wide, data};
    assert_false(plot_results("/nowhere/at/all.png", rows, 1, &f->bench.diags));
    assert_told(&f->bench, "/nowhere/at/all.png");
    assert_false(maps_draw(path_of(f, "wide.png"), &v, 1, 20, &f->bench.diags));
    assert_told(&f->bench, "16384 a side is the most");
    assert_int_not_equal(access(path_of(f, "wide.png"), F_OK), 0);
    free(data);
}

/* ---- several runs ---- */

static void the_first_point_past_a_level(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3, 4}, falls[] = {NAN, 80, 25, 10}, rises[] = {0, 0.4, NAN, 0.9};
    const plot_curve down = {"down", x, falls, 4}, up = {"up", x, rises, 4}, none = {"none", x, falls, 1};
    assert_int_equal(plot_first_past(&down, 25), 2);
    assert_int_equal(plot_first_past(&down, 5), -1);
    assert_int_equal(plot_first_past(&up, 0.5), 3);
    assert_int_equal(plot_first_past(&none, 0.5), -1);
}

static void runs_have_a_colour_each(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const double x[] = {0, 100}, one[] = {90, 10}, two[] = {90, 50};
    const plot_curve curves[] = {{"relu4-1", x, one, 2}, {"tanh4-1 \xff\x1b", x, two, 2}};
    const plot_chart chart = {"Error", "step", "error (%)", curves, 2, 25};
    assert_true(plot_curves(path_of(f, "c.png"), &chart, &f->bench.diags));
    image m = open_image(f, "c.png");
    assert_int_equal(m.width, 2250);
    assert_int_equal(m.height, 1170);
    assert_true(count_color(&m, BLUE, 250, 1700) > 2000 && count_color(&m, ORANGE, 250, 1700) > 2000);
    assert_true(count_color(&m, BLUE, 1700, 2250) > 100 && count_color(&m, ORANGE, 1700, 2250) > 100);
}

/* ---- confusion ---- */

/* Cells are 26 units wide, the first ends at the right edge's 64 units less two of them; the top is at 34. A
 * row's 3 of 4 is three quarters of the way from white to (8, 48, 107). */
static void confusion_shades_shares_of_rows(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const int64_t counts[] = {3, 1, 0, 4};
    static const unsigned char three_quarters[] = {70, 100, 144}, quarter[] = {193, 204, 218},
                               deep[] = {8, 48, 107};
    assert_true(plot_confusion(path_of(f, "c.png"), counts, 2, NULL, &f->bench.diags));
    image m = open_image(f, "c.png");
    double unit = 300.0 / 72, right = m.width - 64 * unit, left = right - 2 * 26 * unit, top = 34 * unit;
    int inset = (int)(3 * unit), second = (int)(29 * unit); /* beside the count in the middle */
    assert_color(&m, (int)left + inset, (int)top + inset, three_quarters);
    assert_color(&m, (int)left + second, (int)top + inset, quarter);
    assert_color(&m, (int)left + inset, (int)top + second, WHITE);
    assert_color(&m, (int)left + second, (int)top + second, deep);
}

static void confusion_of_many_classes_fits(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    enum { CLASSES = 1000 };
    int64_t *counts = calloc((size_t)CLASSES * CLASSES, sizeof *counts);
    for (int k = 0; k < CLASSES; k++) counts[k * (CLASSES + 1)] = 50;
    static const char *const names[] = {"a name that is far too long for any margin", "\xc3\xa9t\xc3\xa9",
                                        "\x01"};
    assert_true(plot_confusion(path_of(f, "m.png"), counts, CLASSES, NULL, &f->bench.diags));
    image m = open_image(f, "m.png");
    assert_true(m.width > 2000 && m.width < 4000 && m.height > 2000 && m.height < 4000);
    assert_true(
        plot_confusion(path_of(f, "n.png"), counts, 3, names, &f->bench.diags)); /* rows of nothing, too */
    open_image(f, "n.png");
    free(counts);
}

/* ---- maps ---- */

static void layouts_follow_from_shapes(void **state) {
    (void)state;
    static const struct {
        int rank;
        int64_t dims[4];
        maps_grid is; /* maps, shown, height, width, columns, rows, zoom, indent */
    } known[] = {
        {3, {32, 24, 24}, {32, 20, 24, 24, 5, 4, 6, 0}}, {3, {6, 28, 28}, {6, 6, 28, 28, 3, 2, 5, 0}},
        {3, {7, 300, 8}, {7, 7, 300, 8, 3, 3, 1, 0}},    {3, {16, 1, 1}, {16, 16, 1, 1, 4, 4, 144, 0}},
        {4, {2, 8, 4, 4}, {16, 16, 4, 4, 4, 4, 36, 0}},  {2, {28, 100}, {1, 1, 28, 100, 1, 1, 5, 18}},
        {2, {4, 3}, {1, 1, 4, 3, 1, 1, 32, 18}},         {1, {10}, {1, 1, 1, 10, 1, 1, 32, 0}},
        {1, {300}, {1, 1, 3, 128, 1, 1, 6, 0}},          {0, {0}, {1, 1, 1, 1, 1, 1, 32, 0}},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        const maps_value v = {"v", known[k].rank, known[k].dims, NULL};
        maps_grid g = maps_grid_of(&v, MAPS_SHOWN);
        assert_memory_equal(&g, &known[k].is, sizeof g);
    }
}

/* The place of number (row, column) of map k, of the first value. */
static void assert_square(const image *m, const maps_grid *g, int k, int row, int column, int grey) {
    int zoom = (int)g->zoom, x = MAPS_MARGIN + (int)g->indent, y = MAPS_MARGIN + MAPS_TITLE;
    x += k % (int)g->columns * ((int)g->width * zoom + MAPS_GAP) + column * zoom;
    y += k / (int)g->columns * ((int)g->height * zoom + MAPS_GAP) + row * zoom;
    const unsigned char color[] = {(unsigned char)grey, (unsigned char)grey, (unsigned char)grey};
    const int corners[] = {0, zoom - 1};
    for (int i = 0; i < 4; i++) assert_color(m, x + corners[i / 2], y + corners[i % 2], color);
}

static void every_map_has_its_own_scale(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const int64_t dims[] = {24, 6, 6};
    float data[24 * 36];
    for (int k = 0; k < 24 * 36; k++)
        data[k] = (float)(k / 36 + 1) * (float)(k % 36) - 100; /* map k: k + 1 steps */
    for (int k = 0; k < 36; k++) data[5 * 36 + k] = 7;
    data[7 * 36] = NAN;
    data[7 * 36 + 35] = INFINITY;
    const maps_value v = {"conv1", 3, dims, data};
    assert_true(maps_draw(path_of(f, "m.png"), &v, 1, MAPS_SHOWN, &f->bench.diags));
    image m = open_image(f, "m.png");
    maps_grid g = maps_grid_of(&v, MAPS_SHOWN);
    assert_int_equal(m.width, 2 * MAPS_MARGIN + 5 * 144 + 4 * MAPS_GAP);
    assert_int_equal(m.height, 2 * MAPS_MARGIN + MAPS_TITLE + 4 * (144 + MAPS_GAP));
    for (int k = 0; k < 20; k += 3) {
        assert_square(&m, &g, k, 0, 0, 0);
        assert_square(&m, &g, k, 5, 5, 255);
        assert_square(&m, &g, k, 3, 4, 22 * 255 / 35);
    }
    assert_square(&m, &g, 5, 0, 0, 128);
    assert_square(&m, &g, 7, 0, 1, 0);
    static const unsigned char vermilion[] = {213, 94, 0};
    assert_color(&m, MAPS_MARGIN + 2 * 150 + 3, MAPS_MARGIN + MAPS_TITLE + 150 + 3, vermilion);
}

static void values_stand_one_below_the_other(void **state) {
    fixture *f = *state;
    NEEDS_CAIRO(f);
    static const int64_t sequence[] = {4, 3}, strip[] = {2};
    static const float data[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const maps_value v[] = {{"lstm", 2, sequence, data}, {"fc", 1, strip, data}};
    assert_true(maps_draw(path_of(f, "two.png"), v, 2, MAPS_SHOWN, &f->bench.diags));
    image m = open_image(f, "two.png");
    maps_grid g = maps_grid_of(&v[0], MAPS_SHOWN);
    for (int k = 0; k < 12; k++) assert_square(&m, &g, 0, k / 3, k % 3, (int)lround(k * 255 / 11.0));
    /* below: 4 rows of 32 pixels, the gap, the word, the next title */
    int y = MAPS_MARGIN + MAPS_TITLE + 4 * 32 + MAPS_GAP + 18 + MAPS_TITLE;
    static const unsigned char black[] = {0, 0, 0};
    assert_color(&m, MAPS_MARGIN + 16, y + 16, black);
    assert_color(&m, MAPS_MARGIN + 32 + 16, y + 16, WHITE);
    assert_int_equal(m.height, y + 32 + MAPS_GAP + MAPS_MARGIN);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(results_have_points_where_numbers_are),
        TEST(results_bear_any_numbers),
        TEST(svg_where_the_path_says_so),
        TEST(what_cannot_be_written_is_told),
        TEST(the_first_point_past_a_level),
        TEST(runs_have_a_colour_each),
        TEST(confusion_shades_shares_of_rows),
        TEST(confusion_of_many_classes_fits),
        TEST(layouts_follow_from_shapes),
        TEST(every_map_has_its_own_scale),
        TEST(values_stand_one_below_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
