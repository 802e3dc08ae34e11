/* Inner values of a net as outputs of it: what a layer gives, by the name that `netc show` prints. */
#ifndef NETC_FRONTEND_API_INNER_H
#define NETC_FRONTEND_API_INNER_H

#include "ir/graph.h"

/* Appends what the layer gives (the last result made inside the call; a recurrent layer's whole sequence) to the
 * net's outputs, under the layer's own name; also layers inside layers, "layer1.0". The passes keep what is an
 * output, so it is the layer's own value, before whatever follows is fused into it. False with an error. */
bool inner_output(graph *g, const char *layer, diags *d);

/* The layers to look at where nobody says which: the first convolution and the pooling that follows it; in nets
 * without, the first layer that multiplies. Two places are enough; how many there are. */
enum { INNER_USUAL = 2 };
int inner_usual(arena *a, const graph *g, const char *names[INNER_USUAL]);

#endif
