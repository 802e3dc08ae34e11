/* Functions that entries reach are dealt out to modules by size, the largest first; threads take modules. The
 * arena of the compilation belongs to the caller's thread alone: others have their own, and none of theirs
 * holds what LLVM must be told to free. */
#include "backends/llvm/compile.h"
#include "backends/llvm/runner.h"

#include "ir/base/guard.h"
#include "ir/base/map.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECES = 2,    /* modules a thread, so that none waits long for the last */
    FEW = 1 << 16, /* elements moved: two milliseconds of optimising save less */
    LEAST = 400,   /* instructions that are worth a module */
    MESSAGE = 512
};

typedef struct piece {
    items items; /* list only */
    int64_t size;
    LLVMMemoryBufferRef bytes;
    bool cold;         /* compiled without optimising */
    char why[MESSAGE]; /* "": it went well */
} piece;

typedef struct job {
    const program *program;
    allocator from; /* threads' arenas take their memory where the caller's does */
    const items *all;
    target_id target;
    piece *pieces;
    int count;
    atomic_int next;
} job;

/* ---- what there is to compile ---- */

typedef struct collection {
    arena *arena;
    target_id target;
    map seen;     /* functions by name */
    double *work; /* by kernel's id: of all its calls; -1 where one of them is not in `prepare` or `init` */
    bool cold;    /* which kernels to collect now: a micro that others call too is theirs */
    items *to;
} collection;

static void collect_function(collection *c, const kfunc *f, const kernel *k);

static bool same_number(const kinst *x, const kinst *y) {
    return x && y->op == K_CONST && ktype_equal(x->type, y->type) && x->i == y->i && x->f == y->f;
}

/* Counts and strides that all calls of a micro share are constants in it, as gcc finds by itself. */
static void note_call(collection *c, const kinst *x) {
    const kinst **fixed = map_get(&c->to->fixed, x->callee->name);
    bool first = !fixed;
    if (first) {
        fixed = NEW_ARRAY(c->arena, const kinst *, x->args + 1);
        map_put(&c->to->fixed, x->callee->name, fixed);
    }
    for (int k = 0; k < x->args; k++) {
        if (first && x->arg[k]->op == K_CONST) fixed[k] = x->arg[k];
        if (!same_number(fixed[k], x->arg[k])) fixed[k] = NULL;
    }
}

static int64_t collect_block(collection *c, const kblock *b) {
    int64_t size = 0;
    for (const kinst *x = b->first; x; x = x->next) {
        if (x->op == K_CALL) {
            note_call(c, x);
            collect_function(c, x->callee, NULL);
        }
        size += 1 + collect_block(c, &x->body) + collect_block(c, &x->otherwise);
    }
    return size;
}

static void collect_function(collection *c, const kfunc *f, const kernel *k) {
    if (map_get(&c->seen, f->name)) return;
    map_put(&c->seen, f->name, (void *)(uintptr_t)f);
    item it = {.f = f, .kernel = k, .size = 8 + collect_block(c, &f->body), .cold = c->cold};
    VEC_PUSH(c->arena, &c->to->list, it);
}

static bool is_once(entry_kind kind) {
    return kind == ENTRY_PREPARE || kind == ENTRY_INIT;
}

static void count_work(const collection *c, const steps *s, bool once, double times) {
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        if (t->is_loop) {
            count_work(c, t->body, once, times * (double)t->count);
            continue;
        }
        const kernel *k = t->call.kernel;
        double *work = &c->work[k->id], more = (double)kcount_of(k->count, 1) * (k->work < 1 ? 1 : k->work);
        *work = once && *work >= 0 ? *work + times * more : -1;
    }
}

static bool is_cold(const collection *c, const kernel *k) {
    return c->work[k->id] >= 0 && c->work[k->id] <= FEW;
}

static bool collect_steps(collection *c, const steps *s, diags *d) {
    for (int i = 0; i < s->list.count; i++) {
        const step *t = &s->list.at[i];
        if (t->is_loop) {
            if (!collect_steps(c, t->body, d)) return false;
            continue;
        }
        const kfunc *f = t->call.kernel->body[c->target];
        if (!f) {
            diag_add(d, DIAG_ERROR, (span){0}, "kernel %s was not lowered for %s; this is a bug in netc",
                     t->call.kernel->name, targets[c->target].name);
            return false;
        }
        if (is_cold(c, t->call.kernel) == c->cold) collect_function(c, f, t->call.kernel);
    }
    return true;
}

static int64_t steps_size(const steps *s) {
    int64_t size = 0;
    for (int i = 0; i < s->list.count; i++)
        size += 16 + (s->list.at[i].is_loop ? steps_size(s->list.at[i].body) : 0);
    return size;
}

bool items_collect(items *to, arena *a, const program *p, target_id which, diags *d) {
    collection c = {.arena = a, .target = which, .seen = map_in(a), .to = to};
    c.work = NEW_ARRAY(a, double, p->kernels.count + 1);
    to->fixed = map_in(a);
    for (int k = 0; k < ENTRY_KINDS; k++)
        if (p->entries[k].present) count_work(&c, &p->entries[k].steps, is_once((entry_kind)k), 1);
    for (int pass = 0; pass < 2; pass++) {
        c.cold = pass == 1;
        for (int k = 0; k < ENTRY_KINDS; k++)
            if (p->entries[k].present && !collect_steps(&c, &p->entries[k].steps, d)) return false;
    }
    for (int k = 0; k < ENTRY_KINDS; k++) {
        item it = {.entry = (entry_kind)k,
                   .size = 32 + steps_size(&p->entries[k].steps),
                   .cold = is_once((entry_kind)k)};
        if (p->entries[k].present) VEC_PUSH(a, &to->list, it);
    }
    return true;
}

/* ---- dealing out ---- */

static int by_size(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return x->f && y->f ? strcmp(x->f->name, y->f->name) : (int)x->entry - (int)y->entry;
}

static void put(arena *a, piece *p, const item *it) {
    VEC_PUSH(a, &p->items.list, *it);
    p->size += it->size;
}

/* What runs seldom is the last piece; it is the quickest to compile. */
static void deal(job *j, arena *a, items *all, int threads) {
    int64_t size = 0;
    bool cold = false;
    for (int k = 0; k < all->list.count; k++) {
        cold |= all->list.at[k].cold;
        size += all->list.at[k].cold ? 0 : all->list.at[k].size;
    }
    int64_t most = (int64_t)threads * PIECES, worth = size / LEAST;
    int hot = (int)(worth < 1 ? 1 : worth > most ? most : worth);
    j->count = hot + cold;
    j->pieces = NEW_ARRAY(a, piece, j->count);
    j->pieces[j->count - 1].cold = cold;
    if (all->list.count) qsort(all->list.at, (size_t)all->list.count, sizeof *all->list.at, by_size);
    for (int k = 0; k < all->list.count; k++) {
        piece *least = &j->pieces[0];
        for (int i = 1; i < hot; i++)
            if (j->pieces[i].size < least->size) least = &j->pieces[i];
        put(a, all->list.at[k].cold ? &j->pieces[hot] : least, &all->list.at[k]);
    }
}

/* ---- a thread's work ---- */

typedef struct worker {
    job *job;
    piece *piece;                    /* at hand */
    LLVMTargetMachineRef machine[2]; /* without optimising, with; NULL: not made yet */
    unit unit;                       /* its arena is that of fill */
    diags diags;
} worker;

bool items_emit(unit *u, const items *all, const item *it) {
    u->fixed = it->f && it->f->micro ? map_get(&all->fixed, it->f->name) : NULL;
    if (!it->f) return ll_entry(u, it->entry);
    if (!ll_function(u, it->f)) return false;
    return !it->kernel || !runner_wanted(u->program, it->kernel) || ll_runner(u, it->kernel);
}

/* Fills the module; the arena's jump passes no frame of LLVM's, and the unit is closed outside of it. */
static bool fill(arena *a, void *context) {
    worker *w = context;
    unit *u = &w->unit;
    w->diags = (diags){.arena = a};
    u->arena = a;
    u->diags = &w->diags;
    bool good = true;
    for (int k = 0; good && k < w->piece->items.list.count; k++)
        good = items_emit(u, w->job->all, &w->piece->items.list.at[k]);
    if (!good)
        snprintf(w->piece->why, MESSAGE, "%s",
                 w->diags.first ? w->diags.first->text : "it cannot be translated");
    return good;
}

static void compile_piece(worker *w, LLVMTargetMachineRef machine) {
    char reason[GUARD_REASON], *why = NULL;
    unit *u = &w->unit;
    *u = (unit){.program = w->job->program, .target = w->job->target};
    ll_open(u, u->program->name);
    machine_adopt(machine, u->module);
    LLVMContextSetDiscardValueNames(u->context, true);
    if (guard_run_from(&w->job->from, 0, fill, w, reason)) {
        w->piece->bytes = machine_emit(machine, u->module, LLVMObjectFile, &why);
        if (why) snprintf(w->piece->why, MESSAGE, "LLVM: %s", why);
        LLVMDisposeMessage(why);
    } else if (*reason) {
        snprintf(w->piece->why, MESSAGE, "%s", reason);
    }
    ll_close(u);
}

static LLVMTargetMachineRef machine_for(worker *w, const piece *p) {
    LLVMTargetMachineRef *m = &w->machine[!p->cold];
    char *why = NULL;
    if (!*m) *m = machine_new(w->job->target, !p->cold, &why);
    if (!*m) snprintf(w->piece->why, MESSAGE, "LLVM: %s", why ? why : "there is no target machine");
    LLVMDisposeMessage(why);
    return *m;
}

static void *work(void *context) {
    worker w = {.job = context};
    for (int k; (k = atomic_fetch_add(&w.job->next, 1)) < w.job->count;) {
        w.piece = &w.job->pieces[k];
        LLVMTargetMachineRef m = machine_for(&w, w.piece);
        if (m) compile_piece(&w, m);
    }
    for (int k = 0; k < 2; k++)
        if (w.machine[k]) LLVMDisposeTargetMachine(w.machine[k]);
    return NULL;
}

/* The caller works too; where no thread can be had it does all. */
static void run_job(job *j, arena *a, int threads) {
    int helpers = 0, most = threads < j->count ? threads : j->count;
    pthread_t *helper = NEW_ARRAY(a, pthread_t, most);
    while (helpers < most - 1 && pthread_create(&helper[helpers], NULL, work, j) == 0) helpers++;
    work(j);
    for (int k = 0; k < helpers; k++) pthread_join(helper[k], NULL);
}

bool objects_compile(objects *o, arena *a, const program *p, const llvm_options *options, diags *d) {
    items all = {0};
    job j = {.program = p, .from = a->from, .all = &all, .target = options->target};
    *o = (objects){0};
    if (!items_collect(&all, a, p, options->target, d)) return false;
    for (int k = 0; options->quick && k < all.list.count; k++) all.list.at[k].cold = true;
    deal(&j, a, &all, options->threads);
    o->at = NEW_ARRAY(a, LLVMMemoryBufferRef, j.count);
    run_job(&j, a, options->threads);
    const char *why = NULL;
    for (int k = 0; k < j.count; k++) {
        o->at[o->count++] = j.pieces[k].bytes;
        if (!why && !j.pieces[k].bytes) why = j.pieces[k].why;
    }
    if (why) diag_add(d, DIAG_ERROR, (span){0}, "the LLVM backend failed: %s", why);
    return !why;
}

void objects_free(objects *o) {
    for (int k = 0; k < o->count; k++)
        if (o->at[k]) LLVMDisposeMemoryBuffer(o->at[k]);
    *o = (objects){0};
}
