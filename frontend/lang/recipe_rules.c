/* What a train block may name: losses, optimizers, schedules, initialisations, augmentations, with what each
 * takes and within which bounds. Names and meanings are PyTorch's. */
#include "frontend/lang/elab.h"

#define ANY       -1e300, 1e300
#define POSITIVE  1e-300, 1e300
#define FROM_ZERO 0, 1e300
#define FRACTION  0, 1
#define OUTPUT                                                                                               \
    { "output", RULE_OUTPUT, ANY, false }
#define NUMBER(name, bounds)                                                                                 \
    { name, RULE_NUMBER, bounds, false }
#define COUNT(name)                                                                                          \
    { name, RULE_COUNT, 0, 1e9, false }
#define SWITCH(name)                                                                                         \
    { name, RULE_BOOL, FRACTION, false }
#define LR                                                                                                   \
    { "lr", RULE_NUMBER, POSITIVE, false }
#define DECAY    NUMBER("weight_decay", FROM_ZERO)
#define MOMENTUM NUMBER("momentum", FRACTION)
#define BETAS    NUMBER("beta1", FRACTION), NUMBER("beta2", FRACTION), NUMBER("eps", POSITIVE)
#define WARMUP                                                                                               \
    { "warmup", RULE_NUMBER, FROM_ZERO, false }
#define WEIGHT                                                                                               \
    { "weight", RULE_LIST, FROM_ZERO, false }
#define SIZE                                                                                                 \
    { "size", RULE_SIZE, 1, 65536, true }

const rule recipe_rules[] = {
    {"loss", "cross_entropy", {OUTPUT, NUMBER("label_smoothing", FRACTION), WEIGHT, {0}}},
    {"loss", "nll", {OUTPUT, WEIGHT, {0}}},
    {"loss", "mse", {OUTPUT, {0}}},
    {"loss", "l1", {OUTPUT, {0}}},
    {"loss", "bce", {OUTPUT, {0}}},
    {"loss", "bce_with_logits", {OUTPUT, {0}}},

    {"optimizer", "sgd", {LR, MOMENTUM, DECAY, SWITCH("nesterov"), NUMBER("dampening", FRACTION), {0}}},
    {"optimizer", "adam", {LR, BETAS, DECAY, {0}}},
    {"optimizer", "adamw", {LR, BETAS, DECAY, {0}}},
    {"optimizer", "rmsprop", {LR, NUMBER("alpha", FRACTION), NUMBER("eps", POSITIVE), MOMENTUM, DECAY, {0}}},

    {"schedule", "constant", {WARMUP, {0}}},
    {"schedule", "step", {{"every", RULE_COUNT, 1, 1e9, true}, NUMBER("gamma", POSITIVE), WARMUP, {0}}},
    {"schedule",
     "multistep",
     {{"milestones", RULE_LIST, FROM_ZERO, true}, NUMBER("gamma", POSITIVE), WARMUP, {0}}},
    {"schedule", "cosine", {WARMUP, NUMBER("min_lr", FROM_ZERO), {0}}},
    {"schedule", "one_cycle", {NUMBER("max_lr", POSITIVE), NUMBER("rise", FRACTION), {0}}},

    {"init", "he", {{0}}},
    {"init", "xavier", {{0}}},
    {"init", "uniform", {{0}}},
    {"init", "normal", {NUMBER("std", POSITIVE), {0}}},
    {"init", "zeros", {{0}}},

    {"augment",
     "random_resized_crop",
     {SIZE, {"scale", RULE_LIST, FRACTION, false}, {"ratio", RULE_LIST, POSITIVE, false}, {0}}},
    {"augment", "random_crop", {SIZE, COUNT("pad"), {0}}},
    {"augment", "center_crop", {SIZE, {0}}},
    {"augment", "resize", {SIZE, {0}}},
    {"augment", "pad", {{"pad", RULE_COUNT, 1, 65536, true}, {0}}},
    {"augment", "random_flip", {NUMBER("p", FRACTION), {0}}},
    {"augment", "random_vertical_flip", {NUMBER("p", FRACTION), {0}}},
    {"augment",
     "color_jitter",
     {NUMBER("brightness", FROM_ZERO),
      NUMBER("contrast", FROM_ZERO),
      NUMBER("saturation", FROM_ZERO),
      {"hue", RULE_NUMBER, 0, 0.5, false},
      {0}}},
    {"augment", "grayscale", {{0}}},
    {"augment", "permute", {COUNT("seed"), {0}}},
    {0},
};
