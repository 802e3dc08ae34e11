/* Prints functions of the kernel IR in C or one of its relatives. What differs between instruction sets is a
 * dialect: tables of formats, one row an operation. Nothing here knows what a kernel computes. */
#ifndef NETC_BACKENDS_CPRINT_H
#define NETC_BACKENDS_CPRINT_H

#include "backends/cname.h"
#include "ir/kernel/kernel.h"

/* Operations besides those of scalar.def. */
enum {
    SPELL_SPLAT = S_COUNT, /* a: scalar */
    SPELL_LOAD,            /* a: ptr, b: index */
    SPELL_LOAD_PART,       /* a: ptr + index, c: count */
    SPELL_STORE,           /* a: ptr, b: index, c: value; a statement without its ';' */
    SPELL_STORE_PART,      /* a: ptr + index, c: value, d: count */
    SPELL_TAIL,            /* a: count */
    SPELL_CAST,            /* a; looked up by the operand's type */
    SPELL_BITS,
    SPELL_PREFETCH, /* a: ptr + index; looked up by the pointer's type */
    SPELL_HSUM,
    SPELL_HMAX
};

typedef enum lanes_kind {
    LANES_ONE = 1,
    LANES_FULL = 2,
    LANES_OTHER = 4,
    LANES_MANY = 6,
    LANES_ALL = 7
} lanes_kind;

/* One spelling. In a format, $a..$d are operands (in parentheses where needed), $v is the type of the
 * operands
 * ("f32x16", "float"), $r that of the result, $u the result's type as it lies in memory, $w that of the
 * operands, $n a name for $v in functions ("f32x16", "f32"), $i the integers of $v's width, $k a mask without
 * the sign bit, $s the suffix of intrinsics ("ps"), $m all lanes as a mask ("0xffff"), $l the number of
 * lanes. */
typedef struct spelling {
    int op;
    unsigned bases; /* of the operands: 1 << kbase */
    unsigned lanes; /* lanes_kind */
    const char *format;
} spelling;

#define BASE(b)      (1u << (b))
#define BASES_REAL   (BASE(KB_F32) | BASE(KB_F64))
#define BASES_INT    (BASE(KB_INT) | BASE(KB_I32))
#define BASES_NUMBER (BASES_REAL | BASES_INT | BASE(KB_U8))

typedef struct dialect {
    const char *name;              /* for messages */
    const char *suffix;            /* of every function: "_avx512" */
    const char *attribute;         /* before every function, with a blank; "" for none */
    int bytes;                     /* of a full vector; 0: vectors are arrays, printed as loops over `lane` */
    const char *masks[17];         /* type of a KB_BOOL vector, by lanes; NULL: there is none */
    const spelling *const *tables; /* searched in order, each ends with a NULL format; then NULL */
} dialect;

/* Appends the function's definition: `static void NAME_SUFFIX(...)`; a kernel gets `begin` and `end` in place
 * of its first parameter i and loops over them, and its second, n, only if asked for. An operation that the
 * dialect cannot spell is an error in d. */
void cprint_function(arena *a, text *t, const kfunc *f, bool with_n, const dialect *to, diags *d);
bool cprint_reads_n(const kfunc *f); /* whether a kernel needs it */
/* Its parameters as a declaration writes them; the kernel's first one is left to the caller. */
void cprint_param(text *t, const kparam *p, const char *name);

/* "f32x16", and "f32" of a scalar */
const char *cprint_type_name(arena *a, ktype t);
const char *cprint_scalar(kbase b); /* "float" */

#endif
