/* Reader of graph texts, part one: tokens, and the small things made of them. */
#include "ir/base/size.h"
#include "ir/graph_text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool text_fail(graph_parser *p, span at, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *why = arena_vprintf(p->arena, format, list);
    va_end(list);
    diag_add(p->d, DIAG_ERROR, at, "%s", why);
    return false;
}

static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

static bool in_name(char c) {
    return letter(c) || digit(c) || c == '.';
}

static bool in_number(char c) {
    return in_name(c) || c == '+' || c == '-';
}

static char peek(const graph_parser *p) {
    return p->at < p->source->bytes ? p->source->text[p->at] : 0;
}

static void skip_blanks(graph_parser *p) {
    for (;; p->at++) {
        char c = peek(p);
        if (c == '#') {
            while (p->at < p->source->bytes && p->source->text[p->at] != '\n') p->at++;
            c = peek(p);
        }
        if (c != ' ' && c != '\t' && c != '\r' && !(c == '\n' && p->nest)) return;
    }
}

static int hex(char c) {
    if (digit(c)) return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character that stands for itself or behind a backslash: \" \\ \x0a. -1 for a wrong one. */
static int read_character(graph_parser *p) {
    char c = p->source->text[p->at++];
    if (c != '\\') return (unsigned char)c;
    c = peek(p);
    p->at++;
    if (c == '"' || c == '\\') return c;
    if (c != 'x' || p->at + 2 > p->source->bytes) return -1;
    int high = hex(p->source->text[p->at]), low = hex(p->source->text[p->at + 1]);
    p->at += 2;
    return high < 0 || low < 0 || (high == 0 && low == 0) ? -1 : 16 * high + low;
}

static bool read_string(graph_parser *p) {
    text t = text_in(p->arena);
    size_t begin = p->at++;
    text_add(&t, "", 0);
    while (peek(p) != '"') {
        int c = p->at < p->source->bytes && peek(p) != '\n' ? read_character(p) : -1;
        span at = {p->source, (uint32_t)begin,
                   (uint32_t)(p->at < p->source->bytes ? p->at : p->source->bytes)};
        if (c < 0)
            return text_fail(
                p, at, "this string does not end on its line, or has an escape other than \\\" \\\\ \\xHH");
        char byte = (char)c;
        text_add(&t, &byte, 1);
    }
    p->at++;
    p->now.kind = TOKEN_STRING;
    p->now.text = t.at;
    return true;
}

static bool read_token(graph_parser *p) {
    size_t begin = p->at;
    char c = peek(p);
    bool (*in)(char) = NULL;
    if (c == '"') return read_string(p);
    if (p->at >= p->source->bytes)
        p->now.kind = TOKEN_END;
    else if (letter(c))
        p->now.kind = TOKEN_NAME, in = in_name;
    else if (c == '%')
        p->now.kind = TOKEN_VALUE, in = in_name, begin = ++p->at;
    else if (digit(c) || c == '-' || c == '+')
        p->now.kind = TOKEN_NUMBER, in = in_number;
    else if (c == '\n' || c == ';')
        p->now.kind = TOKEN_BREAK, p->at++;
    else if (c && strchr("()[]{},=:|@", c))
        p->now.kind = TOKEN_MARK, p->at++;
    else
        return text_fail(p, (span){p->source, (uint32_t)begin, (uint32_t)begin + 1},
                         "a graph text has no use for this character");
    while (in && p->at < p->source->bytes && in(p->source->text[p->at])) p->at++;
    p->now.text = arena_text(p->arena, p->source->text + begin, p->at - begin);
    return true;
}

bool text_next_token(graph_parser *p) {
    p->last = p->now.at.end;
    skip_blanks(p);
    size_t begin = p->at;
    if (!read_token(p)) return false;
    p->now.at = (span){p->source, (uint32_t)begin, (uint32_t)p->at};
    return true;
}

bool text_at(const graph_parser *p, char mark) {
    return p->now.kind == TOKEN_MARK && p->now.text[0] == mark;
}

bool text_at_word(const graph_parser *p, const char *word) {
    return p->now.kind == TOKEN_NAME && strcmp(p->now.text, word) == 0;
}

bool text_take(graph_parser *p, char mark, const char *what) {
    if (!text_at(p, mark)) return text_fail(p, p->now.at, "'%c' of %s is missing here", mark, what);
    if (strchr("([{", mark)) p->nest++;
    if (strchr(")]}", mark)) p->nest--;
    return text_next_token(p);
}

bool text_int(graph_parser *p, int64_t *out) {
    char *end = NULL;
    errno = 0;
    long long x = p->now.kind == TOKEN_NUMBER ? strtoll(p->now.text, &end, 10) : 0;
    if (!end || *end || errno || x > SIZE_LIMIT || x < -SIZE_LIMIT)
        return text_fail(p, p->now.at, "a whole number within 2^46 must stand here");
    *out = x;
    return text_next_token(p);
}

bool text_number(graph_parser *p, double *out) {
    bool word = text_at_word(p, "inf") || text_at_word(p, "nan");
    if ((p->now.kind != TOKEN_NUMBER && !word) || !text_read_real(p->now.text, strlen(p->now.text), out))
        return text_fail(p, p->now.at, "a number must stand here");
    return text_next_token(p);
}

bool text_numbers(graph_parser *p, reals *out) {
    VEC(double) list = {0};
    if (!text_take(p, '[', "a list of numbers")) return false;
    while (!text_at(p, ']')) {
        double x = 0;
        if (list.count && !text_take(p, ',', "a list of numbers")) return false;
        if (!text_number(p, &x)) return false;
        VEC_PUSH(p->arena, &list, x);
    }
    *out = (reals){list.count, list.at};
    return text_take(p, ']', "a list of numbers");
}

static bool read_dim(graph_parser *p, shape *s) {
    if (s->rank == MAX_RANK) return text_fail(p, p->now.at, "a tensor has at most %d dimensions", MAX_RANK);
    if (s->rank == 0 && text_at_word(p, "N")) {
        s->dim[s->rank++] = DIM_N;
        return text_next_token(p);
    }
    span at = p->now.at;
    if (!text_int(p, &s->dim[s->rank])) return false;
    if (s->dim[s->rank++] < 1) return text_fail(p, at, "a dimension must be positive, or N as the first");
    return true;
}

static bool read_dtype(graph_parser *p, dtype *t) {
    for (int i = DT_F32; i <= DT_U8; i++) {
        if (!text_at_word(p, dtype_name(i))) continue;
        *t = i;
        return text_next_token(p);
    }
    return text_fail(p, p->now.at,
                     "a type must stand here: f32, f64, i32 or u8 and dimensions, as in f32[N,64]");
}

bool text_type(graph_parser *p, dtype *t, shape *s) {
    span begin = p->now.at;
    *s = (shape){0};
    if (!read_dtype(p, t) || !text_take(p, '[', "a type")) return false;
    while (!text_at(p, ']')) {
        if (s->rank && !text_take(p, ',', "a type")) return false;
        if (!read_dim(p, s)) return false;
    }
    begin.end = p->now.at.end;
    if (!shape_valid(s)) return text_fail(p, begin, "this tensor has more than 2^46 numbers");
    return text_take(p, ']', "a type");
}

/* (left,right) or (gGROUPS) */
static bool layout_numbers(graph_parser *p, layout *l) {
    int64_t left = 0, right = 0;
    if (!text_take(p, '(', "a layout")) return false;
    if (p->now.kind == TOKEN_NAME && p->now.text[0] == 'g') {
        long groups = strtol(p->now.text + 1, NULL, 10);
        if (groups < 2 || groups > INT_MAX)
            return text_fail(p, p->now.at, "groups must stand here, as in weights16(g2)");
        l->groups = (int)groups;
        return text_next_token(p) && text_take(p, ')', "a layout");
    }
    span at = p->now.at;
    if (!text_int(p, &left) || !text_take(p, ',', "a layout") || !text_int(p, &right)) return false;
    if (left < 0 || right < 0 || left > 1 << 20 || right > 1 << 20)
        return text_fail(p, at, "no halo is this wide");
    l->left = (int)left;
    l->right = (int)right;
    return text_take(p, ')', "a layout");
}

bool text_layout(graph_parser *p, layout *l) {
    for (int i = 0; i < LAYOUT_KINDS; i++) {
        if (!text_at_word(p, layout_names[i])) continue;
        *l = (layout){.kind = i};
        if (!text_next_token(p)) return false;
        return text_at(p, '(') ? layout_numbers(p, l) : true;
    }
    return true;
}
