/* Reads the text that kfunc_print writes. What it makes is as the text says: kfunc_check judges it. */
#include "ir/kernel/parse.h"

#include <string.h>

enum { ARGS_MAX = 128, IDS_MAX = 1 << 20 };

/* What a line makes. */
typedef struct line {
    kinst like;
    kinst *arg[ARGS_MAX];
    kword name; /* "%12", empty without a result */
} line;

static bool value(kparser *p, line *l) {
    if (l->like.args == ARGS_MAX)
        return kparse_fail(p, kparse_peek(p).span, "more than %d operands", ARGS_MAX);
    kinst *x = kparse_value(p);
    if (x) l->arg[l->like.args++] = x;
    return x != NULL;
}

static bool index_value(kparser *p, line *l) {
    return kparse_take(p, "[") && value(p, l) && kparse_take(p, "]");
}

static bool count_value(kparser *p, line *l) {
    if (!kparse_found(p, ",")) return !p->failed;
    return kparse_take(p, "count") && value(p, l);
}

static bool read_const(kparser *p, line *l) {
    if (!kparse_type(p, &l->like.type)) return false;
    if (!kbase_is_float((kbase)l->like.type.base)) return kparse_int(p, &l->like.i);
    kword w = kparse_word(p);
    return text_read_real(w.at, w.length, &l->like.f) || kparse_fail(p, w.span, "expected a number here");
}

static bool read_typed(kparser *p, line *l) {
    return kparse_type(p, &l->like.type) && value(p, l);
}

static bool read_load(kparser *p, line *l) {
    return kparse_type(p, &l->like.type) && value(p, l) && index_value(p, l) && count_value(p, l);
}

static bool read_store(kparser *p, line *l) {
    return value(p, l) && index_value(p, l) && kparse_take(p, "=") && value(p, l) && count_value(p, l);
}

static bool read_offset(kparser *p, line *l) {
    if (!value(p, l) || !index_value(p, l)) return false;
    l->like.type = l->arg[0]->type;
    return true;
}

static bool read_prefetch(kparser *p, line *l) {
    return value(p, l) && index_value(p, l);
}

static bool read_lane(kparser *p, line *l) {
    if (!value(p, l)) return false;
    l->like.type = k_scalar((kbase)l->arg[0]->type.base);
    return true;
}

static bool read_name(kparser *p, line *l) {
    kword w = kparse_word(p);
    l->like.name = arena_text(p->arena, w.at, w.length);
    return !p->failed;
}

/* A name may follow on the same line. */
static bool read_hint(kparser *p, line *l) {
    size_t at = p->at;
    while (at < p->s->bytes && p->s->text[at] == ' ') at++;
    bool there = at < p->s->bytes && !strchr("\r\n{#", p->s->text[at]);
    return !there || read_name(p, l);
}

static bool read_dimension(kparser *p, int *out) {
    int64_t x;
    kword w = kparse_peek(p);
    if (!kparse_take(p, "[") || !kparse_int(p, &x) || !kparse_take(p, "]")) return false;
    if (x < 1 || x > 4096) return kparse_fail(p, w.span, "a register has 1 to 4096 elements along an axis");
    *out = (int)x;
    return true;
}

static bool read_reg(kparser *p, line *l) {
    return kparse_type(p, &l->like.type) && read_dimension(p, &l->like.dim[0]) &&
           read_dimension(p, &l->like.dim[1]) && read_hint(p, l);
}

static bool read_get(kparser *p, line *l) {
    if (!value(p, l) || !index_value(p, l) || !index_value(p, l)) return false;
    l->like.type = l->arg[0]->type;
    return true;
}

static bool read_set(kparser *p, line *l) {
    return value(p, l) && index_value(p, l) && index_value(p, l) && kparse_take(p, "=") && value(p, l);
}

static bool read_local(kparser *p, line *l) {
    ktype t;
    if (!kparse_type(p, &t)) return false;
    if (t.lanes != 1 || t.base == KB_PTR || t.base == KB_BOOL)
        return kparse_fail(p, kparse_peek(p).span, "a local array has numbers as elements");
    l->like.type = k_out((kbase)t.base);
    return kparse_take(p, "[") && kparse_int(p, &l->like.i) && kparse_take(p, "]") && read_hint(p, l);
}

static bool read_for(kparser *p, line *l) {
    l->like.type = k_scalar(KB_INT);
    if (!value(p, l) || !kparse_take(p, "..") || !value(p, l) || !kparse_take(p, "step") || !value(p, l))
        return false;
    kword w = kparse_word(p);
    for (int k = KLOOP_SERIAL; k <= KLOOP_BLOCK; k++)
        if (kparse_is(w, kloop_names[k])) {
            l->like.loop = (kloop)k;
            return read_hint(p, l);
        }
    return kparse_fail(p, w.span, "a loop is serial, unroll, grid or block");
}

static bool read_if(kparser *p, line *l) {
    return value(p, l);
}

static bool read_call(kparser *p, line *l) {
    kword w = kparse_word(p);
    for (int k = 0; k < p->known_count; k++)
        if (kparse_is(w, p->known[k]->name)) l->like.callee = p->known[k];
    if (!l->like.callee) return kparse_fail(p, w.span, "there is no micro of this name");
    if (!kparse_take(p, "(")) return false;
    for (bool first = true; !kparse_found(p, ")"); first = false)
        if ((!first && !kparse_take(p, ",")) || !value(p, l)) return false;
    return true;
}

static bool read_nothing(kparser *p, line *l) {
    (void)l;
    return !p->failed;
}

/* K_ARITH: the operation's name was the word. */
static bool read_arith(kparser *p, line *l) {
    do {
        if (!value(p, l)) return false;
    } while (kparse_found(p, ","));
    if (l->like.args != scalars[l->like.scalar].arity)
        return kparse_fail(p, kparse_peek(p).span, "%s takes %d operands", scalars[l->like.scalar].name,
                           scalars[l->like.scalar].arity);
    l->like.type = kb_arith_type(l->like.scalar, l->arg[0], l->like.args > 1 ? l->arg[1] : NULL);
    return true;
}

static bool (*const readers[K_OPS])(kparser *, line *) = {
    [K_CONST] = read_const,     [K_ARITH] = read_arith,
    [K_CAST] = read_typed,      [K_BITS] = read_typed,
    [K_SPLAT] = read_typed,     [K_TAIL] = read_typed,
    [K_LOAD] = read_load,       [K_STORE] = read_store,
    [K_OFFSET] = read_offset,   [K_HSUM] = read_lane,
    [K_HMAX] = read_lane,       [K_REG] = read_reg,
    [K_GET] = read_get,         [K_SET] = read_set,
    [K_LOCAL] = read_local,     [K_FOR] = read_for,
    [K_IF] = read_if,           [K_CALL] = read_call,
    [K_BARRIER] = read_nothing, [K_PREFETCH] = read_prefetch,
};

static bool find_kind(kparser *p, kword w, kinst *like) {
    for (int k = 0; k < K_OPS; k++)
        if (k != K_ARITH && readers[k] && kparse_is(w, kop_names[k])) {
            like->op = (kop)k;
            return true;
        }
    like->op = K_ARITH;
    like->scalar = scalar_find(w.at, w.length);
    return like->scalar != S_COUNT || kparse_fail(p, w.span, "there is no such instruction");
}

static bool has_result(kop k) {
    return k != K_STORE && k != K_SET && k != K_IF && k != K_CALL && k != K_BARRIER && k != K_PREFETCH;
}

/* "%12 =" */
static bool read_result(kparser *p, line *l) {
    kword w = kparse_peek(p);
    if (!w.length || *w.at != '%') return !p->failed;
    l->name = kparse_word(p);
    return kparse_take(p, "=");
}

/* Its id is the number in the text; instructions without a result get theirs at the end. */
static bool define(kparser *p, const line *l, kinst *x) {
    x->id = -1;
    if (!l->name.length) return true;
    double id;
    const char *name = arena_text(p->arena, l->name.at, l->name.length);
    if (!text_read_real(name + 1, l->name.length - 1, &id) || id < 0 || id >= IDS_MAX ||
        id != (double)(int)id)
        return kparse_fail(p, l->name.span, "%s is not a number below %d", name, IDS_MAX);
    if (map_get(&p->values, name)) return kparse_fail(p, l->name.span, "%s is made twice", name);
    x->id = (int)id;
    map_put(&p->values, name, x);
    return true;
}

static bool read_block(kparser *p, kblock *b) {
    if (p->b.depth + 1 == KB_DEPTH) return kparse_fail(p, kparse_peek(p).span, "blocks nest too deeply");
    p->b.at[++p->b.depth] = b;
    while (kparse_inst(p)) {
    }
    p->b.depth--;
    return kparse_take(p, "}");
}

static bool read_bodies(kparser *p, kinst *x) {
    if (x->op != K_FOR && x->op != K_IF) return true;
    if (!kparse_take(p, "{") || !read_block(p, &x->body)) return false;
    if (x->op != K_IF || !kparse_found(p, "else")) return true;
    return kparse_take(p, "{") && read_block(p, &x->otherwise);
}

bool kparse_inst(kparser *p) {
    if (p->failed || kparse_found(p, "}")) {
        p->at -= !p->failed;
        return false;
    }
    line *l = NEW(p->arena, line);
    if (!read_result(p, l)) return false;
    kword w = kparse_word(p);
    if (p->failed || !find_kind(p, w, &l->like) || !readers[l->like.op](p, l)) return false;
    if (has_result(l->like.op) != (l->name.length != 0))
        return kparse_fail(p, w.span, l->name.length ? "this has no result" : "the result has no name");
    l->like.arg = l->arg;
    kinst *x = kb_append(&p->b, l->like);
    return define(p, l, x) && read_bodies(p, x);
}

static bool read_params(kparser *p, kfunc *f) {
    VEC(kparam) list = {0};
    if (!kparse_take(p, "(")) return false;
    while (!kparse_found(p, ")")) {
        if (list.count && !kparse_take(p, ",")) return false;
        kword w = kparse_word(p);
        kparam k = {.name = arena_text(p->arena, w.at, w.length)};
        if (!kparse_take(p, ":") || !kparse_type(p, &k.type)) return false;
        if (list.count == ARGS_MAX) return kparse_fail(p, w.span, "more than %d parameters", ARGS_MAX);
        VEC_PUSH(p->arena, &list, k);
    }
    f->param = list.at;
    f->params = list.count;
    for (int k = 0; k < list.count; k++) map_put(&p->params, list.at[k].name, &list.at[k]);
    return true;
}

static bool read_head(kparser *p, kfunc *f) {
    kword w = kparse_word(p);
    f->micro = kparse_is(w, "micro");
    if (!f->micro && !kparse_is(w, "kernel")) return kparse_fail(p, w.span, "expected 'kernel' or 'micro'");
    kword name = kparse_word(p);
    f->name = arena_text(p->arena, name.at, name.length);
    if (p->failed || !read_params(p, f)) return false;
    kword t = kparse_word(p);
    f->target = target_find(arena_text(p->arena, t.at, t.length));
    return f->target || kparse_fail(p, t.span, "there is no such target");
}

static void raise_id(void *context, kinst *x) {
    int *next = context;
    if (x->id >= *next) *next = x->id + 1;
}

static void give_id(void *context, kinst *x) {
    int *next = context;
    if (x->id < 0) x->id = (*next)++;
}

kfunc *kfunc_parse(arena *a, const source *s, kfunc *const *known, int known_count, diags *d) {
    kparser *p = NEW(a, kparser);
    *p = (kparser){.arena = a, .s = s, .d = d, .known = known, .known_count = known_count};
    kfunc *f = NEW(a, kfunc);
    p->values = p->params = map_in(a);
    p->b = (kb){.arena = a, .f = f};
    p->b.at[0] = &f->body;
    if (!read_head(p, f) || !kparse_take(p, "{")) return NULL;
    p->b.depth = -1; /* read_block goes one deeper */
    if (!read_block(p, &f->body)) return NULL;
    if (kparse_peek(p).length || p->at < s->bytes) {
        kparse_fail(p, kparse_peek(p).span, "nothing is expected after the function");
        return NULL;
    }
    f->ids = 0;
    kblock_visit(&f->body, raise_id, &f->ids);
    kblock_visit(&f->body, give_id, &f->ids);
    return f;
}
