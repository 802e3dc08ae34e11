/* A weight file in memory: a list of named tensors, whatever the file's kind. What the file says is checked
 * before anything is believed: sizes equal type × shape, data lie inside the file, names occur once. Nothing
 * in a file is ever executed, and what is refused is refused at once with little memory. */
#ifndef NETC_RUNTIME_TENSORS_H
#define NETC_RUNTIME_TENSORS_H

#include "ir/base/diag.h"
#include "ir/base/file.h"

typedef enum element_type {
    EL_F32,
    EL_F64,
    EL_F16,
    EL_BF16,
    EL_I64,
    EL_I32,
    EL_I16,
    EL_I8,
    EL_U64,
    EL_U32,
    EL_U16,
    EL_U8,
    EL_BOOL,
    EL_TYPES
} element_type;

typedef struct element_info {
    const char *name;  /* as messages say it: "float32" */
    const char *dtype; /* as safetensors says it: "F32" */
    const char *descr; /* as numpy says it: "<f4"; "" where numpy has none */
    int bytes;
    bool real; /* a floating-point type: may become a parameter */
} element_info;
extern const element_info element_infos[EL_TYPES];

enum { STORED_MAX_RANK = 16 };

/* Row-major, little-endian, without gaps. `data` may lie at any address: read it with memcpy or element_real.
 * Data lie in the mapped file itself where they can: those of zip files and of strided tensors are copies. */
typedef struct stored_tensor {
    const char *name;
    element_type type;
    int rank;
    const int64_t *dims;
    int64_t count; /* elements */
    size_t bytes;  /* count × the type's size */
    const unsigned char *data;
} stored_tensor;

typedef struct tensors {
    const char *path;
    const char *format; /* "safetensors", "PyTorch", "PyTorch (older format)", "npz" */
    stored_tensor *at;
    int count;
    const char *const *metadata; /* safetensors' texts: key, value, key, value, ..., NULL; NULL without */
    file_map map;                /* what `data` point into, until tensors_close */
    void *json;                  /* while a header is read */
    struct archive *archive;     /* while a zip file is read */
} tensors;

/* Reads safetensors, PyTorch's .pt/.pth/.th (zip and the older pickle format) and .npz, told apart by
 * content. False with an error otherwise. */
bool tensors_open(tensors *t, arena *a, const char *path, diags *d);
/* The same of bytes that the caller keeps until tensors_close; `path` names them in messages. */
bool tensors_open_memory(tensors *t, arena *a, const char *path, const void *bytes, size_t size, diags *d);
void tensors_close(tensors *t);
const stored_tensor *tensors_find(const tensors *t, const char *name);
/* The text under this key of the metadata, or NULL. */
const char *tensors_metadata(const tensors *t, const char *key);

/* Writes safetensors, in the list's order, aside and then renamed; nothing is held in memory twice.
 * `metadata`: key, value, key, value, ..., NULL; or NULL for none. */
bool tensors_save_safetensors(const char *path, const stored_tensor *list, int count,
                              const char *const *metadata, diags *d);

/* Element i of data of a floating-point or integer type, as a double. */
double element_real(element_type type, const unsigned char *data, int64_t i);
/* Count and bytes of a shape; false if a dimension is negative or the size overflows. */
bool element_size(element_type type, int rank, const int64_t *dims, int64_t *count, int64_t *bytes);

#endif
