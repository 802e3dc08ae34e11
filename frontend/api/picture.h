/* A net as a graph for graphviz: its layers as `netc show` names them, and what flows between. */
#ifndef NETC_FRONTEND_API_PICTURE_H
#define NETC_FRONTEND_API_PICTURE_H

#include "ir/graph.h"

/* In the DOT language. A node a layer with its shape, one an input, an output or a state, and one an operation
 * that no layer holds (the sum of a shortcut). The state that the next call starts from is dashed. */
void picture_dot(text *t, arena *a, const graph *g);

#endif
