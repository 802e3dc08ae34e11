/* Text that grows: every printer of netc (IR texts, C, JSON) writes into one of these, never to a stream, so
 * that output is complete before a file is touched. */
#ifndef NETC_IR_BASE_TEXT_H
#define NETC_IR_BASE_TEXT_H

#include "ir/base/arena.h"

#include <stdbool.h>

typedef struct text {
    arena *arena;
    char *at; /* zero-terminated once something was added */
    size_t length, room;
} text;

static inline text text_in(arena *a) {
    return (text){.arena = a};
}
void text_add(text *t, const char *bytes, size_t length);
void text_puts(text *t, const char *s);
void text_printf(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The shortest decimal that reads back as the same double (float when `single`), never locale's, always with
 * a '.', an 'e', "inf" or "nan". */
void text_real(text *t, double value, bool single);
/* Reads one decimal number, "inf" or "nan" (signed too) that fills all of `length` bytes, never by the locale. */
bool text_read_real(const char *s, size_t length, double *out);

#endif
