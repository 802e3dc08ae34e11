/* Names what is in a picture and in its mirror image, on a thread each: classify NET WEIGHTS FILE.ppm (32 x 32). */
#include <netc.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>

enum { SIZE = 32, CLASSES = 10 };

static const char *const names[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                           "dog",      "frog",       "horse", "ship", "truck"};

/* One thread's work: a session and a picture, [channel][row][column]. */
typedef struct job {
    const netc_model *model;
    float image[3][SIZE][SIZE], logits[CLASSES];
    netc_error error;
    bool done;
} job;

static void *classify(void *context) {
    job *j = context;
    const void *inputs[] = {j->image};
    void *outputs[] = {j->logits};
    netc_session *session = netc_session_new(j->model, &j->error);
    j->done = session && netc_run(session, 1, inputs, outputs, &j->error);
    netc_session_free(session);
    return NULL;
}

static bool read_picture(const char *path, unsigned char pixels[SIZE][SIZE][3]) {
    int width, height, most;
    FILE *f = fopen(path, "rb");
    bool good = f && fscanf(f, "P6 %d %d %d", &width, &height, &most) == 3 && fgetc(f) != EOF &&
                width == SIZE && height == SIZE && most == 255 &&
                fread(pixels, 3, SIZE * SIZE, f) == SIZE * SIZE;
    if (f) fclose(f);
    return good;
}

/* As the net's text has it: normalize(mean, std). */
static void fill(job *j, unsigned char pixels[SIZE][SIZE][3], bool mirror) {
    static const float mean[] = {0.485f, 0.456f, 0.406f}, std[] = {0.229f, 0.224f, 0.225f};
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                j->image[c][y][x] = (pixels[y][mirror ? SIZE - 1 - x : x][c] / 255.0f - mean[c]) / std[c];
}

static int tell(const job *j) {
    double sum = 0;
    int best = 0;
    if (!j->done) return fprintf(stderr, "%s\n", j->error.message), 1;
    for (int k = 1; k < CLASSES; k++)
        if (j->logits[k] > j->logits[best]) best = k;
    for (int k = 0; k < CLASSES; k++) sum += exp((double)j->logits[k] - (double)j->logits[best]);
    printf("%s %.4f\n", names[best], 1 / sum);
    return 0;
}

int main(int argc, char **argv) {
    static unsigned char pixels[SIZE][SIZE][3];
    static job jobs[2];
    pthread_t threads[2];
    netc_error error;
    if (argc != 4 || !read_picture(argv[3], pixels))
        return fprintf(stderr, "usage: %s FILE.net WEIGHTS 32x32.ppm\n", argv[0]), 1;
    netc_model *model = netc_compile_file(argv[1], NULL, &error);
    if (!model || !netc_load_weights(model, argv[2], &error))
        return fprintf(stderr, "%s:%d:%d: %s\n", error.file, error.line, error.column, error.message), 1;
    for (int k = 0; k < 2; k++) {
        jobs[k].model = model;
        fill(&jobs[k], pixels, k == 1);
        if (pthread_create(&threads[k], NULL, classify, &jobs[k])) return 1;
    }
    for (int k = 0; k < 2; k++) pthread_join(threads[k], NULL);
    netc_model_free(model);
    return tell(&jobs[0]) + tell(&jobs[1]);
}
