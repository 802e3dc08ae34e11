/* What the reader and the printer of graph texts share: the words, the tokens and the parser's state. Only
 * ir/graph_*.c include it. The form is described in ir/README.md. */
#ifndef NETC_IR_GRAPH_TEXT_H
#define NETC_IR_GRAPH_TEXT_H

#include "ir/base/map.h"
#include "ir/op.h"

typedef enum token_kind {
    TOKEN_END,
    TOKEN_BREAK,  /* line feed or ';' outside of brackets */
    TOKEN_NAME,   /* conv2d, f32, layer1.0.conv1 */
    TOKEN_VALUE,  /* %12, %x; text is without the % */
    TOKEN_NUMBER, /* -1.5e3 */
    TOKEN_STRING, /* text is without quotes and escapes */
    TOKEN_MARK    /* one character: ( ) [ ] { } , = : | @ */
} token_kind;

typedef struct token {
    token_kind kind;
    span at;
    const char *text;
} token;

/* A value that the text has named, and the number it asks for as id (-1: a name). */
typedef struct text_value {
    value *value;
    int64_t id;
} text_value;

/* A state whose next value is not known before the graph ends. */
typedef struct text_next {
    value *state;
    token name;
} text_next;

typedef struct graph_parser {
    arena *arena;
    diags *d;
    const source *source;
    size_t at;     /* first byte not yet read */
    token now;     /* looked at, not yet taken */
    uint32_t last; /* where the last token taken ends */
    int nest;      /* of brackets around: line feeds are blanks there */
    int depth;     /* of bodies around */
    graph *g;      /* being filled, with its names: */
    map names;     /* text to value */
    map scopes;    /* path to scope */
    VEC(text_value) values;
    VEC(text_next) nexts;
} graph_parser;

/* Reader: each returns false once an error was added. */
bool text_fail(graph_parser *p, span at, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool text_next_token(graph_parser *p);
bool text_at(const graph_parser *p, char mark);
bool text_at_word(const graph_parser *p, const char *word);
/* Takes a mark; `what` it belongs to is said if it is missing. Opening ones raise nest, closing ones lower
 * it. */
bool text_take(graph_parser *p, char mark, const char *what);
bool text_int(graph_parser *p, int64_t *out);
bool text_number(graph_parser *p, double *out);
bool text_numbers(graph_parser *p, reals *out); /* [a, b, ...] */
bool text_type(graph_parser *p, dtype *t, shape *s);
bool text_layout(graph_parser *p, layout *l); /* leaves *l where no layout stands */
bool text_attrs(graph_parser *p, const op *o, void *attrs, expr **epilogue);
bool text_define(graph_parser *p, token name, value *v);
bool text_read_node(graph_parser *p);
bool text_body(graph_parser *p, graph **out); /* { statements } */

/* Printer. */
void text_quoted(text *t, const char *s);
void text_print_attrs(text *t, const node *n, int indent);
void text_print_graph(text *t, const graph *g, int indent);

#endif
