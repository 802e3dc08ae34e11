/* A net's train {} as the runtime follows it, and as words. */
#ifndef NETC_FRONTEND_API_RECIPE_H
#define NETC_FRONTEND_API_RECIPE_H

#include "ir/recipe.h"
#include "runtime/net.h"

/* NULL where the text has no train {}. What it leaves open is 0 or NULL, but for the learning rate, which is
 * PyTorch's of that optimizer. */
const net_recipe *recipe_describe(arena *a, const graph *g);

/* "sgd(lr=0.1, momentum=0.9)"; "none" where the text is silent. */
const char *recipe_words(arena *a, const recipe_call *c);
/* What a run depends on, for checkpoints: key, value, ..., NULL: the net and its layers, loss, optimizer, schedule,
 * augmentations, clipping, and the patterns of parameters that stay as they are. */
const char *const *recipe_facts(arena *a, const graph *g, const char *const *freeze);

#endif
