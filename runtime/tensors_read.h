/* Between tensors.c and the readers of each kind of weight file. Only runtime/tensors*.c and the readers
 * include this. */
#ifndef NETC_RUNTIME_TENSORS_READ_H
#define NETC_RUNTIME_TENSORS_READ_H

#include "runtime/tensors.h"

/* A file being read: all that a reader needs. */
typedef struct weight_file {
    const char *path;
    const unsigned char *bytes;
    size_t size;
    arena *arena;
    diags *diags;
} weight_file;

bool read_safetensors(tensors *t, const weight_file *f);
bool read_zip_weights(tensors *t, const weight_file *f); /* .pt or .npz: both are zip files */
bool read_legacy_torch(tensors *t, const weight_file *f);
bool is_legacy_torch(const weight_file *f);
/* A pickle that is no weight file: run the reader for its refusal (which says what it wants to call). */
bool looks_like_pickle(const weight_file *f);

static inline uint64_t little64(const unsigned char *p) {
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    return v;
}
static inline uint32_t little32(const unsigned char *p) {
    uint32_t v;
    __builtin_memcpy(&v, p, 4);
    return v;
}
static inline uint16_t little16(const unsigned char *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files and memory share the little-endian order");

#endif
