/* Words of a kernel's text. */
#ifndef NETC_IR_KERNEL_PARSE_H
#define NETC_IR_KERNEL_PARSE_H

#include "ir/base/map.h"
#include "ir/kernel/emit.h"

typedef struct kparser {
    arena *arena;
    const source *s;
    diags *d;
    size_t at; /* next byte */
    kfunc *const *known;
    int known_count;
    kb b;
    map values; /* "%12" to kinst */
    map params; /* name to kparam */
    bool failed;
} kparser;

/* A word: letters, digits, '_', '.', and a leading '%', '-' or '+'. */
typedef struct kword {
    const char *at;
    size_t length;
    span span;
} kword;

/* All return false (or an empty word) once an error was added, and go on returning it. */
bool kparse_fail(kparser *p, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
kword kparse_word(kparser *p);
kword kparse_peek(kparser *p);
bool kparse_is(kword w, const char *name);
bool kparse_take(kparser *p, const char *mark);  /* "[" "=" ".." or a word: must stand here */
bool kparse_found(kparser *p, const char *mark); /* takes it if it stands here */
bool kparse_int(kparser *p, int64_t *out);
bool kparse_type(kparser *p, ktype *out);
kinst *kparse_value(kparser *p); /* %12, a parameter, a whole number; NULL after an error */
/* The next instruction, appended; false at '}' or after an error. */
bool kparse_inst(kparser *p);

#endif
