/* From a pickle's value to a list of tensors. Shared by the readers of PyTorch's two formats. */
#ifndef NETC_RUNTIME_TORCH_H
#define NETC_RUNTIME_TORCH_H

#include "runtime/pickle.h"

/* The dictionary of tensors in what was pickled: the value itself, or one of those that checkpoints hold it
 * under ("state_dict", "model", ...). NULL with an error. */
const pickle_value *torch_state_dict(const pickle *p, const pickle_value *root);
/* Fills the list from the dictionary; every storage has its data by now. Strided tensors are copied in order.
 */
bool torch_tensors(tensors *t, const pickle *p, const pickle_value *dict);

#endif
