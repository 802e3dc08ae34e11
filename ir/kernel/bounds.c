/* Bounds of a call, by splitting: a loop's body is looked at once with the variable anywhere in its range;
 * where that does not prove every access, the range is halved, outermost loops first, down to single numbers.
 * So values that move together (a row and the taps that it skips) are told apart only where it matters, and
 * what is reported at last is an access with every loop around it at a known number. */
#include "ir/kernel/bounds.h"

#include "ir/kernel/emit.h"
#include "ir/kernel/range.h"

#include <string.h>

/* Instructions looked at a call before ranges are sampled at their ends instead of halved. */
enum { BUDGET = 1 << 20, DEPTH_MAX = 64 };

/* What is known of a value: a range, and for pointers what they point into. */
typedef struct known {
    range range;
    int region;
} known;

typedef struct frame {
    const kfunc *f;
    known *values; /* by id */
    known *params;
} frame;

struct bounds_walker {
    arena *arena;
    range_space space;
    const bounds_region *regions;
    VEC(bounds_region) locals; /* regions −2, −3, … */
    VEC(frame *) frames;       /* of functions met: none recurses */
    int depth;
    int64_t budget, index;
    bounds_error *error;
};
typedef bounds_walker walker;

static bool walk_block(walker *w, frame *fr, const kblock *b, bool exact);

static frame *frame_of(walker *w, const kfunc *f) {
    for (int k = 0; k < w->frames.count; k++)
        if (w->frames.at[k]->f == f) return w->frames.at[k];
    frame *fr = NEW(w->arena, frame);
    *fr = (frame){f, NEW_ARRAY(w->arena, known, f->ids + 1), NEW_ARRAY(w->arena, known, f->params + 1)};
    VEC_PUSH(w->arena, &w->frames, fr);
    return fr;
}

static const bounds_region *region_of(const walker *w, int region) {
    return region >= 0 ? &w->regions[region] : &w->locals.at[-2 - region];
}

static const range *value_of(const frame *fr, const kinst *x) {
    return &fr->values[x->id].range;
}

static bool is_followed(ktype t) {
    return t.lanes == 1 && t.base != KB_PTR && t.base != KB_VOID;
}

static bool walk_access(walker *w, const frame *fr, const kinst *x) {
    bool store = x->op == K_STORE;
    int lanes = store ? x->arg[2]->type.lanes : x->type.lanes, count = store ? 3 : 2;
    const known *p = &fr->values[x->arg[0]->id];
    range at = range_add(&w->space, &p->range, value_of(fr, x->arg[1]));
    if (x->args > count && value_of(fr, x->arg[count])->hi < lanes)
        lanes = (int)value_of(fr, x->arg[count])->hi;
    const bounds_region *r = region_of(w, p->region);
    if (lanes <= 0 || (at.lo >= 0 && at.hi <= r->count - lanes)) return true;
    *w->error = (bounds_error){fr->f, x, r->name, w->index, at.lo, at.hi + lanes - 1, r->count};
    return false;
}

static range arith_range(walker *w, const frame *fr, const kinst *x) {
    const range *arg[3] = {NULL, NULL, NULL};
    for (int k = 0; k < x->args; k++) arg[k] = value_of(fr, x->arg[k]);
    ktype operand = x->arg[x->scalar == S_SELECT]->type;
    if (!is_followed(operand)) return range_unknown(&w->space, (kbase)x->type.base);
    return range_arith(&w->space, x->scalar, (kbase)operand.base, arg[0], arg[1], arg[2]);
}

/* A value that fits the result's type stays between the numbers where it was; others become any. */
static range cast_range(walker *w, const frame *fr, const kinst *x) {
    const range *from = value_of(fr, x->arg[0]);
    range any = range_unknown(&w->space, (kbase)x->type.base);
    bool fits = is_followed(x->arg[0]->type) && from->lo >= any.lo && from->hi <= any.hi;
    if (!fits) return any;
    bool real = kbase_is_float((kbase)x->arg[0]->type.base) || kbase_is_float((kbase)x->type.base);
    return real ? range_float(&w->space, (double)from->lo, (double)from->hi) : *from;
}

static range result_range(walker *w, const frame *fr, const kinst *x) {
    bool real = kbase_is_float((kbase)x->type.base);
    if (x->op == K_CONST) return real ? range_float(&w->space, x->f, x->f) : range_const(x->i);
    if (x->op == K_ARITH) return arith_range(w, fr, x);
    if (x->op == K_CAST) return cast_range(w, fr, x);
    return range_unknown(&w->space, (kbase)x->type.base);
}

static bool walk_call(walker *w, frame *fr, const kinst *x, bool exact) {
    frame *callee = frame_of(w, x->callee);
    if (w->depth == DEPTH_MAX) return false;
    for (int k = 0; k < x->args; k++) callee->params[k] = fr->values[x->arg[k]->id];
    w->depth++;
    bool good = walk_block(w, callee, &x->callee->body, exact);
    w->depth--;
    return good;
}

/* A loop with everything around it known; `kernel`: over the kernel's own index. */
typedef struct span_of_loop {
    const kblock *body;
    known *variable;
    int64_t lo, step;
    bool kernel;
} span_of_loop;

static bool walk_body(walker *w, frame *fr, const span_of_loop *l, bool exact) {
    int variables = w->space.variables.count, locals = w->locals.count;
    bool good = walk_block(w, fr, l->body, exact);
    w->space.variables.count = variables;
    w->locals.count = locals;
    return good;
}

static bool walk_single(walker *w, frame *fr, const span_of_loop *l, int64_t at) {
    l->variable->range = range_const(l->lo + at * l->step);
    if (l->kernel) w->index = at;
    return walk_body(w, fr, l, true);
}

static bool walk_span(walker *w, frame *fr, const span_of_loop *l, int64_t first, int64_t last) {
    if (first == last) return walk_single(w, fr, l, first);
    int mark = w->space.variables.count;
    l->variable->range = range_new(&w->space, l->lo + first * l->step, l->lo + last * l->step);
    bool proven = walk_body(w, fr, l, false);
    w->space.variables.count = mark;
    if (proven) return true;
    if (w->budget <= 0) return walk_single(w, fr, l, first) && walk_single(w, fr, l, last);
    int64_t middle = first + (last - first) / 2;
    return walk_span(w, fr, l, first, middle) && walk_span(w, fr, l, middle + 1, last);
}

static bool walk_loop(walker *w, frame *fr, const kinst *x, bool exact) {
    const range *lo = value_of(fr, x->arg[0]), *hi = value_of(fr, x->arg[1]);
    span_of_loop l = {.body = &x->body, .variable = &fr->values[x->id], .lo = lo->lo, .step = x->arg[2]->i};
    if (hi->hi <= lo->lo) return true;
    bool known_ends = range_is_const(lo) && range_is_const(hi);
    int64_t last = (hi->hi - 1 - lo->lo) / l.step;
    if (exact && known_ends) return walk_span(w, fr, &l, 0, last);
    int mark = w->space.variables.count;
    l.variable->range = range_new(&w->space, lo->lo, known_ends ? lo->lo + last * l.step : hi->hi - 1);
    bool good = walk_body(w, fr, &l, exact);
    w->space.variables.count = mark;
    return good;
}

static bool walk_if(walker *w, frame *fr, const kinst *x, bool exact) {
    const range condition = *value_of(fr, x->arg[0]);
    if (condition.hi == 1 && !walk_block(w, fr, &x->body, exact)) return false;
    return condition.lo == 1 || walk_block(w, fr, &x->otherwise, exact);
}

static void walk_pointer(walker *w, const frame *fr, const kinst *x, known *result) {
    if (x->op == K_LOCAL) {
        bounds_region r = {x->name ? x->name : "a local array", x->i};
        *result = (known){range_const(0), -2 - w->locals.count};
        VEC_PUSH(w->arena, &w->locals, r);
        return;
    }
    const known *p = &fr->values[x->arg[0]->id];
    *result = (known){range_add(&w->space, &p->range, value_of(fr, x->arg[1])), p->region};
}

static bool walk_inst(walker *w, frame *fr, const kinst *x, bool exact) {
    known *result = &fr->values[x->id];
    w->budget--;
    switch (x->op) {
    case K_PARAM: *result = fr->params[x->i]; return true;
    case K_LOCAL:
    case K_OFFSET: walk_pointer(w, fr, x, result); return true;
    case K_FOR: return walk_loop(w, fr, x, exact);
    case K_IF: return walk_if(w, fr, x, exact);
    case K_CALL: return walk_call(w, fr, x, exact);
    case K_STORE: return walk_access(w, fr, x);
    case K_LOAD:
        if (!walk_access(w, fr, x)) return false;
        break;
    default: break;
    }
    if (is_followed(x->type)) result->range = result_range(w, fr, x);
    return true;
}

static bool walk_block(walker *w, frame *fr, const kblock *b, bool exact) {
    for (const kinst *x = b->first; x; x = x->next)
        if (!walk_inst(w, fr, x, exact)) return false;
    return true;
}

bounds_walker *bounds_new(arena *a) {
    walker *w = NEW(a, walker);
    *w = (walker){.arena = a, .space = {.arena = a}};
    return w;
}

bool bounds_check(bounds_walker *w, const kfunc *f, int64_t count, const bounds_region *regions,
                  const bounds_arg *args, bounds_error *error) {
    w->regions = regions;
    w->budget = BUDGET;
    w->error = error;
    w->space.variables.count = w->locals.count = 0;
    frame *fr = frame_of(w, f);
    for (int k = 1; k < f->params; k++)
        fr->params[k] = (known){range_const(args[k - 1].number), args[k - 1].region};
    span_of_loop l = {.body = &f->body, .variable = &fr->params[0], .step = 1, .kernel = true};
    return count <= 0 || walk_span(w, fr, &l, 0, count - 1);
}
