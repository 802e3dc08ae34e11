/* Arithmetic lane by lane, for every type. What is frequent on vectors of f32 has a faster form in vector.c.
 */
#include "backends/interp/code.h"

#include <math.h>

/* fp contraction is off with -std=c11 in gcc; clang would contract within an expression. */
#ifdef __clang__
#pragma clang fp contract(off)
#endif

/* One operation: EXPR of a, b, c (type T) gives R. */
#define LOOP(NAME, T, R, EXPR)                                                                               \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        const T *pa = o->a, *pb = o->b, *pc = o->c;                                                          \
        R *d = o->d;                                                                                         \
        (void)m;                                                                                             \
        for (int l = 0; l < o->lanes; l++) {                                                                 \
            T a = pa[l], b = pb[l], c = pc[l];                                                               \
            (void)b;                                                                                         \
            (void)c;                                                                                         \
            d[l] = (R)(EXPR);                                                                                \
        }                                                                                                    \
        return o + 1;                                                                                        \
    }

#define COMPARES(X, T)                                                                                       \
    X(LT, T, a < b) X(LE, T, a <= b) X(GT, T, a > b) X(GE, T, a >= b) X(EQ, T, a == b) X(NE, T, a != b)
#define FLOATS(X, T)                                                                                         \
    X(ADD, T, a + b)                                                                                         \
    X(SUB, T, a - b)                                                                                         \
    X(MUL, T, a *b)                                                                                          \
    X(DIV, T, a / b) X(NEG, T, -a) X(MAX, T, a > b ? a : b) X(MIN, T, a < b ? a : b) X(RELU, T, 0 > a ? 0 : a)
#define REST(X, T)                                                                                           \
    X(ABS, T)                                                                                                \
    X(SQRT, T)                                                                                               \
    X(RSQRT, T)                                                                                              \
    X(EXP, T) X(LOG, T) X(TANH, T) X(ERF, T) X(SIN, T) X(COS, T) X(POW, T) X(FLOOR, T) X(SIGMOID, T)

#define VALUE_LOOP(NAME, T, EXPR) LOOP(T##_##NAME, T, T, EXPR)
#define TRUTH_LOOP(NAME, T, EXPR) LOOP(T##_##NAME, T, int32_t, -(EXPR))
FLOATS(VALUE_LOOP, float)
FLOATS(VALUE_LOOP, double)
COMPARES(TRUTH_LOOP, float)
COMPARES(TRUTH_LOOP, double)
COMPARES(TRUTH_LOOP, int32_t)
COMPARES(TRUTH_LOOP, int64_t)
LOOP(float_eval, float, float, scalar_eval(o->as.scalar, a, b, c))
LOOP(double_eval, double, double, scalar_eval(o->as.scalar, a, b, c))
LOOP(float_fused, float, float, fmaf(a, b, c))
LOOP(double_fused, double, double, fma(a, b, c))
LOOP(float_apart, float, float, a *b + c)
LOOP(double_apart, double, double, a *b + c)

/* Integers wrap. A divisor of 0 is reported before anything is divided. */
#define INTS(X, T, U, BITS)                                                                                  \
    X(ADD, T, (U)a + (U)b)                                                                                   \
    X(SUB, T, (U)a - (U)b)                                                                                   \
    X(MUL, T, (U)a *(U)b)                                                                                    \
    X(NEG, T, 0 - (U)a)                                                                                      \
    X(MAX, T, a > b ? a : b)                                                                                 \
    X(MIN, T, a < b ? a : b)                                                                                 \
    X(ABS, T, a < 0 ? 0 - (U)a : (U)a)                                                                       \
    X(RELU, T, a < 0 ? 0 : a)                                                                                \
    X(AND, T, a &b)                                                                                          \
    X(OR, T, a | b)                                                                                          \
    X(XOR, T, a ^ b) X(SHL, T, (U)a << ((U)b & (BITS - 1))) X(SHR, T, a >> ((U)b & (BITS - 1)))
INTS(VALUE_LOOP, int32_t, uint32_t, 32)
INTS(VALUE_LOOP, int64_t, uint64_t, 64)
LOOP(int32_t_quotient, int32_t, int32_t, b == -1 ? 0 - (uint32_t)a : (uint32_t)(a / b))
LOOP(int32_t_remainder, int32_t, int32_t, b == -1 ? 0 : a % b)
LOOP(int64_t_quotient, int64_t, int64_t, b == -1 ? 0 - (uint64_t)a : (uint64_t)(a / b))
LOOP(int64_t_remainder, int64_t, int64_t, b == -1 ? 0 : a % b)
LOOP(int32_t_MULHI, int32_t, int32_t, ((uint64_t)(uint32_t)a * (uint32_t)b) >> 32)

#define DIVISION(NAME, T, WITH)                                                                              \
    static const insn *T##_##NAME(machine *m, const insn *o) {                                               \
        const T *b = o->b;                                                                                   \
        for (int l = 0; l < o->lanes; l++)                                                                   \
            if (b[l] == 0) return machine_fail(m, o, "divides an integer by zero");                          \
        return T##_##WITH(m, o);                                                                             \
    }
DIVISION(DIV, int32_t, quotient)
DIVISION(MOD, int32_t, remainder)
DIVISION(DIV, int64_t, quotient)
DIVISION(MOD, int64_t, remainder)

#define ENTRY(NAME, T, EXPR) [S_##NAME] = T##_##NAME,
#define EVAL(NAME, T)        [S_##NAME] = T##_eval,
static insn_function *const float_table[S_COUNT] = {FLOATS(ENTRY, float) COMPARES(ENTRY, float)
                                                        REST(EVAL, float)};
static insn_function *const double_table[S_COUNT] = {FLOATS(ENTRY, double) COMPARES(ENTRY, double)
                                                         REST(EVAL, double)};
static insn_function *const i32_table[S_COUNT] = {INTS(ENTRY, int32_t, 0, 0) COMPARES(ENTRY, int32_t)[S_DIV] =
                                                      int32_t_DIV,
                                                  [S_MOD] = int32_t_MOD, [S_MULHI] = int32_t_MULHI};
static insn_function *const int_table[S_COUNT] = {
    INTS(ENTRY, int64_t, 0, 0) COMPARES(ENTRY, int64_t)[S_DIV] = int64_t_DIV, [S_MOD] = int64_t_MOD};
static insn_function *const *const tables[KB_BASES] = {
    [KB_INT] = int_table,   [KB_I32] = i32_table,    [KB_U8] = i32_table,
    [KB_F32] = float_table, [KB_F64] = double_table, [KB_BOOL] = i32_table};

insn_function *arith_function(scalar_op scalar, ktype operand, bool fused) {
    insn_function *fast = vector_function(scalar, operand, fused);
    if (fast) return fast;
    if (scalar == S_SELECT) return select_function(operand);
    if (scalar == S_FMA && operand.base == KB_F32) return fused ? float_fused : float_apart;
    if (scalar == S_FMA && operand.base == KB_F64) return fused ? double_fused : double_apart;
    return tables[operand.base] ? tables[operand.base][scalar] : NULL;
}
