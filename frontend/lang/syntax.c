/* What a syntax error says: what was found, what could stand there, and, for mistakes that people make, what
 * to write instead. */
#include "frontend/lang/parse.h"

#include "frontend/lang/parser.h"

#include "ir/base/text.h"

#include <string.h>

bool token_begins_statement(int token) {
    static const int tokens[] = {T_NAME,   T_IF,     T_FOR,   T_INPUT,  T_OUTPUT, T_STATE,
                                 T_LABELS, T_RETURN, T_YIELD, T_ASSERT, T_TRAIN};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        if (tokens[i] == token) return true;
    return false;
}

bool token_begins_item(int token) {
    return token == T_NET || token == T_BLOCK || token == T_USE;
}

static bool among(const char *name, const char *const *names, int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool is_word(const char *name) {
    return name[0] == '\'' && name[1] >= 'a' && name[1] <= 'z';
}

/* Names of tokens that begin a value or go on with one stand for "a value" and nothing. */
static bool part_of_value(const char *name) {
    static const char *const parts[] = {"an integer", "a number", "a text", "a name", "'op.'",
                                        "'('",        "'['",      "'-'",    "'none'", "'not'",
                                        "'scan'",     "'if'",     "'true'", "'false'"};
    return among(name, parts, sizeof parts / sizeof *parts);
}

static bool goes_on(const char *name) {
    static const char *const operators[] = {"'+'", "'-'",  "'*'",  "'/'",  "'//'", "'%'",   "'<'",
                                            "'>'", "'<='", "'>='", "'=='", "'!='", "'and'", "'or'",
                                            "'['", "'.'",  "'->'", "'('",  "':'"};
    return among(name, operators, sizeof operators / sizeof *operators);
}

/* "expected ',' or ')'", "" where too much could stand here. */
static const char *expectation(parse *p, const char *const *names, int count) {
    const char *few[5];
    int n = 0;
    bool value = among("an integer", names, count), after = among("'+'", names, count);
    bool statement = among("'return'", names, count);
    if (statement) return among("'}'", names, count) ? "; expected a statement or '}'" : "";
    if (value) few[n++] = "a value";
    for (int i = 0; i < count; i++) {
        if ((value && part_of_value(names[i])) || (after && goes_on(names[i]))) continue;
        if (after && is_word(names[i]) && !among("'then'", names + i, 1) && !among("'else'", names + i, 1) &&
            !among("'carry'", names + i, 1))
            continue;
        if (n == 5) return "";
        few[n++] = names[i];
    }
    text t = text_in(p->arena);
    for (int i = 0; i < n; i++)
        text_printf(&t, "%s%s", i == 0 ? "; expected " : i == n - 1 ? " or " : ", ", few[i]);
    return n ? t.at : "";
}

/* The token before an offset, as text: enough to know what the user was about. */
static bool follows(const parse *p, uint32_t at, const char *token) {
    size_t length = strlen(token);
    while (at > 0 && strchr(" \t\r\n", p->source->text[at - 1])) at--;
    return at >= length && memcmp(p->source->text + at - length, token, length) == 0;
}

/* A mistake that has a name: the whole message, or NULL. */
static const char *known_mistake(parse *p, span at, const char *found, const char *const *names, int count) {
    bool statement_ends = among("'='", names, count) && among("','", names, count);
    if (p->open && token_begins_item(strcmp(found, "'net'") == 0     ? T_NET
                                     : strcmp(found, "'block'") == 0 ? T_BLOCK
                                                                     : T_END))
        return "%s cannot stand inside braces: a '}' is missing before it";
    if (statement_ends && strcmp(found, "'->'") == 0)
        return "the result of this %s goes nowhere: give it a name, 'x = ... -> ...', or return it";
    if (statement_ends && strcmp(found, "'('") == 0)
        return "unexpected %s: a call's result needs a name, 'x = ...', or 'return'";
    if (strcmp(found, "'='") == 0 && among("'=='", names, count))
        return "unexpected %s: to compare, write '=='";
    if (strcmp(found, "':'") == 0 && follows(p, at.begin, "]"))
        return "unexpected %s: a label in brackets stands only after '->'";
    bool statement = among("'return'", names, count);
    if (is_word(found) && !statement && (among("a name", names, count) || among("an integer", names, count)))
        return "%s is a word of the language and cannot be a name here";
    return NULL;
}

/* Where the bracket that is still open stands. */
static void note_open(parse *p) {
    if (!p->open) return;
    const bracket *b = &p->brackets[p->open - 1];
    diag_add(p->diags, DIAG_NOTE, (span){p->source, b->at, b->at + 1}, "the '%c' is here", b->open);
}

void syntax_error(parse *p, span at, const char *name, const char *const *names, int count) {
    if (p->ended || strcmp(name, "BAD") == 0) return; /* reported where it was found */
    bool end = strcmp(name, "the end of the text") == 0;
    const char *found = name, *wanted = expectation(p, names, count);
    if (at.end > at.begin && (strcmp(name, "a name") == 0 || strcmp(name, "an integer") == 0)) {
        uint32_t length = at.end - at.begin < 40 ? at.end - at.begin : 40;
        found = arena_printf(p->arena, "'%.*s'", (int)length, p->source->text + at.begin);
    }
    const char *mistake = known_mistake(p, at, name, names, count);
    if (end && p->open) {
        diag_add(p->diags, DIAG_ERROR, at, "the text ends, but '%c' is still open",
                 p->brackets[p->open - 1].open);
        note_open(p);
    } else if (mistake) {
        text t = text_in(p->arena);
        const char *hole = strstr(mistake, "%s");
        text_add(&t, mistake, (size_t)(hole - mistake));
        text_puts(&t, name);
        text_puts(&t, hole + 2);
        diag_add(p->diags, DIAG_ERROR, at, "%s", t.at);
        if (strstr(mistake, "missing")) note_open(p), p->ended = true; /* the rest would only confuse */
    } else {
        diag_add(p->diags, DIAG_ERROR, at, "unexpected %s%s", end ? "end of the text" : found, wanted);
    }
}

void lang_error(const span *at, parse *p, const char *message) {
    (void)message; /* the only one that reaches here: the stack is full */
    if (!p->ended) diag_add(p->diags, DIAG_ERROR, *at, "this nests too deeply: split it into blocks");
    p->ended = true;
}
