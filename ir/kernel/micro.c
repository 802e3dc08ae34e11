/* Micros: functions that kernels call, one for equal recipes, so that layers share them. */
#include "ir/kernel/emit.h"
#include "ir/kernel/program.h"

#include <string.h>

static bool same_types(const kfunc *f, const kparam *params, int count) {
    if (f->params != count) return false;
    for (int i = 0; i < count; i++)
        if (!ktype_equal(f->param[i].type, params[i].type)) return false;
    return true;
}

static kfunc *find(const kb *b, kernel_build *build, const void *recipe, size_t bytes, const kparam *params,
                   int count) {
    for (int i = 0; i < b->program->micro_keys.count; i++) {
        const struct micro_key *k = b->program->micro_keys.at[i];
        if (k->build == build && k->target == b->target && k->bytes == bytes &&
            memcmp(k->recipe, recipe, bytes) == 0 && same_types(k->f, params, count))
            return k->f;
    }
    return NULL;
}

static bool taken(const kb *b, const char *name) {
    const program *p = b->program;
    for (int i = 0; i < p->micros[b->target->id].count; i++)
        if (strcmp(p->micros[b->target->id].at[i]->name, name) == 0) return true;
    for (int i = 0; i < p->kernels.count; i++)
        if (strcmp(p->kernels.at[i]->name, name) == 0) return true;
    return strcmp(b->f->name, name) == 0;
}

static const char *unique_name(const kb *b, const char *name) {
    const char *full = arena_text(b->arena, name, strlen(name));
    for (int suffix = 2; taken(b, full); suffix++) full = arena_printf(b->arena, "%s_%d", name, suffix);
    return full;
}

static void keep_key(kb *b, kernel_build *build, const void *recipe, size_t bytes, kfunc *f) {
    struct micro_key *k = NEW(b->arena, struct micro_key);
    *k = (struct micro_key){build, arena_copy(b->arena, recipe, bytes), bytes, b->target, f};
    VEC_PUSH(b->program->arena, &b->program->micro_keys, k);
}

kfunc *kb_micro(kb *b, const char *name, kernel_build *build, const void *recipe, size_t bytes,
                const kparam *params, int count) {
    kfunc *f = find(b, build, recipe, bytes, params, count);
    if (f) return f;
    f = NEW(b->arena, kfunc);
    *f = (kfunc){.name = unique_name(b, name), .micro = true, .params = count, .target = b->target};
    f->param = arena_copy(b->arena, params, (size_t)count * sizeof *params);
    kb inner = {.arena = b->arena, .f = f, .program = b->program, .target = b->target};
    inner.real = b->real;
    inner.lanes = b->lanes;
    inner.at[0] = &f->body;
    build(&inner, recipe);
    VEC_PUSH(b->program->arena, &b->program->micros[b->target->id], f);
    keep_key(b, build, recipe, bytes, f);
    return f;
}
