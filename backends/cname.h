/* Names and literals as C, C++ and their relatives spell them. */
#ifndef NETC_BACKENDS_CNAME_H
#define NETC_BACKENDS_CNAME_H

#include "ir/base/map.h"
#include "ir/base/text.h"

#include <stdint.h>

/* True for keywords of C and C++ and for what common compilers define as macros in lower case. */
bool c_reserved(const char *name);
bool c_identifier(const char *name); /* letters, digits and _, not a digit first; may be reserved */
/* `name` with everything that no identifier may hold as '_', and '_' before a digit in front. */
const char *c_mangle(arena *a, const char *name);
const char *c_upper(arena *a, const char *name);

/* Names of one C scope: each is given out once. */
typedef struct c_names {
    map taken;
} c_names;

static inline c_names c_names_in(arena *a) {
    return (c_names){map_in(a)};
}
/* An identifier like `hint` that is neither reserved nor taken: hint, hint_2, hint_3... */
const char *c_name(c_names *n, const char *hint);

/* Literals. Infinities and NaN are the macros INF and NAN_ of the output. */
void c_real(text *t, double value, bool single);
void c_int(text *t, int64_t value, bool wide /* 64 bits */);

/* Appends `s`, which holds no line feed, indented by `indent` blanks and broken at blanks to lines of about
 * 110 columns. */
void c_line(text *t, int indent, const char *s);

#endif
