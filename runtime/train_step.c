/* One step: a batch, its rate, and what can be said when it is refused. */
#include "runtime/train_loop.h"

#include <inttypes.h>
#include <math.h>

/* Which epoch, from 1, and step of it. */
static const char *place(const trainer *t) {
    return arena_printf(t->diags->arena, "epoch %" PRId64 ", step %" PRId64, t->state->epoch + 1,
                        t->state->position + 1);
}

static bool refuse_label(const trainer *t, const loader_batch *b) {
    const net_recipe *r = t->net->recipe;
    const int32_t *target = b->target;
    for (int64_t k = 0; r->classes && k < b->n * t->answers.rows; k++)
        if (target[k] < 0 || target[k] >= r->class_count)
            return diag_file(t->diags, t->net->name,
                             "%s: sample %" PRId64
                             " of the training data has the label %d, but output '%s' has %" PRId64
                             " classes",
                             place(t), b->samples[k / t->answers.rows], target[k],
                             t->net->outputs[t->answers.output].name, r->class_count);
    return diag_file(t->diags, t->net->name, "%s: a label is out of range", place(t));
}

static bool refuse_loss(const trainer *t, double rate) {
    diag_file(t->diags, t->net->name,
              "%s: the loss is no longer a finite number, at a learning rate of %g; this step was not taken",
              place(t), rate);
    diag_add(t->diags, DIAG_NOTE, (span){0},
             "a smaller rate (--set optimizer.lr=...), a warm-up, or clip = 1.0 in train {} may help; the "
             "data may "
             "hold something that is not a number");
    if (run_folder_has(t->options->folder, "last.safetensors"))
        diag_add(t->diags, DIAG_NOTE, (span){0},
                 "the last checkpoint is as it was; --weights %s starts a new run from it", t->last);
    return false;
}

static void count(trainer *t, const loader_batch *b, float loss) {
    const int32_t *right = t->answers.given ? b->target : b->labels;
    tally *sums = &t->state->sums;
    tally_answers(sums, &t->answers, trainer_output(t), right, b->n, NULL);
    sums->loss += (double)loss * (double)b->n;
    t->state->position++;
}

bool train_step(trainer *t, double rate) {
    loader_batch b;
    float loss = NAN;
    if (!loader_next(t->train, &b, t->diags)) return false;
    net_step s = {.n = b.n,
                  .params = t->at.params,
                  .optimizer = t->at.optimizer,
                  .inputs = b.inputs,
                  .target = b.target,
                  .learning_rate = (float)rate,
                  .loss = &loss,
                  .output = trainer_output(t),
                  .workspace = t->session.workspace};
    switch (t->net->step(t->net->self, &s, t->diags)) {
    case STEP_DONE: return count(t, &b, loss), true;
    case STEP_BAD_LABEL: return refuse_label(t, &b);
    case STEP_NOT_FINITE: return refuse_loss(t, rate);
    case STEP_FAILED: break;
    }
    return false;
}
