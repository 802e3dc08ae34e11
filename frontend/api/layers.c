/* Gathers rows: every node belongs to the outermost layer around it. */
#include "frontend/api/layers.h"

#include "frontend/api/field.h"
#include "ir/op.h"
#include "ir/ops/scan.h"

#include <math.h>
#include <string.h>

typedef struct gathering {
    arena *arena;
    layer_table *table;
    const field *fields; /* of the net's own values, or NULL */
    int *row_of;         /* by scope's order: its row, or -1 */
} gathering;

const scope *layer_around(const scope *s) {
    const scope *layer = NULL;
    for (; s; s = s->parent)
        if (s->layer) layer = s;
    return layer;
}

static layer_row *new_row(layer_table *t, const char *name, const char *what) {
    layer_row *r = &t->at[t->count++];
    *r = (layer_row){.name = name, .op = what};
    return r;
}

static void set_output(const gathering *g, layer_row *r, const value *v, bool top) {
    r->output = v->shape;
    r->neurons = shape_count(&v->shape);
    for (int k = 0; top && g->fields && k < 2; k++) r->field[k] = (int64_t)ceil(g->fields[v->id].size[k]);
}

static void add_inputs(const gathering *g, const graph *net) {
    for (int k = 0; k < net->inputs.count; k++) {
        const value *v = net->inputs.at[k];
        set_output(g, new_row(g->table, v->name, "input"), v, true);
    }
}

static void add_scopes(gathering *g, const graph *net) {
    for (int k = 0; k < net->scopes.count; k++) {
        const scope *s = net->scopes.at[k];
        g->row_of[k] = -1;
        if (!s->layer || layer_around(s->parent)) continue;
        g->row_of[k] = g->table->count;
        new_row(g->table, s->path, s->block);
    }
}

static layer_row *row_at(const gathering *g, const scope *s) {
    const scope *layer = layer_around(s);
    int row = layer && layer->order >= 0 ? g->row_of[layer->order] : -1;
    return row < 0 ? NULL : &g->table->at[row];
}

/* Bodies of scans run `times` for every sample; a scan itself does no work, what it calls does. */
static void add_nodes(const gathering *g, const graph *part, int64_t times, bool top) {
    for (int i = 0; i < part->nodes.count; i++) {
        const node *n = part->nodes.at[i];
        const graph *body = node_body(n);
        layer_row *r = row_at(g, n->scope);
        int64_t work = node_work(n) * times;
        if (top) g->table->multiply_adds += work;
        if (r) {
            if (!body) r->multiply_adds += work;
            set_output(g, r, n->out[0], top);
            if (!top && g->fields) r->field[0] = r->field[1] = 0;
        }
        if (body) add_nodes(g, body, times * ((const scan_attrs *)n->attrs)->steps, false);
    }
}

/* The layer whose path the parameter's name begins with; of several the longest. */
static layer_row *row_of_param(const gathering *g, const char *name, int inputs) {
    layer_row *best = NULL;
    for (int k = inputs; k < g->table->count; k++) {
        layer_row *r = &g->table->at[k];
        size_t length = strlen(r->name);
        bool in = strncmp(r->name, name, length) == 0 && name[length] == '.';
        if (in && (!best || length > strlen(best->name))) best = r;
    }
    return best;
}

static void add_params(const gathering *g, const graph *net) {
    for (int k = 0; k < net->params.count; k++) {
        const value *v = net->params.at[k];
        if (!v->as.param.trainable) continue;
        int64_t count = shape_count(&v->shape);
        layer_row *r = row_of_param(g, v->name, net->inputs.count);
        g->table->parameters += count;
        if (r) r->parameters += count;
    }
}

/* Layers that made no node of the net: arithmetic on sizes, a reshape to the same shape. */
static void drop_empty(layer_table *t) {
    int kept = 0;
    for (int k = 0; k < t->count; k++)
        if (t->at[k].output.rank || t->at[k].parameters) t->at[kept++] = t->at[k];
    t->count = kept;
}

layer_table layers_of(arena *a, const graph *g) {
    layer_table t = {.at = NEW_ARRAY(a, layer_row, g->inputs.count + g->scopes.count + 1)};
    gathering all = {a, &t, fields_of(a, g), NEW_ARRAY(a, int, g->scopes.count + 1)};
    add_inputs(&all, g);
    add_scopes(&all, g);
    add_nodes(&all, g, 1, true);
    add_params(&all, g);
    drop_empty(&t);
    return t;
}
