/* Driving the parser: texts in, trees out; the tokens between lexer and grammar; recovery after an error. */
#include "frontend/lang/parse.h"
#include "frontend/lang/lang.h"

#include "frontend/lang/parser.h"

/* the names by which flex's header knows the grammar's types */
#define YYSTYPE LANG_STYPE
#define YYLTYPE LANG_LTYPE
#include "frontend/lang/lexer.h"

#include <string.h>

void parse_open(parse *p, uint32_t begin, uint32_t end) {
    p->offset = begin;
    lang_scan_lex_init_extra(p, &p->scanner);
    lang_scan__scan_bytes(p->source->text + begin, (int)(end - begin), p->scanner);
}

ast_file *parse_file(arena *a, const source *s, diags *d) {
    int errors = d->errors;
    parse *p = NEW(a, parse);
    *p = (parse){.arena = a, .diags = d, .source = s, .start = T_START_FILE, .file = NEW(a, ast_file)};
    parse_open(p, 0, (uint32_t)s->bytes);
    lang_parse(p);
    return d->errors == errors ? p->file : NULL;
}

ast_expr *parse_expr(arena *a, const source *s, uint32_t begin, uint32_t end, diags *d) {
    int errors = d->errors;
    parse *p = NEW(a, parse);
    *p = (parse){.arena = a, .diags = d, .source = s, .start = T_START_EXPR, .file = NEW(a, ast_file)};
    parse_open(p, begin, end);
    lang_parse(p);
    return d->errors == errors ? p->expr : NULL;
}

/* Bytes of the UTF-8 sequence at s, 0 where it is none. */
static size_t utf8_length(const unsigned char *s, size_t left) {
    size_t length = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;
    if (length > left) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return length;
}

bool parse_check_text(const source *s, diags *d) {
    if (s->bytes > LANG_MAX_BYTES)
        return diag_file(d, s->path, "this text is larger than %d MB, the most that a net's text may be",
                         LANG_MAX_BYTES >> 20);
    for (size_t i = 0; i < s->bytes;) {
        size_t length = utf8_length((const unsigned char *)s->text + i, s->bytes - i);
        if (!length)
            return diag_file(d, s->path, "this is not a text: byte %zu is no UTF-8; save it as UTF-8", i);
        if (!s->text[i])
            return diag_file(d, s->path, "this is not a text: byte %zu is zero; is it a .net file?", i);
        i += length;
    }
    return true;
}

static bool begins_line(const source *s, uint32_t at) {
    while (at > 0 && strchr(" \t\r", s->text[at - 1])) at--;
    return at == 0 || s->text[at - 1] == '\n';
}

static void too_deep(parse *p, span at, const char *what) {
    if (!p->ended)
        diag_add(p->diags, DIAG_ERROR, at, "%s: give parts of it names of their own, or move them to a block",
                 what);
    p->ended = true;
}

/* Keeps the stack of open brackets. A '}' closes whatever an error left open inside its braces. */
static int track(parse *p, int token, span at) {
    if (token == '(' || token == '[' || token == '{') {
        if (p->open == MAX_BRACKETS) {
            too_deep(p, at, "brackets nest deeper than 200");
            return T_BAD;
        }
        p->brackets[p->open++] = (bracket){(char)token, at.begin};
    } else if (token == '}') {
        while (p->open && p->brackets[p->open - 1].open != '{') p->open--;
        if (p->open) p->open--;
    } else if ((token == ')' || token == ']') && p->open && p->brackets[p->open - 1].open != '{') {
        p->open--;
    }
    return token;
}

/* Number of open brackets when those after the innermost '{' are left out. */
static int open_braces(const parse *p) {
    int open = p->open;
    while (open && p->brackets[open - 1].open != '{') open--;
    return open;
}

/* May parsing resume at this token? It must begin a line in the braces where the error was, or close them. */
static bool resumes(const parse *p, int token, span at) {
    if (token == T_END) return true;
    if (p->skip == RECOVER_ITEM) return token_begins_item(token) && begins_line(p->source, at.begin);
    if (token == '}') return p->open < p->base;
    return p->open == p->base && (token_begins_statement(token) || token_begins_item(token)) &&
           begins_line(p->source, at.begin);
}

static int skip_tokens(parse *p, LANG_STYPE *token_value, span *at) {
    int token;
    do token = p->ended ? T_END : track(p, lang_scan(token_value, at, p->scanner), *at);
    while (!resumes(p, token, *at));
    if (token == T_END) p->ended = true; /* what is missing at the end may lie in what was skipped */
    if (p->skip == RECOVER_ITEM) p->open = 0;
    p->skip = 0;
    return token;
}

int lang_lex(LANG_STYPE *token_value, span *at, parse *p) {
    int token = p->start;
    if (token) {
        p->start = 0;
        *at = (span){p->source, p->offset, p->offset};
        return token;
    }
    if (p->ended)
        token = T_END;
    else if (p->skip)
        token = skip_tokens(p, token_value, at);
    else
        token = track(p, lang_scan(token_value, at, p->scanner), *at);
    if (token == T_END) *at = (span){p->source, p->offset, p->offset};
    return token;
}

int parse_recover(parse *p, int level, int lookahead, span at, int empty) {
    p->skip = level;
    if (lookahead == T_END) p->ended = true;
    if (lookahead == '{' && p->open) p->open--; /* belongs to what is skipped */
    p->base = open_braces(p);
    if (lookahead == '{') track(p, '{', at);
    if (lookahead == empty || (at.begin && p->resumed == at.begin)) return empty;
    int open = p->open;
    if (lookahead != '{') p->open = p->base; /* a statement on a new line ends brackets that were left open */
    bool closes = lookahead == '}' && level == RECOVER_STATEMENT;
    if (!closes && !resumes(p, lookahead, at)) {
        p->open = open;
        return empty;
    }
    p->resumed = at.begin;
    p->skip = 0;
    return lookahead;
}

ast_expr *ast_new(parse *p, ast_kind kind, span at) {
    ast_expr *x = NEW(p->arena, ast_expr);
    x->kind = kind;
    x->at = at;
    x->depth = 1;
    return x;
}

ast_stmt *ast_statement(parse *p, ast_stmt_kind kind, span at) {
    ast_stmt *s = NEW(p->arena, ast_stmt);
    s->kind = kind;
    s->at = at;
    return s;
}

ast_expr *ast_nest(parse *p, ast_expr *x, const ast_expr *a, const ast_expr *b, const ast_expr *c) {
    const ast_expr *parts[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        if (parts[i] && parts[i]->depth >= x->depth) x->depth = parts[i]->depth + 1;
    if (x->depth > MAX_DEPTH) too_deep(p, x->at, "this expression nests deeper than 500 operations");
    return x;
}

ast_expr *ast_binary(parse *p, ast_operator which, ast_expr *left, span op_at, ast_expr *right) {
    ast_expr *x = ast_new(p, AST_BINARY, span_join(left->at, right->at));
    x->as.operation.op = which;
    x->as.operation.op_at = op_at;
    x->as.operation.left = left;
    x->as.operation.right = right;
    return ast_nest(p, x, left, right, NULL);
}

ast_expr *ast_unary(parse *p, ast_operator which, span op_at, ast_expr *of) {
    ast_expr *x = ast_new(p, AST_UNARY, span_join(op_at, of->at));
    x->as.operation.op = which;
    x->as.operation.op_at = op_at;
    x->as.operation.left = of;
    return ast_nest(p, x, of, NULL, NULL);
}

ast_expr *ast_call_of(parse *p, span at, ast_label *label, bool primitive, const char *callee, span callee_at,
                      const ast_args *args) {
    ast_expr *x = ast_new(p, AST_CALL, at);
    x->as.call.label = label;
    x->as.call.primitive = primitive;
    x->as.call.callee = callee;
    x->as.call.callee_at = callee_at;
    for (int i = 0; args && i < args->count; i++) ast_nest(p, x, args->at[i].value, NULL, NULL);
    if (args) x->as.call.args = *args;
    return x;
}

ast_expr *ast_pipe(parse *p, ast_expr *first, ast_expr *stage) {
    ast_expr *x = first;
    if (first->kind != AST_PIPE) {
        x = ast_new(p, AST_PIPE, first->at);
        x->as.pipe.first = first;
        ast_nest(p, x, first, NULL, NULL);
    }
    x->at = span_join(x->at, stage->at);
    VEC_PUSH(p->arena, &x->as.pipe.stages, stage);
    return ast_nest(p, x, stage, NULL, NULL);
}
