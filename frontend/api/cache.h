/* Compiled code kept from one process to the next, in the user's cache folder: $XDG_CACHE_HOME/netc, else
 * ~/.cache/netc. A file a piece of code, named after all that decides it. Nothing here ever fails aloud: where the
 * folder or the disk gives out there is no cache, and a damaged file is as good as none. */
#ifndef NETC_FRONTEND_API_CACHE_H
#define NETC_FRONTEND_API_CACHE_H

#include "ir/base/digest.h"

#include <stdbool.h>

enum {
    CACHE_BYTES = 1 << 30 /* what the folder may hold; past it the files go that were not used the longest */
};

typedef struct cache_key {
    unsigned char bytes[DIGEST_BYTES];
} cache_key;

/* Begins a key with this very build of netc and this machine's processor; false where they cannot be told. The
 * caller adds what it compiles, and how. */
bool cache_begin(digest *d);
cache_key cache_end(digest *d);

/* What was kept, for free(); NULL where there is nothing. */
void *cache_read(const cache_key *k, size_t *bytes);
void cache_write(const cache_key *k, const void *bytes, size_t size);
/* Removes files, the ones not used the longest first, until at most so many bytes are left, and what processes that
 * were killed have left behind. */
void cache_trim(int64_t most);

/* identity.c: who compiles for whom. */
bool identity_build(digest *d);
void identity_processor(digest *d);

#endif
