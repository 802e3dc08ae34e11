/* The frequent operations on vectors of 4-byte lanes: all 16 lanes at once, whatever the vector's number is;
 * what the lanes past it hold is never read. */
#include "backends/interp/code.h"

#include <math.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif
#ifdef __clang__
#pragma clang fp contract(off)
#endif

typedef float f32v __attribute__((vector_size(SLOT), aligned(16), may_alias));
typedef int32_t i32v __attribute__((vector_size(SLOT), aligned(16), may_alias));

#define VECTOR(NAME, V, R, EXPR)                                                                             \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        const V a = *(const V *)o->a, b = *(const V *)o->b;                                                  \
        (void)m;                                                                                             \
        (void)b;                                                                                             \
        *(R *)o->d = (R)(EXPR);                                                                              \
        return o + 1;                                                                                        \
    }
/* mask ? x : y */
#define PICK(MASK, X, Y) (((MASK) & (i32v)(X)) | (~(MASK) & (i32v)(Y)))

VECTOR(v_add, f32v, f32v, a + b)
VECTOR(v_sub, f32v, f32v, a - b)
VECTOR(v_mul, f32v, f32v, a *b)
VECTOR(v_div, f32v, f32v, a / b)
VECTOR(v_neg, f32v, f32v, -a)
VECTOR(v_max, f32v, f32v, PICK(a > b, a, b))
VECTOR(v_min, f32v, f32v, PICK(a < b, a, b))
VECTOR(v_relu, f32v, f32v, ~(a < (f32v){0}) & (i32v)a)
VECTOR(v_lt, f32v, i32v, a < b)
VECTOR(v_le, f32v, i32v, a <= b)
VECTOR(v_gt, f32v, i32v, a > b)
VECTOR(v_ge, f32v, i32v, a >= b)
VECTOR(v_eq, f32v, i32v, a == b)
VECTOR(v_ne, f32v, i32v, a != b)

static const insn *v_select(machine *m, const insn *o) {
    const i32v mask = *(const i32v *)o->a;
    (void)m;
    *(i32v *)o->d = PICK(mask, *(const i32v *)o->b, *(const i32v *)o->c);
    return o + 1;
}

static const insn *v_apart(machine *m, const insn *o) {
    (void)m;
    const f32v product = *(const f32v *)o->a * *(const f32v *)o->b;
    *(f32v *)o->d = product + *(const f32v *)o->c;
    return o + 1;
}

#ifdef __x86_64__
__attribute__((target("avx,fma"))) static const insn *v_fused(machine *m, const insn *o) {
    const float *a = o->a, *b = o->b, *c = o->c;
    float *d = o->d;
    (void)m;
    for (int l = 0; l < LANES; l += 8)
        _mm256_storeu_ps(
            d + l, _mm256_fmadd_ps(_mm256_loadu_ps(a + l), _mm256_loadu_ps(b + l), _mm256_loadu_ps(c + l)));
    return o + 1;
}

static bool can_fuse(void) {
    return __builtin_cpu_supports("avx") && __builtin_cpu_supports("fma");
}
#else
static const insn *v_fused(machine *m, const insn *o) {
    const float *a = o->a, *b = o->b, *c = o->c;
    float *d = o->d;
    (void)m;
    for (int l = 0; l < LANES; l++) d[l] = fmaf(a[l], b[l], c[l]);
    return o + 1;
}

static bool can_fuse(void) {
    return true;
}
#endif

static insn_function *const floats[S_COUNT] = {
    [S_ADD] = v_add, [S_SUB] = v_sub, [S_MUL] = v_mul,   [S_DIV] = v_div, [S_NEG] = v_neg,
    [S_MAX] = v_max, [S_MIN] = v_min, [S_RELU] = v_relu, [S_LT] = v_lt,   [S_LE] = v_le,
    [S_GT] = v_gt,   [S_GE] = v_ge,   [S_EQ] = v_eq,     [S_NE] = v_ne,
};

insn_function *vector_function(scalar_op scalar, ktype operand, bool fused) {
    if (operand.lanes == 1) return NULL;
    if (scalar == S_SELECT) return operand.base != KB_F64 && operand.base != KB_INT ? v_select : NULL;
    if (operand.base != KB_F32) return NULL;
    if (scalar == S_FMA) return !fused ? v_apart : can_fuse() ? v_fused : NULL;
    return floats[scalar];
}
