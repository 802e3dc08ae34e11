/* Files: the blocks of a text and of those it uses. A text may name only files in its own folder or below. */
#include "frontend/lang/elab.h"
#include "frontend/lang/parse.h"
#include "ir/base/file.h"

#include <string.h>

enum { MAX_USES = 16, MAX_FILES = 64 };

/* The path without "." and empty parts; NULL if it leads out of its folder. */
static const char *clean_path(arena *a, const char *path) {
    text t = text_in(a);
    if (*path == '/' || !*path || strchr(path, '\\')) return NULL;
    while (*path) {
        size_t length = strcspn(path, "/");
        if (length == 2 && path[0] == '.' && path[1] == '.') return NULL;
        if (length && !(length == 1 && *path == '.')) {
            if (t.length) text_puts(&t, "/");
            text_add(&t, path, length);
        }
        path += length + (path[length] == '/');
    }
    return t.length ? t.at : NULL;
}

const source *load_beside(arena *a, const char *path, span at, diags *d) {
    diags why = {.arena = a};
    const char *clean = clean_path(a, path), *from = at.source->path,
               *slash = from ? strrchr(from, '/') : NULL;
    if (!clean) {
        diag_add(d, DIAG_ERROR, at,
                 "the path '%s' leads out of this text's folder: files that a text names lie beside "
                 "it or below, 'blocks.net' or 'common/blocks.net'",
                 path);
        return NULL;
    }
    if (slash) clean = arena_printf(a, "%.*s/%s", (int)(slash - from), from, clean);
    const source *s = file_read_text(a, clean, LANG_MAX_BYTES, &why);
    if (s && parse_check_text(s, &why)) return s;
    diag_add(d, DIAG_ERROR, at, "%s", why.first ? why.first->text : "this file cannot be read");
    return NULL;
}

static bool in_circle(load *l, const source *s, span at) {
    text chain = text_in(l->arena);
    bool found = false;
    for (int i = 0; i < l->stack.count; i++) {
        found = found || strcmp(l->stack.at[i]->path, s->path) == 0;
        if (found) text_printf(&chain, "%s -> ", l->stack.at[i]->path);
    }
    if (found)
        diag_add(l->diags, DIAG_ERROR, at, "these files use one another in a circle: %s%s", chain.at,
                 s->path);
    else if (l->stack.count >= MAX_USES)
        diag_add(l->diags, DIAG_ERROR, at, "files use one another more than %d deep", MAX_USES);
    return found || l->stack.count >= MAX_USES;
}

static void add_block(load *l, ast_block *b) {
    const ast_block *other = map_get(&l->blocks.by_name, b->name);
    for (int i = 0; i < b->params.count; i++)
        for (int k = 0; k < i; k++)
            if (strcmp(b->params.at[i].name, b->params.at[k].name) == 0)
                diag_add(l->diags, DIAG_ERROR, b->params.at[i].at, "'%s' has two arguments '%s'", b->name,
                         b->params.at[i].name);
    if (other) {
        diag_add(l->diags, DIAG_ERROR, b->at, "there are two blocks '%s': rename one", b->name);
        diag_add(l->diags, DIAG_NOTE, other->at, "the other is here");
        return;
    }
    map_put(&l->blocks.by_name, b->name, b);
    VEC_PUSH(l->arena, &l->blocks.all, b);
}

static void add_net(load *l, ast_block *b) {
    if (l->stack.count > 1) return; /* nets of used files are not this text's */
    for (int i = 0; i < l->nets.count; i++)
        if (strcmp(l->nets.at[i]->name, b->name) == 0) {
            diag_add(l->diags, DIAG_ERROR, b->at, "there are two nets '%s': rename one", b->name);
            diag_add(l->diags, DIAG_NOTE, l->nets.at[i]->at, "the other is here");
        }
    VEC_PUSH(l->arena, &l->nets, b);
}

static bool load_use(load *l, const ast_use *u) {
    const source *s = load_beside(l->arena, u->path, u->at, l->diags);
    if (!s) return false;
    for (int i = 0; i < l->done.count; i++)
        if (strcmp(l->done.at[i]->path, s->path) == 0) return true;
    if (in_circle(l, s, u->at)) return false;
    if (l->done.count < MAX_FILES) return load_file(l, s);
    diag_add(l->diags, DIAG_ERROR, u->at, "more than %d files are used", MAX_FILES);
    return false;
}

bool load_file(load *l, const source *s) {
    bool good = true;
    const ast_file *f = parse_file(l->arena, s, l->diags);
    if (!f) return false;
    VEC_PUSH(l->arena, &l->stack, s);
    for (int i = 0; i < f->uses.count; i++) good = load_use(l, &f->uses.at[i]) && good;
    for (int i = 0; i < f->blocks.count; i++) {
        if (f->blocks.at[i]->net)
            add_net(l, f->blocks.at[i]);
        else
            add_block(l, f->blocks.at[i]);
    }
    l->stack.count--;
    VEC_PUSH(l->arena, &l->done, s);
    return good;
}

bool load_prelude(arena *a, block_table *blocks, diags *d) {
    source *s = NEW(a, source);
    *s = (source){"prelude.net", netc_prelude, strlen(netc_prelude)};
    load l = {.arena = a, .diags = d, .blocks = {.by_name = map_in(a)}};
    if (!load_file(&l, s)) return false;
    for (int i = 0; i < l.blocks.all.count; i++) l.blocks.all.at[i]->prelude = true;
    *blocks = l.blocks;
    return true;
}
