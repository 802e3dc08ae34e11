/* Text to syntax tree: the state that lexer.l, parser.y and their helpers (parse.c, syntax.c) share. */
#ifndef NETC_FRONTEND_LANG_PARSE_H
#define NETC_FRONTEND_LANG_PARSE_H

#include "frontend/lang/ast.h"

enum {
    MAX_BRACKETS = 200, /* ( [ { inside one another */
    MAX_DEPTH = 500     /* of an expression's tree: a chain of operators nests too */
};

typedef struct bracket {
    char open;
    uint32_t at;
} bracket;

typedef struct parse {
    arena *arena;
    diags *diags;
    const source *source;
    void *scanner;
    uint32_t offset;  /* of the next byte the lexer looks at */
    int start;        /* token handed out first: chooses the grammar's start; 0: none */
    bool comments;    /* hand out comments as tokens (formatter) */
    bool ended;       /* parsing stops: an error that leaves nothing to go on with is reported */
    int skip;         /* error recovery: 0, or RECOVER_STATEMENT, RECOVER_ITEM */
    int base;         /* how many brackets were open around what is skipped */
    uint32_t resumed; /* where recovery last resumed, to be sure of progress */
    bracket brackets[MAX_BRACKETS];
    int open;
    ast_file *file; /* result of a whole text */
    ast_expr *expr; /* result of one expression */
} parse;

enum { RECOVER_STATEMENT = 1, RECOVER_ITEM = 2 };

/* Whole texts and single expressions; NULL with errors in d. The source must be zero-terminated UTF-8 text.
 */
ast_file *parse_file(arena *a, const source *s, diags *d);
ast_expr *parse_expr(arena *a, const source *s, uint32_t begin, uint32_t end, diags *d);
/* Refuses what is no text: zero bytes, broken UTF-8, more than LANG_MAX_BYTES. */
bool parse_check_text(const source *s, diags *d);
/* Readies the lexer on bytes [begin, end) of the source. */
void parse_open(parse *p, uint32_t begin, uint32_t end);

/* For the grammar's actions. */
ast_expr *ast_new(parse *p, ast_kind kind, span at);
ast_stmt *ast_statement(parse *p, ast_stmt_kind kind, span at);
/* Sets x->depth from its parts (NULLs are skipped) and refuses what nests too deep; returns x. */
ast_expr *ast_nest(parse *p, ast_expr *x, const ast_expr *a, const ast_expr *b, const ast_expr *c);
ast_expr *ast_binary(parse *p, ast_operator which, ast_expr *left, span op_at, ast_expr *right);
ast_expr *ast_unary(parse *p, ast_operator which, span op_at, ast_expr *of);
ast_expr *ast_call_of(parse *p, span at, ast_label *label, bool primitive, const char *callee, span callee_at,
                      const ast_args *args);
ast_expr *ast_pipe(parse *p, ast_expr *first, ast_expr *stage);
/* A string literal at `at`, quotes included: escapes decoded, {expressions} parsed. */
ast_expr *ast_string(parse *p, span at);
const char *ast_plain_string(parse *p, span at); /* one without expressions */
/* After an error: resumes at a token that begins a line (or `}`); returns the lookahead to go on with. */
int parse_recover(parse *p, int level, int lookahead, span at, int empty);

/* syntax.c: is this token one a statement (an item) begins with? */
bool token_begins_statement(int token);
bool token_begins_item(int token);

#endif
