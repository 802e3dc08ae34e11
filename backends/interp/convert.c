/* Conversions, splats, tails, reductions of lanes, selection. */
#include "backends/interp/code.h"

#include <string.h>

/* Out of range or NaN gives the least, as x86 does; C leaves it undefined. */
static int32_t to_i32(double x) {
    return x > -2147483649.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN;
}
static int64_t to_i64(double x) {
    return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

#define CAST(FROM, T, TO, R, EXPR)                                                                           \
    static const insn *FROM##_##TO(machine *m, const insn *o) {                                              \
        T a[LANES];                                                                                          \
        R *d = o->d;                                                                                         \
        (void)m;                                                                                             \
        memcpy(a, o->a, (size_t)o->lanes * sizeof *a);                                                       \
        for (int l = 0; l < o->lanes; l++) d[l] = (R)(EXPR);                                                 \
        return o + 1;                                                                                        \
    }
#define CASTS(FROM, T)                                                                                       \
    CAST(FROM, T, i32, int32_t, (uint32_t)a[l])                                                              \
    CAST(FROM, T, i64, int64_t, a[l]) CAST(FROM, T, f32, float, a[l]) CAST(FROM, T, f64, double, a[l])
#define REAL_CASTS(FROM, T)                                                                                  \
    CAST(FROM, T, i32, int32_t, to_i32(a[l]))                                                                \
    CAST(FROM, T, i64, int64_t, to_i64(a[l])) CAST(FROM, T, f32, float, a[l]) CAST(FROM, T, f64, double, a[l])
#define TRUTH_CASTS(FROM, T)                                                                                 \
    CAST(FROM, T, i32, int32_t, -a[l])                                                                       \
    CAST(FROM, T, i64, int64_t, -a[l]) CAST(FROM, T, f32, float, -a[l]) CAST(FROM, T, f64, double, -a[l])
CASTS(i32, int32_t)
CASTS(i64, int64_t)
REAL_CASTS(f32, float)
REAL_CASTS(f64, double)
TRUTH_CASTS(truth, int32_t)

#define ROW(FROM)                                                                                            \
    { [KB_I32] = FROM##_i32, [KB_INT] = FROM##_i64, [KB_F32] = FROM##_f32, [KB_F64] = FROM##_f64 }
static insn_function *const casts[KB_BASES][KB_BASES] = {
    [KB_I32] = ROW(i32), [KB_U8] = ROW(i32),  [KB_INT] = ROW(i64),
    [KB_F32] = ROW(f32), [KB_F64] = ROW(f64), [KB_BOOL] = ROW(truth),
};

insn_function *cast_function(ktype from, ktype to) {
    return casts[from.base][to.base];
}

#define SPLAT(NAME, T)                                                                                       \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        const T a = *(const T *)o->a;                                                                        \
        T *d = o->d;                                                                                         \
        (void)m;                                                                                             \
        for (int l = 0; l < LANES; l++) d[l] = a;                                                            \
        return o + 1;                                                                                        \
    }
SPLAT(splat4, lane4)
SPLAT(splat8, lane8)

static const insn *tail(machine *m, const insn *o) {
    const int64_t count = *(const int64_t *)o->a;
    int32_t *d = o->d;
    (void)m;
    for (int l = 0; l < o->lanes; l++) d[l] = -(l < count);
    return o + 1;
}

/* Halves are joined until one lane is left. */
#define REDUCE(NAME, T, EXPR)                                                                                \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        T x[LANES];                                                                                          \
        (void)m;                                                                                             \
        memcpy(x, o->a, (size_t)o->lanes * sizeof *x);                                                       \
        for (int half = o->lanes / 2; half; half /= 2)                                                       \
            for (int l = 0; l < half; l++) {                                                                 \
                const T a = x[l], b = x[l + half];                                                           \
                x[l] = EXPR;                                                                                 \
            }                                                                                                \
        *(T *)o->d = x[0];                                                                                   \
        return o + 1;                                                                                        \
    }
REDUCE(sum4, float, a + b)
REDUCE(sum8, double, a + b)
REDUCE(max4, float, a > b ? a : b)
REDUCE(max8, double, a > b ? a : b)

insn_function *lanes_function(kop kind, ktype operand) {
    bool wide = kbase_bytes(operand.base) == 8;
    switch (kind) {
    case K_SPLAT: return wide ? splat8 : splat4;
    case K_TAIL: return tail;
    case K_HSUM: return wide ? sum8 : sum4;
    case K_HMAX: return wide ? max8 : max4;
    default: return NULL;
    }
}

#define SELECT(NAME, T)                                                                                      \
    static const insn *NAME(machine *m, const insn *o) {                                                     \
        const int32_t *mask = o->a;                                                                          \
        const T *x = o->b, *y = o->c;                                                                        \
        T *d = o->d;                                                                                         \
        (void)m;                                                                                             \
        for (int l = 0; l < o->lanes; l++) d[l] = mask[l] ? x[l] : y[l];                                     \
        return o + 1;                                                                                        \
    }
SELECT(select4, lane4)
SELECT(select8, lane8)

insn_function *select_function(ktype operand) {
    return kbase_bytes(operand.base) == 8 ? select8 : select4;
}
