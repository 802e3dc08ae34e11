/* Texts between quotes: escapes, and the {expressions} inside them. */
#include "frontend/lang/parse.h"
#include "ir/base/text.h"

#include <string.h>

/* A join of parts, or plain text while there is only that. */
typedef struct builder {
    parse *p;
    span at;
    text literal;
    ast_exprs parts;
} builder;

static void end_literal(builder *b) {
    if (!b->literal.length) return;
    ast_expr *x = ast_new(b->p, AST_TEXT, b->at);
    x->as.text = b->literal.at;
    VEC_PUSH(b->p->arena, &b->parts, x);
    b->literal = text_in(b->p->arena);
}

static uint32_t add_escape(builder *b, uint32_t i) {
    static const char codes[] = "\"\"\\\\n\nt\t";
    const char *s = b->p->source->text;
    for (const char *c = codes; *c; c += 2)
        if (s[i + 1] == *c) return text_add(&b->literal, c + 1, 1), i + 2;
    diag_add(b->p->diags, DIAG_ERROR, (span){b->p->source, i, i + 2},
             "texts know \\\", \\\\, \\n and \\t; a backslash itself is \\\\");
    return i + 2;
}

static uint32_t add_expression(builder *b, uint32_t i, uint32_t end) {
    parse *p = b->p;
    const char *close = memchr(p->source->text + i, '}', end - i);
    if (!close) {
        diag_add(p->diags, DIAG_ERROR, (span){p->source, i, i + 1},
                 "'{' begins an expression in a text, but no '}' ends it; a brace itself is '{{'");
        return end;
    }
    uint32_t to = (uint32_t)(close - p->source->text);
    end_literal(b);
    ast_expr *x = parse_expr(p->arena, p->source, i + 1, to, p->diags);
    if (x) VEC_PUSH(p->arena, &b->parts, x);
    return to + 1;
}

ast_expr *ast_string(parse *p, span at) {
    builder b = {.p = p, .at = at, .literal = text_in(p->arena)};
    const char *s = p->source->text;
    uint32_t end = at.end - 1;
    for (uint32_t i = at.begin + 1; i < end;) {
        bool twice = (s[i] == '{' || s[i] == '}') && s[i + 1] == s[i];
        if (s[i] == '\\')
            i = add_escape(&b, i);
        else if (s[i] == '{' && !twice)
            i = add_expression(&b, i, end);
        else
            text_add(&b.literal, s + i, 1), i += twice ? 2 : 1;
    }
    if (!b.parts.count) {
        ast_expr *x = ast_new(p, AST_TEXT, at);
        x->as.text = b.literal.length ? b.literal.at : "";
        return x;
    }
    end_literal(&b);
    ast_expr *x = ast_new(p, AST_JOIN, at);
    x->as.list = b.parts;
    for (int i = 0; i < b.parts.count; i++) ast_nest(p, x, b.parts.at[i], NULL, NULL);
    return x;
}

const char *ast_plain_string(parse *p, span at) {
    const ast_expr *x = ast_string(p, at);
    if (x->kind == AST_TEXT) return x->as.text;
    diag_add(p->diags, DIAG_ERROR, at, "this text must be plain, without {expressions}");
    return "";
}
