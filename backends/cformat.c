/* Formats of the spelling tables: found by operation and type, filled with operands. */
#include "backends/cvalue.h"

#include <string.h>

const char *cprint_scalar(kbase b) {
    static const char *const names[KB_BASES] = {"void",  "ptrdiff_t", "int32_t", "uint8_t",
                                                "float", "double",    "int"};
    return names[b] ? names[b] : "void *";
}

const char *cprint_type_name(arena *a, ktype t) {
    static const char *const names[KB_BASES] = {"void", "i64", "i32", "u8", "f32", "f64", "bool", "ptr"};
    return t.lanes > 1 ? arena_printf(a, "%sx%d", names[t.base], t.lanes) : names[t.base];
}

static unsigned lanes_of(const dialect *d, ktype t) {
    if (t.lanes == 1 || d->bytes == 0) return LANES_ONE;
    return t.base != KB_BOOL && t.lanes * kbase_bytes((kbase)t.base) == d->bytes ? LANES_FULL : LANES_OTHER;
}

static const char *find(const dialect *d, int op, ktype t) {
    unsigned lanes = lanes_of(d, t);
    for (const spelling *const *table = d->tables; *table; table++)
        for (const spelling *s = *table; s->format; s++)
            if (s->op == op && (s->bases & BASE(t.base)) && (s->lanes & lanes)) return s->format;
    return NULL;
}

const char *cprint_spelling(cprinter *p, int op, ktype t) {
    static const char *const names[] = {"splat", "load", "load_part", "store", "store_part", "tail",
                                        "cast",  "bits", "prefetch",  "hsum",  "hmax"};
    const char *format = find(p->dialect, op, t);
    if (!format) cprint_unsupported(p, op < S_COUNT ? scalars[op].name : names[op - S_COUNT], t);
    return format;
}

/* The precedence that an operand needs between these two parts of a format. */
static precedence needed(const char *format, const char *at, const char *after) {
    while (at > format && at[-1] == ' ') at--;
    while (*after == ' ') after++;
    char left = at > format ? at[-1] : 0, before = at > format + 1 ? at[-2] : 0, right = *after;
    precedence need = PREC_TERNARY;
    if (left == '=' && !strchr("<>=!", before)) left = 0;
    if (left == '+' || left == '-')
        need = before == ' ' ? PREC_MUL : PREC_ATOM;
    else if (left && !strchr("(,[", left))
        need = PREC_UNARY;
    if (right == '[') return PREC_ATOM;
    precedence next = PREC_TERNARY;
    if (right == '+' || right == '-')
        next = PREC_ADD;
    else if (right == '*' || right == '/' || right == '%')
        next = PREC_MUL;
    else if (right && !strchr("),]", right))
        next = PREC_UNARY;
    return need > next ? need : next;
}

/* The precedence of what a format gives, from its operators outside parentheses. */
static precedence result_precedence(const char *format) {
    precedence least = strchr("(-~*!", *format) ? PREC_UNARY : PREC_ATOM;
    int depth = 0;
    for (const char *c = format; *c; c++) {
        depth += (*c == '(' || *c == '[') - (*c == ')' || *c == ']');
        if (depth == 0 && c > format && *format == '(' && !c[1] && strchr(")", *c) && least == PREC_UNARY &&
            strchr(format, '?'))
            return PREC_ATOM; /* ( ... ? ... : ... ) */
        if (depth || c == format || c[-1] != ' ') continue;
        precedence here = *c == '?'                          ? PREC_TERNARY
                          : strchr("<>=&|^!", *c)            ? PREC_LOGIC
                          : strchr("+-", *c) && c[1] == ' '  ? PREC_ADD
                          : strchr("*/%", *c) && c[1] == ' ' ? PREC_MUL
                                                             : PREC_ATOM;
        if (here < least) least = here;
    }
    return least;
}

static ktype integers_like(ktype t) {
    return k_vector(kbase_bytes((kbase)t.base) == 8 ? KB_INT : KB_I32, t.lanes);
}

static const char *suffix(ktype t) {
    return t.base == KB_F32 ? "ps" : t.base == KB_F64 ? "pd" : t.base == KB_INT ? "epi64" : "epi32";
}

/* In a loop over lanes every value is a scalar. */
static ktype as_printed(const cprinter *p, ktype t) {
    if (p->dialect->bytes == 0) t.lanes = 1;
    return t;
}

static void fill_type(cprinter *p, text *t, char letter, const operands *o) {
    ktype v = as_printed(p, o->type), r = as_printed(p, o->result);
    switch (letter) {
    case 'v': text_puts(t, cprint_type(p, v)); break;
    case 'r': text_puts(t, cprint_type(p, r)); break;
    case 'u': text_printf(t, "%su", cprint_type_name(p->arena, r)); break;
    case 'w': text_printf(t, "%su", cprint_type_name(p->arena, v)); break;
    case 'n': text_puts(t, v.base == KB_INT && v.lanes == 1 ? "int" : cprint_type_name(p->arena, v)); break;
    case 'i': text_puts(t, cprint_type_name(p->arena, integers_like(v))); break;
    case 'k': text_puts(t, kbase_bytes((kbase)v.base) == 8 ? "0x7fffffffffffffff" : "0x7fffffff"); break;
    case 's': text_puts(t, suffix(v)); break;
    case 'm': text_puts(t, v.lanes == 16 ? "0xffff" : "0xff"); break;
    case 'l': text_printf(t, "%d", v.lanes); break;
    }
}

/* An operand that a format names twice is computed once. */
static void force_repeated(cprinter *p, const char *format, const operands *o) {
    for (int k = 0; k < 4; k++) {
        char name[3] = {'$', (char)('a' + k), 0};
        const char *first = strstr(format, name);
        if (first && strstr(first + 1, name) && o->at[k] && !o->spelled[k]) cprint_force(p, o->at[k]);
    }
}

const char *cprint_format(cprinter *p, const char *format, const operands *o, precedence *prec) {
    force_repeated(p, format, o);
    text t = text_in(p->arena);
    for (const char *c = format; *c; c++) {
        if (*c != '$') {
            text_add(&t, c, 1);
            continue;
        }
        const char *sign = c++;
        int k = *c - 'a';
        if (k > 3) {
            fill_type(p, &t, *c, o);
            continue;
        }
        precedence need = needed(format, sign, c + 1);
        bool several = o->spelled[k] && need > PREC_TERNARY && strchr(o->spelled[k], ' ');
        if (several)
            text_printf(&t, "(%s)", o->spelled[k]);
        else
            text_puts(&t, o->spelled[k] ? o->spelled[k] : cprint_operand(p, o->at[k], need));
    }
    *prec = result_precedence(format);
    return t.at;
}
