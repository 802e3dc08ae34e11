/* Inputs, a session, outputs. */
#include "frontend/cli/compute.h"

#include "frontend/api/describe.h"
#include "frontend/api/inner.h"
#include "ir/base/size.h"

enum { BATCH = 32 };

static bool add_usual(cli *c, const graph *g, strings *layers) {
    const char *names[INNER_USUAL];
    int count = inner_usual(c->arena, g, names);
    for (int k = 0; k < count; k++) strings_add(c->arena, layers, names[k]);
    if (!count) diag_add(c->diags, DIAG_ERROR, (span){0}, "the net has no layer to look at");
    return count;
}

int compute_open(cli *c, opened *o, bool usual) {
    int code = open_graph(c, o);
    strings *layers = &c->settings.layers;
    bool good = code || !usual || layers->count || add_usual(c, o->graph, layers);
    for (int k = 0; !code && k < layers->count; k++) good &= inner_output(o->graph, layers->at[k], c->diags);
    if (code || !good) return code ? code : CLI_BAD_INPUT;
    if (layers->count) describe_graph(&o->net, c->arena, o->graph);
    return CLI_OK;
}

/* Operands behind the net are more inputs: `--input *.jpg` comes as one option and many operands. */
int compute_inputs(cli *c, const net *n, inputs *in) {
    strings *given = &c->settings.inputs;
    int64_t random = c->settings.batch ? c->settings.batch : 1;
    for (int k = 1; k < c->operands.count; k++) strings_add(c->arena, given, c->operands.at[k]);
    return inputs_read(in, c->arena, n, given->at, given->count, random, c->diags) ? CLI_OK : CLI_BAD_INPUT;
}

static bool make_outputs(cli *c, const net *n, results *r) {
    r->outputs = NEW_ARRAY(c->arena, void *, n->output_count + 1);
    for (int k = 0; k < n->output_count; k++) {
        const net_tensor *t = &n->outputs[k];
        int64_t count;
        if (!size_mul(t->batched ? r->in->samples : 1, t->count, &count))
            return diag_file(c->diags, "--input",
                             "%lld samples of output '%s' are more than any memory holds",
                             (long long)r->in->samples, t->name);
        r->outputs[k] = arena_alloc(c->arena, (size_t)count, sizeof(float));
    }
    return true;
}

static int64_t batch_of(const cli *c, int64_t samples) {
    int64_t most = c->settings.batch ? c->settings.batch : BATCH;
    return samples < most ? samples : most;
}

int compute_outputs(cli *c, opened *o, results *r) {
    int code = open_session(c, o, batch_of(c, r->in->samples));
    if (code) return code;
    bool good = make_outputs(c, &o->net, r) &&
                session_run(&o->session, r->in->samples, r->in->data, r->outputs, c->diags);
    return good ? CLI_OK : CLI_BAD_INPUT;
}
