/* numpy's .npy: one array. Reads versions 1 to 3, little-endian numbers of 1 to 8 bytes, C order (Fortran
 * order is turned round); nothing in the header is evaluated. Writes version 1. */
#ifndef NETC_RUNTIME_NPY_H
#define NETC_RUNTIME_NPY_H

#include "runtime/tensors.h"

typedef struct npy {
    stored_tensor tensor; /* without a name */
    file_map map;         /* what its data point into, until npy_close */
} npy;

bool npy_open(npy *n, arena *a, const char *path, diags *d);
void npy_close(npy *n);
/* The same of bytes that stay where they are; nothing is copied but an array in Fortran order. */
bool npy_parse(stored_tensor *t, arena *a, const unsigned char *bytes, size_t size, const char *path,
               diags *d);
struct text;
/* What stands before an array's numbers; false where .npy cannot hold such an array. */
bool npy_front(struct text *t, element_type type, int rank, const int64_t *dims);
/* Writes aside and renames. */
bool npy_write(const char *path, element_type type, int rank, const int64_t *dims, const void *data,
               diags *d);

#endif
