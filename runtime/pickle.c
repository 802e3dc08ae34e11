/* The pickle machine: a stack, a memo, one small function an operation. Opcodes and their arguments: Python's
 * Lib/pickletools.py. */
#include "runtime/pickle.h"

#include "runtime/shown.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 1 << 21, MAX_VALUES = 1 << 19, MAX_MEMO = 1 << 19, MAX_STACK = 1 << 18 };

typedef bool operation(pickle *p, unsigned char code);

bool pickle_refuse(const pickle *p, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *why = arena_vprintf(p->file->diags->arena, format, list);
    va_end(list);
    return diag_file(p->file->diags, p->file->path, "%s", why);
}

pickle_value *pickle_new(pickle *p, pickle_kind kind) {
    if (++p->values > MAX_VALUES) {
        pickle_refuse(p, "this pickle holds more than %d values: it is no state dict", MAX_VALUES);
        return NULL;
    }
    pickle_value *v = NEW(p->file->arena, pickle_value);
    v->kind = kind;
    return v;
}

bool pickle_is(const pickle_value *v, const char *text) {
    return v->kind == PICKLE_TEXT && v->text.length == strlen(text) &&
           memcmp(v->text.at, text, v->text.length) == 0;
}

static bool push(pickle *p, pickle_value *v) {
    if (!v) return false;
    if (p->stack.count >= MAX_STACK)
        return pickle_refuse(p, "this pickle's stack grows past %d values", MAX_STACK);
    VEC_PUSH(p->file->arena, &p->stack, v);
    return true;
}

/* Values above the last mark belong to it: nothing may be popped through a mark. */
static int floor_of(const pickle *p) {
    return p->marks.count ? p->marks.at[p->marks.count - 1] : 0;
}

static pickle_value *pop(pickle *p) {
    if (p->stack.count > floor_of(p)) return p->stack.at[--p->stack.count];
    pickle_refuse(p, "this pickle is damaged: it takes more from its stack than there is");
    return NULL;
}

static pickle_value *top(pickle *p) {
    pickle_value *v = pop(p);
    if (v) p->stack.count++;
    return v;
}

static const unsigned char *take(pickle *p, uint64_t n) {
    if (n > (uint64_t)(p->end - p->at)) {
        pickle_refuse(p, "the pickle ends in the middle: the file is truncated");
        return NULL;
    }
    p->at += n;
    return p->at - n;
}

/* An unsigned argument of 1, 2, 4 or 8 bytes. */
static bool take_number(pickle *p, int bytes, uint64_t *out) {
    const unsigned char *s = take(p, (uint64_t)bytes);
    *out = 0;
    if (s) memcpy(out, s, (size_t)bytes);
    return s;
}

/* A line without its line feed. */
static const char *take_line(pickle *p, size_t *length) {
    const unsigned char *s = p->at, *e = memchr(s, '\n', (size_t)(p->end - s));
    if (!e) {
        pickle_refuse(p, "the pickle ends in the middle: the file is truncated");
        return NULL;
    }
    p->at = e + 1;
    *length = (size_t)(e - s);
    return (const char *)s;
}

static bool push_int(pickle *p, int64_t number) {
    pickle_value *v = pickle_new(p, PICKLE_INT);
    if (v) v->number = number;
    return push(p, v);
}

static bool push_bytes(pickle *p, pickle_kind kind, const void *bytes, size_t length) {
    pickle_value *v = bytes ? pickle_new(p, kind) : NULL;
    if (v) v->text.at = bytes, v->text.length = length;
    return push(p, v);
}

static bool op_none(pickle *p, unsigned char code) {
    pickle_value *v = pickle_new(p, code == 'N' ? PICKLE_NONE : PICKLE_BOOL);
    if (v) v->number = code == 0x88;
    return push(p, v);
}

static bool op_int(pickle *p, unsigned char code) {
    uint64_t n;
    if (!take_number(p, code == 'J' ? 4 : code == 'M' ? 2 : 1, &n)) return false;
    return push_int(p, code == 'J' ? (int32_t)n : (int64_t)n);
}

/* Two's complement of any length; what passes 64 bits (PyTorch's magic number) stays bytes. */
static bool op_long(pickle *p, unsigned char code) {
    (void)code;
    uint64_t n;
    if (!take_number(p, 1, &n)) return false;
    const unsigned char *s = take(p, n);
    if (!s || n > 8) return push_bytes(p, PICKLE_OPAQUE, s, n);
    uint64_t v = n && s[n - 1] & 0x80 ? UINT64_MAX : 0;
    memcpy(&v, s, n);
    return push_int(p, (int64_t)v);
}

static bool op_real(pickle *p, unsigned char code) {
    (void)code;
    const unsigned char *s = take(p, 8);
    pickle_value *v = s ? pickle_new(p, PICKLE_REAL) : NULL;
    if (!v) return false;
    uint64_t bits = __builtin_bswap64(little64(s));
    memcpy(&v->real, &bits, 8);
    return push(p, v);
}

/* Width of the length that stands before text or bytes. */
static int length_bytes(unsigned char code) {
    return strchr("XTB", code) ? 4 : code == 0x8d || code == 0x8e ? 8 : 1;
}

static bool op_text(pickle *p, unsigned char code) {
    uint64_t n;
    if (!take_number(p, length_bytes(code), &n)) return false;
    const unsigned char *s = take(p, n);
    bool bytes = code == 'B' || code == 'C' || code == 0x8e;
    return push_bytes(p, bytes ? PICKLE_OPAQUE : PICKLE_TEXT, s, n);
}

/* Protocol 0's text and numbers: lines, quotes left on. */
static bool op_line(pickle *p, unsigned char code) {
    size_t n = 0;
    const char *s = take_line(p, &n);
    return push_bytes(p, code == 'S' || code == 'V' ? PICKLE_TEXT : PICKLE_OPAQUE, s, n);
}

static bool op_mark(pickle *p, unsigned char code) {
    (void)code;
    if (p->marks.count >= MAX_STACK) return pickle_refuse(p, "this pickle nests past any state dict");
    VEC_PUSH(p->file->arena, &p->marks, p->stack.count);
    return true;
}

/* Takes all above the last mark, and the mark: *count values that stay where they are until the next push. */
static pickle_value **pop_mark(pickle *p, int *count) {
    if (!p->marks.count) {
        pickle_refuse(p, "this pickle is damaged: a mark is missing");
        return NULL;
    }
    int from = p->marks.at[--p->marks.count];
    *count = p->stack.count - from;
    p->stack.count = from;
    return p->stack.at ? p->stack.at + from : (pickle_value **)p->marks.at;
}

static bool push_items(pickle *p, pickle_kind kind, pickle_value *const *at, int count) {
    pickle_value *v = pickle_new(p, kind);
    if (!v) return false;
    if (count) v->items.at = arena_copy(p->file->arena, at, (size_t)count * sizeof *at);
    v->items.count = v->items.room = count;
    return push(p, v);
}

static bool op_empty(pickle *p, unsigned char code) {
    return push_items(p, code == ')' ? PICKLE_TUPLE : code == ']' ? PICKLE_LIST : PICKLE_DICT, NULL, 0);
}

static bool op_collect(pickle *p, unsigned char code) {
    int count;
    pickle_value **at = pop_mark(p, &count);
    if (!at) return false;
    if (code == 'd' && count % 2) return pickle_refuse(p, "this pickle is damaged: a key without a value");
    return push_items(p, code == 't' ? PICKLE_TUPLE : code == 'l' ? PICKLE_LIST : PICKLE_DICT, at, count);
}

static bool op_small_tuple(pickle *p, unsigned char code) {
    pickle_value *at[3];
    int count = code - 0x84;
    for (int i = count; i-- > 0;)
        if (!(at[i] = pop(p))) return false;
    return push_items(p, PICKLE_TUPLE, at, count);
}

static bool extend(pickle *p, pickle_kind kind, pickle_value *const *from, int count) {
    pickle_value *to = top(p);
    if (!to) return false;
    if (to->kind != kind || (kind == PICKLE_DICT && count % 2))
        return pickle_refuse(p, "this pickle is damaged: it adds items to what is no %s",
                             kind == PICKLE_DICT ? "dictionary" : "list");
    for (int i = 0; i < count; i++) VEC_PUSH(p->file->arena, &to->items, from[i]);
    return true;
}

static bool op_extend(pickle *p, unsigned char code) {
    int count;
    pickle_value **at = pop_mark(p, &count);
    return at && extend(p, code == 'u' ? PICKLE_DICT : PICKLE_LIST, at, count);
}

static bool op_add_one(pickle *p, unsigned char code) {
    pickle_value *item[2];
    int count = code == 's' ? 2 : 1;
    for (int i = count; i-- > 0;)
        if (!(item[i] = pop(p))) return false;
    return extend(p, code == 's' ? PICKLE_DICT : PICKLE_LIST, item, count);
}

static bool op_pop(pickle *p, unsigned char code) {
    int count;
    if (code == '1' || p->stack.count == floor_of(p)) return pop_mark(p, &count);
    return pop(p);
}

static bool op_get(pickle *p, unsigned char code) {
    uint64_t i;
    if (!take_number(p, code == 'h' ? 1 : 4, &i)) return false;
    if (i >= (uint64_t)p->memo.count || !p->memo.at[i])
        return pickle_refuse(p, "this pickle is damaged: it recalls what it never noted");
    return push(p, p->memo.at[i]);
}

static bool note(pickle *p, uint64_t i) {
    if (i >= MAX_MEMO) return pickle_refuse(p, "this pickle notes more than %d values", MAX_MEMO);
    pickle_value *v = top(p);
    if (!v) return false;
    while ((uint64_t)p->memo.count <= i) VEC_PUSH(p->file->arena, &p->memo, NULL);
    p->memo.at[i] = v;
    return true;
}

static bool op_put(pickle *p, unsigned char code) {
    uint64_t i = (uint64_t)p->memo.count;
    if (code != 0x94 && !take_number(p, code == 'q' ? 1 : 4, &i)) return false;
    return note(p, i);
}

static bool op_put_line(pickle *p, unsigned char code) {
    (void)code;
    size_t n;
    const char *s = take_line(p, &n);
    return s && note(p, strtoull(s, NULL, 10)); /* a line feed ends the digits */
}

/* Protocol and frame length: nothing that a reader of a whole file needs. */
static bool op_skip(pickle *p, unsigned char code) {
    return take(p, code == 0x95 ? 8 : 1);
}

static bool name_global(pickle *p, const char *module, size_t module_length, const char *name,
                        size_t length) {
    const pickle_global *g = pickle_find_global(module, module_length, name, length);
    if (!g) {
        arena *a = p->file->diags->arena;
        return pickle_refuse(
            p,
            "this pickle wants to call %s.%s: netc reads weights as data and executes nothing "
            "(if you trust the file, load it in Python and save its state dict again)",
            shown(a, module, module_length), shown(a, name, length));
    }
    pickle_value *v = pickle_new(p, PICKLE_GLOBAL);
    if (v) v->global = g;
    return push(p, v);
}

/* INST too: it calls what it names. */
static bool op_global(pickle *p, unsigned char code) {
    size_t m = 0, n = 0;
    const char *module = take_line(p, &m), *name = module ? take_line(p, &n) : NULL;
    if (!name || !name_global(p, module, m, name, n)) return false;
    return code == 'c' ||
           pickle_refuse(p, "this pickle makes %.*s in a way that state dicts do not", (int)(n & 127), name);
}

static bool op_stack_global(pickle *p, unsigned char code) {
    (void)code;
    const pickle_value *name = pop(p), *module = name ? pop(p) : NULL;
    if (!module) return false;
    if (name->kind != PICKLE_TEXT || module->kind != PICKLE_TEXT)
        return pickle_refuse(p, "this pickle is damaged: a name is no text");
    return name_global(p, module->text.at, module->text.length, name->text.at, name->text.length);
}

static bool op_reduce(pickle *p, unsigned char code) {
    (void)code;
    const pickle_value *args = pop(p), *callee = args ? pop(p) : NULL;
    return callee && push(p, pickle_reduce(p, callee, args));
}

/* State of an OrderedDict (its _metadata: versions of layers) or a parameter's: nothing that is needed. */
static bool op_build(pickle *p, unsigned char code) {
    (void)code;
    if (!pop(p)) return false;
    const pickle_value *v = top(p);
    if (!v) return false;
    if (v->kind != PICKLE_DICT && v->kind != PICKLE_TENSOR)
        return pickle_refuse(p, "this pickle gives state to what is neither a dictionary nor a tensor");
    return true;
}

static bool op_persistent(pickle *p, unsigned char code) {
    (void)code;
    const pickle_value *id = pop(p);
    return id && push(p, pickle_persistent(p, id));
}

static operation *const operations[256] = {
    [0x80] = op_skip,        [0x95] = op_skip,   ['N'] = op_none,         [0x88] = op_none,
    [0x89] = op_none,        ['J'] = op_int,     ['K'] = op_int,          ['M'] = op_int,
    [0x8a] = op_long,        ['G'] = op_real,    ['X'] = op_text,         [0x8c] = op_text,
    [0x8d] = op_text,        ['T'] = op_text,    ['U'] = op_text,         ['B'] = op_text,
    ['C'] = op_text,         [0x8e] = op_text,   ['S'] = op_line,         ['V'] = op_line,
    ['I'] = op_line,         ['L'] = op_line,    ['F'] = op_line,         ['('] = op_mark,
    [')'] = op_empty,        [']'] = op_empty,   ['}'] = op_empty,        ['t'] = op_collect,
    ['l'] = op_collect,      ['d'] = op_collect, [0x85] = op_small_tuple, [0x86] = op_small_tuple,
    [0x87] = op_small_tuple, ['e'] = op_extend,  ['u'] = op_extend,       ['a'] = op_add_one,
    ['s'] = op_add_one,      ['0'] = op_pop,     ['1'] = op_pop,          ['h'] = op_get,
    ['j'] = op_get,          ['q'] = op_put,     ['r'] = op_put,          [0x94] = op_put,
    ['p'] = op_put_line,     ['c'] = op_global,  ['i'] = op_global,       [0x93] = op_stack_global,
    ['R'] = op_reduce,       ['b'] = op_build,   ['Q'] = op_persistent,
};

void pickle_start(pickle *p, const weight_file *f, const unsigned char *at, const unsigned char *end) {
    *p = (pickle){.file = f, .at = at, .end = end, .storages = map_in(f->arena)};
    p->last = &p->first;
}

const pickle_value *pickle_read(pickle *p) {
    p->stack.count = p->memo.count = p->marks.count = 0;
    for (;;) {
        const unsigned char *code = take(p, 1);
        if (!code) return NULL;
        if (*code == '.') return pop(p);
        if (++p->steps > MAX_STEPS) {
            pickle_refuse(p, "this pickle takes more than %d operations: it is no state dict", MAX_STEPS);
            return NULL;
        }
        if (!operations[*code]) {
            pickle_refuse(p, "this is no pickle of tensors: it holds the operation 0x%02x", *code);
            return NULL;
        }
        if (!operations[*code](p, *code)) return NULL;
    }
}
