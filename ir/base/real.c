/* Numbers from text, whatever locale the host program has set. */
#include "ir/base/text.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* "inf" and "nan", which strtod also accepts under longer names and in hexadecimal company. */
static bool read_word(const char *s, double *out) {
    bool minus = *s == '-';
    if (*s == '-' || *s == '+') s++;
    if (strcmp(s, "inf") == 0)
        *out = minus ? -__builtin_inf() : __builtin_inf();
    else if (strcmp(s, "nan") == 0)
        *out = __builtin_nan("");
    else
        return false;
    return true;
}

bool text_read_real(const char *s, size_t length, double *out) {
    char copy[128];
    if (length == 0 || length >= sizeof copy) return false;
    memcpy(copy, s, length);
    copy[length] = 0;
    if (read_word(copy, out)) return true;
    if (strspn(copy, "0123456789+-.eE") != length) return false;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return false;
    char *end;
    double value = strtod_l(copy, &end, plain);
    freelocale(plain);
    if (end != copy + length) return false;
    *out = value;
    return true;
}
