/* netc run: a net on pictures or arrays. */
#include "frontend/cli/compute.h"
#include "frontend/cli/generate.h"

enum { TOP = 5 };

static const option options[] = {
    {OPTION(inputs, "input", "[NAME=]FILE", OPTION_LIST, "picture or .npy; random:SEED fills what is left")},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    {OPTION(outputs, "output", "[NAME=]FILE", OPTION_LIST,
            "save an output (the first --layer or output) as .npy")},
    OPTION_LAYER("this layer's output too, by the name that 'show' has"),
    {OPTION(top, "top", "K", OPTION_COUNT, "how many classes to print; else 5"), .least = 1, .most = 1000000},
    {OPTION(generate, "generate", "N", OPTION_COUNT, "write N characters of text, with a net of characters"),
     .least = 1, .most = 1000000000},
    {OPTION(prompt, "prompt", "TEXT", OPTION_TEXT, "what that text begins with; else a new line")},
    {OPTION(temperature, "temperature", "T", OPTION_REAL, "below 1 bolder, above 1 wilder; 0: the likeliest"),
     .rare = true},
    {OPTION(text_seed, "seed-text", "N", OPTION_SEED, "another text for another N; else 0"), .rare = true},
    OPTION_JSON,
    OPTION_BACKEND,
    OPTION_CACHE,
    OPTION_TARGET,
    OPTION_THREADS,
    OPTION_BATCH("samples computed at once; random ones made"),
    OPTION_DEFINE,
    OPTION_SET,
    OPTION_NET,
    OPTION_TUNE,
    OPTION_PASSES,
    OPTION_EXACT,
    {0},
};

static int compute(cli *c, opened *o, const inputs *in) {
    results r = {.net = &o->net, .in = in, .top = c->settings.top ? (int)c->settings.top : TOP};
    if (c->settings.layers.count) r.first = o->net.output_count - c->settings.layers.count;
    int code = compute_outputs(c, o, &r);
    if (code) return code;
    if (!results_save(c, &r)) return CLI_BAD_INPUT;
    if (c->settings.json) return results_json(c, &r);
    results_print(c, &r);
    return CLI_OK;
}

static int run_inputs(cli *c, opened *o) {
    inputs in;
    int code = compute_inputs(c, &o->net, &in);
    if (code) return code;
    code = compute(c, o, &in);
    inputs_close(&in);
    return code;
}

static int run(cli *c) {
    opened o = {0};
    int code = generate_misuse(c);
    if (!code) code = compute_open(c, &o, false);
    if (!code) code = open_weights(c, &o, true);
    if (!code) code = c->settings.generate ? generate_text(c, &o) : run_inputs(c, &o);
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
