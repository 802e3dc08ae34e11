/* The learning rate of every step, as PyTorch's torch.optim.lr_scheduler defines it. */
#ifndef NETC_RUNTIME_SCHEDULE_H
#define NETC_RUNTIME_SCHEDULE_H

#include "runtime/net.h"

/* A run: so many epochs of so many steps. */
typedef struct schedule_run {
    const net_rule *rule; /* name NULL: constant */
    double learning_rate; /* the optimizer's */
    int64_t epochs, steps;
} schedule_run;

/* The rate of step `step` (from 0, counted over all epochs).
 *   constant
 *   step(every, gamma)            StepLR, by epoch
 *   multistep(milestones, gamma)  MultiStepLR, by epoch
 *   cosine(min_lr)                CosineAnnealingLR's closed form, by epoch, T_max the epochs behind the warm-up
 *   one_cycle(max_lr, rise)       OneCycleLR (cos, div 25, final div 1e4), by step, the momentum left alone
 * with warmup = W epochs: LinearLR by step from rate/k to rate over the first k = W·steps steps, before the
 * schedule proper starts from its beginning, as SequentialLR strings them together. */
double schedule_rate(const schedule_run *r, int64_t step);

#endif
