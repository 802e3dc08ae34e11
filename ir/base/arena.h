/* Memory whose lifetime is a type: everything of one compilation (or one pass) lies in one arena and goes at
 * once. An arena never returns NULL: when memory or its cap is spent it jumps to its trap, set at the API's
 * entry, which frees the arena and reports. No jump may cross LLVM or a user's callback. */
#ifndef NETC_IR_BASE_ARENA_H
#define NETC_IR_BASE_ARENA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

/* Where to go when something cannot go on: out of memory, a cap reached. `reason` is a sentence
 * that may lie in the arena: report before arena_free. */
typedef struct trap {
    jmp_buf jump;
    const char *reason;
} trap;

/* Whose memory it is. `allocate` is a realloc, aligned to 16, NULL where there is no more, for which 0 bytes mean
 * free; threads that help with a compilation call it too, several at once. NULL: malloc and free. */
typedef struct allocator {
    void *(*allocate)(void *user, void *old, size_t bytes);
    void *user;
} allocator;

void *allocator_get(const allocator *m, size_t bytes);  /* NULL where there is none */
void allocator_give_back(const allocator *m, void *at); /* takes NULL */

typedef struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used, cap;           /* bytes handed out; the most it may hand out */
    trap *trap;
    allocator from; /* malloc, unless it is set before the first use */
} arena;

/* An empty arena that may hand out `cap` bytes (0: no cap) and jumps to `t` past that. */
void arena_init(arena *a, size_t cap, trap *t);
void arena_free(arena *a);

/* Zeroed memory for count × size bytes, aligned to 16. Jumps on overflow too. */
void *arena_alloc(arena *a, size_t count, size_t size);
/* A copy of an array grown to new_count; the old stays where it is. */
void *arena_grow(arena *a, const void *old, size_t old_count, size_t new_count, size_t size);
void *arena_copy(arena *a, const void *bytes, size_t size);
/* A zero-terminated copy of `length` bytes. */
char *arena_text(arena *a, const char *text, size_t length);
char *arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(arena *a, const char *format, va_list list) __attribute__((format(printf, 2, 0)));

_Noreturn void trap_spring(trap *t, const char *reason);

#define NEW(a, T)              ((T *)arena_alloc((a), 1, sizeof(T)))
#define NEW_ARRAY(a, T, count) ((T *)arena_alloc((a), (size_t)(count), sizeof(T)))

/* A growing array in an arena: VEC(node *) nodes; VEC_PUSH(a, &nodes, n); nodes.at[i]; nodes.count */
#define VEC(T)                                                                                               \
    struct {                                                                                                 \
        T *at;                                                                                               \
        int count, room;                                                                                     \
    }
#define VEC_PUSH(a, v, item)                                                                                 \
    do {                                                                                                     \
        if ((v)->count == (v)->room) {                                                                       \
            (v)->room = (v)->room ? 2 * (v)->room : 8;                                                       \
            (v)->at = arena_grow((a), (v)->at, (size_t)(v)->count, (size_t)(v)->room, sizeof *(v)->at);      \
        }                                                                                                    \
        (v)->at[(v)->count++] = (item);                                                                      \
    } while (0)

#endif
