/* What commands share. */
#include "frontend/cli/cli.h"

#include "frontend/api/describe.h"
#include "frontend/api/tune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const target_choices[] = {"native", "avx512", "avx2", "neon", "c99", NULL};

bool cli_color(FILE *to) {
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(to)) && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
}

void cli_report(cli *c) {
    diags_print(c->diags, stderr, cli_color(stderr));
    fflush(stderr);
    *c->diags = (diags){.arena = c->arena};
}

int cli_misuse(cli *c, const char *format, ...) {
    va_list list;
    va_start(list, format);
    diag_add(c->diags, DIAG_ERROR, (span){0}, "netc %s: %s", c->command->name,
             arena_vprintf(c->arena, format, list));
    va_end(list);
    return CLI_USAGE;
}

bool cli_flush(cli *c) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    return diag_file(c->diags, "standard output", "cannot write: %s", strerror(errno));
}

/* ---- options of compilation ---- */

/* "-fuse,-fold-bn" as a list of names. */
static int read_passes(cli *c, compile_options *o) {
    strings list = {0};
    for (const char *at = c->settings.passes; at && *at;) {
        size_t length = strcspn(at, ",");
        if (*at != '-' || length < 2)
            return cli_misuse(
                c, "--passes takes names of passes to leave out, each with a '-': --passes=-fuse,-fold-bn");
        strings_add(c->arena, &list, arena_text(c->arena, at + 1, length - 1));
        at += length + (at[length] == ',');
    }
    o->disabled = list.at;
    return CLI_OK;
}

int compile_settings(cli *c, compile_options *o) {
    const settings *s = &c->settings;
    o->exact = s->exact;
    const char *name = s->target ? target_choices[s->target - 1] : NULL;
    if (name) o->targets[strcmp(name, "native") == 0 ? compile_host_target() : target_find(name)->id] = true;
    return read_passes(c, o);
}

/* ---- from text to session ---- */

int open_graph(cli *c, opened *o) {
    const settings *s = &c->settings;
    lang_options options = {.defines = s->defines.at, .sets = s->sets.at, .net = s->net};
    *o = (opened){0};
    o->graph = compile_read(c->arena, c->operands.at[0], &options, c->diags);
    if (!o->graph) return CLI_BAD_INPUT;
    describe_graph(&o->net, c->arena, o->graph);
    cli_report(c);
    return CLI_OK;
}

int open_weights(cli *c, opened *o, bool needed) {
    const settings *s = &c->settings;
    if (s->weights && s->seed.given) return cli_misuse(c, "--weights and --seed exclude each other");
    if (!s->weights && !s->seed.given && !needed) return CLI_OK;
    if (!s->weights && !s->seed.given && o->net.param_count)
        return cli_misuse(c, "the net needs weights: --weights FILE, or --seed 1 for random ones");
    o->params = net_memory(o->net.values * (int64_t)sizeof(float), "the weights", c->diags);
    if (!o->params) return CLI_BAD_INPUT;
    if (s->weights && !weights_load(&o->net, s->weights, o->params, c->arena, c->diags)) return CLI_BAD_INPUT;
    if (!s->weights) weights_draw(&o->net, s->seed.number, o->params);
    cli_report(c);
    return CLI_OK;
}

int tune_opened(cli *c, const opened *o, const executor *with, executor_options *how, bool elsewhere) {
    if (!c->settings.tune) return CLI_OK;
    const tune_options options = {
        .path = c->settings.tune, .executor = with, .how = *how, .elsewhere = elsewhere};
    waiting_begin(&c->waiting, arena_printf(c->arena, "timing layers of %s", o->net.name));
    how->compile.tuner = tune_net(c->arena, &o->net, o->graph, o->params, &options, c->diags);
    waiting_end(&c->waiting);
    return how->compile.tuner ? CLI_OK : CLI_BAD_INPUT;
}

int open_session(cli *c, opened *o, int64_t max_batch) {
    executor_options e = {.threads = (int)c->settings.threads, .no_cache = c->settings.no_cache};
    e.compile.max_batch = max_batch;
    int code = compile_settings(c, &e.compile);
    if (code) return code;
    const executor *with = executor_find(c->settings.backend, c->diags);
    if (!with) return CLI_USAGE;
    cli_report(c);
    if ((code = tune_opened(c, o, with, &e, false)) != CLI_OK) return code;
    waiting_begin(&c->waiting, arena_printf(c->arena, "compiling %s", o->net.name));
    bool good = executor_open(with, &o->net, c->arena, o->graph, &e, c->diags) &&
                session_open(&o->session, &o->net, c->diags) &&
                session_prepare(&o->session, o->params, c->diags);
    waiting_end(&c->waiting);
    free(o->params);
    o->params = NULL;
    return good ? CLI_OK : CLI_BAD_INPUT;
}

void opened_close(opened *o) {
    free(o->params);
    o->params = NULL;
    session_close(&o->session);
    net_close(&o->net);
}
