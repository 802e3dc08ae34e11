/* Probabilities, order and losses, in double. */
#include "runtime/scores.h"

#include <math.h>
#include <string.h>

/* The number by which classes are compared: the larger the likelier. */
static double score(net_scores kind, float x) {
    return kind == SCORES_DISTANCES ? -(double)x : (double)x;
}

/* True where class a comes before class b. */
static bool before(net_scores kind, const float *row, int64_t a, int64_t b) {
    double x = score(kind, row[a]), y = score(kind, row[b]);
    if (isnan(x) || isnan(y)) return isnan(x) == isnan(y) ? a < b : isnan(y);
    return x == y ? a < b : x > y;
}

int64_t scores_rank(net_scores kind, const float *row, int64_t count, int64_t class) {
    int64_t rank = 0;
    for (int64_t c = 0; c < count; c++) rank += c != class && before(kind, row, c, class);
    return rank;
}

/* ln Σ exp(score), the largest taken out so that nothing overflows. */
static double log_sum(net_scores kind, const float *row, int64_t count) {
    double top = -INFINITY, sum = 0;
    for (int64_t c = 0; c < count; c++) top = fmax(top, score(kind, row[c]));
    for (int64_t c = 0; c < count; c++) sum += exp(score(kind, row[c]) - top);
    return top + log(sum);
}

static double log_probability(net_scores kind, const float *row, int64_t count, int64_t class) {
    if (kind == SCORES_PROBABILITIES) return log((double)row[class]);
    if (kind == SCORES_LOGARITHMS) return (double)row[class];
    return score(kind, row[class]) - log_sum(kind, row, count);
}

int scores_top(net_scores kind, const float *row, int64_t count, guess *top, int k) {
    int found = 0;
    for (int64_t c = 0; c < count; c++) {
        int at = found;
        while (at > 0 && before(kind, row, c, top[at - 1].class)) at--;
        if (at >= k) continue;
        if (found < k) found++;
        memmove(&top[at + 1], &top[at], (size_t)(found - 1 - at) * sizeof *top);
        top[at].class = c;
    }
    double all = kind == SCORES_LOGITS || kind == SCORES_DISTANCES ? log_sum(kind, row, count) : 0;
    for (int i = 0; i < found; i++) {
        double x = score(kind, row[top[i].class]);
        top[i].p = kind == SCORES_PROBABILITIES ? x : exp(x - all);
    }
    return found;
}

/* ---- losses ---- */

static double squared(double x, double wanted) {
    return (x - wanted) * (x - wanted);
}

static double absolute(double x, double wanted) {
    return fabs(x - wanted);
}

/* PyTorch cuts logarithms off at -100. */
static double binary(double x, double wanted) {
    return -(wanted * fmax(log(x), -100) + (1 - wanted) * fmax(log(1 - x), -100));
}

static double binary_of_logit(double x, double wanted) {
    return fmax(x, 0) - x * wanted + log1p(exp(-fabs(x)));
}

static const struct {
    const char *name;
    double (*of)(double x, double wanted);
} each[] = {{"mse", squared}, {"l1", absolute}, {"bce", binary}, {"bce_with_logits", binary_of_logit}};

double scores_loss(net_scores kind, const char *name, const float *row, int64_t count, int64_t class) {
    for (size_t k = 0; name && k < sizeof each / sizeof *each; k++) {
        double sum = 0;
        if (strcmp(each[k].name, name) != 0) continue;
        for (int64_t c = 0; c < count; c++) sum += each[k].of((double)row[c], c == class);
        return sum / (double)count;
    }
    return -log_probability(kind, row, count, class);
}

double scores_distance(const char *name, const float *row, const float *target, int64_t count) {
    double (*of)(double x, double wanted) = squared, sum = 0;
    for (size_t k = 0; name && k < sizeof each / sizeof *each; k++)
        if (strcmp(each[k].name, name) == 0) of = each[k].of;
    for (int64_t i = 0; i < count; i++) sum += of((double)row[i], (double)target[i]);
    return count ? sum / (double)count : 0;
}
