/* What the names in a PyTorch pickle stand for, said once; all else is refused. */
#include "ir/base/size.h"
#include "runtime/pickle.h"
#include "runtime/shown.h"

#include <string.h>

enum { TENSOR_STEPS = 16, MAX_KEY = 200 };

static const pickle_global globals[] = {
    {"collections", "OrderedDict", ROLE_ORDERED_DICT, EL_F32},
    {"torch", "Size", ROLE_SIZE, EL_F32},
    {"torch._utils", "_rebuild_tensor", ROLE_TENSOR, EL_F32},
    {"torch._utils", "_rebuild_tensor_v2", ROLE_TENSOR, EL_F32},
    {"torch._utils", "_rebuild_parameter", ROLE_PARAMETER, EL_F32},
    {"torch", "FloatStorage", ROLE_STORAGE, EL_F32},
    {"torch", "DoubleStorage", ROLE_STORAGE, EL_F64},
    {"torch", "HalfStorage", ROLE_STORAGE, EL_F16},
    {"torch", "BFloat16Storage", ROLE_STORAGE, EL_BF16},
    {"torch", "LongStorage", ROLE_STORAGE, EL_I64},
    {"torch", "IntStorage", ROLE_STORAGE, EL_I32},
    {"torch", "ShortStorage", ROLE_STORAGE, EL_I16},
    {"torch", "CharStorage", ROLE_STORAGE, EL_I8},
    {"torch", "ByteStorage", ROLE_STORAGE, EL_U8},
    {"torch", "BoolStorage", ROLE_STORAGE, EL_BOOL},
};

static bool same(const char *text, const char *at, size_t length) {
    return strlen(text) == length && memcmp(text, at, length) == 0;
}

const pickle_global *pickle_find_global(const char *module, size_t module_length, const char *name,
                                        size_t name_length) {
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        const pickle_global *g = &globals[i];
        if (!same(g->name, name, name_length)) continue;
        if (same(g->module, module, module_length)) return g;
        if (g->role == ROLE_STORAGE && same("torch.cuda", module, module_length)) return g;
    }
    return NULL;
}

const char *pickle_storage_name(element_type type) {
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++)
        if (globals[i].role == ROLE_STORAGE && globals[i].type == type) return globals[i].name;
    return NULL;
}

static pickle_value *fail(const pickle *p, const char *why) {
    pickle_refuse(p, "this pickle is damaged: %s", why);
    return NULL;
}

/* OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]). */
static pickle_value *ordered_dict(pickle *p, const pickle_items *args) {
    pickle_value *d = pickle_new(p, PICKLE_DICT);
    if (!d || args->count == 0) return d;
    const pickle_value *list = args->at[0];
    if (list->kind != PICKLE_LIST) return fail(p, "an OrderedDict is made of something other than a list");
    for (int i = 0; i < list->items.count; i++) {
        const pickle_value *pair = list->items.at[i];
        if ((pair->kind != PICKLE_LIST && pair->kind != PICKLE_TUPLE) || pair->items.count != 2)
            return fail(p, "an OrderedDict is made of something other than pairs");
        VEC_PUSH(p->file->arena, &d->items, pair->items.at[0]);
        VEC_PUSH(p->file->arena, &d->items, pair->items.at[1]);
    }
    return d;
}

/* A tuple of whole numbers ≥ 0; NULL if it is none. */
static int64_t *numbers(const pickle *p, const pickle_value *v, int *count) {
    if ((v->kind != PICKLE_TUPLE && v->kind != PICKLE_LIST) || v->items.count > STORED_MAX_RANK) return NULL;
    int64_t *n = NEW_ARRAY(p->file->arena, int64_t, v->items.count + 1);
    for (int i = 0; i < v->items.count; i++) {
        if (v->items.at[i]->kind != PICKLE_INT || v->items.at[i]->number < 0) return NULL;
        n[i] = v->items.at[i]->number;
    }
    *count = v->items.count;
    return n;
}

static pickle_value *rebuild_tensor(pickle *p, const pickle_items *args) {
    if (args->count < 4 || args->at[0]->kind != PICKLE_STORAGE || args->at[1]->kind != PICKLE_INT)
        return fail(p, "a tensor is made of something other than a storage and an offset");
    p->steps += TENSOR_STEPS;
    strided *t = NEW(p->file->arena, strided);
    int strides = 0;
    t->from = args->at[0]->storage;
    t->offset = args->at[1]->number;
    t->dims = numbers(p, args->at[2], &t->rank);
    t->strides = numbers(p, args->at[3], &strides);
    if (!t->dims || !t->strides || strides != t->rank || t->offset < 0)
        return fail(p, "a tensor's offset, shape or strides are no sizes of up to 16 dimensions");
    pickle_value *v = pickle_new(p, PICKLE_TENSOR);
    if (v) v->tensor = t;
    return v;
}

pickle_value *pickle_reduce(pickle *p, const pickle_value *callee, const pickle_value *args) {
    if (callee->kind != PICKLE_GLOBAL || args->kind != PICKLE_TUPLE)
        return fail(p, "it calls what is no function");
    const pickle_items *items = &args->items;
    switch (callee->global->role) {
    case ROLE_ORDERED_DICT: return ordered_dict(p, items);
    case ROLE_SIZE:
        return items->count == 1 ? items->at[0] : fail(p, "a Size is made of something other than one tuple");
    case ROLE_TENSOR: return rebuild_tensor(p, items);
    case ROLE_PARAMETER:
        return items->count && items->at[0]->kind == PICKLE_TENSOR
                   ? items->at[0]
                   : fail(p, "a Parameter is made of what is no tensor");
    case ROLE_STORAGE: return fail(p, "it makes a storage by hand");
    }
    return fail(p, "it calls what is no function");
}

static storage *find_storage(pickle *p, const char *key, element_type type, int64_t count) {
    storage *s = map_get(&p->storages, key);
    if (s) {
        if (s->type == type && s->count == count) return s;
        fail(p, "one storage is given two types or two sizes");
        return NULL;
    }
    s = NEW(p->file->arena, storage);
    *s = (storage){.key = key, .type = type, .count = count};
    map_put(&p->storages, key, s);
    *p->last = s;
    p->last = &s->next;
    return s;
}

/* ("storage", torch.FloatStorage, key, device, count[, None]) */
pickle_value *pickle_persistent(pickle *p, const pickle_value *id) {
    const pickle_items *i = &id->items;
    if (id->kind != PICKLE_TUPLE || i->count < 5 || !pickle_is(i->at[0], "storage"))
        return fail(p, "it refers to something outside that is no storage");
    if (i->at[1]->kind != PICKLE_GLOBAL || i->at[1]->global->role != ROLE_STORAGE ||
        i->at[2]->kind != PICKLE_TEXT || i->at[4]->kind != PICKLE_INT || i->at[2]->text.length > MAX_KEY ||
        memchr(i->at[2]->text.at, 0, i->at[2]->text.length))
        return fail(p, "a storage's type, key or size is none");
    int64_t bytes;
    element_type type = i->at[1]->global->type;
    if (!size_mul(i->at[4]->number, element_infos[type].bytes, &bytes) || bytes > (int64_t)p->file->size)
        return fail(p, "a storage is larger than the file: it is truncated, or lies about its size");
    if (i->count > 5 && i->at[5]->kind != PICKLE_NONE)
        return fail(p, "a storage is a view of another, as in files from before PyTorch 0.4");
    const char *key = arena_text(p->file->arena, i->at[2]->text.at, i->at[2]->text.length);
    pickle_value *v = pickle_new(p, PICKLE_STORAGE);
    if (v) v->storage = find_storage(p, key, type, i->at[4]->number);
    return v && v->storage ? v : NULL;
}
