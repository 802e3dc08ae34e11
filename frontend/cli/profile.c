/* netc profile: where a net's time goes. */
#include "frontend/cli/profile.h"

#include "ir/recipe.h"

#include <math.h>
#include <string.h>

enum { SEED = 1, BAR = 20 };

static const option options[] = {
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    OPTION_BATCH("samples in a pass; else 1, or train {}'s"),
    OPTION_THREADS,
    {OPTION(train, "train", NULL, OPTION_FLAG, "a whole step of training: forward, backward, update")},
    OPTION_JSON,
    {OPTION(trace, "trace", "FILE", OPTION_TEXT, "write the fastest pass for chrome://tracing or Perfetto")},
    {OPTION(seconds, "seconds", "S", OPTION_REAL, "how long to measure; else 1"), .rare = true},
    OPTION_BACKEND,
    OPTION_CACHE,
    OPTION_TARGET,
    OPTION_DEFINE,
    OPTION_SET,
    OPTION_NET,
    OPTION_TUNE,
    OPTION_PASSES,
    OPTION_EXACT,
    {0},
};

/* ---- the table ---- */

/* What of `name` lies behind the blocks that it shares with `other`: "relu0" for layer1.0.relu0 and layer1.0.conv1. */
static const char *apart(const char *name, const char *other) {
    const char *from = name;
    for (size_t k = 0; name[k] && name[k] == other[k]; k++)
        if (name[k] == '.') from = name + k + 1;
    return from;
}

/* "layer1.0.conv1 +bn1 +relu0" */
static const char *layers_text(arena *a, const profile_row *r) {
    text t = text_in(a);
    text_puts(&t, r->name);
    for (int k = 0; k < r->layer_count; k++)
        if (strcmp(r->layers[k], r->name) != 0) text_printf(&t, " +%s", apart(r->layers[k], r->name));
    return t.at;
}

static const char *way_text(arena *a, const profile_row *r) {
    if (!r->op) return "";
    return r->way && *r->way && strcmp(r->op, r->way) != 0 ? arena_printf(a, "%s %s", r->op, r->way) : r->op;
}

static const char *bar(char *line, double part) {
    int length = (int)lround(part * BAR);
    for (int k = 0; k < BAR; k++) line[k] = k < length ? '#' : ' ';
    line[BAR] = 0;
    return line;
}

/* About three digits that matter, for microseconds as for seconds. */
static const char *number(arena *a, double x) {
    int places = x >= 100 ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : x >= 0.1 ? 3 : 4;
    return x == 0 ? "-" : arena_printf(a, "%.*f", places, x);
}

typedef struct widths {
    int layer, way;
} widths;

static void widen(int *width, const char *s) {
    if ((int)strlen(s) > *width) *width = (int)strlen(s);
}

static void print_row(cli *c, const profiled *p, const profile_row *r, const widths *w, double largest) {
    char line[BAR + 1];
    const char *peak = "-";
    if (r->multiply_adds && p->machine.gflops > 0)
        peak = arena_printf(c->arena, "%.0f %%", 100 * r->gflops / p->machine.gflops);
    printf("%-*s  %-*s  %8s  %5.1f %%  %s  %7s  %6s  %7s  %8s\n", w->layer, layers_text(c->arena, r), w->way,
           way_text(c->arena, r), number(c->arena, r->ms), 100 * r->share,
           bar(line, largest > 0 ? r->share / largest : 0), number(c->arena, r->gflops), peak,
           number(c->arena, (double)r->bytes * 1e-6), number(c->arena, r->floor));
}

static void print_phase(const profiled *p, profile_phase phase) {
    double ms = 0, share = 0;
    for (int k = 0; k < p->table.count; k++) {
        if (p->table.at[k].phase != phase) continue;
        ms += p->table.at[k].ms;
        share += p->table.at[k].share;
    }
    printf("%s%s: %.3f ms, %.1f %%\n", phase ? "\n" : "", profile_phases[phase], ms, 100 * share);
}

static void print_head(const profiled *p, const widths *w) {
    printf("%-*s  %-*s  %8s  %7s  %-*s  %7s  %6s  %7s  %8s\n", w->layer, "layer", w->way, "computed by", "ms",
           "share", BAR, "", "GF/s", "peak", "MB", "floor ms");
    if (p->train) printf("\n");
}

static void print_foot(const profiled *p) {
    const profile *r = &p->profile;
    double gflops = 0, floor_ms = 0;
    for (int k = 0; k < p->table.count; k++) {
        gflops += 2e-6 * (double)p->table.at[k].multiply_adds;
        floor_ms += p->table.at[k].floor;
    }
    printf("\n%s: %.3f ms a %s of %lld sample%s, median of %d; %.1f GF/s; floor %.3f ms\n", p->net, r->total,
           p->train ? "step" : "pass", (long long)p->batch, p->batch == 1 ? "" : "s", r->passes,
           r->total > 0 ? gflops / r->total : 0, floor_ms);
    printf("%s for %s on %d thread%s; this machine's peak %.0f GF/s, reads %.0f GB/s from %.1f MB\n",
           p->backend, targets[r->target].name, r->threads, r->threads == 1 ? "" : "s", p->machine.gflops,
           p->machine.gbs, (double)p->machine.bytes * 1e-6);
}

static void print_table(cli *c, const profiled *p) {
    widths w = {(int)strlen("layer"), (int)strlen("computed by")};
    double largest = 0;
    for (int k = 0; k < p->table.count; k++) {
        const profile_row *r = &p->table.at[k];
        widen(&w.layer, layers_text(c->arena, r));
        widen(&w.way, way_text(c->arena, r));
        if (r->share > largest) largest = r->share;
    }
    print_head(p, &w);
    for (int k = 0; k < p->table.count; k++) {
        const profile_row *r = &p->table.at[k];
        if (p->train && (!k || r->phase != r[-1].phase)) print_phase(p, r->phase);
        print_row(c, p, r, &w, largest);
    }
    print_foot(p);
}

/* ---- running ---- */

static int choose_batch(cli *c, const opened *o, int64_t *batch) {
    const settings *s = &c->settings;
    const net_recipe *r = o->net.recipe;
    *batch = s->batch ? s->batch : s->train && r && r->batch ? r->batch : 1;
    if (*batch <= COMPILE_MAX_BATCH) return CLI_OK;
    diag_add(c->diags, DIAG_ERROR, o->graph->recipe->at,
             "the batch of train {} is %lld, above the most that code can take, %d: say --batch N",
             (long long)*batch, COMPILE_MAX_BATCH);
    return CLI_BAD_INPUT;
}

static int read_options(cli *c, const opened *o, profile_options *to) {
    const settings *s = &c->settings;
    *to = (profile_options){.seconds = s->seconds.given ? s->seconds.number : 1};
    to->how.threads = (int)s->threads;
    to->how.no_cache = s->no_cache;
    to->how.compile.train = s->train;
    if (to->seconds < 0 || to->seconds > 3600)
        return cli_misuse(c, "--seconds takes a number from 0 to 3600");
    int code = choose_batch(c, o, &to->how.compile.max_batch);
    if (!code) code = compile_settings(c, &to->how.compile);
    to->executor = code ? NULL : executor_find(s->backend, c->diags);
    return code;
}

static bool measure(cli *c, opened *o, const profile_options *how, profiled *p) {
    waiting_begin(&c->waiting, arena_printf(c->arena, "profiling %s", o->net.name));
    bool good = profile_run(&p->profile, c->arena, &o->net, o->graph, o->params, how, c->diags) &&
                speed_measure(&p->machine, p->profile.target, p->profile.threads, profile_bytes(&p->profile),
                              c->diags);
    waiting_end(&c->waiting);
    if (good) p->table = profile_rows(&p->profile, c->arena, o->graph, &p->machine);
    return good;
}

static int profile_opened(cli *c, opened *o) {
    profile_options how;
    profiled p = {.net = o->net.name, .train = c->settings.train};
    int code = read_options(c, o, &how);
    if (code || !how.executor) return code ? code : CLI_USAGE;
    p.backend = how.executor->name;
    p.batch = how.how.compile.max_batch;
    cli_report(c);
    code = tune_opened(c, o, how.executor, &how.how, false);
    if (code) return code;
    if (!measure(c, o, &how, &p)) return CLI_BAD_INPUT;
    if (c->settings.trace && !profile_trace(c, &p, c->settings.trace)) return CLI_BAD_INPUT;
    if (c->settings.json) return profile_json(c, &p);
    print_table(c, &p);
    return CLI_OK;
}

static int run(cli *c) {
    opened o;
    settings *s = &c->settings;
    int code = open_graph(c, &o);
    if (code) return code;
    if (!s->weights && !s->seed.given) s->seed = (seed){true, SEED};
    code = open_weights(c, &o, true);
    if (!code) code = profile_opened(c, &o);
    opened_close(&o);
    return code;
}

const command profile_command = {
    .name = "profile",
    .summary = "Times every layer, beside what the machine can do",
    .usage = "profile FILE.net [OPTION]...",
    .example = "  netc profile resnet18.net\n"
               "  netc profile mnist.net --train --trace step.json\n",
    .options = options,
    .least = 1,
    .most = 1,
    .operands = "FILE.net",
    .run = run,
};
