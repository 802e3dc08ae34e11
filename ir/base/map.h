/* A hash map from text to pointer, in an arena. Keys are kept, not copied. */
#ifndef NETC_IR_BASE_MAP_H
#define NETC_IR_BASE_MAP_H

#include "ir/base/arena.h"

#include <stdint.h>

typedef struct map {
    arena *arena;
    struct map_slot *slots;
    size_t count, room; /* room is a power of two or 0 */
} map;

static inline map map_in(arena *a) {
    return (map){.arena = a};
}
void *map_get(const map *m, const char *key); /* NULL if absent */
void map_put(map *m, const char *key, void *value);
uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed); /* FNV-1a, 64 bits */

#endif
