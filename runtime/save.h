/* Weights written as other programs read them; the file's suffix says which. */
#ifndef NETC_RUNTIME_SAVE_H
#define NETC_RUNTIME_SAVE_H

#include "runtime/tensors.h"

typedef struct save_kind {
    const char *suffix;  /* ".pt" */
    const char *summary; /* "PyTorch's" */
    bool (*write)(const char *path, const stored_tensor *list, int count, diags *d);
} save_kind;

extern const save_kind save_kinds[]; /* ends with a NULL suffix */

/* The kind that a path's suffix asks for; NULL with an error that lists them. */
const save_kind *save_kind_of(const char *path, diags *d);

/* PyTorch's zip format: a state dict, an OrderedDict from names to tensors, that torch.load reads with
 * weights_only=True. Written aside and renamed, byte for byte the same for the same list. */
bool tensors_save_torch(const char *path, const stored_tensor *list, int count, diags *d);
/* numpy's .npz, uncompressed: NAME.npy each. In the same way. */
bool tensors_save_npz(const char *path, const stored_tensor *list, int count, diags *d);

#endif
