/* What the user's names become in C. A name that cannot stand there is an error in the text, never a rename:
 * callers would meet it only when their program does not compile. */
#include "backends/c/emit.h"
#include "ir/op.h"

#include <string.h>

/* Arguments of the entries, of today's and of those that other hosts will add. */
static const char *const arguments[] = {"n",      "packed",   "workspace", "workspace_bytes", "params",
                                        "state",  "executor", "optimizer", "learning_rate",   "loss",
                                        "stream", NULL};

static const char *answers(const emitter *e) {
    return e->program->step_inputs.classes ? "label" : "target";
}

static bool is_argument(const emitter *e, const char *name) {
    for (const char *const *a = arguments; *a; a++)
        if (strcmp(*a, name) == 0) return true;
    return emit_trains(e) && strcmp(name, answers(e)) == 0;
}

static bool check_word(emitter *e, const char *kind, const char *name, span at) {
    if (!c_reserved(name)) return true;
    diag_add(e->diags, DIAG_ERROR, at,
             "%s '%s' cannot be used in C, where '%s' is a word of the language: rename it", kind, name,
             name);
    return false;
}

static bool emit_prefix(emitter *e) {
    e->prefix = e->options->prefix ? e->options->prefix : e->program->name;
    e->upper = c_upper(e->arena, e->prefix);
    if (c_identifier(e->prefix) && !c_reserved(e->prefix)) return true;
    diag_add(e->diags, DIAG_ERROR, (span){0},
             "'%s' cannot begin names in C: choose a prefix of letters, digits and '_' with --prefix",
             e->prefix);
    return false;
}

/* One field of NET_params or NET_state. */
static const char *field(emitter *e, map *taken, const char *kind, const char *name, span at) {
    const char *f = c_mangle(e->arena, name), *before = map_get(taken, f);
    if (before)
        diag_add(e->diags, DIAG_ERROR, at,
                 "%ss '%s' and '%s' would both be called '%s' in C: rename one of them", kind, before, name,
                 f);
    check_word(e, kind, f, at);
    map_put(taken, f, (void *)name);
    return f;
}

static void emit_fields(emitter *e) {
    const graph *g = e->program->graph;
    map params = map_in(e->arena), states = map_in(e->arena);
    e->fields = NEW_ARRAY(e->arena, const char *, g->params.count + 1);
    for (int k = 0; k < g->params.count; k++)
        e->fields[k] = field(e, &params, "parameter", g->params.at[k]->name, g->params.at[k]->at);
    e->states = NEW_ARRAY(e->arena, const char *, e->program->states.count + 1);
    for (int k = 0; k < e->program->states.count; k++)
        e->states[k] = field(e, &states, "state", e->program->states.at[k].name, (span){0});
}

/* What is trained has one more array an update remembers something of; "step" and "seed" stand before them. */
static void emit_moments(emitter *e) {
    const program *p = e->program;
    map taken = map_in(e->arena);
    map_put(&taken, "step", "step");
    map_put(&taken, "seed", "seed");
    e->moments = NEW_ARRAY(e->arena, const char *, p->moments.count + 1);
    for (int k = 0; k < p->moments.count; k++)
        e->moments[k] = field(e, &taken, "moment", p->moments.at[k].name, (span){0});
}

/* The net's own inputs keep their names; the others are what a step makes or takes besides. */
static void emit_step_inputs(emitter *e) {
    const program *p = e->program;
    int count = p->step_graph ? p->step_graph->inputs.count : 0;
    e->step_inputs = NEW_ARRAY(e->arena, const char *, count + 1);
    for (int k = 0; k < count && k < p->graph->inputs.count; k++) e->step_inputs[k] = e->inputs[k];
    if (!emit_trains(e)) return;
    if (p->step_inputs.target >= 0) e->step_inputs[p->step_inputs.target] = answers(e);
    if (p->step_inputs.learning_rate >= 0) e->step_inputs[p->step_inputs.learning_rate] = "rate";
    if (p->step_inputs.counter >= 0) e->step_inputs[p->step_inputs.counter] = "counter";
}

/* Inputs and outputs are arguments and, in upper case, part of macros. */
static const char *argument(emitter *e, map *taken, const char *kind, const char *name, span at) {
    const char *s = c_mangle(e->arena, name), *upper = c_upper(e->arena, s), *before = map_get(taken, upper);
    if (before)
        diag_add(e->diags, DIAG_ERROR, at,
                 "'%s' and '%s' would share the macro %s_%s_SIZE in C: rename one of them", before, name,
                 e->upper, upper);
    bool taken_twice = is_argument(e, s);
    if (taken_twice || strncmp(s, e->prefix, strlen(e->prefix)) == 0)
        if (taken_twice || s[strlen(e->prefix)] == '_')
            diag_add(e->diags, DIAG_ERROR, at,
                     "%s '%s' is also the name of something else in the C that netc writes: rename it", kind,
                     name);
    check_word(e, kind, s, at);
    map_put(taken, upper, (void *)name);
    return s;
}

static void emit_data(emitter *e) {
    const graph *g = e->program->graph;
    map taken = map_in(e->arena);
    e->inputs = NEW_ARRAY(e->arena, const char *, g->inputs.count + 1);
    for (int k = 0; k < g->inputs.count; k++)
        e->inputs[k] = argument(e, &taken, "input", g->inputs.at[k]->name, g->inputs.at[k]->at);
    e->outputs = NEW_ARRAY(e->arena, const char *, g->outputs.count + 1);
    for (int k = 0; k < g->outputs.count; k++)
        e->outputs[k] = argument(e, &taken, "output", g->outputs.at[k].name, g->outputs.at[k].value->at);
}

bool emit_names(emitter *e) {
    int errors = e->diags->errors;
    if (!emit_prefix(e)) return false;
    emit_fields(e);
    emit_moments(e);
    emit_data(e);
    emit_step_inputs(e);
    return e->diags->errors == errors;
}

const char *emit_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Text that may stand in a comment. */
static const char *harmless(arena *a, const char *s) {
    char *copy = arena_text(a, s, strlen(s));
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < ' ' || *c == '*' || *c == '\\' || *c == '?') *c = '_';
    return copy;
}

typedef struct layer_list {
    text names;
    const char *last;
    int count, lines[2]; /* first and last line of the text */
    const char *file;
} layer_list;

static void add_layer(emitter *e, layer_list *l, const node *n) {
    const char *path = n->scope && n->scope->path && *n->scope->path ? n->scope->path : n->op->name;
    if (!l->last || strcmp(l->last, path) != 0) {
        l->count++;
        if (l->count <= 6) text_printf(&l->names, "%s%s", l->count > 1 ? ", " : "", harmless(e->arena, path));
        if (l->count == 7) text_puts(&l->names, ", ...");
    }
    l->last = path;
    if (!n->at.source || !n->at.source->path) return;
    int line, column;
    span_place(n->at, &line, &column);
    const char *file = emit_base_name(n->at.source->path);
    if (l->file && strcmp(l->file, file) != 0) return;
    l->file = file;
    if (!l->lines[0] || line < l->lines[0]) l->lines[0] = line;
    if (line > l->lines[1]) l->lines[1] = line;
}

const char *emit_layers(emitter *e, const node *n) {
    layer_list l = {.names = text_in(e->arena)};
    for (int k = 0; k < n->origin.count; k++) add_layer(e, &l, n->origin.at[k]);
    if (!n->origin.count) add_layer(e, &l, n);
    if (l.file && l.lines[0] == l.lines[1])
        text_printf(&l.names, " (%s:%d)", harmless(e->arena, l.file), l.lines[0]);
    else if (l.file)
        text_printf(&l.names, " (%s:%d-%d)", harmless(e->arena, l.file), l.lines[0], l.lines[1]);
    return l.names.at;
}
