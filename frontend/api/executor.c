/* The table of executors, and what they share. */
#include "frontend/api/executor.h"

#include "frontend/api/describe.h"
#include "frontend/api/step.h"
#include "ir/base/guard.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_VALUES = 1 << 20 /* below this starting a compiler takes longer than interpreting */ };

const executor *const executors[] = {&llvm_executor, &c_executor, &interp_executor, NULL};

static const executor *by_name(const char *name, diags *d) {
    const char *names[8];
    text list = text_in(d->arena);
    int count = 0;
    for (const executor *const *e = executors; *e; e++) {
        if (strcmp((*e)->name, name) == 0) return *e;
        text_printf(&list, count ? ", %s" : "%s", (*e)->name);
        names[count++] = (*e)->name;
    }
    const char *near = nearest_name(name, names, count);
    diag_add(d, DIAG_ERROR, (span){0}, "--backend: there is no backend '%s'%s%s%s; there are %s", name,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", list.at);
    return NULL;
}

const executor *executor_find(const char *name, diags *d) {
    if (name) return by_name(name, d);
    for (const executor *const *e = executors; *e; e++) {
        if (!(*e)->available()) continue;
        if (*e == &interp_executor)
            diag_add(d, DIAG_NOTE, (span){0},
                     "no C compiler was found, so the slower interpreter runs the net; install gcc or name a "
                     "compiler in CC");
        return *e;
    }
    diag_add(d, DIAG_ERROR, (span){0}, "internal: no executor is available");
    return NULL;
}

int executor_processors(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > COMPILE_MAX_THREADS ? COMPILE_MAX_THREADS : count;
}

static bool choose_target(const executor *e, executor_options *o, diags *d) {
    bool any = false;
    for (int t = 0; t < TARGET_COUNT; t++) {
        any |= o->compile.targets[t];
        if (o->compile.targets[t] && !e->runs((target_id)t)) {
            diag_add(d, DIAG_ERROR, (span){0}, "--target: this machine cannot run %s code", targets[t].name);
            return false;
        }
    }
    if (!any) o->compile.targets[e->target()] = true;
    return true;
}

typedef struct opening {
    const executor *executor;
    net *net;
    arena *arena;
    program *program;
    const executor_options *options;
    diags *diags;
} opening;

static bool open_net(void *context) {
    const opening *o = context;
    return o->executor->open(o->net, o->arena, o->program, o->options, o->diags);
}

static void close_net(void *context) {
    const opening *o = context;
    net_close(o->net);
}

bool executor_open(const executor *e, net *n, arena *a, const graph *g, const executor_options *given,
                   diags *d) {
    executor_options o = *given;
    if (!choose_target(e, &o, d)) return false;
    if (o.team) o.threads = o.team->threads;
    if (!o.threads) o.threads = executor_processors();
    if (!o.compile.max_threads) o.compile.max_threads = o.threads;
    o.compile.rolled = e->rolled;
    program *p = compile_program(a, g, &o.compile, d);
    if (!p || !step_possible(p, d)) return false;
    if (o.prepare_only)
        for (int k = ENTRY_FORWARD; k < ENTRY_KINDS; k++) p->entries[k].present = false;
    describe_program(n, p);
    if (o.made) *o.made = p;
    opening all = {e, n, a, p, &o, d};
    if (guard_undo(a, open_net, close_net, &all)) return true;
    net_close(n);
    return false;
}

void net_close(net *n) {
    if (n->close) n->close(n->self);
    n->close = NULL;
}

void *executor_pack(const net *n, arena *a, const graph *g, const compile_options *o, const float *params,
                    diags *d) {
    executor_options options = {.compile = *o, .prepare_only = true};
    const executor *const *e = executors;
    while (*e != &interp_executor && (n->values < FEW_VALUES || !(*e)->available())) e++;
    net with = *n;
    memset(options.compile.targets, 0, sizeof options.compile.targets);
    options.compile.dump_after = NULL;
    options.compile.train = false;
    if (!executor_open(*e, &with, a, g, &options, d)) return NULL;
    void *packed = net_memory(with.packed_bytes, "the net's weights", d);
    if (packed && !with.prepare(with.self, params, packed, d)) {
        free(packed);
        packed = NULL;
    }
    net_close(&with);
    return packed;
}
