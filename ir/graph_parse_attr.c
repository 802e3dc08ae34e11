/* Reader of graph texts, part two: {name=value, ...} by the op's own description of its attributes. */
#include "ir/graph_text.h"

#include <string.h>

/* One number, or a list of up to `most`. */
static bool read_ints(graph_parser *p, ints *out, int most) {
    *out = (ints){0};
    if (!text_at(p, '[')) return text_int(p, &out->at[out->count++]);
    if (!text_take(p, '[', "a list")) return false;
    while (!text_at(p, ']')) {
        if (out->count && !text_take(p, ',', "a list")) return false;
        if (out->count == most) return text_fail(p, p->now.at, "this list has more than %d numbers", most);
        if (!text_int(p, &out->at[out->count++])) return false;
    }
    return text_take(p, ']', "a list");
}

/* A pair from one or two numbers; pads from one, two (rows, columns) or four. */
static bool read_fixed(graph_parser *p, int64_t *out, int want) {
    ints list;
    span at = p->now.at;
    if (!read_ints(p, &list, want)) return false;
    if (list.count != 1 && list.count != 2 && list.count != want)
        return text_fail(p, at, "%s numbers must stand here", want == 4 ? "one, two or four" : "one or two");
    for (int i = 0; i < want; i++) out[i] = list.at[i % list.count];
    return true;
}

static bool read_bool(graph_parser *p, bool *out) {
    *out = text_at_word(p, "true");
    if (!*out && !text_at_word(p, "false")) return text_fail(p, p->now.at, "true or false must stand here");
    return text_next_token(p);
}

static bool read_name(graph_parser *p, const char **out) {
    if (p->now.kind != TOKEN_NAME && p->now.kind != TOKEN_STRING)
        return text_fail(p, p->now.at, "a name must stand here");
    *out = p->now.text;
    return text_next_token(p);
}

static bool read_reals(graph_parser *p, reals *out) {
    if (text_at(p, '[')) return text_numbers(p, out);
    *out = (reals){1, NEW(p->arena, double)};
    return text_number(p, out->at);
}

static bool read_value(graph_parser *p, const attr *at, void *where) {
    switch (at->kind) {
    case ATTR_INT: return text_int(p, where);
    case ATTR_REAL: return text_number(p, where);
    case ATTR_BOOL: return read_bool(p, where);
    case ATTR_PAIR: return read_fixed(p, where, 2);
    case ATTR_PADS: return read_fixed(p, where, 4);
    case ATTR_INTS: return read_ints(p, where, MAX_RANK);
    case ATTR_REALS: return read_reals(p, where);
    case ATTR_NAME: return read_name(p, where);
    case ATTR_GRAPH: return text_body(p, where);
    }
    return false;
}

static bool unknown(graph_parser *p, const op *o, token name) {
    const char *names[64];
    int count = 0;
    for (const attr *at = o->attrs; at && at->name && count < 64; at++) names[count++] = at->name;
    const char *near = nearest_name(name.text, names, count);
    if (near)
        return text_fail(p, name.at, "'%s' has no attribute '%s'; did you mean '%s'?", o->name, name.text,
                         near);
    return text_fail(p, name.at, "'%s' has no attribute '%s'", o->name, name.text);
}

static bool read_epilogue(graph_parser *p, expr **out) {
    if (p->now.kind != TOKEN_STRING)
        return text_fail(p, p->now.at, "an expression in quotes must stand here");
    *out = expr_parse(p->arena, p->now.text, strlen(p->now.text));
    if (!*out)
        return text_fail(p, p->now.at,
                         "this is not an expression; write steps as in \"s0=add(i0,i1); relu(s0)\"");
    return text_next_token(p);
}

/* name=value; `seen` has a bit for each attribute that was given. */
static bool read_attr(graph_parser *p, const op *o, void *attrs, expr **epilogue, uint64_t *seen) {
    token name = p->now;
    int k = 0;
    if (name.kind != TOKEN_NAME) return text_fail(p, name.at, "the name of an attribute must stand here");
    if (!text_next_token(p) || !text_take(p, '=', "an attribute")) return false;
    if (strcmp(name.text, o->expression ? "expr" : "epilogue") == 0) return read_epilogue(p, epilogue);
    while (o->attrs && o->attrs[k].name && strcmp(o->attrs[k].name, name.text) != 0) k++;
    if (!o->attrs || !o->attrs[k].name) return unknown(p, o, name);
    if (*seen >> k & 1) return text_fail(p, name.at, "'%s' is given twice", name.text);
    *seen |= (uint64_t)1 << k;
    return read_value(p, &o->attrs[k], (char *)attrs + o->attrs[k].offset);
}

static bool required_given(graph_parser *p, const op *o, span at, uint64_t seen) {
    for (int k = 0; o->attrs && o->attrs[k].name; k++)
        if (o->attrs[k].required && !(seen >> k & 1))
            return text_fail(p, at, "'%s' needs the attribute '%s'", o->name, o->attrs[k].name);
    return true;
}

bool text_attrs(graph_parser *p, const op *o, void *attrs, expr **epilogue) {
    uint64_t seen = 0;
    span at = p->now.at;
    if (!text_at(p, '{')) return required_given(p, o, at, seen);
    if (!text_take(p, '{', "attributes")) return false;
    for (bool first = true; !text_at(p, '}'); first = false) {
        if (!first && !text_take(p, ',', "attributes")) return false;
        if (!read_attr(p, o, attrs, epilogue, &seen)) return false;
    }
    at.end = p->now.at.end;
    return required_given(p, o, at, seen) && text_take(p, '}', "attributes");
}
