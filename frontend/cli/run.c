/* netc run: a net on pictures or arrays. */
#include "frontend/cli/results.h"
#include "ir/base/size.h"

enum { BATCH = 32, TOP = 5 };

static const option options[] = {
    {OPTION(inputs, "input", "[NAME=]FILE", OPTION_LIST, "picture or .npy; random:SEED fills what is left")},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    {OPTION(outputs, "output", "[NAME=]FILE", OPTION_LIST, "save an output (the first) as .npy")},
    {OPTION(top, "top", "K", OPTION_COUNT, "how many classes to print; else 5"), .least = 1, .most = 1000000},
    OPTION_JSON,
    OPTION_BACKEND,
    OPTION_TARGET,
    OPTION_THREADS,
    OPTION_BATCH("samples computed at once; random ones made"),
    OPTION_DEFINE,
    OPTION_SET,
    OPTION_NET,
    OPTION_PASSES,
    OPTION_EXACT,
    {0},
};

/* Operands behind the net are more inputs: `--input *.jpg` comes as one option and many operands. */
static bool read_inputs(cli *c, const net *n, inputs *in) {
    strings *given = &c->settings.inputs;
    for (int k = 1; k < c->operands.count; k++) strings_add(c->arena, given, c->operands.at[k]);
    return inputs_read(in, c->arena, n, given->at, given->count, c->settings.batch ? c->settings.batch : 1,
                       c->diags);
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

static int compute(cli *c, opened *o, const inputs *in) {
    results r = {.net = &o->net, .in = in, .top = c->settings.top ? (int)c->settings.top : TOP};
    int code = open_session(c, o, batch_of(c, in->samples));
    if (code) return code;
    if (!make_outputs(c, &o->net, &r) ||
        !session_run(&o->session, in->samples, in->data, r.outputs, c->diags) || !results_save(c, &r))
        return CLI_BAD_INPUT;
    if (c->settings.json) return results_json(c, &r);
    results_print(c, &r);
    return CLI_OK;
}

static int run(cli *c) {
    opened o;
    inputs in;
    int code = open_graph(c, &o);
    if (code) return code;
    code = open_weights(c, &o, true);
    if (!code && !read_inputs(c, &o.net, &in))
        code = CLI_BAD_INPUT;
    else if (!code) {
        code = compute(c, &o, &in);
        inputs_close(&in);
    }
    opened_close(&o);
    return code;
}

const command run_command = {
    .name = "run",
    .summary = "Runs a net on pictures or arrays and prints what it says",
    .usage = "run FILE.net [OPTION]... [INPUT]...",
    .example = "  netc run resnet18.net --weights w.safetensors --input cat.jpg --top 5\n",
    .options = options,
    .least = 1,
    .most = -1,
    .operands = "FILE.net",
    .run = run,
};
