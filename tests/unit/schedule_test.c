/* Learning rates against torch.optim.lr_scheduler's (tests/goldens/schedules.txt), and the cases that PyTorch leaves
 * open. */
#include "runtime/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EPOCHS = 8, STEPS = 5, LINE = 4096 };

static const double milestones[] = {2, 5, 6};

static const struct {
    const char *name;
    net_rule rule;
} cases[] = {
    {"step", {"step", (net_rule_arg[]){{"every", 3, NULL, 0}, {"gamma", 0.5, NULL, 0}}, 2}},
    {"step_usual", {"step", (net_rule_arg[]){{"every", 2, NULL, 0}}, 1}},
    {"multistep",
     {"multistep", (net_rule_arg[]){{"milestones", 0, milestones, 3}, {"gamma", 0.3, NULL, 0}}, 2}},
    {"cosine", {"cosine", NULL, 0}},
    {"cosine_least", {"cosine", (net_rule_arg[]){{"min_lr", 0.01, NULL, 0}}, 1}},
    {"one_cycle", {"one_cycle", NULL, 0}},
    {"one_cycle_rise", {"one_cycle", (net_rule_arg[]){{"max_lr", 1.5, NULL, 0}, {"rise", 0.45, NULL, 0}}, 2}},
    {"constant_warm", {"constant", (net_rule_arg[]){{"warmup", 2, NULL, 0}}, 1}},
    {"cosine_warm", {"cosine", (net_rule_arg[]){{"warmup", 2, NULL, 0}}, 1}},
    {"multistep_warm",
     {"multistep",
      (net_rule_arg[]){{"milestones", 0, milestones, 3}, {"gamma", 0.3, NULL, 0}, {"warmup", 1, NULL, 0}},
      3}},
};
enum { CASES = sizeof cases / sizeof *cases };

/* One line of the file, "NAME rate rate ...". */
static void check_line(char *line, bool *seen) {
    char *at = line + strcspn(line, " ");
    *at++ = 0;
    int k = 0;
    while (k < CASES && strcmp(cases[k].name, line) != 0) k++;
    assert_true(k < CASES);
    seen[k] = true;
    schedule_run run = {&cases[k].rule, 0.2, EPOCHS, STEPS};
    for (int64_t step = 0; step < EPOCHS * STEPS; step++) {
        double want = strtod(at, &at), got = schedule_rate(&run, step);
        if (fabs(got - want) > 1e-14) /* PyTorch multiplies step by step: some roundings of 0.2 */
            fail_msg("%s: step %lld has %.17g, not %.17g", line, (long long)step, got, want);
    }
    assert_int_equal(*at, '\n');
}

static void rates_are_pytorchs(void **state) {
    char line[LINE];
    bool seen[CASES] = {false};
    FILE *f = fopen("tests/goldens/schedules.txt", "r");
    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) check_line(line, seen);
    fclose(f);
    for (int k = 0; k < CASES; k++) assert_true(seen[k]);
}

static void silence_is_constant(void **state) {
    net_rule silent = {0};
    schedule_run run = {&silent, 0.3, 4, 7};
    (void)state;
    for (int64_t step = 0; step < 28; step++) assert_true(schedule_rate(&run, step) == 0.3);
}

/* Half an epoch of 7 steps is 4 steps (3.5 rounded away from 0), and the schedule's epochs begin there. */
static void a_warm_up_may_end_within_an_epoch(void **state) {
    net_rule rule = {"step", (net_rule_arg[]){{"every", 1, NULL, 0}, {"warmup", 0.5, NULL, 0}}, 2};
    schedule_run run = {&rule, 1, 3, 7};
    (void)state;
    for (int64_t step = 0; step < 4; step++)
        assert_true(fabs(schedule_rate(&run, step) - (double)(step + 1) / 4) < 1e-15);
    for (int64_t step = 4; step < 11; step++) assert_true(fabs(schedule_rate(&run, step) - 1) < 1e-15);
    assert_true(fabs(schedule_rate(&run, 11) - 0.1) < 1e-15);
}

/* Rates stay finite and positive in the smallest runs. */
static void the_smallest_runs_have_rates(void **state) {
    (void)state;
    for (int k = 0; k < CASES; k++)
        for (int64_t epochs = 1; epochs <= 3; epochs++)
            for (int64_t step = 0; step < epochs; step++) {
                schedule_run run = {&cases[k].rule, 0.2, epochs, 1};
                double rate = schedule_rate(&run, step);
                assert_true(isfinite(rate) && rate > 0 && rate <= 1.5);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_pytorchs),
        cmocka_unit_test(silence_is_constant),
        cmocka_unit_test(a_warm_up_may_end_within_an_epoch),
        cmocka_unit_test(the_smallest_runs_have_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
