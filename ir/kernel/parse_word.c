/* Reading words, marks, numbers, types and values of a kernel's text. */
#include "ir/kernel/parse.h"

#include <string.h>

bool kparse_fail(kparser *p, span at, const char *format, ...) {
    if (p->failed) return false;
    p->failed = true;
    va_list list;
    va_start(list, format);
    diag_add(p->d, DIAG_ERROR, at, "kernel text: %s", arena_vprintf(p->arena, format, list));
    va_end(list);
    return false;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Blanks, line feeds and comments. */
static void skip(kparser *p) {
    while (p->at < p->s->bytes) {
        char c = p->s->text[p->at];
        if (c == '#') {
            while (p->at < p->s->bytes && p->s->text[p->at] != '\n') p->at++;
        } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            p->at++;
        } else {
            return;
        }
    }
}

/* A '.' belongs to a word unless another follows; a sign does behind an exponent's e of a number. */
static size_t word_end(const kparser *p) {
    const char *s = p->s->text;
    size_t from = p->at, at = from;
    if (at < p->s->bytes && (s[at] == '%' || s[at] == '-' || s[at] == '+')) at++;
    bool number = at < p->s->bytes && s[at] >= '0' && s[at] <= '9';
    for (; at < p->s->bytes; at++) {
        char c = s[at];
        bool dot = c == '.' && at + 1 < p->s->bytes && s[at + 1] != '.' && at > from && s[at - 1] != '.';
        bool sign = (c == '-' || c == '+') && number && at > from && s[at - 1] == 'e';
        if (!is_letter(c) && !dot && !sign) break;
    }
    return at;
}

kword kparse_peek(kparser *p) {
    skip(p);
    size_t end = p->failed ? p->at : word_end(p);
    return (kword){p->s->text + p->at, end - p->at, {p->s, (uint32_t)p->at, (uint32_t)end}};
}

kword kparse_word(kparser *p) {
    kword w = kparse_peek(p);
    p->at += w.length;
    if (!w.length) kparse_fail(p, (span){p->s, (uint32_t)p->at, (uint32_t)p->at + 1}, "expected a word here");
    return w;
}

bool kparse_is(kword w, const char *name) {
    return strlen(name) == w.length && memcmp(w.at, name, w.length) == 0;
}

bool kparse_found(kparser *p, const char *mark) {
    if (p->failed) return false;
    skip(p);
    size_t length = strlen(mark);
    if (is_letter(*mark) ? !kparse_is(kparse_peek(p), mark)
                         : p->s->bytes - p->at < length || memcmp(p->s->text + p->at, mark, length) != 0)
        return false;
    p->at += length;
    return true;
}

bool kparse_take(kparser *p, const char *mark) {
    if (kparse_found(p, mark)) return true;
    return kparse_fail(p, (span){p->s, (uint32_t)p->at, (uint32_t)p->at + 1}, "expected '%s' here", mark);
}

static bool read_int(kword w, int64_t *out) {
    bool minus = w.length && *w.at == '-';
    uint64_t x = 0, most = minus ? (uint64_t)1 << 63 : INT64_MAX;
    if (w.length == (size_t)minus) return false;
    for (size_t k = minus; k < w.length; k++) {
        unsigned digit = (unsigned)(w.at[k] - '0');
        if (digit > 9 || x > (most - digit) / 10) return false;
        x = 10 * x + digit;
    }
    *out = minus ? (int64_t)(0 - x) : (int64_t)x;
    return true;
}

bool kparse_int(kparser *p, int64_t *out) {
    kword w = kparse_word(p);
    return !p->failed &&
           (read_int(w, out) || kparse_fail(p, w.span, "expected a whole number of 64 bits here"));
}

static kbase find_base(kword w) {
    for (int b = KB_INT; b <= KB_BOOL; b++)
        if (kparse_is(w, kbase_name((kbase)b))) return (kbase)b;
    return KB_VOID;
}

bool kparse_type(kparser *p, ktype *out) {
    bool pointer = kparse_found(p, "*"), writes = pointer && kparse_found(p, "mut");
    kword w = kparse_word(p), base = w;
    const char *x = memchr(w.at, 'x', w.length);
    int64_t lanes = 1;
    if (x) {
        base.length = (size_t)(x - w.at);
        kword count = {x + 1, w.length - base.length - 1, w.span};
        if (pointer || !read_int(count, &lanes) || lanes < 2 || lanes > 16)
            return kparse_fail(p, w.span, "a vector has 2 to 16 lanes");
    }
    kbase b = find_base(base);
    if (p->failed || b == KB_VOID || (pointer && b == KB_BOOL))
        return kparse_fail(p, w.span, "there is no such type");
    *out = pointer ? (writes ? k_out(b) : k_ptr(b)) : k_vector(b, (int)lanes);
    return true;
}

kinst *kparse_value(kparser *p) {
    kword w = kparse_word(p);
    int64_t number;
    if (p->failed) return NULL;
    const char *name = arena_text(p->arena, w.at, w.length);
    if (*name == '%') {
        kinst *x = map_get(&p->values, name);
        if (!x) kparse_fail(p, w.span, "%s has no value before this line", name);
        return x;
    }
    const kparam *param = map_get(&p->params, name);
    if (param || read_int(w, &number)) {
        kinst *x = param ? kb_param(&p->b, (int)(param - p->b.f->param)) : kb_int(&p->b, number);
        x->id = -1;
        return x;
    }
    kparse_fail(p, w.span, "there is no parameter %s", name);
    return NULL;
}
