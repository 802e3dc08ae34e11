/* train {}: each entry checked against the rules (recipe_rules.c) and left in ir/recipe.h; then what the
 * command line sets, by the same way. */
#include "ir/recipe.h"
#include "frontend/lang/elab.h"
#include "frontend/lang/parse.h"

#include <math.h>
#include <string.h>

static const char *const entries[] = {"loss",    "optimizer", "schedule", "init",
                                      "augment", "batch",     "epochs",   "clip"};
enum { ENTRIES = sizeof entries / sizeof *entries, MAX_RULE_ARGS = 8 };

static const rule *find_rule(const char *entry, const char *name) {
    for (const rule *r = recipe_rules; r->name; r++)
        if (strcmp(r->entry, entry) == 0 && strcmp(r->name, name) == 0) return r;
    return NULL;
}

static void unknown_rule(elab *e, const char *entry, const char *name, span at) {
    VEC(const char *) all = {0};
    for (const rule *r = recipe_rules; r->name; r++)
        if (strcmp(r->entry, entry) == 0) VEC_PUSH(e->arena, &all, r->name);
    fail(e, at, "there is no %s '%s'%s", strcmp(entry, "augment") == 0 ? "augmentation" : entry, name,
         suggest_or_list(e, name, all.at, all.count));
}

static bool within(elab *e, const arg *a, const rule_arg *r, double x) {
    if (x >= r->low && x <= r->high) return true;
    if (r->high < 1e300)
        fail(e, a->at, "'%s' must lie in %g to %g, but it is %g", r->name, r->low, r->high, x);
    else
        fail(e, a->at, "'%s' must %s, but it is %g", r->name, r->low > 0 ? "be positive" : "not be negative",
             x);
    return false;
}

static bool list_arg(elab *e, const arg *a, const rule_arg *r, recipe_arg *out) {
    const val_list *list = a->v.as.list;
    double *numbers = NEW_ARRAY(e->arena, double, list->count);
    for (int i = 0; i < list->count; i++) {
        if (!val_is_number(list->at[i])) {
            fail(e, a->at, "'%s' is a list of numbers", r->name);
            return false;
        }
        numbers[i] = val_number(list->at[i]);
        if (!within(e, a, r, numbers[i])) return false;
    }
    out->list = numbers;
    out->count = list->count;
    return true;
}

static const char *const wanted[] = {
    [RULE_NUMBER] = "a number",
    [RULE_COUNT] = "an integer",
    [RULE_BOOL] = "true or false",
    [RULE_LIST] = "a list of numbers",
    [RULE_SIZE] = "an integer or [height, width]",
    [RULE_OUTPUT] = "an output's name",
};

static bool rule_value(elab *e, const arg *a, const rule_arg *r, recipe_arg *out) {
    bool whole = r->kind == RULE_COUNT || r->kind == RULE_SIZE;
    val v = a->v;
    *out = (recipe_arg){.name = r->name, .at = a->at};
    if (r->kind == RULE_BOOL && v.kind == VAL_BOOL) return out->number = v.as.truth, true;
    if (v.kind == VAL_LIST && (r->kind == RULE_LIST || (r->kind == RULE_SIZE && v.as.list->count == 2)))
        return list_arg(e, a, r, out);
    if (v.kind == VAL_INT || (v.kind == VAL_REAL && !whole))
        if (r->kind != RULE_BOOL && r->kind != RULE_LIST && r->kind != RULE_OUTPUT)
            return out->number = val_number(v), within(e, a, r, out->number);
    if (v.kind != VAL_ERROR)
        fail(e, a->at, "'%s' must be %s, but this is %s", r->name, wanted[r->kind],
             val_kind_name(e->arena, v));
    return false;
}

/* The loss reads an output, by its name. */
static bool output_value(elab *e, const arg *a, recipe *out) {
    VEC(const char *) names = {0};
    const char *name = a->from && a->from->kind == AST_NAME ? a->from->as.text : "";
    for (int i = 0; i < e->net->outputs.count; i++) {
        VEC_PUSH(e->arena, &names, e->net->outputs.at[i].name);
        if (strcmp(e->net->outputs.at[i].name, name) == 0) return out->loss_output = names.at[i], true;
    }
    fail(e, a->at, "the loss reads an output of the net (%s)%s", joined(e->arena, names.at, names.count),
         suggest(e, name, names.at, names.count));
    return false;
}

static args eval_rule_args(elab *e, const ast_call *c, bool loss) {
    args given = {0, NEW_ARRAY(e->arena, arg, c->args.count)};
    for (int i = 0; i < c->args.count; i++) {
        const ast_arg *a = &c->args.at[i];
        bool output = loss && ((i == 0 && !a->name) || (a->name && strcmp(a->name, "output") == 0));
        val v = output ? val_none() : eval_one(e, a->value);
        given.at[given.count++] = (arg){a->name, a->at, v, a->value};
    }
    return given;
}

/* NAME or NAME(arguments) by the rule of that name. */
static bool read_call(elab *e, const char *entry, const ast_expr *x, recipe_call *out, recipe *into) {
    const ast_call plain = {.callee = x->kind == AST_NAME ? x->as.text : "", .callee_at = x->at};
    const ast_call *c = x->kind == AST_CALL ? &x->as.call : &plain;
    const char *names[MAX_RULE_ARGS];
    const arg *slots[MAX_RULE_ARGS] = {0};
    int count = 0;
    if (x->kind != AST_CALL && x->kind != AST_NAME) {
        fail(e, x->at, "'%s' is NAME or NAME(arguments)", entry);
        return false;
    }
    const rule *r = find_rule(entry, c->callee);
    if (!r || c->label || c->primitive) {
        unknown_rule(e, entry, c->callee, c->callee_at);
        return false;
    }
    for (; r->args[count].name; count++) names[count] = r->args[count].name;
    args given = eval_rule_args(e, c, strcmp(entry, "loss") == 0);
    if (!bind_args(e, arena_printf(e->arena, "'%s'", r->name), given, names, count, slots)) return false;
    *out = (recipe_call){.name = r->name, .at = x->at};
    bool good = true;
    for (int i = 0; i < count; i++) {
        recipe_arg a;
        if (!slots[i] && r->args[i].required) {
            fail(e, x->at, "'%s' is not given to %s(%s)", names[i], r->name, joined(e->arena, names, count));
            good = false;
        } else if (slots[i] && r->args[i].kind == RULE_OUTPUT) {
            good = output_value(e, slots[i], into) && good;
        } else if (slots[i]) {
            good = rule_value(e, slots[i], &r->args[i], &a) && good;
            if (good) VEC_PUSH(e->arena, &out->args, a);
        }
    }
    return good;
}

static recipe_call *call_slot(recipe *r, const char *entry) {
    recipe_call *const slots[] = {&r->loss, &r->optimizer, &r->schedule, &r->init};
    for (int i = 0; i < 4; i++)
        if (strcmp(entries[i], entry) == 0) return slots[i];
    return NULL;
}

static void read_augment(elab *e, const ast_expr *x, recipe *r) {
    r->augment.count = 0;
    if (x->kind == AST_NONE) return;
    if (x->kind != AST_LIST) {
        fail(e, x->at, "'augment' is a list, [random_crop(32, pad = 4), random_flip]");
        return;
    }
    for (int i = 0; i < x->as.list.count; i++) {
        recipe_call c;
        if (read_call(e, "augment", x->as.list.at[i], &c, r)) VEC_PUSH(e->arena, &r->augment, c);
    }
}

static void read_number(elab *e, const char *entry, const ast_expr *x, recipe *r) {
    val v = eval_one(e, x);
    bool clip = strcmp(entry, "clip") == 0;
    if (v.kind == VAL_ERROR) return;
    if (clip && val_is_number(v) && val_number(v) > 0 && isfinite(val_number(v)))
        r->clip = val_number(v);
    else if (!clip && v.kind == VAL_INT && v.as.integer > 0 && v.as.integer <= 1000000000)
        *(strcmp(entry, "batch") == 0 ? &r->batch : &r->epochs) = v.as.integer;
    else
        fail(e, x->at, "'%s' must be a positive %s", entry, clip ? "number" : "integer up to 10^9");
}

static void read_entry(elab *e, const char *entry, span at, const ast_expr *x, recipe *r) {
    recipe_call *slot = call_slot(r, entry), c = {0};
    bool known = false;
    for (int i = 0; i < ENTRIES; i++) known = known || strcmp(entries[i], entry) == 0;
    if (!known)
        fail(e, at, "a train block has no '%s'%s", entry, suggest_or_list(e, entry, entries, ENTRIES));
    else if (slot && x->kind == AST_NONE)
        *slot = c;
    else if (slot && read_call(e, entry, x, &c, r))
        *slot = c;
    else if (!slot && strcmp(entry, "augment") == 0)
        read_augment(e, x, r);
    else if (!slot)
        read_number(e, entry, x, r);
}

static void read_block(elab *e, const ast_args *given, recipe *r) {
    for (int i = 0; i < given->count; i++) {
        const ast_arg *a = &given->at[i];
        for (int k = 0; k < i; k++)
            if (strcmp(given->at[k].name, a->name) == 0) fail(e, a->at, "'%s' is given twice", a->name);
        read_entry(e, a->name, a->at, a->value, r);
    }
}

/* optimizer.lr = 0.05: one argument of what an entry names, instead of or besides the text's. */
static void set_argument(elab *e, recipe_call *c, const char *entry, const char *name, span at,
                         const ast_expr *x) {
    const rule *r = c && c->name ? find_rule(entry, c->name) : NULL;
    const char *names[MAX_RULE_ARGS];
    int count = 0, k = 0;
    if (!c) {
        bool one = strcmp(entry, "augment") == 0 || strcmp(entry, "batch") == 0 ||
                   strcmp(entry, "epochs") == 0 || strcmp(entry, "clip") == 0;
        fail(e, at, one ? "'%s' has no arguments: set all of it, %s=..." : "a train block has no '%s'%s",
             entry, one ? entry : suggest_or_list(e, entry, entries, ENTRIES));
        return;
    }
    if (!r) {
        fail(e, at, "the text names no %s whose '%s' could be set: set all of it, %s=NAME(...)", entry, name,
             entry);
        return;
    }
    const rule_arg *known = r->args + (r->args[0].kind == RULE_OUTPUT && r->args[0].name);
    for (; known[count].name; count++) names[count] = known[count].name;
    while (k < count && strcmp(names[k], name) != 0) k++;
    if (k == count) {
        fail(e, at, "'%s' has no argument '%s'%s", c->name, name, suggest_or_list(e, name, names, count));
        return;
    }
    recipe_arg value_of;
    const arg a = {name, x->at, eval_one(e, x), x};
    if (!rule_value(e, &a, &known[k], &value_of)) return;
    for (int i = 0; i < c->args.count; i++)
        if (strcmp(c->args.at[i].name, name) == 0) {
            c->args.at[i] = value_of;
            return;
        }
    VEC_PUSH(e->arena, &c->args, value_of);
}

static bool net_argument(const ast_block *net, const char *name) {
    for (int i = 0; i < net->params.count; i++)
        if (strcmp(net->params.at[i].name, name) == 0) return true;
    return false;
}

static void apply_set(elab *e, const ast_block *net, const char *given, recipe *r) {
    source *s = NEW(e->arena, source);
    *s = (source){"command line", given, strlen(given)};
    size_t equals = strcspn(given, "="), dot = strcspn(given, ".=");
    const char *entry = arena_text(e->arena, given, dot);
    span at = {s, 0, (uint32_t)equals};
    if (!parse_check_text(s, e->diags)) return;
    if (!given[equals]) {
        fail(e, at, "'%s' has no '=': write optimizer.lr=0.05, or optimizer=adam(lr=0.001)", given);
        return;
    }
    if (dot == equals && net_argument(net, entry)) return; /* was given with the net's arguments */
    const ast_expr *x = parse_expr(e->arena, s, (uint32_t)equals + 1, (uint32_t)s->bytes, e->diags);
    if (!x) return;
    if (dot == equals)
        read_entry(e, entry, at, x, r);
    else
        set_argument(e, call_slot(r, entry), entry, arena_text(e->arena, given + dot + 1, equals - dot - 1),
                     at, x);
}

void elaborate_recipe(elab *e, const ast_block *net, const char *const *sets) {
    bool any = false;
    for (int i = 0; sets && sets[i]; i++)
        any = any || !net_argument(net, arena_text(e->arena, sets[i], strcspn(sets[i], "=")));
    if (!e->train && !any) return;
    recipe *r = NEW(e->net->arena, recipe);
    r->at = e->train ? e->train->at : net->at;
    r->loss_output = e->net->outputs.at[0].name;
    if (e->train) read_block(e, &e->train->as.train, r);
    for (int i = 0; sets && sets[i]; i++) apply_set(e, net, sets[i], r);
    e->net->recipe = r;
}
