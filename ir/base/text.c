/* Text that grows in an arena. */
#include "ir/base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add(text *t, const char *bytes, size_t length) {
    if (t->length + length + 1 > t->room) {
        size_t room = 2 * (t->length + length + 1) + 64;
        t->at = arena_grow(t->arena, t->at, t->length, room, 1);
        t->room = room;
    }
    if (length) memcpy(t->at + t->length, bytes, length);
    t->length += length;
    t->at[t->length] = 0;
}

void text_puts(text *t, const char *s) {
    text_add(t, s, strlen(s));
}

void text_printf(text *t, const char *format, ...) {
    char small[256];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(small, sizeof small, format, list);
    va_end(list);
    if ((size_t)length < sizeof small) {
        text_add(t, small, (size_t)length);
        return;
    }
    va_start(list, format);
    char *s = arena_vprintf(t->arena, format, list);
    va_end(list);
    text_add(t, s, (size_t)length);
}

void text_real(text *t, double value, bool single) {
    char s[40];
    if (isnan(value) || isinf(value)) {
        text_puts(t, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, value);
        if (single ? strtof(s, NULL) == (float)value : strtod(s, NULL) == value) break;
    }
    for (char *c = s; *c; c++)
        if (*c == ',') *c = '.'; /* a locale's comma, should a host program have set one */
    text_puts(t, s);
    if (!strpbrk(s, ".e")) text_puts(t, ".0");
}
