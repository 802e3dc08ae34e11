/* Trains MNIST with nothing but what `netc --train` writes: ./train-mnist FOLDER [EPOCHS], where the folder has the
 * four IDX files, unpacked. */
#include "mnist.h"

#include <stdio.h>
#include <stdlib.h>

enum { PIXELS = MNIST_IMAGE_SIZE, CLASSES = MNIST_LOGITS_SIZE, BATCH = MNIST_MAX_BATCH };

typedef struct set {
    int count;
    unsigned char *pixels, *labels;
} set;

static mnist_params params;
static mnist_optimizer optimizer; /* zeros: no step was taken yet */
static _Alignas(MNIST_ALIGN) char packed[MNIST_PACKED_BYTES], workspace[MNIST_WORKSPACE_BYTES],
    step_workspace[MNIST_STEP_WORKSPACE_BYTES];

static void stop(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void check(int code) {
    if (code) stop("mnist", mnist_error(code));
}

/* What is behind an IDX file's head: a number for its kind, then sizes, each of four bytes, the highest first. */
static unsigned char *read_idx(const char *folder, const char *name, int kind, int *count, size_t each) {
    char path[4096];
    unsigned char head[16], *bytes;
    size_t front = kind == 2051 ? 16 : 8;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) stop(path, "cannot be opened");
    if (fread(head, 1, front, f) != front || (head[2] << 8 | head[3]) != kind)
        stop(path, "not such an IDX file");
    *count = head[5] << 16 | head[6] << 8 | head[7];
    bytes = malloc((size_t)*count * each + 1);
    if (!bytes || fread(bytes, each, (size_t)*count, f) != (size_t)*count) stop(path, "cut short");
    fclose(f);
    return bytes;
}

static set read_set(const char *folder, const char *images, const char *labels) {
    set s;
    int count;
    s.pixels = read_idx(folder, images, 2051, &s.count, PIXELS);
    s.labels = read_idx(folder, labels, 2049, &count, 1);
    if (count != s.count) stop(labels, "not as many labels as pictures");
    return s;
}

/* Every order is as likely; the next epoch's is another. */
static void shuffle(int *order, int count, unsigned *state) {
    for (int k = count - 1; k > 0; k--) {
        *state = *state * 1664525u + 1013904223u;
        int other = (int)((unsigned long long)*state * (unsigned)(k + 1) >> 32), held = order[k];
        order[k] = order[other];
        order[other] = held;
    }
}

static double train_epoch(const set *s, const int *order) {
    static float image[BATCH * PIXELS];
    int32_t label[BATCH];
    double sum = 0;
    for (int at = 0; at < s->count; at += BATCH) {
        float loss;
        int n = s->count - at < BATCH ? s->count - at : BATCH;
        for (int k = 0; k < n; k++) {
            const unsigned char *from = s->pixels + (size_t)order[at + k] * PIXELS;
            for (int i = 0; i < PIXELS; i++)
                image[k * PIXELS + i] = ((float)from[i] / 255 - 0.1307f) / 0.3081f;
            label[k] = s->labels[order[at + k]];
        }
        check(mnist_step(&params, &optimizer, n, image, label, 0.01f, &loss, step_workspace,
                         sizeof step_workspace));
        sum += (double)loss * n;
    }
    return sum / s->count;
}

/* The share of pictures whose largest logit is their label's. Pixels are normalized inside. */
static double accuracy(const set *s) {
    float logits[BATCH * CLASSES];
    int right = 0;
    check(mnist_prepare(&params, packed)); /* the weights as the kernels read them */
    for (int at = 0; at < s->count; at += BATCH) {
        int n = s->count - at < BATCH ? s->count - at : BATCH;
        check(mnist_forward_u8(packed, n, s->pixels + (size_t)at * PIXELS, logits, workspace,
                               sizeof workspace));
        for (int k = 0; k < n; k++) {
            int best = 0;
            for (int c = 1; c < CLASSES; c++)
                if (logits[k * CLASSES + c] > logits[k * CLASSES + best]) best = c;
            right += best == s->labels[at + k];
        }
    }
    return (double)right / s->count;
}

int main(int count, char **arg) {
    if (count < 2) stop("use", "train-mnist FOLDER [EPOCHS]");
    set train = read_set(arg[1], "train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    set test = read_set(arg[1], "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
    int epochs = count > 2 ? atoi(arg[2]) : 10, *order = malloc((size_t)train.count * sizeof *order);
    unsigned state = 1;
    if (!order) stop("order", "no memory is left");
    for (int k = 0; k < train.count; k++) order[k] = k;
    check(mnist_init(&params, 3));
    for (int epoch = 1; epoch <= epochs; epoch++) {
        shuffle(order, train.count, &state);
        double loss = train_epoch(&train, order);
        printf("epoch %2d  loss %.4f  test accuracy %.2f %%\n", epoch, loss, 100 * accuracy(&test));
        fflush(stdout);
    }
    return 0;
}
