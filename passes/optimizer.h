/* What the recipe's optimizer does with gradients, as nodes and updates of a step's graph. */
#ifndef NETC_PASSES_OPTIMIZER_H
#define NETC_PASSES_OPTIMIZER_H

#include "ir/recipe.h"
#include "passes/passes.h"

/* A parameter and the gradient of the loss for it. */
typedef struct trained {
    value *param, *grad;
} trained;

/* Appends clipping (of the norm of all gradients), moments and updates for every one of them. Definitions are
 * PyTorch's (torch.optim, clip_grad_norm_), down to where the weight decay enters. */
void optimizer_update(graph *g, const recipe *r, const trained *list, int count);

/* The optimizer's learning rate as the text has it, else PyTorch's default. */
double optimizer_rate(const recipe *r);

#endif
