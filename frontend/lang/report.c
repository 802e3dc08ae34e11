/* Errors of elaboration: where they show, the chain of blocks that led there, and what was probably meant. */
#include "frontend/lang/elab.h"

#include <stdio.h>

enum { MAX_CHAIN = 8 };

span here(const elab *e, span at) {
    return e->frame && e->frame->prelude ? e->frame->call_at : at;
}

void note_chain(elab *e) {
    int shown = 0;
    if (++e->reports > MAX_REPORTS) e->stopped = true;
    for (const frame *f = e->frame; f && shown < MAX_CHAIN; f = f->caller) {
        if (f->body || f->prelude || f->block->net || !f->scope) continue;
        diag_add(e->diags, DIAG_NOTE, f->call_at, "in block '%s' of '%s'", f->block->name, f->scope->path);
        shown++;
    }
}

static void report(elab *e, span at, const char *format, va_list list) {
    const char *s = arena_vprintf(e->arena, format, list);
    diag_add(e->diags, DIAG_ERROR, here(e, at), "%s", s);
    note_chain(e);
}

val fail(elab *e, span at, const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (!e->stopped) report(e, at, format, list);
    va_end(list);
    return val_error();
}

val stop(elab *e, span at, const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (!e->stopped) report(e, at, format, list);
    va_end(list);
    e->stopped = true;
    return val_error();
}

void note_operand(elab *e, const ast_expr *x) {
    if (!x || x->kind != AST_NAME || e->frame->prelude) return;
    const variable *v = find_variable(e, x->as.text);
    if (v && !v->argument) diag_add(e->diags, DIAG_NOTE, v->at, "'%s' comes from here", v->name);
}

const char *suggest(elab *e, const char *name, const char *const *among, int count) {
    const char *near = nearest_name(name, among, count);
    return near ? arena_printf(e->arena, "; did you mean '%s'?", near) : "";
}

const char *suggest_or_list(elab *e, const char *name, const char *const *among, int count) {
    const char *near = suggest(e, name, among, count);
    if (*near) return near;
    return count ? arena_printf(e->arena, "; there %s %s", count == 1 ? "is" : "are",
                                joined(e->arena, among, count))
                 : "; there are none";
}

const char *joined(arena *a, const char *const *names, int count) {
    text t = text_in(a);
    for (int i = 0; i < count; i++) text_printf(&t, "%s%s", i ? ", " : "", names[i]);
    return count ? t.at : "";
}
