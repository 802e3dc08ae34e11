/* Names from files as text that is safe to print. */
#include "runtime/shown.h"

#include "ir/base/text.h"

enum { SHOWN_BYTES = 120 };

/* Bytes of the UTF-8 character at s, or 0 if it is none (overlong forms let through here print as nothing
 * worse). */
static size_t character(const unsigned char *s, size_t left) {
    if (s[0] >= 0x20 && s[0] < 0x7f) return 1;
    size_t n = s[0] >= 0xc3 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : (s[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

const char *shown(arena *a, const char *name, size_t length) {
    text t = text_in(a);
    text_puts(&t, "");
    for (size_t i = 0; i < length;) {
        if (t.length >= SHOWN_BYTES) {
            text_puts(&t, "...");
            break;
        }
        size_t n = character((const unsigned char *)name + i, length - i);
        if (n)
            text_add(&t, name + i, n);
        else
            text_puts(&t, "?");
        i += n ? n : 1;
    }
    return t.at;
}

const char *shown_shape(arena *a, int rank, const int64_t *dims) {
    text t = text_in(a);
    text_puts(&t, "[");
    for (int i = 0; i < rank; i++) text_printf(&t, i ? ",%lld" : "%lld", (long long)dims[i]);
    text_puts(&t, "]");
    return t.at;
}
