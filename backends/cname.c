/* Names and literals as C, C++ and their relatives spell them. */
#include "backends/cname.h"

#include <math.h>
#include <string.h>

/* C11, C++20, and macros that gcc and clang define in their GNU modes. */
static const char *const reserved[] = {"alignas",
                                       "alignof",
                                       "and",
                                       "and_eq",
                                       "asm",
                                       "auto",
                                       "bitand",
                                       "bitor",
                                       "bool",
                                       "break",
                                       "case",
                                       "catch",
                                       "char",
                                       "char16_t",
                                       "char32_t",
                                       "char8_t",
                                       "class",
                                       "co_await",
                                       "co_return",
                                       "co_yield",
                                       "compl",
                                       "concept",
                                       "const",
                                       "const_cast",
                                       "consteval",
                                       "constexpr",
                                       "constinit",
                                       "continue",
                                       "decltype",
                                       "default",
                                       "delete",
                                       "do",
                                       "double",
                                       "dynamic_cast",
                                       "else",
                                       "enum",
                                       "explicit",
                                       "export",
                                       "extern",
                                       "false",
                                       "float",
                                       "for",
                                       "friend",
                                       "goto",
                                       "i386",
                                       "if",
                                       "inline",
                                       "int",
                                       "linux",
                                       "long",
                                       "mutable",
                                       "namespace",
                                       "new",
                                       "noexcept",
                                       "not",
                                       "not_eq",
                                       "nullptr",
                                       "operator",
                                       "or",
                                       "or_eq",
                                       "private",
                                       "protected",
                                       "public",
                                       "register",
                                       "reinterpret_cast",
                                       "requires",
                                       "restrict",
                                       "return",
                                       "short",
                                       "signed",
                                       "sizeof",
                                       "static",
                                       "static_assert",
                                       "static_cast",
                                       "struct",
                                       "switch",
                                       "template",
                                       "this",
                                       "thread_local",
                                       "throw",
                                       "true",
                                       "try",
                                       "typedef",
                                       "typeid",
                                       "typename",
                                       "typeof",
                                       "union",
                                       "unix",
                                       "unsigned",
                                       "using",
                                       "virtual",
                                       "void",
                                       "volatile",
                                       "wchar_t",
                                       "while",
                                       "xor",
                                       "xor_eq",
                                       NULL};

bool c_reserved(const char *name) {
    for (const char *const *r = reserved; *r; r++)
        if (strcmp(*r, name) == 0) return true;
    return false;
}

/* ASCII alone, whatever the locale says of other bytes. */
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool c_identifier(const char *name) {
    if (!is_letter(*name)) return false;
    for (const char *c = name; *c; c++)
        if (!is_letter(*c) && !is_digit(*c)) return false;
    return true;
}

const char *c_mangle(arena *a, const char *name) {
    char *s = arena_printf(a, "%s%s", is_letter(*name) ? "" : "_", name);
    for (char *c = s; *c; c++)
        if (!is_letter(*c) && !is_digit(*c)) *c = '_';
    return s;
}

const char *c_upper(arena *a, const char *name) {
    char *s = arena_text(a, name, strlen(name));
    for (char *c = s; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c = (char)(*c - 'a' + 'A');
    return s;
}

const char *c_name(c_names *n, const char *hint) {
    const char *base = c_mangle(n->taken.arena, hint), *name = base;
    for (int k = 2; c_reserved(name) || map_get(&n->taken, name); k++)
        name = arena_printf(n->taken.arena, "%s_%d", base, k);
    map_put(&n->taken, name, (void *)name);
    return name;
}

void c_real(text *t, double value, bool single) {
    double v = single ? (double)(float)value : value;
    if (isnan(v))
        text_puts(t, "NAN_");
    else if (isinf(v))
        text_puts(t, v < 0 ? "-INF" : "INF");
    else {
        text_real(t, v, single);
        if (single) text_puts(t, "f");
    }
}

void c_int(text *t, int64_t value, bool wide) {
    /* the literal of the least number would be one too large before its sign is applied */
    if (wide && value == INT64_MIN)
        text_puts(t, "(-9223372036854775807 - 1)");
    else if (!wide && value == INT32_MIN)
        text_puts(t, "(-2147483647 - 1)");
    else
        text_printf(t, "%lld", (long long)value);
}

/* Where to break: after the last comma that fits, or else before the last operator, or else at any blank. */
static int break_at(const char *s, int room) {
    int comma = 0, operator_ = 0, blank = 0;
    for (int k = room; k > room / 3; k--) {
        if (s[k] != ' ') continue;
        if (!comma && s[k - 1] == ',') comma = k;
        bool binary = s[k + 1] && strchr("=+-*/?:&|<>", s[k + 1]) && strchr(" &|=<>", s[k + 2]);
        if (!operator_ && binary) operator_ = k;
        if (!blank && s[k + 1] != '*') blank = k; /* a pointer's star stays with its type */
    }
    if (comma > room / 2) return comma;
    return operator_ ? operator_ : comma ? comma : blank;
}

void c_line(text *t, int indent, const char *s) {
    enum { COLUMNS = 110 };
    int room = COLUMNS - indent, at = indent;
    for (size_t length = strlen(s); length > (size_t)room; room = COLUMNS - indent - 8) {
        int cut = break_at(s, room);
        if (!cut) break; /* one long word: leave it whole */
        text_printf(t, "%*s%.*s\n", at, "", cut, s);
        s += cut + 1;
        length -= (size_t)cut + 1;
        at = indent + 8;
    }
    text_printf(t, "%*s%s\n", at, "", s);
}
