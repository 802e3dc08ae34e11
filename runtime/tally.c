/* Counts. */
#include "runtime/tally.h"

#include "runtime/scores.h"

#include <math.h>

answers answers_of(const net *n) {
    const net_recipe *r = n->recipe;
    const net_tensor *out = &n->outputs[r->loss_output];
    answers a = {
        .loss = r->loss, .output = r->loss_output, .count = out->count, .rows = 1, .given = r->classes};
    a.scores = r->loss_output == 0 && n->scores != SCORES_NONE ? n->scores : SCORES_LOGITS;
    if (r->classes && r->target_count > 0) a.rows = r->target_count;
    a.classes = a.count / a.rows;
    return a;
}

static int64_t guess_of(const answers *a, const float *row) {
    guess first = {0};
    scores_top(a->scores, row, a->classes, &first, 1);
    return first.class;
}

void tally_answers(tally *t, const answers *a, const float *output, const int32_t *right, int64_t n,
                   int64_t *confusion) {
    for (int64_t k = 0; right && k < n * a->rows; k++) {
        int64_t guessed = guess_of(a, output + k * a->classes);
        t->answers++;
        t->correct += guessed == right[k];
        if (confusion) confusion[right[k] * a->classes + guessed]++;
    }
    t->samples += n;
}

static double loss_of(const answers *a, const float *row, const void *target, int64_t k) {
    if (!a->given) return scores_distance(a->loss, row, (const float *)target + k * a->count, a->count);
    int32_t class = ((const int32_t *)target)[k];
    return scores_loss(a->scores, a->loss, row, a->classes, class) / (double)a->rows;
}

void tally_loss(tally *t, const answers *a, const float *output, const void *target, int64_t n) {
    for (int64_t k = 0; k < n * a->rows; k++) t->loss += loss_of(a, output + k * a->classes, target, k);
}

double tally_mean_loss(const tally *t) {
    return t->samples ? t->loss / (double)t->samples : NAN;
}

double tally_accuracy(const tally *t) {
    return t->answers ? (double)t->correct / (double)t->answers : NAN;
}
