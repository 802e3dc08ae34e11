/* A digest of bytes: BLAKE2b (RFC 7693) of 32 bytes. Nobody can make two inputs that have the same one. */
#ifndef NETC_IR_BASE_DIGEST_H
#define NETC_IR_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, DIGEST_BLOCK = 128 };

typedef struct digest {
    uint64_t state[8];
    uint64_t count; /* bytes of the blocks that went into the state */
    unsigned char block[DIGEST_BLOCK];
    size_t filled;
} digest;

void digest_start(digest *d);
void digest_add(digest *d, const void *bytes, size_t count);
/* Eight bytes; a text with its length in front, so that neighbours never run into each other (NULL: none). */
void digest_number(digest *d, int64_t x);
void digest_text(digest *d, const char *text);
void digest_end(digest *d, unsigned char out[DIGEST_BYTES]);

#endif
