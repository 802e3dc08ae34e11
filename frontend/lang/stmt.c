/* Statements: assignment, choice, loops, results. What only a net holds is in declare.c. */
#include "frontend/lang/elab.h"

#include <string.h>

static frame *block_frame(elab *e) {
    frame *f = e->frame;
    while (f->body) f = f->caller;
    return f;
}

static variable *own_variable(elab *e, const char *name) {
    frame *f = e->frame;
    variable *v = map_get(&f->variables, name);
    if (v) return v;
    v = NEW(e->arena, variable);
    v->name = name;
    map_put(&f->variables, name, v);
    VEC_PUSH(e->arena, &f->names, name);
    return v;
}

void bind_name(elab *e, const char *name, val v, span at) {
    variable *x = own_variable(e, name);
    *x = (variable){.name = name, .v = v, .at = at, .argument = true};
}

/* Inside a scan's body a name of the block around cannot be given another value: it would be lost. */
static bool assignable(elab *e, const ast_name *target) {
    const frame *f = e->frame;
    if (!f->body || map_get(&f->variables, target->name)) return true;
    const variable *outer = find_variable(e, target->name);
    if (!outer) return true;
    fail(e, target->at,
         "'%s' belongs to the block around this scan: 'carry %s = ...' takes it from step to step, "
         "or use another name",
         target->name, target->name);
    diag_add(e->diags, DIAG_NOTE, outer->at, "'%s' comes from here", target->name);
    return false;
}

void assign(elab *e, ast_name *target, val v, span at) {
    if (!assignable(e, target)) return;
    bool ignored = strcmp(target->name, "_") == 0;
    if (!e->frame->prelude && !target->assigned && !ignored && v.kind == VAL_TENSOR)
        VEC_PUSH(e->arena, &e->targets, target);
    target->assigned = true;
    if (v.kind == VAL_ERROR) target->used = true;
    variable *x = own_variable(e, target->name);
    *x = (variable){.name = target->name, .v = v, .at = at, .target = target};
    bool unnamed = v.kind == VAL_TENSOR && !v.as.tensor->name && v.as.tensor->kind == VALUE_NODE;
    if (unnamed && !ignored && !e->frame->prelude) v.as.tensor->name = target->name;
}

static void exec_assign(elab *e, ast_stmt *s) {
    ast_names *names = &s->as.assign.names;
    val v = eval(e, s->as.assign.value);
    int given = v.kind == VAL_MANY ? v.as.list->count : 1;
    if (names->count > given && v.kind != VAL_ERROR)
        v = fail(e, names->at[given].at, "%d names, but the right side gives %d result%s", names->count,
                 given, given == 1 ? "" : "s");
    for (int i = 0; i < names->count; i++) {
        val one = v.kind == VAL_MANY ? v.as.list->at[i] : v;
        names->at[i].beside = names->at;
        names->at[i].count = names->count;
        assign(e, &names->at[i], one, names->at[i].at);
    }
}

/* return and yield leave their values with the frame. */
static void exec_results(elab *e, const ast_stmt *s) {
    int count = s->as.results.count;
    val *all = NEW_ARRAY(e->arena, val, count);
    for (int i = 0; i < count; i++) {
        all[i] = count == 1 ? eval(e, s->as.results.at[i]) : eval_one(e, s->as.results.at[i]);
        if (all[i].kind == VAL_ERROR) all[0] = val_error();
    }
    if (s->kind == STMT_YIELD && e->frame->returned) {
        fail(e, s->at, "this scan has yielded already: write 'yield a, b' to give several values a step");
        return;
    }
    e->frame->returned = true;
    e->frame->result_at = s->at;
    bool poisoned = count && all[0].kind == VAL_ERROR;
    e->frame->result = poisoned || count == 1 ? all[0] : val_list_of(e->arena, VAL_MANY, all, count);
}

static void exec_assert(elab *e, const ast_stmt *s) {
    bool holds;
    if (!eval_bool(e, s->as.assertion.condition, "'assert'", &holds) || holds) return;
    val v = s->as.assertion.text ? eval_one(e, s->as.assertion.text) : val_text("this does not hold");
    text t = text_in(e->arena);
    val_print(&t, v);
    if (v.kind != VAL_ERROR) fail(e, s->as.assertion.condition->at, "%s", t.at ? t.at : "");
    e->frame->returned = true; /* what follows relies on it */
    e->frame->result = val_error();
}

static void exec_if(elab *e, const ast_stmt *s) {
    bool truth;
    if (eval_bool(e, s->as.choice.condition, "'if'", &truth))
        exec_all(e, truth ? &s->as.choice.then : &s->as.choice.otherwise);
}

bool eval_range(elab *e, const ast_domain *d, int64_t *from, int64_t *to) {
    return eval_size(e, d->from, "the start of a range", from) &&
           eval_size(e, d->to, "the end of a range", to);
}

static bool going_on(elab *e, const ast_stmt *s) {
    bool over = e->frame->returned && !e->frame->body;
    return !over && e->diags->errors < MAX_ERRORS && tick(e, s->at, 1);
}

static void exec_for_range(elab *e, ast_stmt *s) {
    const ast_domain *d = &s->as.loop.domain;
    const ast_name *name = &s->as.loop.names.at[0];
    int64_t from, to;
    if (s->as.loop.names.count != 1) {
        fail(e, s->as.loop.names.at[1].at, "a range gives one name its numbers");
        return;
    }
    if (!eval_range(e, d, &from, &to)) return;
    for (int64_t i = from; i < to && going_on(e, s); i++) {
        bind_name(e, name->name, val_int(d->reversed ? to - 1 - (i - from) : i), name->at);
        exec_all(e, &s->as.loop.body);
    }
}

/* The lists that `for` walks through side by side; -1 with an error, or how long they are. */
static int eval_lists(elab *e, const ast_domain *d, const val_list **lists) {
    bool good = true;
    for (int i = 0; i < d->over.count; i++) {
        val v = eval_one(e, d->over.at[i]);
        good = good && v.kind == VAL_LIST;
        if (v.kind == VAL_LIST)
            lists[i] = v.as.list;
        else if (v.kind != VAL_ERROR)
            fail(e, d->over.at[i]->at, "'for' runs over a range 'a .. b' or lists, but this is %s%s",
                 val_kind_name(e->arena, v),
                 v.kind == VAL_TENSOR ? "; 'scan' runs along a tensor's steps" : "");
        if (!good || lists[i]->count == lists[0]->count) continue;
        fail(e, d->at, "these lists are %d and %d long: 'for' walks through lists of one length",
             lists[0]->count, lists[i]->count);
        good = false;
    }
    return good ? lists[0]->count : -1;
}

/* `for x, y in xs, ys`, or with a name more, which comes first and is the place: `for i, x in xs`. */
static void exec_for_lists(elab *e, ast_stmt *s) {
    const ast_domain *d = &s->as.loop.domain;
    const ast_names *names = &s->as.loop.names;
    const val_list **lists = NEW_ARRAY(e->arena, const val_list *, d->over.count);
    int places = names->count - d->over.count, count = eval_lists(e, d, lists);
    if (places != 0 && places != 1) {
        fail(e, names->at[0].at,
             "%d name%s for %d list%s: 'for' names an element of each, and the place before them "
             "if wanted",
             names->count, names->count == 1 ? "" : "s", d->over.count, d->over.count == 1 ? "" : "s");
        return;
    }
    for (int k = 0; k < count && going_on(e, s); k++) {
        int i = d->reversed ? count - 1 - k : k;
        if (places) bind_name(e, names->at[0].name, val_int(i), names->at[0].at);
        for (int j = 0; j < d->over.count; j++)
            bind_name(e, names->at[j + places].name, lists[j]->at[i], names->at[j + places].at);
        exec_all(e, &s->as.loop.body);
    }
}

static void exec_for(elab *e, ast_stmt *s) {
    if (s->as.loop.domain.from)
        exec_for_range(e, s);
    else
        exec_for_lists(e, s);
}

/* Where a statement may stand. */
static bool allowed(elab *e, const ast_stmt *s) {
    static const char *const words[] = {
        [STMT_INPUT] = "input",   [STMT_OUTPUT] = "output", [STMT_STATE] = "state", [STMT_LABELS] = "labels",
        [STMT_RETURN] = "return", [STMT_YIELD] = "yield",   [STMT_TRAIN] = "train",
    };
    const frame *f = e->frame;
    bool net = block_frame(e)->block->net && !f->body;
    switch (s->kind) {
    case STMT_INPUT:
    case STMT_OUTPUT:
    case STMT_STATE:
    case STMT_LABELS:
    case STMT_TRAIN:
        if (net) return true;
        fail(e, s->at, "'%s' stands only in a net%s", words[s->kind],
             f->body ? ", not in a scan" : ", not in a block");
        return false;
    case STMT_RETURN:
        if (!net && !f->body) return true;
        fail(e, s->at,
             net ? "a net has no 'return': name its results, 'output y = ...'"
                 : "a scan has no 'return': write 'yield' for what each step gives");
        return false;
    case STMT_YIELD:
        if (f->body) return true;
        fail(e, s->at, "'yield' stands only in a scan: it gives one value of every step");
        return false;
    default: return true;
    }
}

static void exec_train(elab *e, const ast_stmt *s) {
    if (!e->train) {
        e->train = s;
        return;
    }
    fail(e, s->at, "this net has a train block already");
    diag_add(e->diags, DIAG_NOTE, e->train->at, "it is here");
}

static void exec(elab *e, ast_stmt *s) {
    if (!allowed(e, s)) return;
    switch (s->kind) {
    case STMT_ASSIGN: exec_assign(e, s); break;
    case STMT_INPUT: exec_input(e, s); break;
    case STMT_OUTPUT: exec_output(e, s); break;
    case STMT_STATE: exec_state(e, s); break;
    case STMT_LABELS: exec_labels(e, s); break;
    case STMT_RETURN:
    case STMT_YIELD: exec_results(e, s); break;
    case STMT_ASSERT: exec_assert(e, s); break;
    case STMT_IF: exec_if(e, s); break;
    case STMT_FOR: exec_for(e, s); break;
    case STMT_TRAIN: exec_train(e, s); break;
    }
}

void exec_all(elab *e, const ast_stmts *statements) {
    if (e->depth >= MAX_EVALUATION) {
        stop(e, e->frame->block->at, "calls and statements nest deeper than %d", MAX_EVALUATION);
        return;
    }
    e->depth++;
    int errors = e->diags->errors;
    for (int i = 0; i < statements->count; i++) {
        ast_stmt *s = statements->at[i];
        bool over = e->frame->returned && !e->frame->body;
        if (over || !tick(e, s->at, 1)) break;
        exec(e, s);
        if (e->frame->prelude && e->diags->errors > errors) { /* one mistake of the caller, one error */
            e->frame->returned = true;
            e->frame->result = val_error();
        }
    }
    e->depth--;
}
