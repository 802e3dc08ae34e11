/* Types and small functions that the spellings of spell.c call. Whatever the printed code mentions is defined
 * in front of it, and nothing else: compilers warn about static functions that nobody calls. Scalar ones may
 * be needed on one machine and not on another: HELPER tells the compiler so. */
#include "backends/c/spell.h"

#include <string.h>

static bool in_identifier(char c) {
    return c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789", c);
}

/* Whether `at` stands in a comment; the code's comments never span lines that hold code too. */
static bool in_comment(const char *code, const char *at) {
    while (at > code && at[-1] != '\n') {
        at--;
        if (at[0] == '/' && at[1] == '*') return true;
    }
    return false;
}

bool c_mentions(const char *code, const char *name) {
    size_t length = strlen(name);
    for (const char *at = code; (at = strstr(at, name)); at += length)
        if (!(at > code && in_identifier(at[-1])) && !in_identifier(at[length]) && !in_comment(code, at))
            return true;
    return false;
}

typedef struct helper {
    const char *name, *code;
} helper;

/* Later ones may call earlier ones. */
static const helper scalar_helpers[] = {
    {"NAN_", "#if defined(__GNUC__)\n#define NAN_ __builtin_nanf(\"\")\n#else\n"
             "#define NAN_ ((float)(1e300 * 1e300) * 0.0f)\n#endif\n\n"},
    {"INF",
     "#if defined(__GNUC__)\n#define INF __builtin_inff()\n#else\n#define INF ((float)(1e300 * 1e300))\n"
     "#endif\n\n"},
    {"max_f32", "HELPER float max_f32(float a, float b) { return a > b ? a : b; }\n"},
    {"min_f32", "HELPER float min_f32(float a, float b) { return a < b ? a : b; }\n"},
    {"max_f64", "HELPER double max_f64(double a, double b) { return a > b ? a : b; }\n"},
    {"min_f64", "HELPER double min_f64(double a, double b) { return a < b ? a : b; }\n"},
    {"max_i32", "HELPER int32_t max_i32(int32_t a, int32_t b) { return a > b ? a : b; }\n"},
    {"min_i32", "HELPER int32_t min_i32(int32_t a, int32_t b) { return a < b ? a : b; }\n"},
    {"max_int", "HELPER ptrdiff_t max_int(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }\n"},
    {"min_int", "HELPER ptrdiff_t min_int(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }\n"},
    {"abs_f32", "HELPER float abs_f32(float a) { return a <= 0 ? 0 - a : a; }\n"},
    {"abs_f64", "HELPER double abs_f64(double a) { return a <= 0 ? 0 - a : a; }\n"},
    {"mulhi_i32", "HELPER int32_t mulhi_i32(int32_t a, int32_t b)\n{\n"
                  "    return (int32_t)(uint32_t)(((uint64_t)(uint32_t)a * (uint32_t)b) >> 32);\n}\n"},
    {"bits_of_f32", "HELPER int32_t bits_of_f32(float x)\n{\n"
                    "    union { float f; int32_t i; } u;\n    u.f = x;\n    return u.i;\n}\n"},
    {"f32_of_bits", "HELPER float f32_of_bits(int32_t x)\n{\n"
                    "    union { float f; int32_t i; } u;\n    u.i = x;\n    return u.f;\n}\n"},
    {"bits_of_f64", "HELPER ptrdiff_t bits_of_f64(double x)\n{\n"
                    "    union { double f; int64_t i; } u;\n    u.f = x;\n    return (ptrdiff_t)u.i;\n}\n"},
    {"f64_of_bits", "HELPER double f64_of_bits(ptrdiff_t x)\n{\n"
                    "    union { double f; int64_t i; } u;\n    u.i = x;\n    return u.f;\n}\n"},
    {"floor_f32", "/* Beyond 2^23 every number is whole. */\nHELPER float floor_f32(float x)\n{\n"
                  "    float t;\n    if (!(x > -8388608.0f && x < 8388608.0f)) return x;\n"
                  "    t = (float)(int32_t)x;\n    return t > x ? t - 1.0f : t;\n}\n"},
    {"floor_f64", "HELPER double floor_f64(double x)\n{\n"
                  "    double t;\n    if (!(x > -4503599627370496.0 && x < 4503599627370496.0)) return x;\n"
                  "    t = (double)(int64_t)x;\n    return t > x ? t - 1.0 : t;\n}\n"},
    {"sqrt_f64", "/* Newton's iteration from halving the exponent, which is right to 4 %; no libm. */\n"
                 "HELPER double sqrt_f64(double x)\n{\n"
                 "    union { double f; uint64_t i; } y;\n    int k;\n"
                 "    if (!(x > 0)) return x < 0 ? (x - x) / (x - x) : x;\n"
                 "    if (x > 1.7976931348623157e308) return x;\n"
                 "    y.f = x;\n    y.i = (y.i >> 1) + 0x1ff7a3bea91d9b1b;\n"
                 "    for (k = 0; k < 4; k++) y.f = 0.5 * (y.f + x / y.f);\n    return y.f;\n}\n"},
    {"sqrt_f32", "HELPER float sqrt_f32(float x) { return (float)sqrt_f64((double)x); }\n"},
    {"hsum_f32",
     "/* Halves are added until one is left, as vectors do it. */\n"
     "HELPER float hsum_f32(float *x, int lanes)\n{\n    while ((lanes /= 2) > 0)\n"
     "        for (int k = 0; k < lanes; k++) x[k] = x[k] + x[k + lanes];\n    return x[0];\n}\n"},
    {"hsum_f64",
     "HELPER double hsum_f64(double *x, int lanes)\n{\n    while ((lanes /= 2) > 0)\n"
     "        for (int k = 0; k < lanes; k++) x[k] = x[k] + x[k + lanes];\n    return x[0];\n}\n"},
    {"hmax_f32", "HELPER float hmax_f32(float *x, int lanes)\n{\n    while ((lanes /= 2) > 0)\n"
                 "        for (int k = 0; k < lanes; k++) x[k] = x[k] > x[k + lanes] ? x[k] : x[k + lanes];\n"
                 "    return x[0];\n}\n"},
    {"hmax_f64", "HELPER double hmax_f64(double *x, int lanes)\n{\n    while ((lanes /= 2) > 0)\n"
                 "        for (int k = 0; k < lanes; k++) x[k] = x[k] > x[k + lanes] ? x[k] : x[k + lanes];\n"
                 "    return x[0];\n}\n"},
};

void c_scalar_helpers(arena *a, text *out, const char *code) {
    const char *found = "";
    for (int k = (int)(sizeof scalar_helpers / sizeof *scalar_helpers) - 1; k >= 0; k--) {
        const helper *h = &scalar_helpers[k];
        if (c_mentions(code, h->name) || c_mentions(found, h->name))
            found = arena_printf(a, "%s%s", h->code, found);
    }
    if (*found) text_printf(out, "%s\n", found);
}

/* Helpers of one vector type. In the code @T is the type ("f32x16"), @E its element ("float"), @L its lanes.
 */
static const helper vector_helpers[] = {
    {"tail_mask",
     "static inline __mmask@L tail_mask@L(ptrdiff_t count)\n{\n"
     "    return (__mmask@L)(count >= @L ? (1 << @L) - 1 : count <= 0 ? 0 : (1 << count) - 1);\n}\n"},
    {"splat_", "@Astatic inline @T splat_@T(@E x)\n{\n    @T v;\n    for (int k = 0; k < @L; k++) v[k] = x;\n"
               "    return v;\n}\n"},
    {"tail_", "@Astatic inline @T tail_@T(ptrdiff_t count)\n{\n    @T v;\n"
              "    for (int k = 0; k < @L; k++) v[k] = -(@E)(k < count);\n    return v;\n}\n"},
    {"load_part_",
     "@Astatic inline @T load_part_@T(const @E *from, ptrdiff_t count)\n{\n    @E x[@L] = {0};\n"
     "    for (int k = 0; k < @L && k < count; k++) x[k] = from[k];\n"
     "    return *(const @Tu *)x;\n}\n"},
    {"store_part_", "@Astatic inline void store_part_@T(@E *to, @T v, ptrdiff_t count)\n{\n"
                    "    for (int k = 0; k < @L && k < count; k++) to[k] = v[k];\n}\n"},
    {"hmax_", "@Astatic inline @E hmax_@T(@T v)\n{\n    @E x[@L];\n    *(@Tu *)x = v;\n"
              "    for (int half = @L / 2; half > 0; half /= 2)\n"
              "        for (int k = 0; k < half; k++) x[k] = x[k] > x[k + half] ? x[k] : x[k + half];\n"
              "    return x[0];\n}\n"},
};

/* The two whose natural form costs much, as AVX2 has it. */
static const helper avx2_helpers[] = {
    {"tail_i32x8", "@Astatic inline i32x8 tail_i32x8(ptrdiff_t count)\n{\n"
                   "    const int n = count > 8 ? 8 : count < 0 ? 0 : (int)count;\n"
                   "    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);\n"
                   "    return (i32x8)_mm256_cmpgt_epi32(_mm256_set1_epi32(n), lanes);\n}\n"},
    {"tail_i64x4", "@Astatic inline i64x4 tail_i64x4(ptrdiff_t count)\n{\n"
                   "    const int n = count > 4 ? 4 : count < 0 ? 0 : (int)count;\n"
                   "    const __m256i lanes = _mm256_setr_epi64x(0, 1, 2, 3);\n"
                   "    return (i64x4)_mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lanes);\n}\n"},
};

static void expand(text *out, const char *code, const char *attribute, ktype t, arena *a) {
    for (; *code; code++) {
        if (*code != '@') {
            text_add(out, code, 1);
            continue;
        }
        code++;
        if (*code == 'A') text_printf(out, "%sALWAYS_INLINE ", attribute);
        if (*code == 'T') text_puts(out, cprint_type_name(a, t));
        if (*code == 'E') text_puts(out, t.base == KB_INT ? "int64_t" : cprint_scalar((kbase)t.base));
        if (*code == 'L') text_printf(out, "%d", t.lanes);
    }
}

/* Sums halves in vectors down to four lanes. */
static void add_hsum(arena *a, text *out, ktype t, const char *attribute) {
    const char *from = "x";
    expand(out, "@Astatic inline @E hsum_@T(@T x)\n{\n", attribute, t, a);
    for (; t.lanes > 4; t.lanes /= 2) {
        ktype half = k_vector((kbase)t.base, t.lanes / 2);
        const char *name = cprint_type_name(a, half), *to = arena_printf(a, "h%d", half.lanes);
        text_printf(out, "    const %s %s = ((const %su *)&%s)[0] + ((const %su *)&%s)[1];\n", name, to, name,
                    from, name, from);
        from = to;
    }
    if (t.lanes == 4)
        text_printf(out, "    return (%s[0] + %s[2]) + (%s[1] + %s[3]);\n}\n", from, from, from, from);
    else
        text_printf(out, "    return %s[0] + %s[1];\n}\n", from, from);
}

static bool add_special(arena *a, text *out, target_id to, const char *name, ktype t) {
    for (int k = 0; to == TARGET_AVX2 && k < 2; k++) {
        if (strcmp(avx2_helpers[k].name, name) != 0) continue;
        expand(out, avx2_helpers[k].code, c_dialects[to].attribute, t, a);
        return true;
    }
    return false;
}

static void add_helpers_of(arena *a, text *out, target_id to, ktype t, const char *code) {
    const char *type = cprint_type_name(a, t), *attribute = c_dialects[to].attribute;
    for (size_t k = 0; k < sizeof vector_helpers / sizeof *vector_helpers; k++) {
        const helper *h = &vector_helpers[k];
        bool mask = k == 0;
        if (mask && t.base != KB_F32) continue; /* once a number of lanes */
        const char *name =
            mask ? arena_printf(a, "%s%d", h->name, t.lanes) : arena_printf(a, "%s%s", h->name, type);
        if (c_mentions(code, name) && !add_special(a, out, to, name, t))
            expand(out, h->code, attribute, t, a);
    }
    if (c_mentions(code, arena_printf(a, "hsum_%s", type))) add_hsum(a, out, t, attribute);
}

static void for_each_type(void (*visit)(arena *, text *, target_id, ktype, const char *), arena *a, text *out,
                          target_id to, const char *code) {
    static const kbase bases[] = {KB_F32, KB_F64, KB_I32, KB_INT, KB_U8};
    for (int b = 0; b < 5; b++)
        for (int lanes = 16; lanes >= 2; lanes /= 2) visit(a, out, to, k_vector(bases[b], lanes), code);
}

void c_vector_helpers(arena *a, text *out, target_id to, const char *code) {
    size_t before = out->length;
    for_each_type(add_helpers_of, a, out, to, code);
    if (out->length > before) text_puts(out, "\n");
}

static void add_type(arena *a, text *out, target_id to, ktype t, const char *code) {
    (void)to;
    const char *name = cprint_type_name(a, t), *memory = arena_printf(a, "%su", name);
    int element = kbase_bytes((kbase)t.base);
    if (!c_mentions(code, name) && !c_mentions(code, memory)) return;
    const char *scalar = t.base == KB_INT ? "int64_t" : cprint_scalar((kbase)t.base);
    text_printf(out, "typedef %s %s __attribute__((vector_size(%d)));\n", scalar, name, t.lanes * element);
    text_printf(out, "typedef %s %s __attribute__((vector_size(%d), aligned(%d), may_alias));\n", scalar,
                memory, t.lanes * element, element);
}

void c_vector_types(arena *a, text *out, const char *code) {
    for_each_type(add_type, a, out, TARGET_C99, code);
}
