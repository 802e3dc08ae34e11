/* What commands share: exit codes, reporting, and the way from a NET operand to a session. */
#ifndef NETC_FRONTEND_CLI_CLI_H
#define NETC_FRONTEND_CLI_CLI_H

#include "frontend/api/executor.h"
#include "frontend/cli/options.h"
#include "frontend/cli/waiting.h"
#include "runtime/weights.h"

enum { CLI_OK = 0, CLI_BAD_INPUT = 1, CLI_USAGE = 2, CLI_BUG = 70 };

struct cli {
    arena *arena;
    diags *diags;
    const command *command;
    settings settings;
    strings operands;
    waiting waiting;
    char *const *words; /* the command line */
    int word_count;
};

/* The commands, one a file. */
extern const command verify_command, profile_command, train_command, plot_command, export_command,
    features_command, compile_command, run_command, eval_command, show_command, fmt_command, help_command;
const command *command_find(const char *name);
/* What --help shows; c NULL: of netc itself. With every option's line: `netc help COMMAND`. */
void help_print(FILE *to, arena *a, const command *c);
void help_print_all(FILE *to, arena *a, const command *c);
void version_print(FILE *to);

/* Prints what has been reported so far, so that warnings come before long work. */
void cli_report(cli *c);
/* An error in how the command was called; CLI_USAGE. */
int cli_misuse(cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A net on its way from text to code. */
typedef struct opened {
    graph *graph;
    net net;
    float *params; /* NULL: none were asked for */
    session session;
} opened;

/* Each returns CLI_OK, or the exit code with errors reported. */
int open_graph(cli *c, opened *o);
/* From --weights or --seed, checked against the net; `needed`: one of the two must be given. */
int open_weights(cli *c, opened *o, bool needed);
/* Compiles for this machine, --backend, and prepares the weights. */
int open_session(cli *c, opened *o, int64_t max_batch);
void opened_close(opened *o);

/* --tune: reads its file, and times what that does not know of the net as `how` will compile it; for code that runs
 * elsewhere any machine's answers are right. `with`: what times; NULL: the fastest. */
int tune_opened(cli *c, const opened *o, const executor *with, executor_options *how, bool elsewhere);
/* Targets, passes and threads as the options say; targets stay unset without --target. */
int compile_settings(cli *c, compile_options *o);
/* Whether stderr wants colour. */
bool cli_color(FILE *to);

/* Writes to standard output; false with an error where it cannot be written. */
bool cli_flush(cli *c);

/* Rows that several commands have. */
#define OPTION(field, shown, argument, k, says)                                                              \
    .name = shown, .value = argument, .kind = k, .offset = offsetof(settings, field), .help = says
#define OPTION_WEIGHTS                                                                                       \
    { OPTION(weights, "weights", "FILE", OPTION_TEXT, "weights: safetensors, PyTorch (.pt .th), .npz") }
#define OPTION_RANDOM                                                                                        \
    { OPTION(seed, "seed", "N", OPTION_SEED, "random weights instead, the same for the same N") }
#define OPTION_DEFINE                                                                                        \
    {                                                                                                        \
        .letter = 'D', .value = "NAME=VALUE", .kind = OPTION_LIST, .offset = offsetof(settings, defines),    \
        .help = "an argument of the net: -D classes=10"                                                      \
    }
#define OPTION_SET                                                                                           \
    { OPTION(sets, "set", "NAME=VALUE", OPTION_LIST, "an entry of train {}: --set optimizer.lr=0.05") }
#define OPTION_NET                                                                                           \
    { OPTION(net, "net", "NAME", OPTION_TEXT, "which net of the file; else its last") }
#define OPTION_BACKEND                                                                                       \
    { OPTION(backend, "backend", "NAME", OPTION_TEXT, "llvm, c (by a C compiler), interp; else the first") }
#define OPTION_CACHE                                                                                         \
    {                                                                                                        \
        OPTION(no_cache, "no-cache", NULL, OPTION_FLAG,                                                      \
               "compile afresh: kept code is neither taken nor made"),                                       \
            .rare = true                                                                                     \
    }
#define OPTION_TARGET                                                                                        \
    {                                                                                                        \
        OPTION(target, "target", "NAME", OPTION_CHOICE, "only for native, avx512, avx2, neon or c99"),       \
            .choices = target_choices, .rare = true                                                          \
    }
#define OPTION_PASSES                                                                                        \
    {                                                                                                        \
        OPTION(passes, "passes", "LIST", OPTION_TEXT, "leave passes out: --passes=-fuse,-fold-bn"),          \
            .rare = true                                                                                     \
    }
#define OPTION_EXACT                                                                                         \
    {                                                                                                        \
        OPTION(exact, "exact-conv", NULL, OPTION_FLAG, "no Winograd: convolutions as direct sums"),          \
            .rare = true                                                                                     \
    }
#define OPTION_TUNE                                                                                          \
    { OPTION(tune, "tune", "FILE", OPTION_TEXT, "time ways to compute layers; the file remembers") }
#define OPTION_JSON                                                                                          \
    { OPTION(json, "json", NULL, OPTION_FLAG, "print JSON") }
#define OPTION_THREADS                                                                                       \
    {                                                                                                        \
        OPTION(threads, "threads", "N", OPTION_COUNT, "threads; else one a processor"),                      \
            .least = 1, .most = COMPILE_MAX_THREADS                                                          \
    }
#define OPTION_LAYER(says)                                                                                   \
    { OPTION(layers, "layer", "NAME", OPTION_LIST, says) }
#define OPTION_BATCH(says)                                                                                   \
    { OPTION(batch, "batch", "N", OPTION_COUNT, says), .least = 1, .most = COMPILE_MAX_BATCH }
extern const char *const target_choices[];

#endif
