/* References between functions, by processor: the few kinds that code for a place not known yet has. */
#include "backends/llvm/relocate.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

static bool fits(int64_t x, int bits) {
    return x >= -((int64_t)1 << (bits - 1)) && x < (int64_t)1 << (bits - 1);
}

static const char too_far[] = "a reference reaches too far", unknown[] = "a reference of an unknown kind",
                  outside[] = "a reference lies outside of its section";

static const char *apply_x86(unsigned char *at, size_t room, unsigned type, int64_t place, int64_t symbol) {
    int64_t distance = symbol - place;
    bool wide = type == R_X86_64_PC64;
    if (!wide && type != R_X86_64_PC32 && type != R_X86_64_PLT32) return unknown;
    if (room < (wide ? 8 : 4)) return outside;
    if (!wide && !fits(distance, 32)) return too_far;
    memcpy(at, &distance, wide ? 8 : 4);
    return NULL;
}

/* ---- aarch64 ---- */

static void put_bits(unsigned char *at, uint32_t keep, uint32_t bits) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    word = (word & keep) | bits;
    memcpy(at, &word, sizeof word);
}

/* bl, b: 26 bits of words. */
static const char *put_branch(unsigned char *at, int64_t distance) {
    if (!fits(distance, 28) || distance % 4) return too_far;
    put_bits(at, 0xfc000000u, (uint32_t)(distance >> 2) & 0x03ffffffu);
    return NULL;
}

/* adrp: 21 bits of pages, the lower two apart. */
static const char *put_page(unsigned char *at, int64_t place, int64_t symbol) {
    int64_t pages = (symbol >> 12) - (place >> 12);
    if (!fits(pages, 21)) return too_far;
    uint32_t p = (uint32_t)pages;
    put_bits(at, 0x9f00001fu, (p & 3) << 29 | (p >> 2 & 0x7ffff) << 5);
    return NULL;
}

/* add, ldr, str: 12 bits of the place within its page, in units of what is loaded. */
static const char *put_low(unsigned char *at, int64_t symbol, int shift) {
    uint32_t low = (uint32_t)symbol & 0xfff;
    if (low & ((1u << shift) - 1)) return "a reference is not aligned";
    put_bits(at, 0xffc003ffu, low >> shift << 10);
    return NULL;
}

static const char *apply_arm(unsigned char *at, size_t room, unsigned type, int64_t place, int64_t symbol) {
    int64_t distance = symbol - place;
    if (room < (type == R_AARCH64_PREL64 ? 8 : 4)) return outside;
    switch (type) {
    case R_AARCH64_CALL26:
    case R_AARCH64_JUMP26: return put_branch(at, distance);
    case R_AARCH64_ADR_PREL_PG_HI21: return put_page(at, place, symbol);
    case R_AARCH64_ADD_ABS_LO12_NC:
    case R_AARCH64_LDST8_ABS_LO12_NC: return put_low(at, symbol, 0);
    case R_AARCH64_LDST16_ABS_LO12_NC: return put_low(at, symbol, 1);
    case R_AARCH64_LDST32_ABS_LO12_NC: return put_low(at, symbol, 2);
    case R_AARCH64_LDST64_ABS_LO12_NC: return put_low(at, symbol, 3);
    case R_AARCH64_LDST128_ABS_LO12_NC: return put_low(at, symbol, 4);
    case R_AARCH64_PREL64: memcpy(at, &distance, 8); return NULL;
    case R_AARCH64_PREL32:
        if (!fits(distance, 32)) return too_far;
        memcpy(at, &distance, 4);
        return NULL;
    default: return unknown;
    }
}

/* ---- the table ---- */

static const relocator relocators[] = {
    {EM_X86_64, {0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc}, apply_x86},     /* jmp *2(%rip) */
    {EM_AARCH64, {0x50, 0, 0, 0x58, 0, 0x02, 0x1f, 0xd6}, apply_arm}, /* ldr x16, .+8; br x16 */
};

const relocator *relocator_find(uint64_t machine) {
    for (size_t k = 0; k < sizeof relocators / sizeof *relocators; k++)
        if (relocators[k].machine == machine) return &relocators[k];
    return NULL;
}

const relocator *relocator_host(void) {
#if defined(__x86_64__)
    return relocator_find(EM_X86_64);
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return relocator_find(EM_AARCH64);
#else
    return NULL;
#endif
}
