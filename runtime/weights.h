/* A net's parameters: from a weight file, or drawn by each one's rule. */
#ifndef NETC_RUNTIME_WEIGHTS_H
#define NETC_RUNTIME_WEIGHTS_H

#include "runtime/net.h"

/* From safetensors, PyTorch's formats or .npz into `to` (net->values numbers). False with errors that list
 * all that does not fit; `to` is then untouched. */
bool weights_load(const net *n, const char *path, float *to, arena *scratch, diags *d);
/* Every parameter by its rule: the same numbers for the same seed, on every machine. */
void weights_draw(const net *n, uint64_t seed, float *to);

#endif
