/* Reader of graph texts, part four: %r, ... = op(operands | more operands) {attributes} : types by way @
 * "scope". */
#include "ir/graph_text.h"
#include "ir/kernel/lower.h"

#include <string.h>

enum { PATH_MAX_BYTES = 4096 };

typedef VEC(token) tokens;
typedef VEC(value *) values;

/* %3 "name", %4 = */
static bool read_results(graph_parser *p, tokens *ids, tokens *names) {
    do {
        if (ids->count && !text_take(p, ',', "results")) return false;
        if (p->now.kind != TOKEN_VALUE)
            return text_fail(p, p->now.at, "a result such as %%x must stand here");
        VEC_PUSH(p->arena, ids, p->now);
        if (!text_next_token(p)) return false;
        token name = p->now.kind == TOKEN_STRING ? p->now : (token){0};
        VEC_PUSH(p->arena, names, name);
        if (name.text && !text_next_token(p)) return false;
    } while (text_at(p, ','));
    return text_take(p, '=', "results");
}

static bool read_op(graph_parser *p, const op **o) {
    token name = p->now;
    if (name.kind != TOKEN_NAME) return text_fail(p, name.at, "the name of an operation must stand here");
    *o = op_find(name.text);
    if (*o) return text_next_token(p);
    const char *names[512];
    int count = 0;
    while (ops[count] && count < 512) names[count] = ops[count]->name, count++;
    const char *near = nearest_name(name.text, names, count);
    if (near) return text_fail(p, name.at, "there is no operation '%s'; did you mean '%s'?", name.text, near);
    return text_fail(p, name.at, "there is no operation '%s'", name.text);
}

static bool read_operands(graph_parser *p, values *own, values *extra) {
    values *list = own;
    if (!text_take(p, '(', "operands")) return false;
    for (bool first = true; !text_at(p, ')'); first = false) {
        if (text_at(p, '|')) {
            if (list == extra || !text_take(p, '|', "operands"))
                return text_fail(p, p->now.at, "one '|' is enough");
            list = extra;
        } else if (!first && !text_take(p, ',', "operands")) {
            return false;
        }
        value *v = p->now.kind == TOKEN_VALUE ? map_get(&p->names, p->now.text) : NULL;
        if (!v && p->now.kind == TOKEN_VALUE)
            return text_fail(p, p->now.at, "%%%s is not defined above", p->now.text);
        if (!v) return text_fail(p, p->now.at, "an operand such as %%x must stand here");
        VEC_PUSH(p->arena, list, v);
        if (!text_next_token(p)) return false;
    }
    return text_take(p, ')', "operands");
}

/* The type that stands behind ':' must be the inferred one; the layout is taken over. */
static bool read_result_type(graph_parser *p, value *v) {
    dtype type;
    shape dims;
    span at = p->now.at;
    if (!text_type(p, &type, &dims)) return false;
    at.end = p->last;
    text t = text_in(p->arena);
    text_puts(&t, dtype_name(v->type));
    shape_print(&t, &v->shape);
    if (type != v->type || !shape_equal(&dims, &v->shape))
        return text_fail(p, at, "the operation gives %s, not this", t.at);
    return text_layout(p, &v->layout);
}

static bool read_types(graph_parser *p, node *n) {
    if (!text_at(p, ':')) return true;
    for (int i = 0; i < n->outputs; i++)
        if (!text_take(p, i ? ',' : ':', "types") || !read_result_type(p, n->out[i])) return false;
    return true;
}

/* by NAME: one of the op's candidates. */
static bool read_choice(graph_parser *p, node *n) {
    if (!text_at_word(p, "by")) return true;
    if (!text_next_token(p)) return false;
    for (const candidate *const *c = n->op->candidates; c && *c; c++)
        if ((p->now.kind == TOKEN_NAME || p->now.kind == TOKEN_STRING) &&
            strcmp((*c)->name, p->now.text) == 0)
            n->choice = *c;
    if (!n->choice) return text_fail(p, p->now.at, "'%s' is not computed in a way of this name", n->op->name);
    return text_next_token(p);
}

/* The scope of a path, in those of the paths it lies in. Texts keep no more of a scope than its path. */
static scope *scope_of(graph_parser *p, const char *path, span at, bool layer) {
    scope *s = map_get(&p->scopes, path), *parent = NULL;
    if (s) return s;
    const char *dot = strrchr(path, '.');
    if (dot) parent = scope_of(p, arena_text(p->arena, path, (size_t)(dot - path)), at, false);
    s = NEW(p->arena, scope);
    *s = (scope){.parent = parent, .path = path, .block = dot ? dot + 1 : path, .at = at, .layer = layer};
    s->order = p->g->scopes.count;
    VEC_PUSH(p->arena, &p->g->scopes, s);
    map_put(&p->scopes, path, s);
    return s;
}

static bool read_scope(graph_parser *p, node *n) {
    if (!text_at(p, '@')) return true;
    if (!text_take(p, '@', "a scope")) return false;
    if (p->now.kind != TOKEN_STRING) return text_fail(p, p->now.at, "a path in quotes must stand here");
    if (strlen(p->now.text) > PATH_MAX_BYTES) return text_fail(p, p->now.at, "no path is this long");
    n->scope = scope_of(p, p->now.text, p->now.at, true);
    return text_next_token(p);
}

/* The epilogue's inputs must be there: the accumulated result and the extra operands, or all of a map's. */
static bool attach(graph_parser *p, node *n, expr *e, const values *extra, span at) {
    bool whole = n->op->expression;
    int inputs = whole ? n->inputs : 1 + extra->count;
    if (!e && whole) return text_fail(p, at, "'%s' needs {expr=\"...\"}", n->op->name);
    if (!e && extra->count) return text_fail(p, at, "operands behind '|' need {epilogue=\"...\"}");
    if (!e) return true;
    if (e->inputs > inputs)
        return text_fail(p, at, "the expression reads i%d, but has %d input%s", e->inputs - 1, inputs,
                         inputs == 1 ? "" : "s");
    e->inputs = inputs;
    if (whole && extra->count) return text_fail(p, at, "'%s' takes all its operands before '|'", n->op->name);
    if (whole)
        n->epilogue = e;
    else
        node_set_epilogue(p->g, n, e, extra->at, extra->count);
    return true;
}

static bool define_results(graph_parser *p, node *n, const tokens *ids, const tokens *names, span at) {
    if (n->outputs != ids->count)
        return text_fail(p, at, "'%s' gives %d result%s, but %d are named", n->op->name, n->outputs,
                         n->outputs == 1 ? "" : "s", ids->count);
    for (int i = 0; i < n->outputs; i++) {
        n->out[i]->name = names->at[i].text;
        if (!text_define(p, ids->at[i], n->out[i])) return false;
    }
    return true;
}

bool text_read_node(graph_parser *p) {
    tokens ids = {0}, names = {0};
    values own = {0}, extra = {0};
    const op *o = NULL;
    expr *e = NULL;
    if (!read_results(p, &ids, &names)) return false;
    span at = p->now.at;
    if (!read_op(p, &o) || !read_operands(p, &own, &extra)) return false;
    void *attrs = op_defaults(p->arena, o);
    if (!text_attrs(p, o, attrs, &e)) return false;
    at.end = p->last;
    node *n = graph_node(p->g, o, own.at, own.count, attrs, NULL, at, p->d);
    return n && attach(p, n, e, &extra, at) && define_results(p, n, &ids, &names, at) && read_types(p, n) &&
           read_choice(p, n) && read_scope(p, n);
}
