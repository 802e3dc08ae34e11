/* Counts. */
#include "runtime/tally.h"

#include "runtime/scores.h"

#include <math.h>

enum { TOP = 5, PICTURE = 3 /* rank of a sample [classes,height,width] */ };

answers answers_of(arena *a, const net *n, bool given, int64_t targets) {
    answers r = {
        .loss = n->loss, .output = n->recipe ? n->recipe->loss_output : 0, .rows = 1, .given = given};
    const net_tensor *out = &n->outputs[r.output];
    r.scores = r.output == 0 && n->scores != SCORES_NONE ? n->scores : SCORES_LOGITS;
    r.count = out->count;
    if (given && targets > 0) r.rows = targets;
    r.classes = r.count / r.rows;
    if (given && out->rank == PICTURE && r.rows > 1) r.gathered = NEW_ARRAY(a, float, r.classes);
    return r;
}

/* Row k of all samples' rows. */
static const float *row_of(const answers *a, const float *output, int64_t k) {
    if (!a->gathered) return output + k * a->classes;
    const float *first = output + k / a->rows * a->count + k % a->rows;
    for (int64_t c = 0; c < a->classes; c++) a->gathered[c] = first[c * a->rows];
    return a->gathered;
}

static int64_t guess_of(const answers *a, const float *row) {
    guess first = {0};
    scores_top(a->scores, row, a->classes, &first, 1);
    return first.class;
}

void tally_answers(tally *t, const answers *a, const float *output, const int32_t *right, int64_t n,
                   int64_t *confusion) {
    for (int64_t k = 0; right && k < n * a->rows; k++) {
        const float *row = row_of(a, output, k);
        int64_t rank = scores_rank(a->scores, row, a->classes, right[k]);
        t->answers++;
        t->correct += rank == 0;
        t->correct5 += rank < TOP;
        if (confusion) confusion[right[k] * a->classes + guess_of(a, row)]++;
    }
    t->samples += n;
}

static double loss_of(const answers *a, const float *output, const void *target, int64_t k) {
    const float *row = row_of(a, output, k);
    if (!a->given) return scores_distance(a->loss, row, (const float *)target + k * a->count, a->count);
    int32_t class = ((const int32_t *)target)[k];
    return scores_loss(a->scores, a->loss, row, a->classes, class) / (double)a->rows;
}

void tally_loss(tally *t, const answers *a, const float *output, const void *target, int64_t n) {
    for (int64_t k = 0; k < n * a->rows; k++) t->loss += loss_of(a, output, target, k);
}

double tally_mean_loss(const tally *t) {
    return t->samples ? t->loss / (double)t->samples : NAN;
}

double tally_accuracy(const tally *t) {
    return t->answers ? (double)t->correct / (double)t->answers : NAN;
}
