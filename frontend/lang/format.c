/* netc fmt: the tokens of a text put back with canonical space between them. Line breaks stay the user's;
 * indentation, spaces, blank lines and the alignment of pipes and of train blocks are ours. Comments are
 * tokens here. The output parses to the same tree, and formats to itself. */
#include "frontend/lang/lang.h"
#include "frontend/lang/parse.h"

#include "frontend/lang/parser.h"

#include <string.h>

enum { INDENT = 4 };

typedef struct piece {
    int token;
    uint32_t begin, end;
    int lines;  /* line feeds before it */
    int spaces; /* bytes of white space before it, where there is no line feed */
    bool start; /* of a statement, an item or an entry of train {} */
    int pad;    /* width to which this name is filled up before '=' (train), 0: as it is */
} piece;

typedef struct level {
    char open;  /* '{', '(' or '[' */
    int indent; /* of lines inside: columns */
    int arrow;  /* column of the statement's first '->', -1 before it */
} level;

typedef struct formatter {
    arena *arena;
    const source *source;
    VEC(piece) pieces;
    level levels[MAX_BRACKETS + 1];
    int depth;
    text *out;
    int column;
} formatter;

static void count_space(const formatter *f, uint32_t from, piece *p) {
    for (uint32_t i = from; i < p->begin; i++) p->lines += f->source->text[i] == '\n';
    p->spaces = p->lines ? 0 : (int)(p->begin - from);
}

static void read_pieces(formatter *f, const bool *starts, diags *d) {
    parse *p = NEW(f->arena, parse);
    *p = (parse){.arena = f->arena, .diags = d, .source = f->source, .comments = true};
    parse_open(p, 0, (uint32_t)f->source->bytes);
    uint32_t from = 0;
    for (;;) {
        LANG_STYPE ignored;
        span at;
        int token = lang_lex(&ignored, &at, p);
        if (token == T_END || token == T_BAD) break;
        piece next = {.token = token, .begin = at.begin, .end = at.end, .start = starts[at.begin]};
        count_space(f, from, &next);
        from = at.end;
        VEC_PUSH(f->arena, &f->pieces, next);
    }
}

/* Names of entries that begin a line are filled up to the longest of their train block. */
static void align_train(formatter *f, int open) {
    int width = 0, depth = 0, close = open;
    for (int pass = 0; pass < 2; pass++) {
        depth = 0;
        for (close = open; close < f->pieces.count; close++) {
            piece *p = &f->pieces.at[close];
            if (p->token == '{') depth++;
            if (p->token == '}' && --depth == 0) break;
            if (depth != 1 || !p->start || !p->lines) continue;
            int length = (int)(p->end - p->begin);
            if (pass)
                p->pad = width;
            else if (length > width)
                width = length;
        }
    }
}

/* Does this token end a value, so that '(', '[' or '-' after it belong to it? */
static bool ends_value(int t) {
    return t == T_NAME || t == T_INT || t == T_REAL || t == T_STRING || t == T_TRUE || t == T_FALSE ||
           t == T_NONE || t == T_NORMALIZE || t == ')' || t == ']' || t == '}';
}

static bool is_sign(const formatter *f, int i) {
    return f->pieces.at[i].token == '-' && (i == 0 || !ends_value(f->pieces.at[i - 1].token));
}

/* Spaces between piece i - 1 and piece i on one line. */
static int gap(const formatter *f, int i) {
    const piece *b = &f->pieces.at[i];
    int before = f->pieces.at[i - 1].token, after = b->token;
    if (after == T_COMMENT) return b->spaces < 2 ? 2 : b->spaces;
    if (before == '{' || after == '}') return before == '{' && after == '}' ? 0 : 1;
    if (b->start) return 2;
    if (before == '(' || before == '[' || before == '.' || before == T_OP || is_sign(f, i - 1)) return 0;
    if (after == ')' || after == ']' || after == ',' || after == '.' || after == ':') return 0;
    if ((after == '(' || after == '[') && ends_value(before) && before != '}') return 0;
    return 1;
}

static void put(formatter *f, const char *bytes, size_t length) {
    text_add(f->out, bytes, length);
    for (size_t i = 0; i < length; i++) f->column += ((unsigned char)bytes[i] & 0xc0) != 0x80;
}

static void put_spaces(formatter *f, int count) {
    for (int i = 0; i < count; i++) put(f, " ", 1);
}

/* Where a line that begins with piece i is indented to. */
static int indentation(const formatter *f, int i) {
    const piece *p = &f->pieces.at[i];
    const level *l = &f->levels[f->depth];
    if (p->token == '}' || p->token == ')' || p->token == ']')
        return f->depth ? f->levels[f->depth - 1].indent : 0;
    if (l->open != '{') return l->indent;
    if (p->start || p->token == T_COMMENT || p->token == '{') return l->indent;
    if (p->token == T_ARROW && l->arrow >= 0) return l->arrow;
    return l->indent + INDENT;
}

/* A bracket's lines stand below what follows it, or one step in where it ends its line. */
static void open_level(formatter *f, int i) {
    char open = (char)f->pieces.at[i].token;
    bool last = i + 1 < f->pieces.count && f->pieces.at[i + 1].lines > 0;
    int outer = f->levels[f->depth].indent;
    if (f->depth == MAX_BRACKETS) return;
    int indent = open == '{' || last ? outer + INDENT : f->column;
    f->levels[++f->depth] = (level){open, indent, -1};
}

static void put_piece(formatter *f, int i) {
    const piece *p = &f->pieces.at[i];
    const char *bytes = f->source->text + p->begin;
    size_t length = p->end - p->begin;
    if (p->start) f->levels[f->depth].arrow = -1;
    if (p->token == T_ARROW && f->levels[f->depth].arrow < 0) f->levels[f->depth].arrow = f->column;
    if (p->token == T_COMMENT)
        while (length && strchr(" \t\r", bytes[length - 1])) length--;
    if (p->token == T_OP) bytes = "op.", length = 3;
    put(f, bytes, length);
    if (p->pad) put_spaces(f, p->pad - (int)length);
    if (p->token == '{' || p->token == '(' || p->token == '[') open_level(f, i);
}

/* Braces that hold a line feed open and close on lines of their own, and so does each statement in them. */
static void break_braces(formatter *f) {
    int open[MAX_BRACKETS + 1], depth = 0;
    bool *wide = NEW_ARRAY(f->arena, bool, f->pieces.count + 1);
    for (int i = 0; i < f->pieces.count; i++) {
        const piece *p = &f->pieces.at[i];
        for (int k = 0; k < depth && p->lines; k++) wide[open[k]] = true;
        if (p->token == '{' && depth < MAX_BRACKETS) open[depth++] = i;
        if (p->token == '}' && depth) depth--;
    }
    depth = 0;
    for (int i = 0; i < f->pieces.count; i++) {
        piece *p = &f->pieces.at[i];
        bool inside = depth && wide[open[depth - 1]];
        if (inside && !p->lines && (p->token == '}' || p->start)) p->lines = 1;
        if (p->token == '{' && depth < MAX_BRACKETS) open[depth++] = i;
        if (p->token == '}' && depth) depth--;
    }
}

/* Line feeds before piece i. */
static int breaks(const formatter *f, int i) {
    const piece *p = &f->pieces.at[i];
    int before = i ? f->pieces.at[i - 1].token : 0, lines = p->lines > 2 ? 2 : p->lines;
    if (i == 0 || (p->token == T_ELSE && before == '}')) return 0;
    if (lines == 2 && (before == '{' || p->token == '}')) lines = 1;
    if (f->depth || !p->start) return lines;
    return p->token != T_USE && before != T_COMMENT ? 2 : lines ? lines : 1;
}

static void emit(formatter *f) {
    for (int i = 0; i < f->pieces.count; i++) {
        const piece *p = &f->pieces.at[i];
        int lines = breaks(f, i);
        bool closes = p->token == '}' || p->token == ')' || p->token == ']';
        for (int k = 0; k < lines; k++) text_puts(f->out, "\n");
        if (lines || i == 0) {
            f->column = 0;
            put_spaces(f, indentation(f, i));
        } else {
            put_spaces(f, gap(f, i));
        }
        if (closes && f->depth) f->depth--;
        put_piece(f, i);
    }
    if (f->pieces.count) text_puts(f->out, "\n");
}

bool lang_format(arena *a, const source *s, text *out, diags *d) {
    formatter *f = NEW(a, formatter);
    *f = (formatter){.arena = a, .source = s, .out = out};
    f->levels[0] = (level){'{', 0, -1};
    if (!parse_check_text(s, d)) return false;
    const ast_file *file = parse_file(a, s, d);
    if (!file) return false;
    bool *starts = NEW_ARRAY(a, bool, s->bytes + 1);
    for (int i = 0; i < file->starts.count; i++) starts[file->starts.at[i]] = true;
    read_pieces(f, starts, d);
    break_braces(f);
    for (int i = 0; i + 1 < f->pieces.count; i++)
        if (f->pieces.at[i].token == T_TRAIN) align_train(f, i + 1);
    emit(f);
    if (!out->at) text_puts(out, "");
    return true;
}
