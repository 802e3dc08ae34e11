/* Kernel texts: print, parse and print again gives the same; what does not parse is said where; no text crashes. */
#include "ir/kernel/emit.h"
#include "tests/support/one_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static const char micro_text[] = "micro add_one(p: *mut f32, count: int) avx2 {\n"
                                 "  %0 = load f32x8 p[0], count count\n"
                                 "  %1 = const f32x8 1.0\n"
                                 "  %2 = add %0, %1\n"
                                 "  store p[0] = %2, count count\n"
                                 "}\n";

/* Every kind of instruction once, or nearly. */
static const char all_text[] =
    "kernel all(i: int, n: int, in: *f32, bytes: *u8, ids: *i32, wide: *f64, out: *mut f32) avx2 {\n"
    "  %9 = mul i, 16\n"
    "  %10 = load f32x8 in[%9]\n"
    "  %11 = load f32x8 in[%9], count n\n"
    "  %12 = load f32 in[-3]\n"
    "  %13 = splat f32x8 %12\n"
    "  %14 = fma %10, %11, %13\n"
    "  %15 = const f32x8 -inf\n"
    "  %16 = const f64 1e-300\n"
    "  %17 = const boolx8 1\n"
    "  %18 = const i32x8 -2147483648\n"
    "  %19 = load u8x8 bytes[i]\n"
    "  %20 = cast f32x8 %19\n"
    "  %21 = bits i32x8 %20\n"
    "  %22 = shr %21, %18\n"
    "  %23 = tail boolx8 n\n"
    "  %24 = and %23, %17\n"
    "  %25 = select %24, %14, %15\n"
    "  %26 = hsum %25\n"
    "  %27 = hmax %25\n"
    "  %28 = reg f32x8[14][2] c\n"
    "  %29 = reg f64[1][1]\n"
    "  set %28[13][1] = %25\n"
    "  set %29[0][0] = %16\n"
    "  %30 = get %28[13][1]\n"
    "  %31 = local f32[256] v\n"
    "  %32 = offset %31[n]\n"
    "  %33 = load i32 ids[i]\n"
    "  %34 = cast int %33\n"
    "  %35 = for 0..%34 step 4 serial x {\n"
    "    %36 = for 0..2 step 1 unroll v {\n"
    "      store %32[%35] = %26\n"
    "    }\n"
    "    %37 = lt %35, n\n"
    "    if %37 {\n"
    "      call add_one(%31, n)\n"
    "    } else {\n"
    "      barrier\n"
    "      prefetch out[%35]\n"
    "    }\n"
    "  }\n"
    "  %38 = for i..n step 1 grid {\n"
    "    if %37 {\n"
    "    }\n"
    "    store out[%38] = %30, count 3\n"
    "  }\n"
    "}\n";

typedef struct reading {
    trap trap;
    arena arena;
    diags d;
} reading;

static void start(reading *r) {
    arena_init(&r->arena, 0, &r->trap);
    r->d = (diags){.arena = &r->arena};
}

static kfunc *read_text(reading *r, const char *from, size_t bytes, kfunc *const *known, int count) {
    source *s = NEW(&r->arena, source);
    *s = (source){"text", arena_text(&r->arena, from, bytes), bytes};
    return kfunc_parse(&r->arena, s, known, count, &r->d);
}

static const char *printed(reading *r, const kfunc *f) {
    text t = text_in(&r->arena);
    kfunc_print(&t, f);
    return t.at;
}

static void texts_round_trip(void **state) {
    (void)state;
    reading r;
    start(&r);
    kfunc *micro = read_text(&r, micro_text, sizeof micro_text - 1, NULL, 0);
    kfunc *f = micro ? read_text(&r, all_text, sizeof all_text - 1, &micro, 1) : NULL;
    if (!f) diags_print(&r.d, stderr, false);
    assert_non_null(f);
    assert_string_equal(printed(&r, micro), micro_text);
    assert_string_equal(printed(&r, f), all_text);
    assert_true(kfunc_check(micro, &r.d));
    arena_free(&r.arena);
}

static void comments_and_blanks_do_not_count(void **state) {
    (void)state;
    static const char loose[] =
        "# a comment\nmicro   add_one (p:*mut f32,count :int)avx2{ %0=load f32x8 p[ 0 ] , count count # so\n"
        "%1 = const f32x8 1\n%2=add %0,%1 store p[0]=%2,count count}\n# end";
    reading r;
    start(&r);
    kfunc *f = read_text(&r, loose, sizeof loose - 1, NULL, 0);
    if (!f) diags_print(&r.d, stderr, false);
    assert_non_null(f);
    assert_string_equal(printed(&r, f), micro_text);
    arena_free(&r.arena);
}

static const struct {
    const char *text, *why;
    uint32_t at; /* byte of the caret */
} wrongs[] = {
    {"", "expected a word", 0},
    {"krenel f(", "expected 'kernel' or 'micro'", 0},
    {"micro f(a: f33) c99 {}", "no such type", 11},
    {"micro f(a: f32x17) c99 {}", "2 to 16 lanes", 11},
    {"micro f(a: *bool) c99 {}", "no such type", 12},
    {"micro f() vax {}", "no such target", 10},
    {"micro f() c99 {", "expected a word", 15},
    {"micro f() c99 { %1 = add 1, 2", "expected a word", 29},
    {"micro f() c99 { %1 = add 1 }", "add takes 2 operands", 27},
    {"micro f() c99 { %1 = ad 1, 2 }", "no such instruction", 21},
    {"micro f() c99 { %1 = add 1, %2 }", "%2 has no value", 28},
    {"micro f() c99 { %1 = add 1, b }", "no parameter b", 28},
    {"micro f() c99 { %1 = add 1, 2 %1 = add 1, 2 }", "made twice", 30},
    {"micro f() c99 { %x = add 1, 2 }", "not a number below", 16},
    {"micro f() c99 { %99999999 = add 1, 2 }", "not a number below", 16},
    {"micro f() c99 { add 1, 2 }", "result has no name", 16},
    {"micro f() c99 { %1 = barrier }", "has no result", 21},
    {"micro f() c99 { call g() }", "no micro of this name", 21},
    {"micro f() c99 { %1 = reg f32[0][1] }", "1 to 4096", 28},
    {"micro f() c99 { %1 = for 0..9 step 1 parallel { } }", "serial, unroll, grid or block", 37},
    {"micro f() c99 { %1 = add 1, 99999999999999999999 }", "no parameter", 28},
    {"micro f() c99 { } x", "nothing is expected", 18},
    {"micro f() c99 { %1 = const f32 one }", "expected a number", 31},
};

static void mistakes_are_named(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof wrongs / sizeof *wrongs; k++) {
        reading r;
        start(&r);
        assert_null(read_text(&r, wrongs[k].text, strlen(wrongs[k].text), NULL, 0));
        assert_int_equal(r.d.errors, 1);
        if (!diags_have(&r.d, wrongs[k].why))
            fail_msg("'%s': '%s' does not say '%s'", wrongs[k].text, r.d.first->text, wrongs[k].why);
        if (r.d.first->at.begin != wrongs[k].at)
            fail_msg("'%s': at %u, not %u", wrongs[k].text, r.d.first->at.begin, wrongs[k].at);
        arena_free(&r.arena);
    }
}

/* Cut short anywhere, or with a byte changed, a text is read or refused; what is read can be checked and printed. */
static void broken_texts_do_no_harm(void **state) {
    (void)state;
    static const char bytes[] = "%[]{}=,.x-9 \n#";
    int accepted = 0, refused = 0;
    for (size_t k = 0; k < 2 * sizeof all_text; k++) {
        reading r;
        start(&r);
        kfunc *micro = read_text(&r, micro_text, sizeof micro_text - 1, NULL, 0);
        char *copy = arena_text(&r.arena, all_text, sizeof all_text - 1);
        size_t length = k < sizeof all_text ? k : sizeof all_text - 1;
        if (k >= sizeof all_text && k - sizeof all_text < length)
            copy[k - sizeof all_text] = bytes[k % (sizeof bytes - 1)];
        kfunc *f =
            read_text(&r, copy, length < sizeof all_text - 1 ? length : sizeof all_text - 1, &micro, 1);
        if (f) kfunc_check(f, &r.d), printed(&r, f);
        *(f ? &accepted : &refused) += 1;
        if (!f) assert_true(r.d.errors > 0);
        arena_free(&r.arena);
    }
    assert_true(accepted > 10 && refused > 1000);
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    reading r;
    start(&r);
    text t = text_in(&r.arena);
    text_puts(&t, "micro f(a: bool) c99 {");
    for (int k = 0; k < 20000; k++) text_puts(&t, "if a {");
    assert_null(read_text(&r, t.at, t.length, NULL, 0));
    assert_true(diags_have(&r.d, "too deeply"));
    arena_free(&r.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_round_trip),        cmocka_unit_test(comments_and_blanks_do_not_count),
        cmocka_unit_test(mistakes_are_named),      cmocka_unit_test(broken_texts_do_no_harm),
        cmocka_unit_test(deep_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
