/* Memory by the block, freed at once. */
#include "ir/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 << 10, ALIGNMENT = 16 };

typedef struct arena_block {
    struct arena_block *older;
    size_t size, used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
} arena_block;

void trap_spring(trap *t, const char *reason) {
    t->reason = reason;
    longjmp(t->jump, 1);
}

void *allocator_get(const allocator *m, size_t bytes) {
    return m->allocate ? m->allocate(m->user, NULL, bytes) : malloc(bytes);
}

void allocator_give_back(const allocator *m, void *at) {
    if (m->allocate && at)
        m->allocate(m->user, at, 0);
    else
        free(at);
}

void arena_init(arena *a, size_t cap, trap *t) {
    *a = (arena){.cap = cap ? cap : SIZE_MAX, .trap = t};
}

void arena_free(arena *a) {
    for (arena_block *b = a->blocks, *older; b; b = older) {
        older = b->older;
        allocator_give_back(&a->from, b);
    }
    a->blocks = NULL;
    a->used = 0;
}

static arena_block *add_block(arena *a, size_t bytes) {
    size_t size = bytes > BLOCK_BYTES / 4 ? bytes : BLOCK_BYTES;
    arena_block *b = allocator_get(&a->from, sizeof *b + size);
    if (!b) trap_spring(a->trap, "out of memory");
    *b = (arena_block){.older = a->blocks, .size = size};
    if (size == bytes && a->blocks) { /* a block of its own: the shared one stays in front */
        b->older = a->blocks->older;
        a->blocks->older = b;
    } else {
        a->blocks = b;
    }
    return b;
}

void *arena_alloc(arena *a, size_t count, size_t size) {
    if (size && count > (SIZE_MAX / 2) / size) trap_spring(a->trap, "a size overflows");
    size_t bytes = (count * size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (bytes > a->cap - a->used) trap_spring(a->trap, "memory limit reached");
    arena_block *b = a->blocks;
    if (!b || b->size - b->used < bytes) b = add_block(a, bytes);
    void *p = b->bytes + b->used;
    b->used += bytes;
    a->used += bytes;
    return memset(p, 0, bytes);
}

void *arena_grow(arena *a, const void *old, size_t old_count, size_t new_count, size_t size) {
    void *p = arena_alloc(a, new_count, size);
    if (old_count) memcpy(p, old, old_count * size);
    return p;
}

void *arena_copy(arena *a, const void *bytes, size_t size) {
    return size ? memcpy(arena_alloc(a, 1, size), bytes, size) : arena_alloc(a, 1, 1);
}

char *arena_text(arena *a, const char *text, size_t length) {
    char *p = arena_alloc(a, length + 1, 1);
    if (length) memcpy(p, text, length);
    return p;
}

char *arena_vprintf(arena *a, const char *format, va_list list) {
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    char *p = arena_alloc(a, (size_t)length + 1, 1);
    vsnprintf(p, (size_t)length + 1, format, again);
    va_end(again);
    return p;
}

char *arena_printf(arena *a, const char *format, ...) {
    va_list list;
    va_start(list, format);
    char *p = arena_vprintf(a, format, list);
    va_end(list);
    return p;
}
