/* The spelling tables. Not obvious: max(a, b) is a > b ? a : b. x86's max returns its second operand where
 * either is NaN, which is the same; ARM's does not, hence compare and select there. AVX-512 intrinsics come
 * in their maskz form, since the plain ones pass an undefined vector and make g++ 12 warn in its own header.
 * A mask is a number with a bit a lane on AVX-512, elsewhere a vector of integers that are 0 or -1. */
#include "backends/c/spell.h"

#define SCALARS BASES_NUMBER
#define INTS    (BASE(KB_I32) | BASE(KB_INT))
#define F32     BASE(KB_F32)
#define F64     BASE(KB_F64)
#define I32     BASE(KB_I32)
#define BOOL_   BASE(KB_BOOL)
#define END                                                                                                  \
    { 0, 0, 0, NULL }

/* Scalars, on any target; all there is for plain C. */
static const spelling scalar_table[] = {
    {S_ADD, I32, LANES_ONE, "(int32_t)((uint32_t)$a + (uint32_t)$b)"}, /* they wrap */
    {S_SUB, I32, LANES_ONE, "(int32_t)((uint32_t)$a - (uint32_t)$b)"},
    {S_MUL, I32, LANES_ONE, "(int32_t)((uint32_t)$a * (uint32_t)$b)"},
    {S_ADD, BASES_REAL | INTS, LANES_ONE, "$a + $b"},
    {S_SUB, BASES_REAL | INTS, LANES_ONE, "$a - $b"},
    {S_MUL, BASES_REAL | INTS, LANES_ONE, "$a * $b"},
    {S_DIV, BASES_REAL | INTS, LANES_ONE, "$a / $b"},
    {S_MOD, INTS, LANES_ONE, "$a % $b"},
    {S_NEG, BASES_REAL | INTS, LANES_ONE, "-$a"},
    {S_MAX, BASES_REAL | INTS, LANES_ONE, "max_$n($a, $b)"},
    {S_MIN, BASES_REAL | INTS, LANES_ONE, "min_$n($a, $b)"},
    {S_ABS, BASES_REAL, LANES_ONE, "abs_$n($a)"},
    {S_SQRT, BASES_REAL, LANES_ONE, "sqrt_$n($a)"},
    {S_FLOOR, BASES_REAL, LANES_ONE, "floor_$n($a)"},
    {S_FMA, BASES_REAL, LANES_ONE, "$a * $b + $c"},
    {S_LT, SCALARS, LANES_ONE, "$a < $b"},
    {S_LE, SCALARS, LANES_ONE, "$a <= $b"},
    {S_GT, SCALARS, LANES_ONE, "$a > $b"},
    {S_GE, SCALARS, LANES_ONE, "$a >= $b"},
    {S_EQ, SCALARS | BOOL_, LANES_ONE, "$a == $b"},
    {S_NE, SCALARS | BOOL_, LANES_ONE, "$a != $b"},
    {S_SELECT, SCALARS | BOOL_ | BASE(KB_PTR), LANES_ONE, "$a ? $b : $c"},
    {S_AND, INTS, LANES_ONE, "$a & $b"},
    {S_OR, INTS, LANES_ONE, "$a | $b"},
    {S_XOR, INTS, LANES_ONE, "$a ^ $b"},
    {S_AND, BOOL_, LANES_ONE, "$a && $b"},
    {S_OR, BOOL_, LANES_ONE, "$a || $b"},
    {S_XOR, BOOL_, LANES_ONE, "$a != $b"},
    {S_SHL, I32, LANES_ONE, "(int32_t)((uint32_t)$a << $b)"},
    {S_SHL, BASE(KB_INT), LANES_ONE, "(ptrdiff_t)((size_t)$a << $b)"},
    {S_SHR, INTS, LANES_ONE, "$a >> $b"},
    {S_MULHI, I32, LANES_ONE, "mulhi_i32($a, $b)"},
    {SPELL_CAST, SCALARS | BOOL_, LANES_ONE, "($r)$a"},
    {SPELL_BITS, BASES_REAL, LANES_ONE, "bits_of_$n($a)"},
    {SPELL_BITS, I32, LANES_ONE, "f32_of_bits($a)"},
    {SPELL_BITS, BASE(KB_INT), LANES_ONE, "f64_of_bits($a)"},
    {SPELL_HSUM, BASES_REAL, LANES_ONE, "hsum_$n($a)"},
    {SPELL_HMAX, BASES_REAL, LANES_ONE, "hmax_$n($a)"},
    END,
};

/* Vectors of the GNU kind, on every target that has vectors. */
static const spelling vector_table[] = {
    {S_ADD, BASES_REAL | INTS, LANES_MANY, "$a + $b"},
    {S_SUB, BASES_REAL | INTS, LANES_MANY, "$a - $b"},
    {S_MUL, BASES_REAL | INTS, LANES_MANY, "$a * $b"},
    {S_DIV, BASES_REAL, LANES_MANY, "$a / $b"},
    {S_NEG, BASES_REAL | INTS, LANES_MANY, "-$a"},
    {S_ABS, BASES_REAL, LANES_MANY, "($v)(($i)$a & $k)"},
    {S_MAX, INTS, LANES_MANY, "(($i)($a > $b) & $a) | (~($i)($a > $b) & $b)"},
    {S_MIN, INTS, LANES_MANY, "(($i)($a < $b) & $a) | (~($i)($a < $b) & $b)"},
    {S_AND, INTS | BOOL_, LANES_MANY, "$a & $b"},
    {S_OR, INTS | BOOL_, LANES_MANY, "$a | $b"},
    {S_XOR, INTS | BOOL_, LANES_MANY, "$a ^ $b"},
    {S_SHL, INTS, LANES_MANY, "$a << $b"},
    {S_SHR, INTS, LANES_MANY, "$a >> $b"},
    {SPELL_LOAD, SCALARS, LANES_MANY, "*(const $u *)$a"},
    {SPELL_STORE, SCALARS, LANES_MANY, "*($w *)$a = $c"},
    {SPELL_LOAD_PART, SCALARS, LANES_MANY, "load_part_$n($a, $c)"},
    {SPELL_STORE_PART, SCALARS, LANES_MANY, "store_part_$n($a, $c, $d)"},
    {SPELL_PREFETCH, BASE(KB_PTR), LANES_ONE, "__builtin_prefetch($a, 0, 2)"},
    {SPELL_SPLAT, SCALARS, LANES_MANY, "splat_$n($a)"},
    {SPELL_CAST, SCALARS, LANES_MANY, "__builtin_convertvector($a, $r)"},
    {SPELL_BITS, BASES_REAL | INTS, LANES_MANY, "($r)$a"},
    {SPELL_HSUM, BASES_REAL, LANES_FULL, "hsum_$n($a)"},
    {SPELL_HMAX, BASES_REAL, LANES_FULL, "hmax_$n($a)"},
    END,
};

/* Masks as vectors of integers, AVX2 and NEON. */
static const spelling mask_table[] = {
    {S_LT, BASES_REAL | INTS, LANES_FULL, "($i)($a < $b)"},
    {S_LE, BASES_REAL | INTS, LANES_FULL, "($i)($a <= $b)"},
    {S_GT, BASES_REAL | INTS, LANES_FULL, "($i)($a > $b)"},
    {S_GE, BASES_REAL | INTS, LANES_FULL, "($i)($a >= $b)"},
    {S_EQ, BASES_REAL | INTS, LANES_FULL, "($i)($a == $b)"},
    {S_NE, BASES_REAL | INTS, LANES_FULL, "($i)($a != $b)"},
    {S_SELECT, BASES_REAL | INTS, LANES_FULL, "($v)((($i)$b & ($i)$a) | (($i)$c & ~($i)$a))"},
    {S_SELECT, BOOL_, LANES_MANY, "($a & $b) | (~$a & $c)"},
    {SPELL_SPLAT, BOOL_, LANES_MANY, "splat_$v(-($a))"},
    {SPELL_TAIL, BOOL_, LANES_MANY, "tail_$v($a)"},
    END,
};

static const spelling avx512_table[] = {
    {S_FMA, BASES_REAL, LANES_FULL, "_mm512_fmadd_$s($a, $b, $c)"},
    {S_MAX, BASES_REAL, LANES_FULL, "_mm512_maskz_max_$s($m, $a, $b)"},
    {S_MIN, BASES_REAL, LANES_FULL, "_mm512_maskz_min_$s($m, $a, $b)"},
    {S_SQRT, BASES_REAL, LANES_FULL, "_mm512_maskz_sqrt_$s($m, $a)"},
    {S_FLOOR, BASES_REAL, LANES_FULL, "_mm512_floor_$s($a)"},
    {S_LT, BASES_REAL, LANES_FULL, "_mm512_cmp_$s_mask($a, $b, _CMP_LT_OQ)"},
    {S_LE, BASES_REAL, LANES_FULL, "_mm512_cmp_$s_mask($a, $b, _CMP_LE_OQ)"},
    {S_GT, BASES_REAL, LANES_FULL, "_mm512_cmp_$s_mask($a, $b, _CMP_GT_OQ)"},
    {S_GE, BASES_REAL, LANES_FULL, "_mm512_cmp_$s_mask($a, $b, _CMP_GE_OQ)"},
    {S_EQ, BASES_REAL, LANES_FULL, "_mm512_cmp_$s_mask($a, $b, _CMP_EQ_OQ)"},
    {S_NE, BASES_REAL, LANES_FULL, "_mm512_cmp_$s_mask($a, $b, _CMP_NEQ_UQ)"},
    {S_LT, INTS, LANES_FULL, "_mm512_cmp_$s_mask((__m512i)$a, (__m512i)$b, _MM_CMPINT_LT)"},
    {S_LE, INTS, LANES_FULL, "_mm512_cmp_$s_mask((__m512i)$a, (__m512i)$b, _MM_CMPINT_LE)"},
    {S_GT, INTS, LANES_FULL, "_mm512_cmp_$s_mask((__m512i)$b, (__m512i)$a, _MM_CMPINT_LT)"},
    {S_GE, INTS, LANES_FULL, "_mm512_cmp_$s_mask((__m512i)$b, (__m512i)$a, _MM_CMPINT_LE)"},
    {S_EQ, INTS, LANES_FULL, "_mm512_cmp_$s_mask((__m512i)$a, (__m512i)$b, _MM_CMPINT_EQ)"},
    {S_NE, INTS, LANES_FULL, "_mm512_cmp_$s_mask((__m512i)$a, (__m512i)$b, _MM_CMPINT_NE)"},
    {S_SELECT, BASES_REAL, LANES_FULL, "_mm512_mask_blend_$s($a, $c, $b)"},
    {S_SELECT, INTS, LANES_FULL, "($v)_mm512_mask_blend_$s($a, (__m512i)$c, (__m512i)$b)"},
    {S_AND, BOOL_, LANES_MANY, "($v)($a & $b)"},
    {S_OR, BOOL_, LANES_MANY, "($v)($a | $b)"},
    {S_XOR, BOOL_, LANES_MANY, "($v)($a ^ $b)"},
    {S_SELECT, BOOL_, LANES_MANY, "($v)(($a & $b) | (~$a & $c))"},
    {SPELL_SPLAT, BASES_REAL, LANES_FULL, "_mm512_set1_$s($a)"},
    {SPELL_SPLAT, I32, LANES_FULL, "(i32x16)_mm512_set1_epi32($a)"},
    {SPELL_SPLAT, BASE(KB_INT), LANES_FULL, "(i64x8)_mm512_set1_epi64($a)"},
    {SPELL_SPLAT, BOOL_, LANES_MANY, "($v)($a ? $m : 0)"},
    {SPELL_TAIL, BOOL_, LANES_MANY, "tail_mask$l($a)"},
    {SPELL_LOAD_PART, BASES_REAL, LANES_FULL, "_mm512_maskz_loadu_$s(tail_mask$l($c), $a)"},
    {SPELL_STORE_PART, BASES_REAL, LANES_FULL, "_mm512_mask_storeu_$s($a, tail_mask$l($d), $c)"},
    {S_FMA, F32, LANES_ONE,
     "_mm_cvtss_f32(_mm_maskz_fmadd_ss(1, _mm_set_ss($a), _mm_set_ss($b), _mm_set_ss($c)))"},
    {S_FMA, F64, LANES_ONE,
     "_mm_cvtsd_f64(_mm_maskz_fmadd_sd(1, _mm_set_sd($a), _mm_set_sd($b), _mm_set_sd($c)))"},
    {S_SQRT, F32, LANES_ONE, "_mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss($a)))"},
    {S_SQRT, F64, LANES_ONE, "_mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd($a)))"},
    END,
};

static const spelling avx2_table[] = {
    {S_FMA, BASES_REAL, LANES_FULL, "_mm256_fmadd_$s($a, $b, $c)"},
    {S_MAX, BASES_REAL, LANES_FULL, "_mm256_max_$s($a, $b)"},
    {S_MIN, BASES_REAL, LANES_FULL, "_mm256_min_$s($a, $b)"},
    {S_SQRT, BASES_REAL, LANES_FULL, "_mm256_sqrt_$s($a)"},
    {S_FLOOR, BASES_REAL, LANES_FULL, "_mm256_floor_$s($a)"},
    {S_SELECT, F32, LANES_FULL, "_mm256_blendv_ps($c, $b, (__m256)$a)"},
    {S_SELECT, F64, LANES_FULL, "_mm256_blendv_pd($c, $b, (__m256d)$a)"},
    {SPELL_SPLAT, BASES_REAL, LANES_FULL, "_mm256_set1_$s($a)"},
    {SPELL_SPLAT, I32, LANES_FULL, "(i32x8)_mm256_set1_epi32($a)"},
    {SPELL_SPLAT, BASE(KB_INT), LANES_FULL, "(i64x4)_mm256_set1_epi64x($a)"},
    {SPELL_LOAD_PART, F32, LANES_FULL, "_mm256_maskload_ps($a, (__m256i)tail_i32x8($c))"},
    {SPELL_LOAD_PART, F64, LANES_FULL, "_mm256_maskload_pd($a, (__m256i)tail_i64x4($c))"},
    {SPELL_STORE_PART, F32, LANES_FULL, "_mm256_maskstore_ps($a, (__m256i)tail_i32x8($d), $c)"},
    {SPELL_STORE_PART, F64, LANES_FULL, "_mm256_maskstore_pd($a, (__m256i)tail_i64x4($d), $c)"},
    {S_FMA, F32, LANES_ONE, "_mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss($a), _mm_set_ss($b), _mm_set_ss($c)))"},
    {S_FMA, F64, LANES_ONE, "_mm_cvtsd_f64(_mm_fmadd_sd(_mm_set_sd($a), _mm_set_sd($b), _mm_set_sd($c)))"},
    {S_SQRT, F32, LANES_ONE, "_mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss($a)))"},
    {S_SQRT, F64, LANES_ONE, "_mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd($a)))"},
    END,
};

static const spelling neon_table[] = {
    {S_FMA, F32, LANES_FULL, "vfmaq_f32($c, $a, $b)"},
    {S_FMA, F64, LANES_FULL, "vfmaq_f64($c, $a, $b)"},
    {S_MAX, F32, LANES_FULL, "vbslq_f32(vcgtq_f32($a, $b), $a, $b)"},
    {S_MAX, F64, LANES_FULL, "vbslq_f64(vcgtq_f64($a, $b), $a, $b)"},
    {S_MIN, F32, LANES_FULL, "vbslq_f32(vcltq_f32($a, $b), $a, $b)"},
    {S_MIN, F64, LANES_FULL, "vbslq_f64(vcltq_f64($a, $b), $a, $b)"},
    {S_SQRT, F32, LANES_FULL, "vsqrtq_f32($a)"},
    {S_SQRT, F64, LANES_FULL, "vsqrtq_f64($a)"},
    {S_FLOOR, F32, LANES_FULL, "vrndmq_f32($a)"},
    {S_FLOOR, F64, LANES_FULL, "vrndmq_f64($a)"},
    {S_SELECT, F32, LANES_FULL, "vbslq_f32((uint32x4_t)$a, $b, $c)"},
    {S_SELECT, F64, LANES_FULL, "vbslq_f64((uint64x2_t)$a, $b, $c)"},
    {SPELL_SPLAT, F32, LANES_FULL, "vdupq_n_f32($a)"},
    {SPELL_SPLAT, F64, LANES_FULL, "vdupq_n_f64($a)"},
    {S_FMA, F32, LANES_ONE, "vget_lane_f32(vfma_f32(vdup_n_f32($c), vdup_n_f32($a), vdup_n_f32($b)), 0)"},
    {S_FMA, F64, LANES_ONE, "vget_lane_f64(vfma_f64(vdup_n_f64($c), vdup_n_f64($a), vdup_n_f64($b)), 0)"},
    {S_SQRT, F32, LANES_ONE, "vget_lane_f32(vsqrt_f32(vdup_n_f32($a)), 0)"},
    {S_SQRT, F64, LANES_ONE, "vget_lane_f64(vsqrt_f64(vdup_n_f64($a)), 0)"},
    END,
};

static const spelling *const c99_tables[] = {scalar_table, NULL};
static const spelling *const avx512_tables[] = {avx512_table, vector_table, scalar_table, NULL};
static const spelling *const avx2_tables[] = {avx2_table, mask_table, vector_table, scalar_table, NULL};
static const spelling *const neon_tables[] = {neon_table, mask_table, vector_table, scalar_table, NULL};

const dialect c_dialects[TARGET_COUNT] = {
    [TARGET_C99] = {.name = "plain C", .suffix = "_c99", .attribute = "", .tables = c99_tables},
    [TARGET_AVX512] = {.name = "AVX-512",
                       .suffix = "_avx512",
                       .attribute = "AVX512 ",
                       .bytes = 64,
                       .masks = {[16] = "__mmask16", [8] = "__mmask8"},
                       .tables = avx512_tables},
    [TARGET_AVX2] = {.name = "AVX2",
                     .suffix = "_avx2",
                     .attribute = "AVX2 ",
                     .bytes = 32,
                     .masks = {[8] = "i32x8", [4] = "i64x4"},
                     .tables = avx2_tables},
    [TARGET_NEON] = {.name = "NEON",
                     .suffix = "_neon",
                     .attribute = "",
                     .bytes = 16,
                     .masks = {[4] = "i32x4", [2] = "i64x2"},
                     .tables = neon_tables},
};
