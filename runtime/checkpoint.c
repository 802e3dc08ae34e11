/* Checkpoints are safetensors: moments as "netc.moment.NAME", numbers of one element each, results as a table. */
#include "runtime/checkpoint.h"

#include "ir/base/guard.h"
#include "runtime/scratch.h"
#include "runtime/shown.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(train_row) == ROW_NUMBERS * sizeof(double), "rows are numbers without gaps");
static_assert(sizeof(net_optimizer) % sizeof(float) == 0, "moments follow the header");

static const char results_name[] = "netc.results", moment_prefix[] = "netc.moment.";
static const int64_t one[] = {1};

/* Single numbers, all of eight bytes. */
typedef struct field {
    const char *name;
    element_type type;
    size_t offset;
} field;

static const field optimizer_fields[] = {{"netc.step", EL_U64, offsetof(net_optimizer, step)},
                                         {"netc.seed", EL_U64, offsetof(net_optimizer, seed)}};

static const field state_fields[] = {
    {"netc.began", EL_F64, offsetof(train_state, began)},
    {"netc.steps", EL_I64, offsetof(train_state, steps)},
    {"netc.epoch", EL_I64, offsetof(train_state, epoch)},
    {"netc.position", EL_I64, offsetof(train_state, position)},
    {"netc.samples", EL_I64, offsetof(train_state, sums.samples)},
    {"netc.answers", EL_I64, offsetof(train_state, sums.answers)},
    {"netc.correct", EL_I64, offsetof(train_state, sums.correct)},
    {"netc.loss", EL_F64, offsetof(train_state, sums.loss)},
    {"netc.seconds", EL_F64, offsetof(train_state, seconds)},
    {"netc.epoch_seconds", EL_F64, offsetof(train_state, epoch_seconds)},
    {"netc.best", EL_F64, offsetof(train_state, best)},
    {"netc.best_epoch", EL_I64, offsetof(train_state, best_epoch)},
};

enum {
    OPTIMIZER_FIELDS = sizeof optimizer_fields / sizeof *optimizer_fields,
    STATE_FIELDS = sizeof state_fields / sizeof *state_fields,
    FIELD_BYTES = 8
};

net_optimizer *net_optimizer_new(const net *n, uint64_t seed, diags *d) {
    int64_t bytes = (int64_t)sizeof(net_optimizer) + n->moment_values * (int64_t)sizeof(float);
    net_optimizer *o = net_memory(bytes, "the optimizer's moments", d);
    if (!o) return NULL;
    memset(o, 0, (size_t)bytes);
    o->seed = seed;
    return o;
}

float *net_optimizer_moments(net_optimizer *o) {
    return (float *)(o + 1);
}

/* ---- writing ---- */

typedef VEC(stored_tensor) tensor_list;

static void add_params(tensor_list *to, arena *a, const net *n, const float *params) {
    for (int k = 0; k < n->param_count; k++) VEC_PUSH(a, to, *params_list(a, &n->params[k].at, 1, params));
}

static void add_moments(tensor_list *to, arena *a, const checkpoint *c) {
    for (int k = 0; k < c->net->moment_count; k++) {
        stored_tensor *s = params_list(a, &c->net->moments[k].at, 1, net_optimizer_moments(c->optimizer));
        s->name = arena_printf(a, "%s%s", moment_prefix, s->name);
        VEC_PUSH(a, to, *s);
    }
}

static void add_fields(tensor_list *to, arena *a, const field *fields, int count, const void *from) {
    for (int k = 0; k < count; k++) {
        stored_tensor s = {
            .name = fields[k].name, .type = fields[k].type, .rank = 1, .dims = one, .count = 1};
        s.bytes = FIELD_BYTES;
        s.data = (const unsigned char *)from + fields[k].offset;
        VEC_PUSH(a, to, s);
    }
}

static void add_results(tensor_list *to, arena *a, const train_state *s) {
    int64_t *dims = NEW_ARRAY(a, int64_t, 2);
    dims[0] = s->rows.count;
    dims[1] = ROW_NUMBERS;
    stored_tensor t = {.name = results_name, .type = EL_F64, .rank = 2, .dims = dims};
    t.count = dims[0] * dims[1];
    t.bytes = (size_t)s->rows.count * sizeof(train_row);
    t.data = (const unsigned char *)s->rows.at;
    VEC_PUSH(a, to, t);
}

typedef struct saving {
    const char *path;
    const checkpoint *checkpoint;
} saving;

static bool save(diags *d, void *context) {
    const saving *s = context;
    const checkpoint *c = s->checkpoint;
    arena *a = d->arena;
    tensor_list list = {0};
    add_params(&list, a, c->net, c->params);
    if (c->optimizer) add_moments(&list, a, c);
    if (c->optimizer) add_fields(&list, a, optimizer_fields, OPTIMIZER_FIELDS, c->optimizer);
    if (c->state) add_fields(&list, a, state_fields, STATE_FIELDS, c->state);
    if (c->state) add_results(&list, a, c->state);
    return tensors_save_safetensors(s->path, list.at, list.count, c->facts, d);
}

bool checkpoint_save(const char *path, const checkpoint *c, diags *d) {
    return scratch_run(save, &(saving){path, c}, path, d);
}

bool checkpoint_save_weights(const char *path, const net *n, const float *params, diags *d) {
    checkpoint c = {.net = n, .params = (float *)(uintptr_t)params}; /* which saving reads only */
    return checkpoint_save(path, &c, d);
}

/* ---- reading ---- */

static bool refuse(const tensors *t, diags *d, const char *name) {
    return diag_file(d, t->path, "'%s' is missing or misshapen: this is no checkpoint of a run of this netc",
                     name);
}

static bool read_fields(const tensors *t, const field *fields, int count, void *to, diags *d) {
    for (int k = 0; k < count; k++) {
        const stored_tensor *s = tensors_find(t, fields[k].name);
        if (!s || s->type != fields[k].type || s->count != 1) return refuse(t, d, fields[k].name);
        memcpy((char *)to + fields[k].offset, s->data, FIELD_BYTES);
    }
    return true;
}

static bool same_dims(const stored_tensor *s, const param *p) {
    if (s->rank != p->rank || s->count != p->count) return false;
    for (int k = 0; k < p->rank; k++)
        if (s->dims[k] != p->dims[k]) return false;
    return true;
}

static bool read_moments(const tensors *t, const checkpoint *c, diags *d) {
    float *moments = net_optimizer_moments(c->optimizer);
    for (int k = 0; k < c->net->moment_count; k++) {
        const param *p = &c->net->moments[k].at;
        const char *name = arena_printf(d->arena, "%s%s", moment_prefix, p->name);
        const stored_tensor *s = tensors_find(t, name);
        if (!s || s->type != EL_F32 || !same_dims(s, p)) return refuse(t, d, name);
        if (s->bytes) memcpy(moments + p->offset, s->data, s->bytes);
    }
    return true;
}

static bool read_results(const tensors *t, train_state *s, diags *d) {
    const stored_tensor *r = tensors_find(t, results_name);
    if (!r || r->type != EL_F64 || r->rank != 2 || r->dims[1] != ROW_NUMBERS || r->dims[0] != s->epoch)
        return refuse(t, d, results_name);
    for (int64_t k = 0; k < s->epoch; k++) {
        train_row row;
        memcpy(&row, r->data + (size_t)k * sizeof row, sizeof row);
        VEC_PUSH(d->arena, &s->rows, row);
    }
    return true;
}

static bool read_state(const tensors *t, train_state *s, diags *d) {
    if (!read_fields(t, state_fields, STATE_FIELDS, s, d)) return false;
    bool sound = s->epoch >= 0 && s->position >= 0 && s->position <= s->steps && s->sums.samples >= 0 &&
                 s->sums.answers >= 0 && s->sums.correct >= 0 && s->best_epoch >= 0 &&
                 s->best_epoch <= s->epoch;
    if (!sound) return diag_file(d, t->path, "its counts make no sense: this is no checkpoint of netc");
    return read_results(t, s, d);
}

/* All facts that differ at once. */
static bool check_facts(const tensors *t, const char *const *facts, diags *d) {
    bool told = false;
    for (int k = 0; facts && facts[k]; k += 2) {
        const char *was = tensors_metadata(t, facts[k]);
        if (was && strcmp(was, facts[k + 1]) == 0) continue;
        if (!told)
            diag_file(d, t->path,
                      "this checkpoint is of another run; go on as it was begun, or start elsewhere");
        told = true;
        diag_add(d, DIAG_NOTE, (span){0}, "%s was %s, and is now %s", facts[k] + strlen("netc."),
                 was ? shown(d->arena, was, strlen(was)) : "not told", facts[k + 1]);
    }
    return !told;
}

static bool read_all(const tensors *t, checkpoint *c, diags *d) {
    const net *n = c->net;
    if (!tensors_find(t, optimizer_fields[0].name))
        return diag_file(d, t->path, "this is no checkpoint: it holds weights alone, which --weights takes");
    if (!check_facts(t, c->facts, d)) return false;
    param *table = NEW_ARRAY(d->arena, param, n->param_count + 1);
    for (int k = 0; k < n->param_count; k++) table[k] = n->params[k].at;
    return params_load(t, table, n->param_count, c->params, d->arena, d) && read_moments(t, c, d) &&
           read_fields(t, optimizer_fields, OPTIMIZER_FIELDS, c->optimizer, d) &&
           (!c->state || read_state(t, c->state, d));
}

typedef struct loading {
    tensors file;
    checkpoint *checkpoint;
    diags *diags;
} loading;

static bool load(void *context) {
    const loading *l = context;
    return read_all(&l->file, l->checkpoint, l->diags);
}

static void close_file(void *context) {
    loading *l = context;
    tensors_close(&l->file);
}

bool checkpoint_load(const char *path, checkpoint *c, diags *d) {
    loading l = {.checkpoint = c, .diags = d};
    if (!tensors_open(&l.file, d->arena, path, d)) return false;
    bool good = guard_undo(d->arena, load, close_file, &l);
    tensors_close(&l.file);
    return good;
}
