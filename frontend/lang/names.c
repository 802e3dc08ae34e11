/* Names: the path of labels that names layers and parameters, and names that the generated code keeps. */
#include "frontend/lang/elab.h"

#include <string.h>

/* The text of a label, NULL with an error. */
static const char *label_text(elab *e, const ast_label *l) {
    if (l->name) return l->name;
    val v = eval_one(e, l->index);
    if (v.kind == VAL_INT && v.as.integer >= 0)
        return arena_printf(e->arena, "%lld", (long long)v.as.integer);
    if (v.kind == VAL_TEXT && *v.as.text &&
        strspn(v.as.text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789_") == strlen(v.as.text))
        return v.as.text;
    if (v.kind != VAL_ERROR)
        fail(e, l->at, "a label is an integer from 0 or a text of letters, digits and '_', but this is %s",
             val_kind_name(e->arena, v));
    return NULL;
}

/* conv0, conv1, ... in the order of the block's text, passing over labels that its text uses. */
static const char *stable_label(elab *e, const char *block) {
    frame *f = e->frame;
    while (f->body) f = f->caller;
    int *count = map_get(&f->labels, block);
    if (!count) map_put(&f->labels, block, count = NEW(e->arena, int));
    const char *name;
    do name = arena_printf(e->arena, "%s%d", block, (*count)++);
    while (map_get(&f->labels, arena_printf(e->arena, "%s:", name)));
    return name;
}

/* Remembers a label that the text uses, under "name:", which no block can be called. */
static void use_label(elab *e, const char *name) {
    frame *f = e->frame;
    while (f->body) f = f->caller;
    map_put(&f->labels, arena_printf(e->arena, "%s:", name), f);
}

scope *open_scope(elab *e, const ast_call *call, const char *block, bool layer, span at) {
    const scope *parent = e->frame->scope;
    const char *label = call->label ? label_text(e, call->label) : stable_label(e, block);
    if (!label) return NULL;
    if (strlen(label) > MAX_NAME) {
        fail(e, call->label ? call->label->at : at, "the label '%.40s...' is longer than %d bytes", label,
             MAX_NAME);
        return NULL;
    }
    if (call->label) use_label(e, label);
    scope *s = NEW(e->arena, scope);
    *s = (scope){.parent = e->frame->scope, .block = block, .at = here(e, at), .layer = layer, .order = -1};
    s->path = parent ? arena_printf(e->arena, "%s.%s", parent->path, label) : label;
    return s;
}

void enter_scope(elab *e, scope *s) {
    if (!s || s->order >= 0) return;
    enter_scope(e, s->parent);
    s->order = e->net->scopes.count;
    VEC_PUSH(e->net->arena, &e->net->scopes, s);
}

const char *param_path(elab *e, const char *name) {
    return e->frame->scope ? arena_printf(e->arena, "%s.%s", e->frame->scope->path, name) : name;
}

bool reserved_name(const char *name) {
    static const char *const words[] = {
        /* arguments of the generated functions */
        "params", "packed", "n", "workspace", "workspace_bytes", "state", "executor", "optimizer", "label",
        "learning_rate", "loss", "stream", "seed", "none",
        /* words of C and C++ */
        "alignas", "alignof", "asm", "auto", "bool", "break", "case", "catch", "char", "class", "const",
        "constexpr", "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else",
        "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
        "int", "long", "mutable", "namespace", "new", "noexcept", "nullptr", "operator", "private",
        "protected", "public", "register", "reinterpret_cast", "restrict", "return", "short", "signed",
        "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this",
        "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "union",
        "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "and", "or", "not", "xor",
        "bitand", "bitor", "compl", "and_eq", "or_eq", "xor_eq", "not_eq", "char16_t", "char32_t", "float_t",
        "int8_t", "uint8_t", "int32_t", "uint32_t", "int64_t", "uint64_t", "size_t"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0) return true;
    return name[0] == '_'; /* C keeps those */
}

/* The name in the generated struct: dots become underscores. */
static char *field_name(elab *e, const char *name) {
    bool digit = *name >= '0' && *name <= '9';
    char *s = arena_printf(e->arena, "%s%s", digit ? "_" : "", name);
    for (char *c = s; *c; c++)
        if (*c == '.') *c = '_';
    return s;
}

typedef struct claimed {
    const char *name;
    span at;
} claimed;

bool claim_field(elab *e, const char *name, span at) {
    const char *field = field_name(e, name);
    const claimed *old = map_get(&e->fields, field);
    if (strlen(name) > MAX_NAME) {
        fail(e, at, "the parameter's name '%.60s...' is longer than %d bytes: use shorter labels", name,
             MAX_NAME);
        return false;
    }
    if (old) {
        bool same = strcmp(old->name, name) == 0;
        if (same)
            fail(e, at, "there are two parameters '%s': give one of the calls another label", name);
        else
            fail(e, at, "parameters '%s' and '%s' are both '%s' in C: rename one", old->name, name, field);
        diag_add(e->diags, DIAG_NOTE, old->at, "the other is here");
        return false;
    }
    if (reserved_name(field) && !strchr(name, '.') && *name != '_' && (*name < '0' || *name > '9')) {
        fail(e, at, "a parameter cannot be called '%s': C keeps that name for itself", name);
        return false;
    }
    claimed *c = NEW(e->arena, claimed);
    *c = (claimed){name, here(e, at)};
    map_put(&e->fields, field, c);
    return true;
}

bool claim_tensor_name(elab *e, const char *name, span at) {
    const claimed *old = map_get(&e->inputs, name);
    if (reserved_name(name) || strlen(name) > MAX_NAME) {
        fail(e, at,
             strlen(name) > MAX_NAME ? "the name '%.60s...' is too long for the generated code"
                                     : "'%s' is a name of the generated C code itself: choose another",
             name);
        return false;
    }
    if (old) {
        fail(
            e, at,
            "there is an input, output or state '%s' already: the generated function has one argument a name",
            name);
        diag_add(e->diags, DIAG_NOTE, old->at, "it is here");
        return false;
    }
    claimed *c = NEW(e->arena, claimed);
    *c = (claimed){name, at};
    map_put(&e->inputs, name, c);
    return true;
}
