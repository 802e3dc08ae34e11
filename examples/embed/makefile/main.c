/* Names what is in a picture: classify FILE.ppm (32 x 32). */
#include "resnet20.h"

#include <math.h>
#include <stdio.h>

static const char *const names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                    "dog",      "frog",       "horse", "ship", "truck"};

static _Alignas(RESNET20_ALIGN) char workspace[RESNET20_WORKSPACE_BYTES];

static int read_picture(const char *path, uint8_t *pixels) {
    int width, height, most;
    FILE *f = fopen(path, "rb");
    int good = f && fscanf(f, "P6 %d %d %d", &width, &height, &most) == 3 && fgetc(f) != EOF && width == 32 &&
               height == 32 && most == 255 && fread(pixels, 3, 32 * 32, f) == 32 * 32;
    if (f) fclose(f);
    return good;
}

int main(int argc, char **argv) {
    uint8_t pixels[RESNET20_IMAGE_SIZE]; /* rows of red, green, blue: the net normalises them itself */
    float logits[RESNET20_LOGITS_SIZE];
    double sum = 0;
    int best = 0;
    if (argc != 2 || !read_picture(argv[1], pixels))
        return fprintf(stderr, "usage: %s 32x32.ppm\n", argv[0]), 1;
    int code = resnet20_forward_u8(resnet20_weights(), 1, pixels, logits, workspace, sizeof workspace);
    if (code) return fprintf(stderr, "%s\n", resnet20_error(code)), 1;
    for (int k = 1; k < RESNET20_LOGITS_SIZE; k++)
        if (logits[k] > logits[best]) best = k;
    for (int k = 0; k < RESNET20_LOGITS_SIZE; k++) sum += exp((double)logits[k] - (double)logits[best]);
    printf("%s %.4f\n", names[best], 1 / sum);
    return 0;
}
