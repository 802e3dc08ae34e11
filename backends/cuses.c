/* Who uses what in a function, and which registers can be declared where they are first set. */
#include "backends/cvalue.h"

typedef struct listing {
    cprinter *p;
    arena *arena;
    VEC(const kinst *) all; /* in order; a loop before its body */
} listing;

static void list_block(listing *l, const kblock *b) {
    for (const kinst *x = b->first; x; x = x->next) {
        VALUE(l->p, x)->block = b;
        VALUE(l->p, x)->order = l->all.count;
        VEC_PUSH(l->arena, &l->all, x);
        list_block(l, &x->body);
        list_block(l, &x->otherwise);
    }
    for (const kinst *x = b->first; x; x = x->next) VALUE(l->p, x)->block_end = l->all.count;
}

static int elements(const kinst *reg) {
    return (reg->dim[0] > 1 ? reg->dim[0] : 1) * (reg->dim[1] > 1 ? reg->dim[1] : 1);
}

/* False, with an error, where a register is indexed by something else than numbers within its bounds. */
static bool check_access(cprinter *p, const kinst *x) {
    const kinst *reg = x->arg[0];
    bool constant = x->arg[1]->op == K_CONST && x->arg[2]->op == K_CONST;
    int64_t e = constant ? cprint_element(reg, x) : -1;
    if (e < 0 || e >= elements(reg)) cprint_unsupported(p, "an index of a register", reg->type);
    return e >= 0 && e < elements(reg);
}

/* First and last access to an element of a register. */
typedef struct accesses {
    const kinst *first;
    int last; /* order */
} accesses;

static void note_access(cprinter *p, const kinst *x) {
    cvalue *reg = VALUE(p, x->arg[0]);
    int64_t e = cprint_element(x->arg[0], x);
    accesses *a = &reg->accesses[e];
    if (!a->first) a->first = x;
    a->last = VALUE(p, x)->order;
    if (x->op == K_GET) reg->declared[e] = 1;
}

/* Marks in `declared` how each element is first met: 2 by a SET whose block has all other accesses, so that
 * it can be declared there, 1 otherwise. Elements that nobody reads stay 0, and their SETs are not printed.
 */
static void mark_registers(cprinter *p, const listing *l) {
    for (int k = 0; k < l->all.count; k++) {
        const kinst *x = l->all.at[k];
        cvalue *v = VALUE(p, x);
        if (x->op == K_REG) {
            v->declared = NEW_ARRAY(p->arena, char, elements(x));
            v->elements = NEW_ARRAY(p->arena, const char *, elements(x));
            v->accesses = NEW_ARRAY(p->arena, accesses, elements(x));
        }
        if (x->op != K_GET && x->op != K_SET) continue;
        if (!check_access(p, x)) return;
        note_access(p, x);
    }
    for (int k = 0; k < l->all.count; k++) {
        cvalue *v = VALUE(p, l->all.at[k]);
        for (int e = 0; v->accesses && e < elements(l->all.at[k]); e++) {
            const accesses *a = &v->accesses[e];
            bool inside = a->first && a->first->op == K_SET && a->last < VALUE(p, a->first)->block_end;
            if (v->declared[e] && inside) v->declared[e] = 2;
        }
    }
}

static bool is_statement(const cprinter *p, const kinst *x) {
    if (x->op == K_SET) return VALUE(p, x->arg[0])->declared[cprint_element(x->arg[0], x)] != 0;
    return x->op == K_STORE || x->op == K_FOR || x->op == K_IF || x->op == K_CALL || x->op == K_BARRIER ||
           x->op == K_PREFETCH;
}

void cprint_count_uses(cprinter *p) {
    listing l = {.p = p, .arena = p->arena};
    list_block(&l, &p->f->body);
    mark_registers(p, &l);
    if (p->failed) return;
    for (int k = l.all.count - 1; k >= 0; k--) {
        const kinst *x = l.all.at[k];
        if (!is_statement(p, x) && !VALUE(p, x)->uses) continue;
        for (int a = 0; a < x->args; a++) {
            cvalue *g = VALUE(p, x->arg[a]);
            g->uses++;
            g->user_block = VALUE(p, x)->block;
        }
    }
}

static bool reads_param(const kblock *b, int64_t param) {
    for (const kinst *x = b->first; x; x = x->next)
        if ((x->op == K_PARAM && x->i == param) || reads_param(&x->body, param) ||
            reads_param(&x->otherwise, param))
            return true;
    return false;
}

bool cprint_reads_n(const kfunc *f) {
    return reads_param(&f->body, 1);
}
