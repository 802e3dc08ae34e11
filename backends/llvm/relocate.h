/* References between functions, filled in: the processors whose code can be put together. */
#ifndef NETC_BACKENDS_LLVM_RELOCATE_H
#define NETC_BACKENDS_LLVM_RELOCATE_H

#include <stddef.h>
#include <stdint.h>

typedef struct relocator {
    uint64_t machine;
    unsigned char jump[8]; /* to the address behind it */
    /* Writes the distance from `place` to `symbol` (offsets in the image), addend included, into the instruction
     * or number at `at`; `room` bytes follow there. NULL, or what cannot be done. */
    const char *(*apply)(unsigned char *at, size_t room, unsigned type, int64_t place, int64_t symbol);
} relocator;
const relocator *relocator_find(uint64_t machine); /* NULL: none */
const relocator *relocator_host(void);

#endif
