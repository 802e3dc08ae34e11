/* netc features: what layers give, as a picture. */
#include "frontend/api/inner.h"
#include "frontend/cli/compute.h"
#include "runtime/maps.h"

#include <string.h>

static const option options[] = {
    {.letter = 'o',
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(settings, out),
     .help = "the picture to write: .png or .svg"},
    {OPTION(inputs, "input", "[NAME=]FILE", OPTION_LIST, "picture or .npy of one sample; or random:SEED")},
    OPTION_LAYER("a layer, as 'show' names it; else conv and pooling"),
    {OPTION(maps, "maps", "N", OPTION_COUNT, "the most maps of a layer; else 20"), .least = 1, .most = 65536},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    OPTION_BACKEND,
    OPTION_CACHE,
    OPTION_THREADS,
    OPTION_DEFINE,
    OPTION_NET,
    {0},
};

static bool is_picture(const char *path) {
    size_t length = strlen(path);
    return length > 4 && (strcmp(path + length - 4, ".png") == 0 || strcmp(path + length - 4, ".svg") == 0);
}

/* Numbers of any output as floats. */
static const float *floats_of(cli *c, const net_tensor *t, const void *data) {
    if (t->type != NET_I32) return data;
    float *to = NEW_ARRAY(c->arena, float, t->count);
    for (int64_t k = 0; k < t->count; k++) to[k] = (float)((const int32_t *)data)[k];
    return to;
}

/* The outputs that --layer added stand last. */
static int draw(cli *c, const results *r) {
    int count = c->settings.layers.count, first = r->net->output_count - count;
    maps_value *values = NEW_ARRAY(c->arena, maps_value, count);
    for (int k = 0; k < count; k++) {
        const net_tensor *t = &r->net->outputs[first + k];
        values[k] = (maps_value){t->name, t->rank, t->dims, floats_of(c, t, r->outputs[first + k])};
    }
    int most = c->settings.maps ? (int)c->settings.maps : MAPS_SHOWN;
    return maps_draw(c->settings.out, values, count, most, c->diags) ? CLI_OK : CLI_BAD_INPUT;
}

static int compute(cli *c, opened *o, const inputs *in) {
    results r = {.net = &o->net, .in = in};
    if (in->samples != 1)
        return diag_file(c->diags, "--input", "a picture shows one sample, not %lld: give one file",
                         (long long)in->samples),
               CLI_BAD_INPUT;
    int code = compute_outputs(c, o, &r);
    return code ? code : draw(c, &r);
}

static int run(cli *c) {
    opened o;
    inputs in;
    if (!c->settings.out) return cli_misuse(c, "say what to write: -o maps.png");
    if (!is_picture(c->settings.out))
        return cli_misuse(c, "-o %s: pictures are .png or .svg", c->settings.out);
    int code = compute_open(c, &o, true);
    if (!code) code = open_weights(c, &o, true);
    if (!code) code = compute_inputs(c, &o.net, &in);
    if (!code) {
        code = compute(c, &o, &in);
        inputs_close(&in);
    }
    opened_close(&o);
    return code;
}

const command features_command = {
    .name = "features",
    .summary = "Draws what layers make of a picture",
    .usage = "features FILE.net [OPTION]... -o FILE.png",
    .example = "  netc features lenet5.net --weights w.safetensors --input 7.png -o maps.png\n",
    .options = options,
    .least = 1,
    .most = -1,
    .operands = "FILE.net",
    .run = run,
};
