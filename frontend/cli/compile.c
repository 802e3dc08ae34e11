/* netc FILE.net -o FILE.c: writes a net as code. */
#include "frontend/api/output.h"
#include "frontend/cli/cli.h"
#include "ir/recipe.h"

#include <string.h>

static const char *const embeds[] = {"array", "incbin", "file", NULL};

static const option options[] = {
    {.letter = 'o',
     .value = "FILE.c",
     .kind = OPTION_TEXT,
     .offset = offsetof(settings, out),
     .help = "where to write; the header goes beside it"},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    {OPTION(embed, "embed", "HOW", OPTION_CHOICE, "weights as array, incbin or file; else array up to 1 MB"),
     .choices = embeds},
    {OPTION(train, "train", NULL, OPTION_FLAG, "also code that trains: NAME_init, NAME_step")},
    OPTION_BATCH("the most samples in a call; else 1, or train {}'s"),
    {OPTION(max_threads, "max-threads", "N", OPTION_COUNT, "the most threads in a call; else 16"), .least = 1,
     .most = COMPILE_MAX_THREADS},
    OPTION_TARGET,
    {OPTION(triple, "triple", "TRIPLE", OPTION_TEXT, "for .o .s .ll: other machines, as aarch64-linux-gnu")},
    {OPTION(executor, "executor", NULL, OPTION_FLAG, "C's entries take the host's threads; no OpenMP")},
    {OPTION(prefix, "prefix", "NAME", OPTION_TEXT, "begins all names in the code; else the net's")},
    OPTION_DEFINE,
    OPTION_SET,
    OPTION_NET,
    OPTION_TUNE,
    OPTION_PASSES,
    OPTION_EXACT,
    {OPTION(dump, "dump", "after:PASS", OPTION_TEXT, "print what a pass leaves")},
    {0},
};

/* Every target where none was chosen. */
static void all_targets(compile_options *o) {
    bool any = false;
    for (int t = 0; t < TARGET_COUNT; t++) any |= o->targets[t];
    for (int t = 0; t < TARGET_COUNT && !any; t++) o->targets[t] = true;
}

static int read_options(cli *c, output_options *o, text *dump) {
    const settings *s = &c->settings;
    const char *after = s->dump;
    *o = (output_options){.path = s->out,
                          .prefix = s->prefix,
                          .triple = s->triple,
                          .executor = s->executor,
                          .embed = (output_embed)s->embed};
    o->compile.max_batch = s->batch ? s->batch : 1;
    o->compile.max_threads = s->max_threads ? (int)s->max_threads : COMPILE_THREADS;
    o->compile.pixels = true;
    o->compile.train = s->train;
    if (!s->out && !after) return cli_misuse(c, "say what to write: -o FILE.c");
    if (s->train && (s->weights || s->seed.given))
        return cli_misuse(
            c, "--train makes code that prepares the weights it trains: leave --weights and --seed out");
    if (s->embed && !s->weights && !s->seed.given)
        return cli_misuse(c, "--embed needs weights to embed: --weights FILE");
    if (after && (strncmp(after, "after:", 6) != 0 || !after[6]))
        return cli_misuse(c, "--dump takes after:PASS, as in --dump=after:fuse, not '%s'", after);
    if (after) o->compile.dump_after = after + 6, o->compile.dump = dump;
    int code = compile_settings(c, &o->compile);
    all_targets(&o->compile);
    return code ? code : s->out && !output_find(s->out, c->diags) ? CLI_USAGE : CLI_OK;
}

/* Every net can be compiled for inference; for training its text must say how, which compile_program asks for. */
static int recipe_batch(cli *c, const opened *o, compile_options *to) {
    const net_recipe *r = o->net.recipe;
    if (!to->train || c->settings.batch || !r || !r->batch) return CLI_OK;
    if (r->batch <= COMPILE_MAX_BATCH) return to->max_batch = r->batch, CLI_OK;
    diag_add(c->diags, DIAG_ERROR, o->graph->recipe->at,
             "the batch of train {} is %lld, above the most that code can take, %d: say --batch N",
             (long long)r->batch, COMPILE_MAX_BATCH);
    return CLI_BAD_INPUT;
}

static bool write(cli *c, opened *o, const output_options *out) {
    const char *const *written = NULL;
    if (!out->path) return compile_program(c->arena, o->graph, &out->compile, c->diags);
    waiting_begin(&c->waiting, arena_printf(c->arena, "compiling %s", o->net.name));
    bool good = output_write(c->arena, &o->net, o->graph, out, &written, c->diags);
    waiting_end(&c->waiting);
    return good;
}

static int tune(cli *c, const opened *o, compile_options *to) {
    executor_options how = {.compile = *to};
    int code = tune_opened(c, o, NULL, &how, true);
    to->tuner = how.compile.tuner;
    return code;
}

static int run(cli *c) {
    output_options out;
    opened o;
    text dump = text_in(c->arena);
    int code = read_options(c, &out, &dump);
    if (!code) code = open_graph(c, &o);
    if (!code) code = recipe_batch(c, &o, &out.compile);
    if (code) return code;
    code = open_weights(c, &o, false);
    out.params = o.params;
    if (!code) code = tune(c, &o, &out.compile);
    if (!code && !write(c, &o, &out)) code = CLI_BAD_INPUT;
    if (dump.length) fwrite(dump.at, 1, dump.length, stdout);
    opened_close(&o);
    return code;
}

const command compile_command = {
    .name = "compile",
    .summary = "Writes a net as C; the word 'compile' may be left out",
    .usage = "[compile] FILE.net -o FILE.c [OPTION]...",
    .example = "  netc resnet18.net -o resnet18.c\n"
               "  netc resnet18.net --weights w.safetensors -o resnet18.c\n"
               "  netc --train mnist.net -o mnist.c\n",
    .options = options,
    .least = 1,
    .most = 1,
    .operands = "FILE.net",
    .run = run,
};
