/* netc verify: a net on two backends, layer by layer, or against float64. */
#include "frontend/api/verify.h"

#include "frontend/cli/json.h"
#include "runtime/inputs.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

static const double BETWEEN = 1e-5, AGAINST_DOUBLE = 1e-4; /* shares of the largest value */

static const option options[] = {
    {OPTION(backend, "backend", "A,B", OPTION_TEXT, "which two: llvm, c, interp; else the first and interp")},
    {OPTION(error, "error", NULL, OPTION_FLAG, "hold the outputs of one against float64 instead")},
    {OPTION(tolerance, "tolerance", "X", OPTION_REAL, "share of the largest value; else 1e-5, 1e-4")},
    {OPTION(inputs, "input", "[NAME=]FILE", OPTION_LIST, "picture or .npy; else random numbers")},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    OPTION_JSON,
    OPTION_CACHE,
    OPTION_TARGET,
    OPTION_THREADS,
    OPTION_BATCH("random samples made"),
    OPTION_DEFINE,
    OPTION_SET,
    OPTION_NET,
    OPTION_PASSES,
    OPTION_EXACT,
    {0},
};

/* ---- what is asked for ---- */

/* "A,B", "A" or nothing. */
static bool find_backends(cli *c, const executor *e[2]) {
    const char *given = c->settings.backend, *comma = given ? strchr(given, ',') : NULL;
    bool one = c->settings.error;
    e[0] = executor_find(comma ? arena_text(c->arena, given, (size_t)(comma - given)) : given, c->diags);
    e[1] = comma ? executor_find(comma + 1, c->diags) : &interp_executor;
    if (!e[0] || !e[1]) return false;
    if (one && comma)
        cli_misuse(c, "--error holds one backend against float64: --backend %s", e[0]->name);
    else if (!one && e[0] == e[1])
        cli_misuse(c, "%s is held against itself: name two backends, as in --backend llvm,interp",
                   e[0]->name);
    else
        return true;
    return false;
}

static bool is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static int open_net(cli *c, opened *o) {
    if (is_folder(c->operands.at[0])) {
        diag_file(
            c->diags, c->operands.at[0],
            "this is a folder: this netc cannot read ONNX's test folders, whose models it does not import; "
            "give a .net text");
        return CLI_BAD_INPUT;
    }
    int code = open_graph(c, o);
    if (!code && !c->settings.weights && !c->settings.seed.given)
        c->settings.seed = (seed){.given = true, .number = 1};
    return code ? code : open_weights(c, o, true);
}

static int read_inputs(cli *c, const net *n, inputs *in) {
    strings *given = &c->settings.inputs;
    for (int k = 1; k < c->operands.count; k++) strings_add(c->arena, given, c->operands.at[k]);
    if (!given->count) strings_add(c->arena, given, "random:1");
    int64_t random = c->settings.batch ? c->settings.batch : 1;
    return inputs_read(in, c->arena, n, given->at, given->count, random, c->diags) ? CLI_OK : CLI_BAD_INPUT;
}

/* ---- what is said ---- */

/* "[0,3,4,5]": the place of the number among all samples'. */
static const char *index_text(arena *a, const verify_row *r) {
    int64_t at[MAX_RANK], left = r->where;
    text t = text_in(a);
    for (int k = r->shape.rank - 1; k >= 0; k--) {
        bool batch = k == 0 && shape_batched(&r->shape);
        at[k] = batch ? left : left % r->shape.dim[k];
        left = batch ? 0 : left / r->shape.dim[k];
    }
    for (int k = 0; k < r->shape.rank; k++) text_printf(&t, k ? ",%lld" : "%lld", (long long)at[k]);
    return arena_printf(a, "[%s]", t.length ? t.at : "");
}

static const verify_row *worst_of(const verify_table *t, int begin, int end) {
    const verify_row *worst = begin < end ? &t->at[begin] : NULL;
    for (int k = begin; k < end; k++)
        if (t->at[k].apart > worst->apart) worst = &t->at[k];
    return worst;
}

static void tell_apart(cli *c, const verify_table *t, const verify_row *r, const char *const names[2],
                       double tolerance) {
    bool layer = r < t->at + t->layers, fused = t->layers && !layer;
    diag_add(c->diags, DIAG_ERROR, r->at,
             "%s '%s'%s%s%s differs by %.2g of its largest value, %.6g: at %s %s says %.9g and %s %.9g; "
             "allowed is %g%s",
             layer ? "layer" : "output", r->name, layer ? " (" : "", layer ? r->op : "", layer ? ")" : "",
             r->apart, r->largest, index_text(c->arena, r), names[0], r->first, names[1], r->second,
             tolerance, fused ? "; every layer by itself agrees, so it is in how they are fused" : "");
}

static void print_agreement(const opened *o, const verify_table *t, const char *const names[2]) {
    const verify_row *layer = worst_of(t, 0, t->layers), *output = worst_of(t, t->layers, t->count);
    if (layer)
        printf("%s: %s and %s agree on %d layers: at most %.2g of a layer's largest value apart, in %s\n",
               o->net.name, names[0], names[1], t->layers, layer->apart, layer->name);
    if (output)
        printf("%s: the outputs of %s are at most %.2g of the largest value from those of %s, in %s\n",
               o->net.name, names[0], output->apart, names[1], output->name);
}

static json_t *json_of_row(cli *c, const verify_row *r) {
    int line = 0, column = 0;
    json_t *j = json_object();
    json_object_set_new(j, "name", json_of_text(c->arena, r->name));
    if (r->at.source) {
        span_place(r->at, &line, &column);
        json_object_set_new(j, "op", json_of_text(c->arena, r->op));
        json_object_set_new(j, "line", json_integer(line));
    }
    json_object_set_new(j, "largest", json_of_real(r->largest));
    json_object_set_new(j, "apart", json_of_real(r->apart));
    return j;
}

static int print_json(cli *c, const opened *o, const verify_table *t, const char *const names[2],
                      bool agree) {
    json_t *all = json_object(), *layers = json_array(), *outputs = json_array();
    for (int k = 0; k < t->count; k++)
        json_array_append_new(k < t->layers ? layers : outputs, json_of_row(c, &t->at[k]));
    json_object_set_new(all, "net", json_of_text(c->arena, o->net.name));
    json_object_set_new(all, "backends", json_pack("[ss]", names[0], names[1]));
    json_object_set_new(all, "agree", json_boolean(agree));
    json_object_set_new(all, "layers", layers);
    json_object_set_new(all, "outputs", outputs);
    return cli_json(c, all);
}

/* ---- the command ---- */

static int compare(cli *c, const opened *o, const executor *const e[2], const inputs *in) {
    verify_table t;
    verify_options v = {.params = o->params, .samples = in->samples, .inputs = in->data};
    v.run = (executor_options){.threads = (int)c->settings.threads, .no_cache = c->settings.no_cache};
    int code = compile_settings(c, &v.run.compile);
    bool error = c->settings.error, given = c->settings.tolerance.given;
    const char *const names[2] = {e[0]->name, error ? "float64" : e[1]->name};
    double tolerance = given ? c->settings.tolerance.number : error ? AGAINST_DOUBLE : BETWEEN;
    if (code) return code;
    if (!(tolerance >= 0)) return cli_misuse(c, "--tolerance is a share of the largest value: 0 or more");
    cli_report(c);
    waiting_begin(&c->waiting,
                  arena_printf(c->arena, "running %s on %s and %s", o->net.name, names[0], names[1]));
    bool good = error ? verify_error(&t, c->arena, o->graph, e[0], &v, c->diags)
                      : verify_backends(&t, c->arena, o->graph, e[0], e[1], &v, c->diags);
    waiting_end(&c->waiting);
    if (!good) return CLI_BAD_INPUT;
    const verify_row *apart = verify_first(&t, tolerance);
    if (apart) tell_apart(c, &t, apart, names, tolerance);
    if (c->settings.json)
        code = print_json(c, o, &t, names, !apart);
    else if (!apart)
        print_agreement(o, &t, names);
    return apart ? CLI_BAD_INPUT : code;
}

static int run(cli *c) {
    opened o = {0};
    inputs in;
    const executor *e[2];
    if (!find_backends(c, e)) return CLI_USAGE;
    int code = open_net(c, &o);
    if (!code) code = read_inputs(c, &o.net, &in);
    if (!code) {
        code = compare(c, &o, e, &in);
        inputs_close(&in);
    }
    opened_close(&o);
    return code;
}

const command verify_command = {
    .name = "verify",
    .summary = "Holds two backends against each other, layer by layer",
    .usage = "verify FILE.net [OPTION]... [INPUT]...",
    .example = "  netc verify resnet18.net --backend llvm,interp\n"
               "  netc verify resnet18.net --weights w.safetensors --input cat.jpg --error\n",
    .options = options,
    .least = 1,
    .most = -1,
    .operands = "FILE.net",
    .run = run,
};
