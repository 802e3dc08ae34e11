/* Open addressing with linear probing, at most half full. */
#include "ir/base/map.h"

#include <string.h>

typedef struct map_slot {
    const char *key;
    void *value;
} map_slot;

uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed) {
    uint64_t h = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < size; i++) h = (h ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return h;
}

static map_slot *find(map_slot *slots, size_t room, const char *key) {
    size_t i = hash_bytes(key, strlen(key), 0) & (room - 1);
    while (slots[i].key && strcmp(slots[i].key, key) != 0) i = (i + 1) & (room - 1);
    return &slots[i];
}

void *map_get(const map *m, const char *key) {
    return m->room ? find(m->slots, m->room, key)->value : NULL;
}

static void grow(map *m) {
    size_t room = m->room ? 2 * m->room : 16;
    map_slot *slots = NEW_ARRAY(m->arena, map_slot, room);
    for (size_t i = 0; i < m->room; i++)
        if (m->slots[i].key) *find(slots, room, m->slots[i].key) = m->slots[i];
    m->slots = slots;
    m->room = room;
}

void map_put(map *m, const char *key, void *value) {
    if (2 * (m->count + 1) > m->room) grow(m);
    map_slot *s = find(m->slots, m->room, key);
    if (!s->key) m->count++;
    *s = (map_slot){key, value};
}
