/* Batches for training: what is in them, whatever the number of threads and wherever a run goes on; each kind of
 * sample and target; what is refused. Sets and nets are made here. */
#include "tests/support/hostile.h"

#include "runtime/characters.h"
#include "runtime/loader.h"
#include "runtime/npy.h"

#include <ftw.h>
#include <sys/stat.h>

#define DATA "tests/data/runtime/"

enum { COUNT = 23, SIDE = 6, PIXELS = SIDE * SIDE };

typedef struct folder {
    char path[64];
} folder;

static folder new_folder(void) {
    folder f = {"/tmp/netc-loader-XXXXXX"};
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

static void copy_file(const char *from, const char *to) {
    size_t size;
    unsigned char *bytes = bytes_of(from, &size);
    write_bytes(to, bytes, size);
    free(bytes);
}

static void save(const folder *f, const char *name, element_type type, int rank, const int64_t *dims,
                 const void *data) {
    BENCH(b);
    assert_true(npy_write(in(f, name), type, rank, dims, data, &b.diags));
    bench_end(&b);
}

/* ---- a set of small pictures: pixel p of picture i is 7 i + p, its label i mod 4 ---- */

static void write_pictures(const folder *f) {
    unsigned char x[COUNT * PIXELS], y[COUNT];
    const int64_t dims[] = {COUNT, SIDE, SIDE};
    for (int k = 0; k < COUNT * PIXELS; k++) x[k] = (unsigned char)(7 * (k / PIXELS) + k % PIXELS);
    for (int i = 0; i < COUNT; i++) y[i] = (unsigned char)(i % 4);
    save(f, "x.npy", EL_U8, 3, dims, x);
    save(f, "y.npy", EL_U8, 1, dims, y);
}

static const double mean[] = {0.5}, deviation[] = {0.25};
static const net_tensor picture_tensor = {.name = "image",
                                          .batched = true,
                                          .rank = 3,
                                          .dims = {1, SIDE, SIDE},
                                          .count = PIXELS,
                                          .mean = mean,
                                          .std = deviation,
                                          .channels = 1};
static const net_tensor rows_tensor = {
    .name = "rows", .batched = true, .rank = 2, .dims = {SIDE, SIDE}, .count = PIXELS};
static const net_tensor four_scores = {.name = "scores", .batched = true, .rank = 1, .dims = {4}, .count = 4};

static const net_rule_arg crop_args[] = {{.name = "size", .number = SIDE}, {.name = "pad", .number = 2}};
static const net_rule crop_and_flip[] = {{"random_crop", crop_args, 2}, {"random_flip", NULL, 0}};
static const net_recipe classes_of_crops = {.loss = "cross_entropy",
                                            .augment = crop_and_flip,
                                            .augment_count = 2,
                                            .classes = true,
                                            .target_count = 1,
                                            .class_count = 4};
static const net_recipe four_classes = {
    .loss = "cross_entropy", .classes = true, .target_count = 1, .class_count = 4};

static net net_of(const net_tensor *input, const net_recipe *recipe) {
    return (net){.name = "tiny",
                 .inputs = input,
                 .input_count = 1,
                 .outputs = &four_scores,
                 .output_count = 1,
                 .scores = SCORES_LOGITS,
                 .recipe = recipe};
}

static const loader_options training = {.batch = 5, .seed = 9, .shuffle = true, .augment = true};

/* ---- what batches are ---- */

/* All that a batch is, as one number. */
static uint64_t sum_of(const loader_batch *b, size_t input, size_t target) {
    uint64_t h = (uint64_t)b->n * 31 + (uint64_t)b->epoch * 7 + (uint64_t)b->batch * 3 + b->last;
    const struct {
        const void *bytes;
        size_t size;
    } parts[] = {
        {b->inputs[0], input * 4}, {b->target, target * 4}, {b->samples, 8}, {b->labels, b->labels ? 4 : 0}};
    for (int k = 0; k < 4; k++)
        for (size_t i = 0; i < parts[k].size * (size_t)b->n; i++)
            h = (h ^ ((const unsigned char *)parts[k].bytes)[i]) * 0x100000001B3u;
    return h;
}

/* The sums of so many batches. */
static void batches_of(const net *n, const dataset *set, const loader_options *o, int count, uint64_t *sums) {
    BENCH(b);
    loader *l = loader_open(&b.arena, n, set, o, &b.diags);
    loader_batch batch;
    assert_non_null(l);
    for (int k = 0; k < count; k++) {
        assert_true(loader_next(l, &batch, &b.diags));
        sums[k] = sum_of(&batch, (size_t)n->inputs[0].count, (size_t)loader_targets(l));
    }
    assert_quiet(&b);
    loader_close(l);
    bench_end(&b);
}

/* Of any number of threads, and started anywhere. */
static void batches_depend_on_nothing_but_the_seed(void **state) {
    (void)state;
    enum { BATCHES = 20 }; /* of four epochs */
    folder f = new_folder();
    write_pictures(&f);
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
    const net n = net_of(&picture_tensor, &classes_of_crops);
    uint64_t alone[BATCHES], sums[BATCHES];
    loader_options o = training;
    batches_of(&n, set, &o, BATCHES, alone);
    for (int k = 0; k < BATCHES; k++)
        for (int i = 0; i < k; i++) assert_true(alone[k] != alone[i]);
    for (o.threads = 1; o.threads <= 4; o.threads++)
        for (int again = 0; again < 20; again++) {
            batches_of(&n, set, &o, BATCHES, sums);
            assert_memory_equal(sums, alone, sizeof sums);
        }
    for (int from = 0; from < BATCHES; from++) {
        o = training;
        o.epoch = from / 5, o.start = from % 5, o.threads = from % 3;
        batches_of(&n, set, &o, BATCHES - from, sums);
        assert_memory_equal(sums, alone + from, (size_t)(BATCHES - from) * sizeof *sums);
    }
    o = training;
    o.seed = 10;
    batches_of(&n, set, &o, 1, sums);
    assert_true(sums[0] != alone[0]);
    dataset_close(set);
    remove_folder(&f);
    bench_end(&b);
}

static void an_epoch_has_every_sample_once(void **state) {
    (void)state;
    folder f = new_folder();
    write_pictures(&f);
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
    const net n = net_of(&picture_tensor, &four_classes);
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        loader_options o = {.batch = 5, .seed = 1, .threads = 2, .shuffle = shuffle};
        loader *l = loader_open(&b.arena, &n, set, &o, &b.diags);
        int64_t order[2][COUNT];
        assert_true(loader_samples(l) == COUNT && loader_batches(l) == 5 && loader_batch_size(l) == 5);
        for (int epoch = 0; epoch < 2; epoch++) {
            int seen[COUNT] = {0}, at = 0;
            for (int k = 0; k < 5; k++) {
                loader_batch x;
                assert_true(loader_next(l, &x, &b.diags));
                assert_true(x.n == (k == 4 ? 3 : 5) && x.last == (k == 4) && x.epoch == epoch &&
                            x.batch == k);
                for (int i = 0; i < x.n; i++) seen[order[epoch][at++] = x.samples[i]]++;
            }
            for (int i = 0; i < COUNT; i++) assert_int_equal(seen[i], 1);
            for (int i = 0; i < COUNT && !shuffle; i++) assert_int_equal(order[epoch][i], i);
        }
        assert_int_equal(memcmp(order[0], order[1], sizeof order[0]) != 0, shuffle);
        loader_close(l);
    }
    dataset_close(set);
    remove_folder(&f);
    bench_end(&b);
}

static void only_the_first_samples(void **state) {
    (void)state;
    folder f = new_folder();
    write_pictures(&f);
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
    const net n = net_of(&picture_tensor, &four_classes);
    loader_options o = {.batch = 50, .limit = 7, .shuffle = true, .start = 4};
    loader *l = loader_open(&b.arena, &n, set, &o, &b.diags);
    loader_batch x;
    assert_true(loader_next(l, &x, &b.diags));
    assert_true(x.n == 7 && x.last && x.batch == 0 &&
                x.epoch == 4); /* a start past the end is in a later epoch */
    for (int i = 0; i < 7; i++) assert_in_range(x.samples[i], 0, 6);
    loader_close(l);
    dataset_close(set);
    remove_folder(&f);
    bench_end(&b);
}

/* ---- pictures ---- */

static void normalises_as_the_input_says(void **state) {
    (void)state;
    folder f = new_folder();
    write_pictures(&f);
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
    const net nets[] = {net_of(&picture_tensor, &four_classes), net_of(&rows_tensor, &four_classes)};
    for (int k = 0; k < 2; k++) {
        loader_options o = {.batch = COUNT, .threads = 1};
        loader *l = loader_open(&b.arena, &nets[k], set, &o, &b.diags);
        loader_batch x;
        assert_true(loader_next(l, &x, &b.diags));
        for (int i = 0; i < COUNT * PIXELS; i++) {
            float level = (float)((7 * (i / PIXELS) + i % PIXELS) % 256) / 255.0F;
            float expected = k ? level : (level - 0.5F) / 0.25F;
            assert_true(((const float *)x.inputs[0])[i] == expected);
        }
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(((const int32_t *)x.target)[i], i % 4);
            assert_int_equal(x.labels[i], i % 4);
        }
        loader_close(l);
    }
    dataset_close(set);
    remove_folder(&f);
    bench_end(&b);
}

/* Losses between numbers read a row of zeros and a one; labels stay beside it. */
static void labels_as_rows(void **state) {
    (void)state;
    folder f = new_folder();
    write_pictures(&f);
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
    const net_recipe mse = {.loss = "mse", .target_count = 4};
    const net n = net_of(&picture_tensor, &mse);
    loader_options o = {.batch = 8};
    loader *l = loader_open(&b.arena, &n, set, &o, &b.diags);
    loader_batch x;
    assert_true(!loader_classes(l) && loader_targets(l) == 4 && loader_next(l, &x, &b.diags));
    for (int k = 0; k < 32; k++) assert_true(((const float *)x.target)[k] == (float)(k % 4 == k / 4 % 4));
    for (int i = 0; i < 8; i++) assert_int_equal(x.labels[i], i % 4);
    loader_close(l);
    dataset_close(set);
    remove_folder(&f);
    bench_end(&b);
}

/* Two folders of encoded pictures, b/2.png of them a copy of `second`. */
static folder write_encoded(const char *second) {
    folder f = new_folder();
    mkdir(in(&f, "b"), 0700), mkdir(in(&f, "a"), 0700);
    copy_file(DATA "gray.png", in(&f, "a/1.png"));
    copy_file(DATA "j420.jpg", in(&f, "b/1.jpg"));
    copy_file(second, in(&f, "b/2.png"));
    return f;
}

/* Names count where the net knows all of them; what was decoded once is not read again. */
static void decodes_once(void **state) {
    (void)state;
    folder f = write_encoded(DATA "rgb.png");
    static const char *const labels[] = {"b", "x", "a"};
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
    net n = net_of(&picture_tensor, &classes_of_crops);
    n.labels = labels;
    n.label_count = 3;
    loader_options o = {.batch = 2, .seed = 3, .shuffle = true, .augment = true};
    uint64_t expected[6], sums[6];
    const net_rule_arg size = {.name = "size", .number = 40};
    const net_rule resize_first[] = {{"resize", &size, 1}, crop_and_flip[0]};
    net_recipe r = classes_of_crops;
    r.augment = resize_first;
    for (int k = 0; k < 2; k++) {
        if (k) n.recipe = &r;
        batches_of(&n, set, &o, 6, expected);
        o.threads = 2;
        batches_of(&n, set, &o, 6, sums);
        assert_memory_equal(sums, expected, sizeof sums);
        o.threads = 0, o.cache = 1; /* no room */
        batches_of(&n, set, &o, 6, sums);
        assert_memory_equal(sums, expected, sizeof sums);
        o.cache = 0;
    }
    loader_batch x;
    loader *keeps = loader_open(&b.arena, &n, set, &o, &b.diags);
    o.cache = 1;
    loader *reads = loader_open(&b.arena, &n, set, &o, &b.diags);
    o.shuffle = false;
    loader *ordered = loader_open(&b.arena, &n, set, &o, &b.diags);
    assert_true(loader_next(ordered, &x, &b.diags));
    assert_true(x.labels[0] == 2 && x.labels[1] == 0);
    for (int k = 0; k < 2; k++)
        assert_true(loader_next(keeps, &x, &b.diags) && loader_next(reads, &x, &b.diags));
    unlink(in(&f, "a/1.png")), unlink(in(&f, "b/1.jpg")), unlink(in(&f, "b/2.png"));
    for (int k = 0; k < 4; k++) assert_true(loader_next(keeps, &x, &b.diags));
    assert_quiet(&b);
    assert_false(loader_next(reads, &x, &b.diags));
    assert_told(&b, f.path);
    loader_close(keeps), loader_close(reads), loader_close(ordered);
    dataset_close(set);
    remove_folder(&f);
    bench_end(&b);
}

/* The batches before it come; then the picture is named, the same one of several, however many threads work. */
static void names_a_damaged_picture(void **state) {
    (void)state;
    folder f = write_encoded(DATA "a_f4.npy");
    write_bytes(in(&f, "b/3.png"), "", 0);
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
    const net n = net_of(&picture_tensor, &four_classes);
    for (int threads = 0; threads <= 4; threads++) {
        BENCH(c);
        loader_options o = {.batch = 2, .threads = threads};
        loader *l = loader_open(&c.arena, &n, set, &o, &c.diags);
        loader_batch x;
        assert_true(loader_next(l, &x, &c.diags));
        assert_quiet(&c);
        assert_false(loader_next(l, &x, &c.diags));
        assert_told(&c, "sample 2: ");
        assert_told(&c, "b/2.png: this is neither a PNG nor a JPEG picture");
        assert_int_equal(c.diags.errors, 1);
        loader_close(l);
        bench_end(&c);
    }
    dataset_close(set);
    remove_folder(&f);
    bench_end(&b);
}

/* ---- arrays ---- */

static const net_tensor three_numbers = {
    .name = "x", .type = NET_F32, .batched = true, .rank = 1, .dims = {3}, .count = 3};
static const net_tensor three_words = {
    .name = "words", .type = NET_I32, .batched = true, .rank = 1, .dims = {3}, .count = 3, .bound = 10};

static void arrays_as_they_are(void **state) {
    (void)state;
    folder f = new_folder();
    static const double x[] = {1.5, -2, 3, 4, 5, 6.25};
    static const int64_t words[] = {1, 2, 3, 9, 0, 7}, tags[] = {0, 1, 2, 3, 0, 1}, dims[] = {2, 3};
    static const float numbers[] = {.5F, 1, 2, 3, 4, 5};
    const net_recipe numbers_of = {.loss = "mse", .target_count = 3},
                     tags_of = {
                         .loss = "cross_entropy", .classes = true, .target_count = 3, .class_count = 4};
    for (int k = 0; k < 2; k++) {
        save(&f, "x.npy", k ? EL_I64 : EL_F64, 2, dims, k ? (const void *)words : x);
        save(&f, "y.npy", k ? EL_I64 : EL_F32, 2, dims, k ? (const void *)tags : numbers);
        BENCH(b);
        dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
        const net n = net_of(k ? &three_words : &three_numbers, k ? &tags_of : &numbers_of);
        loader_options o = {.batch = 2, .threads = 1};
        loader *l = loader_open(&b.arena, &n, set, &o, &b.diags);
        loader_batch batch;
        assert_non_null(l);
        assert_true(loader_next(l, &batch, &b.diags));
        assert_null(batch.labels);
        for (int i = 0; i < 6; i++)
            if (k)
                assert_true(((const int32_t *)batch.inputs[0])[i] == words[i] &&
                            ((const int32_t *)batch.target)[i] == tags[i]);
            else
                assert_true(((const float *)batch.inputs[0])[i] == (float)x[i] &&
                            ((const float *)batch.target)[i] == numbers[i]);
        loader_close(l);
        dataset_close(set);
        bench_end(&b);
    }
    remove_folder(&f);
}

/* ---- text ---- */

static const net_tensor four_characters = {.name = "text",
                                           .type = NET_I32,
                                           .batched = true,
                                           .rank = 1,
                                           .dims = {4},
                                           .count = 4,
                                           .bound = CHARACTERS};
static const net_recipe next_characters = {
    .loss = "cross_entropy", .classes = true, .target_count = 4, .class_count = CHARACTERS};

/* Windows of 4 characters and the ones that follow them; an epoch's windows lie side by side, from a place of the
 * epoch's own when shuffled. */
static void text_in_windows(void **state) {
    (void)state;
    static const char text[] = "abcdefghijklmnopqrstuvwxyz0123456789\nABCDEFGHIJKLMNOP";
    folder f = new_folder();
    write_bytes(in(&f, "train.txt"), text, sizeof text - 1);
    for (int shuffle = 0; shuffle < 2; shuffle++) {
        BENCH(b);
        dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
        const net n = net_of(&four_characters, &next_characters);
        loader_options o = {.batch = 20, .seed = 4, .shuffle = shuffle, .threads = 1};
        loader *l = loader_open(&b.arena, &n, set, &o, &b.diags);
        int starts[4] = {0};
        assert_non_null(l);
        assert_int_equal(loader_samples(l), shuffle ? 12 : 13);
        for (int epoch = 0; epoch < 20; epoch++) {
            loader_batch x;
            uint64_t seen = 0;
            assert_true(loader_next(l, &x, &b.diags) && x.last);
            for (int i = 0; i < x.n; i++) {
                const int32_t *from = (const int32_t *)x.inputs[0] + 4 * i,
                              *to = (const int32_t *)x.target + 4 * i;
                const char *at = strchr(text, character_of(from[0]));
                assert_non_null(at);
                for (int k = 0; k < 4; k++)
                    assert_true(character_of(from[k]) == at[k] && character_of(to[k]) == at[k + 1]);
                seen |= 1ull << (at - text);
            }
            int start = __builtin_ctzll(seen);
            for (int i = 0; i < x.n; i++) assert_true(seen >> (start + 4 * i) & 1);
            assert_true(start < 4);
            starts[start]++;
        }
        for (int k = 0; k < 4; k++) assert_true(shuffle ? starts[k] > 0 : starts[k] == (k ? 0 : 20));
        loader_close(l);
        dataset_close(set);
        bench_end(&b);
    }
    remove_folder(&f);
}

/* ---- what is refused ---- */

static void assert_refused(const folder *f, const net *n, const char *told) {
    BENCH(b);
    dataset *set = dataset_open(&b.arena, f->path, "train", &b.diags);
    const loader_options o = {.batch = 4, .augment = true};
    assert_non_null(set);
    assert_null(loader_open(&b.arena, n, set, &o, &b.diags));
    assert_told(&b, told);
    dataset_close(set);
    bench_end(&b);
}

static void refuses_what_does_not_fit(void **state) {
    (void)state;
    folder f = new_folder();
    net_recipe r = classes_of_crops;
    net n = net_of(&picture_tensor, &r);
    write_pictures(&f);
    r.class_count = 3;
    assert_refused(&f, &n, "y.npy: sample 3 has the label 3, but the net 'tiny' tells 3 classes apart");
    r.target_count = 5;
    assert_refused(&f, &n, "each sample has one label, but the loss reads 5 classes of each");
    r = classes_of_crops;
    n.input_count = 2;
    assert_refused(&f, &n, "only nets with one input can be trained or evaluated: this one has 2");
    n = net_of(&three_numbers, NULL);
    n.scores = SCORES_NONE;
    assert_refused(&f, &n, "only classifiers can be evaluated without a train block");
    n = net_of(&three_numbers, &four_classes);
    assert_refused(&f, &n, "the array is [23,6,6], but input 'x' needs [samples,3]");
    n = net_of(&four_characters, &next_characters);
    assert_refused(&f, &n, "the array is [23,6,6], but input 'text' needs [samples,4]");

    const int64_t dims[] = {2, 3};
    static const float x[6] = {0};
    save(&f, "x.npy", EL_F32, 2, dims, x);
    save(&f, "y.npy", EL_F32, 2, dims, x);
    n = net_of(&three_numbers, &classes_of_crops);
    assert_refused(&f, &n, "'random_crop' changes pictures, and this array holds none: --set augment=none");
    n.recipe = &four_classes;
    assert_refused(&f, &n, "y.npy: it holds float32, but the loss reads classes: whole numbers");
    const net_recipe two = {.loss = "mse", .target_count = 2};
    n.recipe = &two;
    assert_refused(&f, &n, "y.npy: it is [2,3], but the loss reads 2 numbers of each sample");
    remove_folder(&f);
}

static void refuses_texts_that_do_not_fit(void **state) {
    (void)state;
    folder f = new_folder();
    net n = net_of(&four_characters, &four_classes);
    write_bytes(in(&f, "train.txt"), "abc\nde", 6);
    assert_refused(&f, &n, "whose loss reads a class for each of the 4 characters");
    net_tensor few = four_characters;
    few.bound = 90;
    n = net_of(&few, &next_characters);
    assert_refused(&f, &n, "characters up to number 95, but input 'text' takes numbers below 90");
    n = net_of(&picture_tensor, &next_characters);
    assert_refused(&f, &n, "a text is read by nets with an input [length] int, which 'image' is not");
    write_bytes(in(&f, "train.txt"), "abcd", 4);
    n = net_of(&four_characters, &next_characters);
    assert_refused(&f, &n, "the text has 4 characters, but one sample takes 5");
    remove_folder(&f);
}

/* A number out of bounds in an array of words, or of labels a step, is found when it is reached. */
static void names_a_sample_with_a_wrong_number(void **state) {
    (void)state;
    folder f = new_folder();
    static const int64_t dims[] = {2, 3};
    static const char *const told[] = {
        "sample 1: ", "x.npy: element 1 is 10, but input 'words' takes whole numbers from 0 to 9",
        "y.npy: sample 1 has the label 4, but the net 'tiny' tells 4 classes apart"};
    const net_recipe tags = {.loss = "cross_entropy", .classes = true, .target_count = 3, .class_count = 4};
    const net n = net_of(&three_words, &tags);
    for (int k = 1; k < 3; k++) {
        const int64_t x[] = {1, 2, 3, 4, k == 1 ? 10 : 9, 5}, y[] = {0, 1, 2, 3, 0, k == 2 ? 4 : 1};
        save(&f, "x.npy", EL_I64, 2, dims, x);
        save(&f, "y.npy", EL_I64, 2, dims, y);
        BENCH(b);
        dataset *set = dataset_open(&b.arena, f.path, "train", &b.diags);
        const loader_options o = {.batch = 1};
        loader *l = loader_open(&b.arena, &n, set, &o, &b.diags);
        loader_batch batch;
        assert_true(loader_next(l, &batch, &b.diags));
        assert_false(loader_next(l, &batch, &b.diags));
        assert_told(&b, told[0]);
        assert_told(&b, told[k]);
        loader_close(l);
        dataset_close(set);
        bench_end(&b);
    }
    remove_folder(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_depend_on_nothing_but_the_seed),
        cmocka_unit_test(an_epoch_has_every_sample_once),
        cmocka_unit_test(only_the_first_samples),
        cmocka_unit_test(normalises_as_the_input_says),
        cmocka_unit_test(labels_as_rows),
        cmocka_unit_test(decodes_once),
        cmocka_unit_test(names_a_damaged_picture),
        cmocka_unit_test(arrays_as_they_are),
        cmocka_unit_test(text_in_windows),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_texts_that_do_not_fit),
        cmocka_unit_test(names_a_sample_with_a_wrong_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
