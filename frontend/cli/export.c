/* netc export: weights as other programs read them. */
#include "frontend/cli/cli.h"
#include "runtime/save.h"

static const option options[] = {
    {.letter = 'o',
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(settings, out),
     .help = "where to write: .pt, .pth, .safetensors, .npz"},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    OPTION_DEFINE,
    OPTION_NET,
    {0},
};

static int run(cli *c) {
    opened o;
    if (!c->settings.out) return cli_misuse(c, "say what to write: -o w.pt");
    const save_kind *kind = save_kind_of(c->settings.out, c->diags);
    if (!kind) return CLI_USAGE;
    int code = open_graph(c, &o);
    if (!code) code = open_weights(c, &o, true);
    if (!code) {
        param *table = NEW_ARRAY(c->arena, param, o.net.param_count + 1);
        for (int k = 0; k < o.net.param_count; k++) table[k] = o.net.params[k].at;
        const stored_tensor *list = params_list(c->arena, table, o.net.param_count, o.params);
        if (!kind->write(c->settings.out, list, o.net.param_count, c->diags)) code = CLI_BAD_INPUT;
    }
    opened_close(&o);
    return code;
}

const command export_command = {
    .name = "export",
    .summary = "Writes a net's weights for PyTorch, safetensors or numpy",
    .usage = "export FILE.net --weights FILE -o FILE",
    .example = "  netc export lenet5.net --weights best.safetensors -o lenet5.pt\n",
    .options = options,
    .least = 1,
    .most = 1,
    .operands = "FILE.net",
    .run = run,
};
