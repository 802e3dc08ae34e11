/* Reader of graph texts, part three: statements. One error ends the reading: such texts are tests and dumps.
 */
#include "ir/graph_text.h"

#include <stdlib.h>
#include <string.h>

enum { ID_MAX = 1 << 22 }; /* tables by id must stay small whatever a text says */

/* %NAME made to stand for v. All-digit names become ids again, so that a printed graph keeps its own. */
bool text_define(graph_parser *p, token name, value *v) {
    if (map_get(&p->names, name.text)) return text_fail(p, name.at, "%%%s is defined twice", name.text);
    if (!name.text[0]) return text_fail(p, name.at, "a name or number must follow '%%'");
    bool digits = name.text[strspn(name.text, "0123456789")] == 0 && strlen(name.text) < 9;
    text_value t = {v, digits ? strtol(name.text, NULL, 10) : -1};
    if (t.id >= ID_MAX)
        return text_fail(p, name.at, "%%%s is past the largest id, %d", name.text, ID_MAX - 1);
    map_put(&p->names, name.text, v);
    VEC_PUSH(p->arena, &p->values, t);
    if (!v->at.source) v->at = name.at;
    return true;
}

static bool take_value_name(graph_parser *p, token *name) {
    *name = p->now;
    if (name->kind != TOKEN_VALUE) return text_fail(p, name->at, "a value such as %%x must stand here");
    return text_next_token(p);
}

static bool take_value(graph_parser *p, value **v) {
    token name;
    if (!take_value_name(p, &name)) return false;
    *v = map_get(&p->names, name.text);
    return *v ? true : text_fail(p, name.at, "%%%s is not defined above", name.text);
}

static bool is_type(const token *t) {
    if (t->kind != TOKEN_NAME) return false;
    for (int i = DT_F32; i <= DT_U8; i++)
        if (strcmp(t->text, dtype_name(i)) == 0) return true;
    return false;
}

/* "fc1.weight", image; without one %x itself gives the name x and a number none. */
static bool take_name(graph_parser *p, token value_name, const char **name) {
    char c = value_name.text[0];
    *name = c >= '0' && c <= '9' ? NULL : value_name.text;
    if (p->now.kind != TOKEN_STRING && (p->now.kind != TOKEN_NAME || is_type(&p->now))) return true;
    *name = p->now.text;
    return text_next_token(p);
}

/* word= */
static bool take_key(graph_parser *p, const char *word) {
    if (!text_at_word(p, word)) return text_fail(p, p->now.at, "'%s=' must stand here", word);
    return text_next_token(p) && text_take(p, '=', word);
}

/* What begins every statement of a value: %x name type layout. */
typedef struct head {
    token id;
    const char *name;
    dtype type;
    span type_at;
    shape shape;
    layout layout;
} head;

static bool read_head(graph_parser *p, head *h, bool named) {
    *h = (head){0};
    if (!text_next_token(p) || !take_value_name(p, &h->id)) return false;
    if (named && !take_name(p, h->id, &h->name)) return false;
    h->type_at = p->now.at;
    return text_type(p, &h->type, &h->shape) && text_layout(p, &h->layout);
}

static bool finish(graph_parser *p, const head *h, value *v) {
    v->layout = h->layout;
    return text_define(p, h->id, v);
}

static bool read_normalize(graph_parser *p, value *v) {
    reals mean, std;
    span at = p->now.at;
    if (!text_next_token(p) || !take_key(p, "mean") || !text_numbers(p, &mean)) return false;
    if (!take_key(p, "std") || !text_numbers(p, &std)) return false;
    if (mean.count != std.count || !mean.count)
        return text_fail(p, at, "mean and std must have one number a channel each, but have %d and %d",
                         mean.count, std.count);
    v->as.input.mean = mean.at;
    v->as.input.std = std.at;
    v->as.input.channels = mean.count;
    return true;
}

static bool read_input(graph_parser *p) {
    head h;
    if (!read_head(p, &h, true)) return false;
    value *v = graph_input(p->g, h.name, h.type, h.shape, h.id.at);
    if (text_at_word(p, "normalize") && !read_normalize(p, v)) return false;
    if (text_at_word(p, "bound") && (!take_key(p, "bound") || !text_int(p, &v->as.input.bound))) return false;
    return finish(p, &h, v);
}

/* init=rule(scale, fan_in=.., fan_out=..) */
static bool read_init(graph_parser *p, init_rule *init) {
    if (!take_key(p, "init")) return false;
    if (p->now.kind != TOKEN_NAME) return text_fail(p, p->now.at, "the name of a rule must stand here");
    init->rule = p->now.text;
    return text_next_token(p) && text_take(p, '(', "init") && text_number(p, &init->scale) &&
           text_take(p, ',', "init") && take_key(p, "fan_in") && text_int(p, &init->fan_in) &&
           text_take(p, ',', "init") && take_key(p, "fan_out") && text_int(p, &init->fan_out) &&
           text_take(p, ')', "init");
}

static bool only_f32(graph_parser *p, const head *h, const char *what) {
    return h->type == DT_F32 ? true : text_fail(p, h->type_at, "%s is f32 always", what);
}

static bool read_param(graph_parser *p) {
    head h;
    init_rule init = {0};
    if (!read_head(p, &h, true) || !only_f32(p, &h, "a parameter")) return false;
    bool trainable = text_at_word(p, "trainable");
    if (trainable && !text_next_token(p)) return false;
    if (text_at_word(p, "init") && !read_init(p, &init)) return false;
    return finish(p, &h, graph_param(p->g, h.name, h.shape, trainable, init, h.id.at));
}

static bool read_state(graph_parser *p) {
    head h;
    if (!read_head(p, &h, true) || !only_f32(p, &h, "a state")) return false;
    text_next next = {.state = graph_state(p->g, h.name, h.shape, h.id.at)};
    if (text_at_word(p, "next")) {
        if (!take_key(p, "next") || !take_value_name(p, &next.name)) return false;
        VEC_PUSH(p->arena, &p->nexts, next);
    }
    return finish(p, &h, next.state);
}

static bool read_moment(graph_parser *p) {
    head h;
    if (!read_head(p, &h, true) || !only_f32(p, &h, "a moment")) return false;
    return finish(p, &h, graph_moment(p->g, h.name, h.shape, h.id.at));
}

static bool read_update(graph_parser *p) {
    update u;
    span at = p->now.at;
    if (!text_next_token(p) || !take_value(p, &u.target) || !take_value(p, &u.next)) return false;
    VEC_PUSH(p->arena, &p->g->updates, u);
    if (u.target->kind == VALUE_PARAM || u.target->kind == VALUE_MOMENT) return true;
    return text_fail(p, at, "only a parameter or a moment can be updated");
}

static bool read_loss(graph_parser *p) {
    return text_next_token(p) && take_value(p, &p->g->loss);
}

static bool read_argument(graph_parser *p) {
    head h;
    if (!read_head(p, &h, true)) return false;
    return finish(p, &h, graph_argument(p->g, h.name, h.type, h.shape));
}

/* One number for all elements, or a list of all of them. */
static bool read_const(graph_parser *p) {
    head h;
    reals list;
    double x;
    if (!read_head(p, &h, false)) return false;
    span at = p->now.at;
    if (!text_at(p, '[')) return text_number(p, &x) && finish(p, &h, graph_splat(p->g, h.type, h.shape, x));
    if (!text_numbers(p, &list)) return false;
    if (list.count != shape_count(&h.shape))
        return text_fail(p, at, "%d numbers are listed for a tensor of %lld", list.count,
                         (long long)shape_count(&h.shape));
    return finish(p, &h, graph_const(p->g, h.type, h.shape, list.at));
}

static bool read_output(graph_parser *p) {
    graph_output out = {0};
    if (!text_next_token(p)) return false;
    if (p->now.kind == TOKEN_NAME || p->now.kind == TOKEN_STRING) {
        out.name = p->now.text;
        if (!text_next_token(p)) return false;
    }
    token name = p->now;
    if (!take_value(p, &out.value)) return false;
    if (!out.name && !(name.text[0] >= '0' && name.text[0] <= '9')) out.name = name.text;
    VEC_PUSH(p->arena, &p->g->outputs, out);
    return true;
}

static bool read_labels(graph_parser *p) {
    if (!text_next_token(p) || !text_take(p, '[', "labels")) return false;
    while (!text_at(p, ']')) {
        if (p->g->labels.count && !text_take(p, ',', "labels")) return false;
        if (p->now.kind != TOKEN_STRING) return text_fail(p, p->now.at, "a name in quotes must stand here");
        VEC_PUSH(p->arena, &p->g->labels, p->now.text);
        if (!text_next_token(p)) return false;
    }
    return text_take(p, ']', "labels");
}

static bool read_graph_name(graph_parser *p) {
    if (!text_next_token(p)) return false;
    if (p->now.kind != TOKEN_NAME && p->now.kind != TOKEN_STRING)
        return text_fail(p, p->now.at, "the graph's name must stand here");
    p->g->name = p->now.text;
    return text_next_token(p);
}

static const struct {
    const char *word;
    bool (*read)(graph_parser *p);
} statements[] = {
    {"graph", read_graph_name}, {"input", read_input},   {"param", read_param},       {"state", read_state},
    {"const", read_const},      {"output", read_output}, {"argument", read_argument}, {"labels", read_labels},
    {"moment", read_moment},    {"update", read_update}, {"loss", read_loss},
};

static bool read_statement(graph_parser *p) {
    if (p->now.kind == TOKEN_VALUE) return text_read_node(p);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (text_at_word(p, statements[i].word)) return statements[i].read(p);
    return text_fail(p, p->now.at,
                     "a statement must begin here: graph, input, param, state, const, argument, moment, "
                     "output, update, loss, labels or %%x = op(...)");
}

/* Ids as the text numbers its values where it numbers all of them, else in order of definition. */
static bool number_values(graph_parser *p) {
    int next = 0;
    for (int i = 0; i < p->values.count; i++) {
        if (p->values.at[i].id < 0) return true;
        if (p->values.at[i].id >= next) next = (int)p->values.at[i].id + 1;
    }
    char *taken = NEW_ARRAY(p->arena, char, next);
    for (int i = 0; i < p->values.count; i++) {
        value *v = p->values.at[i].value;
        v->id = (int)p->values.at[i].id;
        if (taken[v->id]++) return text_fail(p, v->at, "two values have the number %d", v->id);
    }
    p->g->next_id = next;
    return true;
}

static bool resolve_nexts(graph_parser *p) {
    for (int i = 0; i < p->nexts.count; i++) {
        value *state = p->nexts.at[i].state, *next = map_get(&p->names, p->nexts.at[i].name.text);
        span at = p->nexts.at[i].name.at;
        if (!next) return text_fail(p, at, "%%%s is not defined", p->nexts.at[i].name.text);
        if (next->type != state->type || !shape_equal(&next->shape, &state->shape))
            return text_fail(p, at, "a state's next value must have the state's type and shape");
        state->as.next = next;
    }
    return true;
}

/* Statements up to the end or the body's brace. */
static bool read_statements(graph_parser *p) {
    while (p->now.kind != TOKEN_END && !(p->depth && text_at(p, '}'))) {
        if (p->now.kind != TOKEN_BREAK) {
            if (!read_statement(p)) return false;
            bool ended =
                p->now.kind == TOKEN_END || p->now.kind == TOKEN_BREAK || (p->depth && text_at(p, '}'));
            if (!ended)
                return text_fail(p, p->now.at, "the statement should end here, with a line feed or ';'");
        } else if (!text_next_token(p)) {
            return false;
        }
    }
    return resolve_nexts(p) && number_values(p);
}

/* A body is read by a parser of its own, which knows no names of the graph around it. */
bool text_body(graph_parser *p, graph **out) {
    graph_parser b = {.arena = p->arena, .d = p->d, .source = p->source, .at = p->at, .depth = p->depth + 1};
    b.g = graph_new(p->arena, NULL);
    b.names = map_in(p->arena);
    b.scopes = map_in(p->arena);
    if (!text_at(p, '{')) return text_fail(p, p->now.at, "a body in braces must stand here");
    if (b.depth > GRAPH_DEPTH_MAX)
        return text_fail(p, p->now.at, "bodies lie more than %d deep in one another", GRAPH_DEPTH_MAX);
    if (!text_next_token(&b) || !read_statements(&b)) return false;
    if (!text_at(&b, '}')) return text_fail(p, b.now.at, "the '}' of a body is missing");
    p->at = b.at;
    *out = b.g;
    return text_next_token(p);
}

graph *graph_parse(arena *a, const source *s, diags *d) {
    graph_parser p = {.arena = a, .d = d, .source = s, .g = graph_new(a, "net")};
    p.names = map_in(a);
    p.scopes = map_in(a);
    bool good = text_next_token(&p) && read_statements(&p);
    return good ? p.g : NULL;
}
