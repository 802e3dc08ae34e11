/* A pickle read as data. Of Python's pickle machine only what state dicts of tensors are made of is
 * understood: numbers, text, tuples, lists, dictionaries and the few names of `pickle_globals`. Any other
 * name is refused where it is named, before it could be called; netc has nothing that could call it.
 * Operations, values, memo and stack are bounded. */
#ifndef NETC_RUNTIME_PICKLE_H
#define NETC_RUNTIME_PICKLE_H

#include "ir/base/map.h"
#include "runtime/tensors_read.h"

typedef enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_REAL,
    PICKLE_TEXT,
    PICKLE_OPAQUE, /* bytes and whole numbers past 64 bits: carried, not read */
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_GLOBAL,
    PICKLE_STORAGE,
    PICKLE_TENSOR
} pickle_kind;

typedef enum global_role {
    ROLE_ORDERED_DICT,
    ROLE_SIZE,      /* torch.Size(tuple) */
    ROLE_TENSOR,    /* _rebuild_tensor(storage, offset, size, stride, ...) and _v2 */
    ROLE_PARAMETER, /* _rebuild_parameter(tensor, requires_grad, hooks) */
    ROLE_STORAGE    /* names the element type of a storage */
} global_role;

typedef struct pickle_global {
    const char *module, *name;
    global_role role;
    element_type type; /* of a storage */
} pickle_global;

/* Numbers that lie elsewhere in the file; found after the pickle has been read. */
typedef struct storage {
    const char *key;
    element_type type;
    int64_t count;
    const unsigned char *data;
    struct storage *next; /* in the order of appearance */
} storage;

typedef struct strided {
    storage *from;
    int64_t offset; /* elements */
    int rank;
    int64_t *dims, *strides;
} strided;

typedef struct pickle_value pickle_value;
typedef struct pickle_items {
    pickle_value **at;
    int count, room;
} pickle_items;

struct pickle_value {
    pickle_kind kind;
    union {
        int64_t number;
        double real;
        struct {
            const char *at; /* in the file, no zero at the end */
            size_t length;
        } text;
        pickle_items items; /* of a dictionary: key, value, key, value */
        const pickle_global *global;
        storage *storage;
        strided *tensor;
    };
};

typedef struct pickle {
    const weight_file *file;
    const unsigned char *at, *end; /* what is left to read */
    int steps, values;             /* so far, all pickles of the file together */
    pickle_items stack, memo;
    struct {
        int *at;
        int count, room;
    } marks; /* heights of the stack */
    map storages;
    storage *first, **last;
} pickle;

/* Starts on the bytes [at, end) of a file. */
void pickle_start(pickle *p, const weight_file *f, const unsigned char *at, const unsigned char *end);
/* Reads one pickle, up to and with its STOP, and leaves `at` behind it. NULL with an error. */
const pickle_value *pickle_read(pickle *p);

/* For the machine's own files. */
bool pickle_refuse(const pickle *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
pickle_value *pickle_new(pickle *p, pickle_kind kind);   /* NULL with an error: too many */
bool pickle_is(const pickle_value *v, const char *text); /* is the text */
const pickle_global *pickle_find_global(const char *module, size_t module_length, const char *name,
                                        size_t name_length);
/* The name of the storage that holds this type, in module torch; NULL: there is none. */
const char *pickle_storage_name(element_type type);
pickle_value *pickle_reduce(pickle *p, const pickle_value *callee, const pickle_value *args);
pickle_value *pickle_persistent(pickle *p, const pickle_value *id);

#endif
