/* Uses, counted as the code will make them. */
#include "backends/interp/facts.h"

#include "ir/kernel/emit.h"

enum { NEAR = 512 /* instructions looked at between a get and its last use */ };

int64_t index_parts(const kinst *index, const kinst **base) {
    *base = index;
    if (index->op == K_CONST) {
        *base = NULL;
        return index->i;
    }
    if (index->op != K_ARITH || index->scalar != S_ADD || index->arg[1]->op != K_CONST) return 0;
    *base = index->arg[0];
    return index->arg[1]->i;
}

typedef struct walk {
    facts *f;
    VEC(const kinst *) order;
} walk;

static void place_block(walk *w, const kblock *b) {
    for (const kinst *x = b->first; x; x = x->next) {
        *FACT(w->f, x) = (fact){.block = b, .order = w->order.count};
        VEC_PUSH(w->f->arena, &w->order, x);
        place_block(w, &x->body);
        place_block(w, &x->otherwise);
    }
}

static void use(facts *f, const kinst *x, const kinst *user) {
    fact *g = FACT(f, x);
    /* a loop reads its bound again after its body */
    if (g->block != FACT(f, user)->block || user->op == K_FOR) g->elsewhere = true;
    if (g->uses++ == 0) {
        g->user = user;
        g->last = FACT(f, user)->order;
    }
}

static bool has_index(const kinst *x) {
    return x->op == K_LOAD || x->op == K_STORE || x->op == K_OFFSET;
}

static void use_operands(facts *f, const kinst *x) {
    for (int k = 0; k < x->args; k++) {
        const kinst *operand = x->arg[k];
        if (k == 1 && has_index(x)) index_parts(x->arg[k], &operand);
        if (operand) use(f, operand, x);
    }
}

facts facts_of(arena *a, const kfunc *function) {
    facts f = {a, function, NEW_ARRAY(a, fact, function->ids + 1)};
    walk w = {.f = &f};
    place_block(&w, &function->body);
    for (int i = w.order.count - 1; i >= 0; i--) {
        const kinst *x = w.order.at[i];
        if (kop_is_pure(x->op) && FACT(&f, x)->uses == 0)
            FACT(&f, x)->done = true;
        else
            use_operands(&f, x);
    }
    return f;
}

int register_element(const kinst *access) {
    const kinst *i = access->arg[1], *j = access->arg[2];
    if (i->op != K_CONST || j->op != K_CONST) return -1;
    return (int)(i->i * access->arg[0]->dim[1] + j->i);
}

/* The next instruction that has code of its own. */
static const kinst *next_real(const facts *f, const kinst *x) {
    do x = x->next;
    while (x && (x->op == K_CONST || x->op == K_PARAM || FACT(f, x)->done));
    return x;
}

bool follows(const facts *f, const kinst *x, const kinst *y) {
    return next_real(f, x) == y;
}

const kinst *splat_of(const facts *f, const kinst *load) {
    const fact *g = FACT(f, load);
    if (load->op != K_LOAD || load->args != 2 || load->type.lanes != 1 || load->type.base == KB_U8)
        return NULL;
    return g->uses == 1 && !g->elsewhere && g->user->op == K_SPLAT ? g->user : NULL;
}

const kinst *set_of(const facts *f, const kinst *x) {
    const fact *g = FACT(f, x);
    bool own = x->op == K_ARITH || x->op == K_LOAD || x->op == K_CAST || x->op == K_SPLAT ||
               x->op == K_HSUM || x->op == K_HMAX;
    if (!own || g->uses != 1 || g->elsewhere || g->user->op != K_SET || g->user->arg[3] != x) return NULL;
    return follows(f, x, g->user) && register_element(g->user) >= 0 ? g->user : NULL;
}

bool get_is_register(const facts *f, const kinst *get) {
    const fact *g = FACT(f, get);
    int element = register_element(get), left = NEAR;
    if (element < 0 || g->elsewhere) return false;
    for (const kinst *x = get->next; x && FACT(f, x)->order < g->last; x = x->next) {
        if (x->op == K_FOR || x->op == K_IF || --left == 0) return false;
        if (x->op != K_SET || x->arg[0] != get->arg[0]) continue;
        int set = register_element(x);
        if (set < 0 || set == element) return false;
    }
    return true;
}
