/* The test after an epoch: the eval net on every sample once. */
#include "runtime/train_loop.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool compute(trainer *t, tally *sums, progress *bar) {
    loader_batch b = {0};
    while (!b.last && !trainer_stops(t)) {
        if (!loader_next(t->test, &b, t->diags) ||
            !session_run(&t->session, b.n, b.inputs, t->outputs, t->diags))
            return false;
        const int32_t *right = t->answers.given ? b.target : b.labels;
        tally_answers(sums, &t->answers, trainer_output(t), right, b.n, t->confusion);
        tally_loss(sums, &t->answers, trainer_output(t), b.target, b.n);
        progress_step(bar, sums->samples);
    }
    return true;
}

bool train_test(trainer *t, tested *out) {
    tally sums = {0};
    progress bar;
    char what[48];
    *out = (tested){NAN, NAN};
    if (!t->test) return true;
    snprintf(what, sizeof what, "test %" PRId64 "/%" PRId64, t->state->epoch + 1, t->options->epochs);
    if (t->confusion)
        memset(t->confusion, 0, (size_t)(t->answers.classes * t->answers.classes) * sizeof *t->confusion);
    if (!session_prepare(&t->session, t->at.params, t->diags)) return false;
    progress_begin(&bar, what, "images", loader_samples(t->test));
    bool good = compute(t, &sums, &bar);
    progress_end(&bar);
    *out = (tested){tally_mean_loss(&sums), tally_accuracy(&sums)};
    return good;
}
