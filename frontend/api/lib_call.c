/* The frame of a call: an arena that goes when it ends, and errors carried over into the host's record. */
#include "frontend/api/lib.h"

#include "ir/base/guard.h"
#include "ir/base/size.h"

#include <string.h>

/* ---- memory ---- */

allocator lib_allocator(const netc_options *o) {
    return o ? (allocator){o->allocate, o->user} : (allocator){0};
}

/* The block's own address lies in front of what is aligned. */
void *lib_memory(const netc_options *o, int64_t bytes) {
    const allocator from = lib_allocator(o);
    const size_t size = (size_t)round_up(bytes > 0 ? bytes : 1, NET_ALIGN);
    char *block = allocator_get(&from, size + NET_ALIGN + sizeof(void *));
    if (!block) return NULL;
    char *at = block + sizeof(void *);
    at += (NET_ALIGN - (uintptr_t)at % NET_ALIGN) % NET_ALIGN;
    memcpy(at - sizeof(void *), &block, sizeof block);
    return memset(at, 0, size);
}

void lib_release(const netc_options *o, void *at) {
    const allocator from = lib_allocator(o);
    void *block = NULL;
    if (at) memcpy(&block, (char *)at - sizeof(void *), sizeof block);
    allocator_give_back(&from, block);
}

/* ---- errors ---- */

void lib_clear(netc_error *e) {
    if (e) *e = (netc_error){0};
}

/* As much of it as fits, never half a character of UTF-8. */
static void put(char *to, size_t room, const char *from) {
    size_t length = strlen(from);
    if (length >= room)
        for (length = room - 1; length && ((unsigned char)from[length] & 0xc0) == 0x80;) length--;
    memcpy(to, from, length);
    to[length] = 0;
}

/* Begins a new line unless it is the first; drops what does not fit. */
static void add_line(netc_error *e, const char *where, const char *line) {
    size_t length = strlen(e->message);
    if (length + strlen(where) + strlen(line) + 2 > sizeof e->message) {
        if (!length) put(e->message, sizeof e->message, line);
        return;
    }
    snprintf(e->message + length, sizeof e->message - length, "%s%s%s", length ? "\n" : "", where, line);
}

static void set_place(netc_error *e, span at, const char *file) {
    e->line = e->column = 0;
    if (at.source) span_place(at, &e->line, &e->column);
    put(e->file, sizeof e->file, at.source ? at.source->path : file ? file : "");
}

/* Reasons that are of one kind wherever they come from: the message, or what stands behind "PATH: ". */
static int code_of(const char *message, int usual) {
    static const struct {
        const char *begin;
        int code;
    } kinds[] = {{"out of memory", NETC_NO_MEMORY},
                 {"no memory", NETC_NO_MEMORY},
                 {"memory limit", NETC_NO_MEMORY},
                 {"internal", NETC_BUG}};
    if (strstr(message, "a bug in netc")) return NETC_BUG;
    for (const char *at = message; at; at = strstr(at, ": ")) {
        if (at != message) at += 2;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (strncmp(at, kinds[k].begin, strlen(kinds[k].begin)) == 0) return kinds[k].code;
    }
    return usual;
}

/* A further error or note, behind its place where it has one. */
static void add_further(netc_error *e, const diag *g) {
    char where[sizeof e->file + 64] = "";
    int line, column;
    if (g->at.source) {
        span_place(g->at, &line, &column);
        snprintf(where, sizeof where, "%s:%d:%d: ", g->at.source->path, line, column);
    }
    add_line(e, where, g->text);
}

static void report(const lib_call *c, const diag *g) {
    netc_error w = {0};
    set_place(&w, g->at, c->file);
    put(w.message, sizeof w.message, g->text);
    for (g = g->next; g && g->severity == DIAG_NOTE; g = g->next) add_further(&w, g);
    c->options->report(c->options->user, &w);
}

/* What diags say, the reason of a jump ("": none) in front. */
static void explain(const lib_call *c, const diags *d, const char *reason) {
    netc_error *e = c->error;
    bool failed = *reason || d->errors, first = true, ours = false; /* a note follows what it belongs to */
    if (e && failed) lib_clear(e);
    if (e && *reason) {
        e->code = code_of(reason, NETC_BAD_INPUT);
        set_place(e, (span){0}, c->file);
        put(e->message, sizeof e->message, reason);
        first = false;
    }
    for (const diag *g = d->first; g; g = g->next) {
        if (g->severity != DIAG_NOTE) ours = g->severity == DIAG_ERROR;
        if (g->severity == DIAG_WARNING && c->options && c->options->report) report(c, g);
        if (!e || !ours || !failed) continue;
        if (!first) {
            add_further(e, g);
            continue;
        }
        e->code = code_of(g->text, c->code);
        set_place(e, g->at, c->file);
        put(e->message, sizeof e->message, g->text);
        first = false;
    }
}

bool lib_fail(lib_call *c, int code, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const char *message = arena_vprintf(c->arena, format, list);
    va_end(list);
    diag_add(c->diags, DIAG_ERROR, (span){0}, "%s", message);
    c->code = code;
    return false;
}

bool lib_refuse(netc_error *e, int code, const char *format, ...) {
    va_list list;
    if (!e) return false;
    lib_clear(e);
    e->code = code;
    va_start(list, format);
    vsnprintf(e->message, sizeof e->message, format, list);
    va_end(list);
    return false;
}

/* ---- the frame ---- */

static bool run(arena *a, void *context) {
    lib_call *c = context;
    diags d = {.arena = a};
    c->arena = a;
    c->diags = &d;
    bool good = c->work(c, c->context);
    explain(c, &d, "");
    return good;
}

bool lib_run(lib_call *c, bool (*work)(lib_call *c, void *context), void *context) {
    char reason[GUARD_REASON];
    const allocator from = lib_allocator(c->options);
    c->work = work;
    c->context = context;
    c->code = NETC_BAD_INPUT;
    lib_clear(c->error);
    if (c->lock) pthread_mutex_lock(c->lock);
    bool good = guard_run_from(&from, guard_cap(), run, c, reason);
    if (c->lock) pthread_mutex_unlock(c->lock);
    if (*reason) explain(c, &(diags){0}, reason);
    return good;
}

/* Nothing of this function's own changes between setjmp and the jump back. */
static bool jumped(lib_call *c, bool *good) {
    if (setjmp(c->arena->trap->jump)) return true;
    *good = c->work(c, c->context);
    return false;
}

bool lib_build(lib_call *c, arena *a, bool (*work)(lib_call *c, void *context), void *context) {
    trap t;
    diags d = {.arena = a};
    bool good = false;
    a->trap = &t;
    c->arena = a;
    c->diags = &d;
    c->work = work;
    c->context = context;
    c->code = NETC_BAD_INPUT;
    lib_clear(c->error);
    bool stopped = jumped(c, &good);
    explain(c, &d, stopped ? t.reason : "");
    a->trap = NULL;
    return good && !stopped;
}
