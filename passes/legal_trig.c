/* sin and cos: x = r + quadrant·π/2, then a polynomial in r. Up to SMALL the multiple is subtracted in five
 * parts (Cody and Waite); where a lane lies beyond, all are reduced by the bits of 2/π that matter for their
 * exponent (Payne and Hanek, 1983), in digits of 12 bits. Polynomials as in legal_exp.c. */
#include "passes/legal.h"

#include <math.h>

static const double SMALL = 12800; /* times 2/π: below 2^13 */

/* (sin(r)/r − 1) / r² and (cos(r) − 1 + r²/2) / r⁴ in r², |r| ≤ π/4 (1.01 times that): relative errors 2^-27,
 * 2^-32. */
static const float sin_rest[] = {-0.166666538f, 0.0083321128f, -0.000195087414f};
static const float cos_rest[] = {0.0416666456f, -0.00138872513f, 2.44256807e-05f};

/* r and the quadrant, in the two lowest bits of an i32. */
typedef struct reduced {
    kinst *r, *quadrant;
} reduced;

static kinst *bits_op(const legal *l, scalar_op op, kinst *x, kinst *y) {
    return kb_arith(l->b, op, x, y, NULL);
}
static kinst *bits_by(const legal *l, scalar_op op, kinst *x, int32_t y) {
    return bits_op(l, op, x, legal_bits(l, y));
}

/* π/2 = Σ part, 11 bits each but the last: multiples below 2^13 of them are exact. So are the first two
 * differences; what the third rounds off joins the rest. */
static reduced reduce_small(const legal *l, kinst *x) {
    static const double part[] = {0x1.92p+0, 0x1.fb4p-12, 0x1.444p-24, 0x1.68cp-39, 0x1.1a6264p-54};
    reduced d = {x, NULL};
    kinst *n = legal_round(l, x, 0.63661977236758134, &d.quadrant), *minus[5];
    for (int k = 0; k < 5; k++) minus[k] = legal_const(l, -part[k]);
    kinst *exact = legal_fma(l, n, minus[1], legal_fma(l, n, minus[0], x));
    kinst *r = legal_fma(l, n, minus[2], exact);
    kinst *lost = legal_fma(l, n, minus[2], legal_sub(l, exact, r));
    d.r = legal_add(l, r, legal_fma(l, n, minus[3], legal_fma(l, n, minus[4], lost)));
    return d;
}

enum { WORDS = 4, CHOICES = 6, DIGITS = 2 * WORDS };

/* 24 zeros and 216 bits of 2/π, in words of 24. */
static const int32_t two_over_pi[WORDS + CHOICES] = {0,        0xa2f983, 0x6e4e44, 0x1529fc, 0x2757d1,
                                                     0xf534dd, 0xc0db62, 0x95993c, 0x439041, 0xfe5163};

/* Digits of 12 bits of 2/π·2^e mod 4, the first two bits whole; the mantissa is an integer of 24 bits. */
static void window_digits(const legal *l, kinst *exponent, kinst **digit) {
    kinst *at = bits_by(l, S_ADD, exponent, 22); /* first bit; ≥ 0 for what is reduced so */
    kinst *word = bits_by(l, S_SHR, bits_by(l, S_MUL, at, 171), 12); /* at / 24 */
    kinst *shift = bits_op(l, S_SUB, at, bits_by(l, S_MUL, word, 24)),
          *back = bits_op(l, S_SUB, legal_bits(l, 24), shift);
    kinst *keep = bits_by(l, S_SUB, bits_op(l, S_SHL, legal_bits(l, 1), back), 1);
    kinst *chosen[WORDS + 1];
    for (int k = 0; k <= WORDS; k++) {
        chosen[k] = legal_bits(l, two_over_pi[k]);
        for (int c = 1; c < CHOICES && k + c < WORDS + CHOICES; c++)
            chosen[k] =
                kb_select(l->b, bits_by(l, S_EQ, word, c), legal_bits(l, two_over_pi[k + c]), chosen[k]);
    }
    for (int k = 0; k < WORDS; k++) {
        kinst *high = bits_op(l, S_SHL, bits_op(l, S_AND, chosen[k], keep), shift);
        kinst *bits = bits_op(l, S_OR, high, bits_op(l, S_SHR, chosen[k + 1], back));
        digit[2 * k] = bits_by(l, S_SHR, bits, 12);
        digit[2 * k + 1] = bits_by(l, S_AND, bits, 0xfff);
    }
}

/* Multiplies the digits by an integer of 24 bits, modulo 4. */
static void scale_digits(const legal *l, kinst **digit, kinst *mantissa) {
    kinst *high = bits_by(l, S_SHR, mantissa, 12), *low = bits_by(l, S_AND, mantissa, 0xfff), *carry = NULL;
    kinst *column[DIGITS];
    for (int k = 0; k < DIGITS; k++) {
        column[k] = bits_op(l, S_MUL, low, digit[k]);
        if (k + 1 < DIGITS) column[k] = bits_op(l, S_ADD, column[k], bits_op(l, S_MUL, high, digit[k + 1]));
    }
    for (int k = DIGITS - 1; k >= 0; k--) {
        if (carry) column[k] = bits_op(l, S_ADD, column[k], carry);
        digit[k] = bits_by(l, S_AND, column[k], 0xfff);
        carry = bits_by(l, S_SHR, column[k], 12);
    }
}

static kinst *join(const legal *l, kinst *high, int shift, kinst *low) {
    return bits_op(l, S_OR, bits_by(l, S_SHL, high, shift), low);
}

static kinst *real(const legal *l, kinst *bits, double scale) {
    return legal_mul(l, kb_cast(l->b, l->t, bits), legal_const(l, scale));
}

/* (s + rest)·π/2, nearly rounded once: 12 bits of s by 11 of π/2 are exact, and the rest is small. */
static kinst *quarters(const legal *l, kinst *s, kinst *rest) {
    kinst *first = legal_const(l, 0x1.92p+0), *second = legal_const(l, 0x1.fb5444p-12);
    kinst *high = legal_upper(l, s), *low = legal_sub(l, s, high);
    kinst *small = legal_fma(l, s, second, legal_mul(l, rest, legal_const(l, 0x1.921fb6p+0)));
    return legal_fma(l, high, first, legal_fma(l, low, first, small));
}

/* Turns (0 ≤ fraction < 1) to the nearest quadrant: −½ ≤ fraction < ½, as the sum of a float and a small one.
 */
static reduced from_digits(const legal *l, kinst **digit) {
    kinst *first =
        join(l, bits_by(l, S_AND, digit[0], 0x3ff), 20, join(l, digit[1], 8, bits_by(l, S_SHR, digit[2], 4)));
    kinst *up = bits_by(l, S_SHR, first, 29);
    first = bits_op(l, S_SUB, first, bits_by(l, S_SHL, up, 30));
    kinst *next =
        join(l, bits_by(l, S_AND, first, 63), 16, join(l, bits_by(l, S_AND, digit[2], 15), 12, digit[3]));
    kinst *high = real(l, bits_by(l, S_SHR, first, 6), 0x1p-24), *low = real(l, next, 0x1p-46);
    kinst *s = legal_add(l, high, low), *rest = legal_sub(l, low, legal_sub(l, s, high));
    rest = legal_add(l, rest, real(l, join(l, digit[4], 12, digit[5]), 0x1p-70));
    return (reduced){quarters(l, s, rest), bits_op(l, S_ADD, bits_by(l, S_SHR, digit[0], 10), up)};
}

static reduced reduce_large(const legal *l, kinst *x, kinst *absolute) {
    kinst *bits = legal_to_bits(l, absolute), *digit[DIGITS];
    kinst *exponent = bits_by(l, S_SUB, bits_by(l, S_SHR, bits, 23), 150);
    exponent = kb_select(l->b, bits_by(l, S_GT, exponent, -12), exponent, legal_bits(l, -12));
    kinst *mantissa = bits_by(l, S_OR, bits_by(l, S_AND, bits, 0x7fffff), 0x800000);
    window_digits(l, exponent, digit);
    scale_digits(l, digit, mantissa);
    reduced d = from_digits(l, digit);
    kinst *minus = legal_is(l, S_LT, x, 0);
    d.r = legal_choose(l, minus, legal_op(l, S_NEG, d.r, NULL, NULL), d.r);
    d.quadrant = kb_select(l->b, minus, bits_op(l, S_SUB, legal_bits(l, 0), d.quadrant), d.quadrant);
    return d;
}

/* Infinities and NaN go the first way and come out as NaN. */
static reduced reduce(const legal *l, kinst *x) {
    kb *b = l->b;
    kinst *absolute = legal_op(l, S_ABS, x, NULL, NULL), *zero = kb_int(b, 0);
    absolute = legal_choose(l, legal_is(l, S_LT, absolute, INFINITY), absolute, legal_const(l, 0));
    reduced d = reduce_small(l, x);
    kinst *r = kb_reg(b, "r", l->t, 1, 1), *q = kb_reg(b, "quadrant", d.quadrant->type, 1, 1);
    kb_set(b, r, zero, zero, d.r);
    kb_set(b, q, zero, zero, d.quadrant);
    kb_if(b, kb_arith(b, S_GT, kb_hmax(b, absolute), kb_const(b, k_scalar(KB_F32), SMALL), NULL));
    reduced far = reduce_large(l, x, absolute);
    kinst *is_far = legal_is(l, S_GT, absolute, SMALL);
    kb_set(b, r, zero, zero, legal_choose(l, is_far, far.r, d.r));
    kb_set(b, q, zero, zero, kb_select(b, is_far, far.quadrant, d.quadrant));
    kb_end(b);
    return (reduced){kb_get(b, r, zero, zero), kb_get(b, q, zero, zero)};
}

static kinst *from_quadrant(const legal *l, kinst *r, kinst *quadrant) {
    kinst *square = legal_mul(l, r, r);
    kinst *sine = legal_fma(l, legal_mul(l, r, square), legal_poly(l, square, sin_rest, 3), r);
    kinst *cosine = legal_mul(l, legal_mul(l, square, square), legal_poly(l, square, cos_rest, 3));
    cosine = legal_add(l, legal_fma(l, square, legal_const(l, -0.5), cosine), legal_const(l, 1));
    kinst *odd = bits_by(l, S_NE, bits_by(l, S_AND, quadrant, 1), 0);
    kinst *y = legal_to_bits(l, legal_choose(l, odd, cosine, sine));
    kinst *minus = bits_by(l, S_SHL, bits_by(l, S_AND, quadrant, 2), 30);
    return legal_from_bits(l, bits_op(l, S_XOR, y, minus));
}

/* ≤ 2 ulp for every x. */
kinst *legal_sin(const legal *l, kinst *x, kinst *y) {
    (void)y;
    reduced d = reduce(l, x);
    return from_quadrant(l, d.r, d.quadrant);
}

kinst *legal_cos(const legal *l, kinst *x, kinst *y) {
    (void)y;
    reduced d = reduce(l, x);
    return from_quadrant(l, d.r, bits_by(l, S_ADD, d.quadrant, 1));
}
