/* Instructions whose operands are filled in when code is put together: what the processors' manuals say they become. */
#include <stdio.h>

#ifndef NETC_LLVM

int main(void) {
    printf("# skipped: this netc was built without LLVM\n");
    return 0;
}

#else

#include "backends/llvm/relocate.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static uint64_t applied(const relocator *r, unsigned type, uint64_t bits, int64_t place, int64_t symbol) {
    unsigned char at[8];
    uint64_t now = 0;
    memcpy(at, &bits, sizeof at);
    const char *why = r->apply(at, sizeof at, type, place, symbol);
    if (why) fail_msg("%s", why);
    memcpy(&now, at, sizeof at);
    return now;
}

static void refused(const relocator *r, unsigned type, size_t room, int64_t place, int64_t symbol) {
    unsigned char at[8] = {0}, was[8] = {0};
    assert_non_null(r->apply(at, room, type, place, symbol));
    assert_memory_equal(at, was, sizeof at);
}

static void arm_instructions(void **state) {
    (void)state;
    const relocator *r = relocator_find(EM_AARCH64);
    assert_non_null(r);
    const struct {
        unsigned type;
        uint32_t before;
        int64_t place, symbol;
        uint32_t after;
    } rows[] = {
        {R_AARCH64_CALL26, 0x94000000, 0x1000, 0x1008, 0x94000002},           /* bl +8 */
        {R_AARCH64_CALL26, 0x94000000, 0x1000, 0x0ffc, 0x97ffffff},           /* bl -4 */
        {R_AARCH64_JUMP26, 0x14000000, 0, 0x7fffffc, 0x15ffffff},             /* b, the farthest */
        {R_AARCH64_JUMP26, 0x14000000, 0x8000000, 0, 0x16000000},             /* … and backward */
        {R_AARCH64_ADR_PREL_PG_HI21, 0x90000000, 0x1ffc, 0x2000, 0xb0000000}, /* adrp x0, the next page */
        {R_AARCH64_ADR_PREL_PG_HI21, 0x90000008, 0x2000, 0x1fff, 0xf0ffffe8}, /* adrp x8, the page before */
        {R_AARCH64_ADR_PREL_PG_HI21, 0x90000001, 0x40, 0x5040, 0xb0000021},   /* adrp x1, five pages on */
        {R_AARCH64_ADD_ABS_LO12_NC, 0x91000000, 0, 0x5123, 0x91048c00},       /* add x0, x0, #0x123 */
        {R_AARCH64_LDST32_ABS_LO12_NC, 0xbd400001, 0, 0x7ffc, 0xbd4ffc01},    /* ldr s1, [x0, #0xffc] */
        {R_AARCH64_LDST64_ABS_LO12_NC, 0xf9400001, 0, 0x1010, 0xf9400801},    /* ldr x1, [x0, #16] */
        {R_AARCH64_LDST128_ABS_LO12_NC, 0x3dc00002, 0, 0x2040, 0x3dc01002},   /* ldr q2, [x0, #64] */
        {R_AARCH64_PREL32, 0, 0x100, 0xf0, 0xfffffff0},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        assert_int_equal((uint32_t)applied(r, rows[k].type, rows[k].before, rows[k].place, rows[k].symbol),
                         rows[k].after);
    refused(r, R_AARCH64_CALL26, 8, 0, 0x8000000);
    refused(r, R_AARCH64_CALL26, 8, 0, 2);
    refused(r, R_AARCH64_CALL26, 3, 0, 8);
    refused(r, R_AARCH64_LDST128_ABS_LO12_NC, 8, 0, 0x2048);
    refused(r, R_AARCH64_ADR_PREL_PG_HI21, 8, 0, (int64_t)1 << 33);
    refused(r, R_AARCH64_ABS64, 8, 0, 8);
}

static void x86_distances(void **state) {
    (void)state;
    const relocator *r = relocator_find(EM_X86_64);
    assert_non_null(r);
    assert_int_equal((uint32_t)applied(r, R_X86_64_PC32, 0, 0x100, 0x180 - 4), 0x7c);
    assert_int_equal((uint32_t)applied(r, R_X86_64_PLT32, 0, 0x100, 0x80 - 4), 0xffffff7c);
    assert_true(applied(r, R_X86_64_PC64, 0, 0x100, 0x80) == 0xffffffffffffff80u);
    refused(r, R_X86_64_PC32, 8, 0, (int64_t)1 << 31);
    refused(r, R_X86_64_PC32, 3, 0, 0);
    refused(r, R_X86_64_PC64, 7, 0, 0);
    refused(r, R_X86_64_64, 8, 0, 8);
    assert_null(relocator_find(EM_RISCV));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arm_instructions),
        cmocka_unit_test(x86_distances),
    };
    return cmocka_run_group_tests_name("references", tests, NULL, NULL);
}

#endif
