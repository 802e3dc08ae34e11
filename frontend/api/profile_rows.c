/* Calls gathered by the layers of the text that they compute: whose work, which bytes, how far from the floor. */
#include "frontend/api/layers.h"
#include "frontend/api/profile.h"
#include "ir/ops/list.h"

#include <stdlib.h>
#include <string.h>

const char *const profile_phases[PHASES] = {"forward", "backward", "update"};

typedef struct gathered {
    profile_row row;
    VEC(const char *) layers;
    VEC(int) calls;
    int64_t largest; /* work of row.op */
    int64_t bytes;   /* of the call that is largest where none has work */
} gathered;

typedef struct gathering {
    const profile *profile;
    arena *arena;
    layer_table layers; /* of the net as the text has it */
    VEC(gathered *) rows;
    const node *last; /* a node's calls follow one another */
} gathering;

/* ---- whose call it is ---- */

static const char *layer_name(const scope *s) {
    const scope *layer = layer_around(s);
    return layer && layer->path && *layer->path ? layer->path : NULL;
}

/* The layer that a parameter or moment belongs to: the longest whose name begins its own. */
static const char *owner(const gathering *g, const char *parameter) {
    const char *best = NULL;
    for (int k = 0; parameter && k < g->layers.count; k++) {
        const char *name = g->layers.at[k].name;
        size_t length = strlen(name);
        bool in = strncmp(name, parameter, length) == 0 && parameter[length] == '.';
        if (in && (!best || length > strlen(best))) best = name;
    }
    return best;
}

/* What an update writes, or NULL: only these have no layer and write what is trained. */
static const buffer *written(const call *c) {
    for (int k = 0; k < c->args; k++) {
        const call_arg *a = &c->arg[k];
        bool writes = a->kind == ARG_BUFFER && c->kernel->param[k + 2].type.writes;
        if (writes && (a->buffer->area == AREA_PARAMS || a->buffer->area == AREA_MOMENTS)) return a->buffer;
    }
    return NULL;
}

static const char *input_name(const node *n) {
    for (int k = 0; n && k < n->inputs; k++)
        if (n->in[k]->kind == VALUE_INPUT) return n->in[k]->name;
    return NULL;
}

static const char *name_of(const gathering *g, const profile_call *c) {
    const node *n = c->call->node;
    const buffer *trained = c->entry == ENTRY_UPDATE ? written(c->call) : NULL;
    const char *name = n ? layer_name(n->scope) : NULL;
    if (!name && trained) name = owner(g, trained->name);
    for (int k = 0; n && !name && k < n->origin.count; k++) name = layer_name(n->origin.at[k]->scope);
    if (!name && c->entry == ENTRY_FORWARD) name = input_name(n);
    if (!name && c->entry != ENTRY_FORWARD) name = "loss";
    return name ? name : n ? n->op->name : c->call->kernel->name;
}

static profile_phase phase_of(const profile_call *c) {
    if (c->entry != ENTRY_UPDATE) return PHASE_FORWARD;
    bool plain = !c->call->node || !node_work(c->call->node);
    return plain && written(c->call) ? PHASE_UPDATE : PHASE_BACKWARD;
}

static gathered *row_of(gathering *g, const profile_call *c) {
    const char *name = name_of(g, c);
    profile_phase phase = phase_of(c);
    for (int k = 0; k < g->rows.count; k++)
        if (g->rows.at[k]->row.phase == phase && strcmp(g->rows.at[k]->row.name, name) == 0)
            return g->rows.at[k];
    gathered *r = NEW(g->arena, gathered);
    r->row = (profile_row){.name = name, .phase = phase};
    VEC_PUSH(g->arena, &g->rows, r);
    return r;
}

static void add_layer(gathering *g, gathered *r, const char *name) {
    for (int k = 0; k < r->layers.count; k++)
        if (strcmp(r->layers.at[k], name) == 0) return;
    VEC_PUSH(g->arena, &r->layers, name);
}

/* ---- what it takes ---- */

static int value_bytes(const gathering *g, const value *v) {
    return v->type == DT_U8 ? 1 : v->type == DT_I32 ? 4 : kbase_bytes(g->profile->program->real);
}

/* Of all samples; what loops around read again is counted once. */
static int64_t bytes_of_value(const gathering *g, const value *v, int64_t times) {
    bool batched = shape_batched(&v->shape);
    int64_t each = layout_count(&v->layout, &v->shape) * value_bytes(g, v);
    return batched ? each * g->profile->program->max_batch * times : each;
}

static bool met_before(const node *n, int k) {
    for (int j = 0; j < k; j++)
        if (n->in[j] == n->in[k]) return true;
    return false;
}

static int64_t bytes_of(const gathering *g, const node *n, int64_t times) {
    int64_t sum = 0;
    for (int k = 0; k < n->inputs; k++)
        if (n->in[k]->kind != VALUE_CONST && !met_before(n, k)) sum += bytes_of_value(g, n->in[k], times);
    for (int k = 0; k < n->outputs; k++) sum += bytes_of_value(g, n->out[k], times);
    return sum;
}

/* A scan's own calls only move its carries. */
static void add_node(gathering *g, gathered *r, const profile_call *c) {
    const node *n = c->call->node;
    if (!n || n == g->last) return;
    int64_t work = n->op == &op_scan ? 0 : node_work(n) * g->profile->program->max_batch * c->times;
    int64_t bytes = bytes_of(g, n, c->times);
    r->row.multiply_adds += work;
    r->row.bytes += bytes;
    if (!r->row.op || work > r->largest || (!r->largest && bytes > r->bytes)) {
        r->row.op = n->op->name;
        r->row.way = n->choice ? n->choice->name : "";
        r->bytes = bytes;
    }
    if (work > r->largest) r->largest = work;
    add_layer(g, r, r->row.name);
    for (int k = 0; k < n->origin.count; k++) {
        const char *name = layer_name(n->origin.at[k]->scope);
        if (name) add_layer(g, r, name);
    }
    g->last = n;
}

static void add_call(gathering *g, int number) {
    const profile_call *c = &g->profile->calls[number];
    gathered *r = row_of(g, c);
    VEC_PUSH(g->arena, &r->calls, number);
    add_node(g, r, c);
}

/* ---- rows ---- */

static profile_row finished(const gathering *g, gathered *from, const speed *machine) {
    profile_row r = from->row;
    r.layers = from->layers.at;
    r.layer_count = from->layers.count;
    r.calls = from->calls.at;
    r.call_count = from->calls.count;
    r.ms = profile_median(g->profile, r.calls, r.call_count);
    double flops = 2 * (double)r.multiply_adds;
    double busy = machine->gflops > 0 ? flops / machine->gflops * 1e-6 : 0;
    double moved = machine->gbs > 0 ? (double)r.bytes / machine->gbs * 1e-6 : 0;
    r.gflops = r.ms > 0 ? flops / r.ms * 1e-6 : 0;
    r.floor = busy > moved ? busy : moved;
    return r;
}

profile_table profile_rows(const profile *p, arena *a, const graph *g, const speed *machine) {
    gathering all = {.profile = p, .arena = a, .layers = layers_of(a, g)};
    for (int k = 0; k < p->count; k++) {
        if (k && p->calls[k].entry != p->calls[k - 1].entry) all.last = NULL;
        add_call(&all, k);
    }
    profile_table t = {.at = NEW_ARRAY(a, profile_row, all.rows.count + 1)};
    double sum = 0;
    for (int phase = 0; phase < PHASES; phase++)
        for (int k = 0; k < all.rows.count; k++)
            if (all.rows.at[k]->row.phase == (profile_phase)phase)
                t.at[t.count++] = finished(&all, all.rows.at[k], machine);
    for (int k = 0; k < t.count; k++) sum += t.at[k].ms;
    for (int k = 0; k < t.count; k++) t.at[k].share = sum > 0 ? t.at[k].ms / sum : 0;
    return t;
}

int64_t profile_bytes(const profile *p) {
    const program *q = p->program;
    return p->calls && p->count && p->calls[0].entry == ENTRY_FORWARD
               ? q->packed_bytes + q->workspace_bytes
               : q->params_bytes + q->moments_bytes + q->step_bytes;
}
