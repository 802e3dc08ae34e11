/* From a text to its graph: loads the files, chooses the net, gives its arguments, runs it once, and looks
 * over what came of it. */
#include "frontend/lang/elab.h"
#include "frontend/lang/parse.h"

#include <string.h>

static const ast_block *choose_net(load *l, const source *s, const char *name) {
    VEC(const char *) names = {0};
    if (!l->nets.count) {
        diag_file(l->diags, s->path, "this text has no net: write 'net NAME { input ... output ... }'");
        return NULL;
    }
    if (!name) return l->nets.at[l->nets.count - 1];
    for (int i = 0; i < l->nets.count; i++) {
        if (strcmp(l->nets.at[i]->name, name) == 0) return l->nets.at[i];
        VEC_PUSH(l->arena, &names, l->nets.at[i]->name);
    }
    const char *near = nearest_name(name, names.at, names.count);
    diag_file(l->diags, s->path, "there is no net '%s'; %s%s%s", name, near ? "did you mean '" : "it has ",
              near ? near : joined(l->arena, names.at, names.count), near ? "'?" : "");
    return NULL;
}

/* The definition of a name on the command line, "name=value"; NULL without. The last one counts. */
static const char *definition(const char *const *list, const char *name) {
    const char *found = NULL;
    size_t length = strlen(name);
    for (int i = 0; list && list[i]; i++)
        if (strncmp(list[i], name, length) == 0 && list[i][length] == '=') found = list[i];
    return found;
}

/* The right side of "name=value", parsed as of a source of its own. */
static ast_expr *parse_definition(elab *e, const char *given) {
    source *s = NEW(e->arena, source);
    *s = (source){"command line", given, strlen(given)};
    if (!parse_check_text(s, e->diags)) return NULL;
    return parse_expr(e->arena, s, (uint32_t)strcspn(given, "=") + 1, (uint32_t)s->bytes, e->diags);
}

/* What the command line gives must be of the kind of the default: a size stays a size. */
static void check_kind(elab *e, const ast_arg *p, const ast_expr *given, val v) {
    val usual = eval_one(e, p->value);
    bool number = usual.kind == VAL_REAL && v.kind == VAL_INT;
    if (v.kind == usual.kind || number || usual.kind == VAL_NONE || v.kind == VAL_ERROR ||
        usual.kind == VAL_ERROR)
        return;
    fail(e, given->at, "'%s' is %s in the text, but this is %s", p->name, val_kind_name(e->arena, usual),
         val_kind_name(e->arena, v));
}

static void bind_net_argument(elab *e, const ast_arg *p, const lang_options *o) {
    const char *given = definition(o->defines, p->name);
    if (!given) given = definition(o->sets, p->name);
    const ast_expr *x = given ? parse_definition(e, given) : p->value;
    val v = x ? eval_one(e, x) : val_error();
    if (given && x && p->value) check_kind(e, p, x, v);
    if (!x && !given)
        fail(e, p->at, "'%s' has no default: give it on the command line, -D %s=...", p->name, p->name);
    bind_name(e, p->name, v, p->at);
}

/* Every -D must name an argument of the net. */
static void check_defines(elab *e, const ast_block *net, const char *const *defines) {
    VEC(const char *) names = {0};
    for (int k = 0; k < net->params.count; k++) VEC_PUSH(e->arena, &names, net->params.at[k].name);
    for (int i = 0; defines && defines[i]; i++) {
        bool known = false;
        size_t length = strcspn(defines[i], "=");
        const char *name = arena_text(e->arena, defines[i], length);
        for (int k = 0; k < names.count; k++) known = known || strcmp(names.at[k], name) == 0;
        if (!defines[i][length])
            diag_file(e->diags, "-D", "'%s' has no '=': write -D NAME=VALUE", defines[i]);
        else if (!known)
            diag_file(e->diags, "-D", "net '%s' has no argument '%s'%s", net->name, name,
                      suggest_or_list(e, name, names.at, names.count));
    }
}

static void check_outputs(elab *e, const ast_block *net) {
    if (!e->net->outputs.count) {
        fail(e, net->at, "net '%s' has no output: write 'output NAME = ...' for each result", net->name);
        return;
    }
    const value *first = e->net->outputs.at[0].value;
    bool fits = !e->net->labels.count;
    for (int i = 1; i < first->shape.rank; i++) fits = fits || first->shape.dim[i] == e->net->labels.count;
    if (!fits)
        fail(e, net->at, "there are %d labels, but the first output '%s' is %s", e->net->labels.count,
             e->net->outputs.at[0].name, shape_string(e->arena, &first->shape));
}

static bool is_input(const elab *e, const ast_name *target) {
    for (int i = 0; i < e->net->inputs.count; i++)
        if (e->net->inputs.at[i]->at.begin == target->at.begin &&
            e->net->inputs.at[i]->at.source == target->at.source)
            return true;
    return false;
}

static void warn_unused(elab *e) {
    for (int i = 0; i < e->targets.count; i++) {
        const ast_name *t = e->targets.at[i];
        bool used = t->used; /* of several results one is enough */
        for (int k = 0; k < t->count; k++) used = used || t->beside[k].used;
        if (used) continue;
        if (is_input(e, t))
            diag_add(e->diags, DIAG_WARNING, t->at, "input '%s' is never used", t->name);
        else
            diag_add(e->diags, DIAG_WARNING, t->at,
                     "'%s' is given a value here that nothing uses; call it '_' if that is meant", t->name);
    }
}

static void run_net(elab *e, const ast_block *net, const lang_options *o) {
    frame *f = NEW(e->arena, frame);
    *f = (frame){.block = net, .call_at = net->at};
    f->variables = f->labels = map_in(e->arena);
    e->frame = f;
    check_defines(e, net, o->defines);
    for (int i = 0; i < net->params.count; i++) bind_net_argument(e, &net->params.at[i], o);
    if (e->diags->errors) return;
    exec_all(e, &net->body);
    if (e->stopped) return;
    finish_states(e);
    if (!e->diags->errors) check_outputs(e, net);
    if (e->diags->errors) return;
    elaborate_recipe(e, net, o->sets);
    elaborate_init(e);
    warn_unused(e);
}

static void check_unrun(elab *e, const load *l) {
    for (int i = 0; i < l->blocks.all.count; i++) check_names(e, l->blocks.all.at[i]);
    for (int i = 0; i < l->nets.count; i++) check_names(e, l->nets.at[i]);
}

graph *lang_compile(arena *a, const source *s, const lang_options *options, diags *d) {
    const lang_options none = {0}, *o = options ? options : &none;
    int errors = d->errors;
    load l = {.arena = a, .diags = d, .blocks = {.by_name = map_in(a)}};
    elab *e = NEW(a, elab);
    if (!parse_check_text(s, d) || !load_file(&l, s) || d->errors > errors) return NULL;
    const ast_block *net = choose_net(&l, s, o->net);
    if (!net || !load_prelude(a, &e->prelude, d)) return NULL;
    e->arena = a;
    e->diags = d;
    e->net = graph_new(a, net->name);
    e->bodies[0].graph = e->net;
    for (int i = l.done.count; i > 0; i--)
        VEC_PUSH(a, &e->net->files, l.done.at[i - 1]); /* ours was done last */
    e->blocks = l.blocks;
    e->fields = e->inputs = map_in(a);
    e->max_nodes = o->max_nodes > 0 ? o->max_nodes : LANG_MAX_NODES;
    run_net(e, net, o);
    if (d->errors == errors) check_unrun(e, &l);
    return d->errors == errors ? e->net : NULL;
}
