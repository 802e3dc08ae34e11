/* Learning rates in closed form: resuming needs no memory of the steps before. */
#include "runtime/schedule.h"

#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846, usual_gamma = 0.1, usual_rise = 0.3, first_share = 25,
                    last_share = 1e4;

static const net_rule_arg *argument(const net_rule *r, const char *name) {
    for (int k = 0; k < r->arg_count; k++)
        if (strcmp(r->args[k].name, name) == 0) return &r->args[k];
    return NULL;
}

static double number(const net_rule *r, const char *name, double otherwise) {
    const net_rule_arg *a = argument(r, name);
    return a ? a->number : otherwise;
}

/* ---- a schedule each: `epoch` counts from the end of the warm-up ---- */

static double constant_rate(const schedule_run *r, int64_t epoch) {
    (void)epoch;
    return r->learning_rate;
}

static double step_rate(const schedule_run *r, int64_t epoch) {
    double every = number(r->rule, "every", 1);
    return r->learning_rate * pow(number(r->rule, "gamma", usual_gamma), floor((double)epoch / every));
}

static double multistep_rate(const schedule_run *r, int64_t epoch) {
    const net_rule_arg *milestones = argument(r->rule, "milestones");
    int passed = 0;
    for (int k = 0; milestones && k < milestones->count; k++) passed += (double)epoch >= milestones->list[k];
    return r->learning_rate * pow(number(r->rule, "gamma", usual_gamma), passed);
}

static double cosine_rate(const schedule_run *r, int64_t epoch) {
    double least = number(r->rule, "min_lr", 0);
    double turns = (double)r->epochs - number(r->rule, "warmup", 0);
    double share = turns > 0 ? (double)epoch / turns : 1;
    return least + (r->learning_rate - least) * (1 + cos(pi * share)) / 2;
}

static const struct {
    const char *name;
    double (*rate)(const schedule_run *r, int64_t epoch);
} by_epoch[] = {
    {"constant", constant_rate}, {"step", step_rate}, {"multistep", multistep_rate}, {"cosine", cosine_rate}};

/* ---- by step ---- */

static double annealed(double from, double to, double share) {
    return to + (from - to) / 2 * (1 + cos(pi * share));
}

static double one_cycle_rate(const schedule_run *r, int64_t step) {
    double most = number(r->rule, "max_lr", r->learning_rate), first = most / first_share;
    double all = (double)r->epochs * (double)r->steps, at = (double)step;
    double top = number(r->rule, "rise", usual_rise) * all - 1, end = all - 1;
    if (at <= top && top > 0) return annealed(first, most, at / top);
    return annealed(most, first / last_share, end > top ? (at - top) / (end - top) : 1);
}

double schedule_rate(const schedule_run *r, int64_t step) {
    if (r->rule->name && strcmp(r->rule->name, "one_cycle") == 0) return one_cycle_rate(r, step);
    int64_t warm = (int64_t)llround(number(r->rule, "warmup", 0) * (double)r->steps);
    if (step < warm) return r->learning_rate * (double)(step + 1) / (double)warm;
    int64_t epoch = (step - warm) / r->steps;
    for (size_t k = 0; r->rule->name && k < sizeof by_epoch / sizeof *by_epoch; k++)
        if (strcmp(by_epoch[k].name, r->rule->name) == 0) return by_epoch[k].rate(r, epoch);
    return r->learning_rate;
}
