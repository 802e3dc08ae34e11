/* Numbers of every stored type as doubles. */
#include "runtime/tensors.h"

#include <math.h>
#include <string.h>

static double from_f16(uint16_t h) {
    int exponent = h >> 10 & 31, fraction = h & 1023;
    double v = exponent == 0    ? ldexp(fraction, -24)
               : exponent == 31 ? (fraction ? NAN : INFINITY)
                                : ldexp(1024 + fraction, exponent - 25);
    return h & 0x8000 ? -v : v;
}

static double from_bf16(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float v;
    memcpy(&v, &bits, 4);
    return v;
}

#define LOAD(T, name)                                                                                        \
    static double load_##name(const unsigned char *p) {                                                      \
        T v;                                                                                                 \
        memcpy(&v, p, sizeof v);                                                                             \
        return (double)v;                                                                                    \
    }
LOAD(float, f32)
LOAD(double, f64)
LOAD(int64_t, i64)
LOAD(int32_t, i32)
LOAD(int16_t, i16)
LOAD(int8_t, i8)
LOAD(uint64_t, u64)
LOAD(uint32_t, u32)
LOAD(uint16_t, u16)
LOAD(uint8_t, u8)

static double load_f16(const unsigned char *p) {
    return from_f16((uint16_t)(p[0] | p[1] << 8));
}
static double load_bf16(const unsigned char *p) {
    return from_bf16((uint16_t)(p[0] | p[1] << 8));
}

static double (*const loads[EL_TYPES])(const unsigned char *) = {
    [EL_F32] = load_f32, [EL_F64] = load_f64, [EL_F16] = load_f16, [EL_BF16] = load_bf16, [EL_I64] = load_i64,
    [EL_I32] = load_i32, [EL_I16] = load_i16, [EL_I8] = load_i8,   [EL_U64] = load_u64,   [EL_U32] = load_u32,
    [EL_U16] = load_u16, [EL_U8] = load_u8,   [EL_BOOL] = load_u8,
};

double element_real(element_type type, const unsigned char *data, int64_t i) {
    return loads[type](data + i * element_infos[type].bytes);
}
