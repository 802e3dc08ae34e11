/* Finds the state dict in a checkpoint and turns what it holds into plain tensors. */
#include "runtime/torch.h"

#include "ir/base/size.h"
#include "runtime/shown.h"

#include <string.h>

enum { MAX_NAME = 1000, MAX_NESTING = 3, MAX_FOUND = 64, MAX_VISITS = 100000 };

/* Where training scripts put the weights, most telling first. */
static const char *const usual_keys[] = {"state_dict", "model_state_dict", "model_state", "model",  "net",
                                         "network",    "weights",          "params",      "module", "ema"};

typedef struct found {
    const pickle_value *dict;
    const char *key; /* under which it lies; NULL for the root */
} found;

typedef struct search {
    const pickle *pickle;
    found at[MAX_FOUND];
    int count, visits;
} search;

static bool holds_tensors(const pickle_value *v) {
    for (int i = 1; i < v->items.count; i += 2)
        if (v->items.at[i]->kind == PICKLE_TENSOR) return true;
    return false;
}

/* A checkpoint is shallow; shared dictionaries could make the walk endless, so it is counted. */
static void find_dicts(search *s, const pickle_value *v, const char *key, int depth) {
    if (v->kind != PICKLE_DICT || s->count == MAX_FOUND || ++s->visits > MAX_VISITS) return;
    if (holds_tensors(v)) {
        s->at[s->count++] = (found){v, key};
        return;
    }
    for (int i = 0; i + 1 < v->items.count && depth < MAX_NESTING; i += 2) {
        const pickle_value *k = v->items.at[i];
        bool text = k->kind == PICKLE_TEXT;
        if (v->items.at[i + 1]->kind == PICKLE_DICT)
            find_dicts(s, v->items.at[i + 1],
                       text ? shown(s->pickle->file->arena, k->text.at, k->text.length) : "?", depth + 1);
    }
}

static const pickle_value *choose(const search *s) {
    if (s->count == 1) return s->at[0].dict;
    for (size_t k = 0; k < sizeof usual_keys / sizeof *usual_keys; k++)
        for (int i = 0; i < s->count; i++)
            if (strcmp(s->at[i].key, usual_keys[k]) == 0) return s->at[i].dict;
    pickle_refuse(
        s->pickle,
        "this checkpoint holds several sets of tensors ('%s', '%s', ...): save the one you mean alone",
        s->at[0].key, s->at[1].key);
    return NULL;
}

const pickle_value *torch_state_dict(const pickle *p, const pickle_value *root) {
    search s = {.pickle = p};
    find_dicts(&s, root, NULL, 0);
    if (s.count) return choose(&s);
    pickle_refuse(p, "this file holds no dictionary of tensors: save model.state_dict() with torch.save");
    return NULL;
}

static bool refuse(const pickle *p, const stored_tensor *s, const char *why) {
    return pickle_refuse(p, "tensor '%s': %s", shown(p->file->diags->arena, s->name, strlen(s->name)), why);
}

/* One past the last element that a strided tensor reads; false if that passes any size. */
static bool reach(const strided *t, int64_t *end) {
    *end = t->offset;
    for (int i = 0; i < t->rank; i++) {
        int64_t last;
        if (t->dims[i] == 0) return true;
        if (!size_mul(t->dims[i] - 1, t->strides[i], &last) || !size_add(*end, last, end)) return false;
    }
    return size_add(*end, 1, end);
}

static bool is_contiguous(const strided *t) {
    int64_t expected = 1;
    for (int i = t->rank; i-- > 0;) {
        if (t->dims[i] != 1 && t->strides[i] != expected) return false;
        expected *= t->dims[i];
    }
    return true;
}

/* Copies in row-major order: an odometer over all dimensions. */
static void gather(unsigned char *to, const strided *t, int64_t count, int bytes) {
    int64_t index[STORED_MAX_RANK] = {0}, from = t->offset;
    for (int64_t i = 0; i < count; i++) {
        memcpy(to + i * bytes, t->from->data + from * bytes, (size_t)bytes);
        for (int d = t->rank; d-- > 0;) {
            from += t->strides[d];
            if (++index[d] < t->dims[d]) break;
            from -= t->strides[d] * t->dims[d];
            index[d] = 0;
        }
    }
}

/* `copied`: bytes gathered so far in this file. A file's strided tensors together hold no more than the file:
 * more would be the same bytes many times over. */
static bool place(stored_tensor *s, const pickle *p, const strided *t, int64_t *copied) {
    int64_t end, bytes;
    *s = (stored_tensor){.name = s->name, .type = t->from->type, .rank = t->rank, .dims = t->dims};
    if (!element_size(s->type, s->rank, s->dims, &s->count, &bytes) || s->count > t->from->count ||
        !reach(t, &end) || (s->count && end > t->from->count))
        return refuse(p, s, "its shape reaches past its storage");
    s->bytes = (size_t)bytes;
    int size = element_infos[s->type].bytes;
    if (s->count == 0 || is_contiguous(t)) {
        s->data = t->from->data + (s->count ? t->offset * size : 0);
        return true;
    }
    if ((*copied += bytes) > (int64_t)p->file->size)
        return refuse(p, s, "the file's strided tensors overlap: call .contiguous() before saving");
    unsigned char *to = arena_alloc(p->file->arena, s->bytes, 1);
    gather(to, t, s->count, size);
    s->data = to;
    return true;
}

bool torch_tensors(tensors *t, const pickle *p, const pickle_value *dict) {
    int64_t copied = 0;
    t->at = NEW_ARRAY(p->file->arena, stored_tensor, dict->items.count / 2 + 1);
    for (int i = 0; i + 1 < dict->items.count; i += 2) {
        const pickle_value *key = dict->items.at[i], *v = dict->items.at[i + 1];
        if (v->kind != PICKLE_TENSOR || key->kind != PICKLE_TEXT) continue; /* an epoch, a learning rate */
        if (key->text.length > MAX_NAME || memchr(key->text.at, 0, key->text.length))
            return pickle_refuse(p, "a tensor's name is longer than %d bytes or holds a zero byte", MAX_NAME);
        stored_tensor *s = &t->at[t->count++];
        s->name = arena_text(p->file->arena, key->text.at, key->text.length);
        if (!place(s, p, v->tensor, &copied)) return false;
    }
    return true;
}
