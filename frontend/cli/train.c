/* netc train: a text and a folder of data to a trained net and its curves. */
#include "runtime/train.h"
#include "frontend/api/recipe.h"
#include "frontend/cli/train.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIGNAL_EXIT = 128 /* and the signal's number, as shells have it */, USUAL_SEED = 1, USUAL_SAVE = 30 };

static const option options[] = {
    {OPTION(data, "data", "DIR", OPTION_TEXT, "MNIST, CIFAR-10, a folder a class, arrays, text")},
    {OPTION(val, "val", "DIR", OPTION_TEXT, "what to test on after each epoch; else its test part")},
    {OPTION(epochs, "epochs", "N", OPTION_COUNT, "epochs in all; else as train {} says"), .least = 1,
     .most = 1000000000},
    OPTION_SET,
    OPTION_DEFINE,
    {OPTION(out, "out", "DIR", OPTION_TEXT, "the run's folder; else the first free runs/NET-K")},
    {OPTION(resume, "resume", NULL, OPTION_FLAG, "go on where the run in that folder ended")},
    {OPTION(weights, "weights", "FILE", OPTION_TEXT, "start from these; what does not fit starts fresh")},
    {OPTION(freeze, "freeze", "PATTERN", OPTION_LIST,
            "leave these parameters as they are: --freeze 'layer1.*'")},
    {OPTION(seed, "seed", "N", OPTION_SEED, "of weights, order, augmentation, dropout; else 1")},
    {OPTION(save_every, "save-every", "SECONDS", OPTION_REAL, "between checkpoints; else 30")},
    {OPTION(limit, "limit", "N", OPTION_COUNT, "only the first N samples"), .least = 1, .most = INT64_MAX},
    OPTION_THREADS,
    OPTION_BACKEND,
    OPTION_CACHE,
    OPTION_TARGET,
    OPTION_NET,
    OPTION_PASSES,
    OPTION_EXACT,
    {0},
};

typedef struct training {
    cli *cli;
    opened opened;
    const net_recipe *recipe;
    int64_t epochs;
    dataset *train, *test;
    run_folder folder;
    sigset_t signals;
    int signal; /* that stopped it */
} training;

/* ---- what can be trained ---- */

static int refuse(training *t, const char *what, const char *how) {
    const graph *g = t->opened.graph;
    diag_add(t->cli->diags, DIAG_ERROR, g->recipe ? g->recipe->at : (span){0}, "net '%s': train {} %s: %s",
             g->name, what, how);
    return CLI_BAD_INPUT;
}

static int read_recipe(training *t) {
    const settings *s = &t->cli->settings;
    const net_recipe *r = t->recipe = t->opened.net.recipe;
    if (!r)
        return refuse(t, "is missing",
                      "write one into the text, or --set loss=... --set optimizer=... --set batch=...");
    t->epochs = s->epochs ? s->epochs : r->epochs;
    if (!r->loss)
        return refuse(t, "names no loss",
                      "loss = cross_entropy(OUTPUT), or --set 'loss=cross_entropy(OUTPUT)'");
    if (!r->optimizer)
        return refuse(t, "names no optimizer", "optimizer = sgd(lr = 0.1), or --set 'optimizer=sgd(lr=0.1)'");
    if (!r->batch) return refuse(t, "says no batch", "batch = 64, or --set batch=64");
    if (r->batch > COMPILE_MAX_BATCH)
        return refuse(t, "has too large a batch",
                      arena_printf(t->cli->arena, "at most %d", COMPILE_MAX_BATCH));
    return t->epochs ? CLI_OK : refuse(t, "says not how many epochs", "epochs = 10, or --epochs 10");
}

/* A pattern that means nothing is a mistake. */
static int check_freeze(training *t) {
    const strings *list = &t->cli->settings.freeze;
    const net *n = &t->opened.net;
    for (int k = 0; k < list->count; k++) {
        bool any = false;
        for (int p = 0; p < n->param_count; p++)
            any |= n->params[p].trainable && fnmatch(list->at[k], n->params[p].at.name, 0) == 0;
        if (!any)
            return diag_file(t->cli->diags, "--freeze",
                             "no parameter of the net is called like '%s' ('netc show' lists layers)",
                             list->at[k]),
                   CLI_BAD_INPUT;
    }
    return CLI_OK;
}

static int open_data(training *t) {
    cli *c = t->cli;
    const settings *s = &c->settings;
    t->train = dataset_open(c->arena, s->data, "train", c->diags);
    if (!t->train) return CLI_BAD_INPUT;
    if (s->val)
        t->test = dataset_open(c->arena, s->val, NULL, c->diags);
    else if (!dataset_open_test(&t->test, c->arena, s->data, c->diags))
        return CLI_BAD_INPUT;
    if (!t->test && !s->val)
        diag_add(c->diags, DIAG_NOTE, (span){0},
                 "%s: there is no test part, and no --val: the loss in training tells which epoch is best",
                 s->data);
    return t->test || !s->val ? CLI_OK : CLI_BAD_INPUT;
}

/* ---- weights and code ---- */

static bool load_start(training *t, const char *path) {
    cli *c = t->cli;
    const net *n = &t->opened.net;
    param *table = NEW_ARRAY(c->arena, param, n->param_count + 1);
    tensors file;
    for (int k = 0; k < n->param_count; k++) table[k] = n->params[k].at;
    if (!tensors_open(&file, c->arena, path, c->diags)) return false;
    bool good = params_load_some(&file, table, n->param_count, t->opened.params, c->arena, c->diags);
    tensors_close(&file);
    return good;
}

static uint64_t seed_of(const training *t) {
    const seed *s = &t->cli->settings.seed;
    return s->given ? s->number : USUAL_SEED;
}

/* Where the folder has a checkpoint, that has the weights. */
static int start_weights(training *t) {
    const net *n = &t->opened.net;
    const char *from = t->cli->settings.weights;
    t->opened.params = net_memory(n->values * (int64_t)sizeof(float), "the weights", t->cli->diags);
    if (!t->opened.params) return CLI_BAD_INPUT;
    weights_draw(n, seed_of(t), t->opened.params);
    bool resumes = run_folder_has(&t->folder, "last.safetensors");
    return !from || resumes || load_start(t, from) ? CLI_OK : CLI_BAD_INPUT;
}

static int compile(training *t) {
    cli *c = t->cli;
    executor_options e = {.threads = (int)c->settings.threads, .no_cache = c->settings.no_cache};
    e.compile.max_batch = t->recipe->batch;
    e.compile.train = true;
    e.compile.freeze = c->settings.freeze.at;
    int code = compile_settings(c, &e.compile);
    const executor *with = code ? NULL : executor_find(c->settings.backend, c->diags);
    if (!with) return code ? code : CLI_USAGE;
    cli_report(c);
    waiting_begin(&c->waiting, arena_printf(c->arena, "compiling %s", t->opened.net.name));
    bool good = executor_open(with, &t->opened.net, c->arena, t->opened.graph, &e, c->diags);
    waiting_end(&c->waiting);
    if (good && !t->opened.net.step)
        return diag_file(c->diags, "--backend", "%s runs nets, but cannot train them; name another",
                         with->name),
               CLI_BAD_INPUT;
    return good ? CLI_OK : CLI_BAD_INPUT;
}

/* ---- while it runs ---- */

/* Blocked here and in the threads that are started from now on, so that they wait until they are asked for. One that
 * is ignored, as a shell does for commands in the background, stays ignored. */
static void hold_signals(training *t) {
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(&t->signals);
    for (size_t k = 0; k < sizeof ending / sizeof *ending; k++) {
        struct sigaction now;
        if (sigaction(ending[k], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&t->signals, ending[k]);
    }
    pthread_sigmask(SIG_BLOCK, &t->signals, NULL);
}

static int stop(void *user) {
    training *t = user;
    int got = t->signal ? 0 : sigtimedwait(&t->signals, NULL, &(struct timespec){0, 0});
    if (got > 0) t->signal = got;
    return t->signal;
}

static bool begun(void *user, const train_beginning *b) {
    training *t = user;
    const train_state *s = b->state;
    if (!train_write_recipe(t->cli, &t->folder, t->opened.graph, t->epochs, b->seed)) return false;
    cli_report(t->cli);
    fprintf(stderr,
            "%s: %" PRId64 " samples to train on, %" PRId64 " to test on, %" PRId64
            " steps an epoch, into %s\n",
            t->opened.net.name, b->train_samples, b->test_samples, s->steps, t->folder.path);
    if (s->epoch || s->position)
        fprintf(stderr, "going on behind step %" PRId64 " of epoch %" PRId64 "\n", s->position, s->epoch + 1);
    return true;
}

static void print_accuracy(double share) {
    if (!isnan(share)) printf("  accuracy %6.2f %%", 100 * share);
}

static void told(void *user, const train_row *r, bool best) {
    training *t = user;
    cli_report(t->cli);
    printf("epoch %3.0f/%" PRId64 "  loss %.4f", r->epoch, t->epochs, r->train_loss);
    print_accuracy(r->train_accuracy);
    if (!isnan(r->test_loss)) printf("  test loss %.4f", r->test_loss);
    if (!isnan(r->test_loss)) print_accuracy(r->test_accuracy);
    printf("  %.0f images/s  %.1f s%s\n", r->images_per_second, r->seconds, best ? "  best" : "");
    fflush(stdout);
}

/* ---- how it ended ---- */

static void say_best(const training *t, const train_state *s) {
    if (!s->best_epoch) return;
    const train_row *r = &s->rows.at[s->best_epoch - 1];
    bool tested = !isnan(r->test_loss);
    double accuracy = tested ? r->test_accuracy : r->train_accuracy,
           loss = tested ? r->test_loss : r->train_loss;
    printf("best epoch %" PRId64 ":", s->best_epoch);
    if (!isnan(accuracy)) printf("  accuracy %.2f %%", 100 * accuracy);
    printf("  loss %.4f  %s/best.safetensors\n", loss, t->folder.path);
}

static int say_stopped(const training *t, const train_state *s) {
    const settings *given = &t->cli->settings;
    fprintf(stderr,
            "stopped behind step %" PRId64 " of epoch %" PRId64 ", and saved; to go on:\n    %s%s%s%s\n",
            s->position, s->epoch + 1, train_words(t->cli), given->out ? "" : " --out ",
            given->out ? "" : t->folder.path, given->resume ? "" : " --resume");
    return SIGNAL_EXIT + t->signal;
}

static int train_net(training *t) {
    cli *c = t->cli;
    const settings *s = &c->settings;
    train_state state;
    int threads = (int)s->threads;
    train_options o = {.folder = &t->folder,
                       .train = t->train,
                       .test = t->test,
                       .epochs = t->epochs,
                       .limit = s->limit,
                       .seed = seed_of(t),
                       .seed_given = s->seed.given,
                       .loaders = threads ? threads : -1,
                       .save_every = s->save_every.given ? s->save_every.number : USUAL_SAVE,
                       .facts = recipe_facts(c->arena, t->opened.graph, s->freeze.at),
                       .stop = stop,
                       .begun = begun,
                       .told = told,
                       .user = t};
    hold_signals(t);
    switch (train(&t->opened.net, t->opened.params, &state, &o, c->diags)) {
    case TRAIN_DONE: say_best(t, &state); return CLI_OK;
    case TRAIN_NOTHING:
        fprintf(stderr, "%s: its %" PRId64 " epochs are done; more with --epochs\n", t->folder.path,
                state.epoch);
        return CLI_OK;
    case TRAIN_STOPPED: return say_stopped(t, &state);
    case TRAIN_REFUSED: break;
    }
    return CLI_BAD_INPUT;
}

static bool open_folder(training *t) {
    const settings *s = &t->cli->settings;
    return run_folder_open(&t->folder, s->out, t->opened.net.name, s->resume, t->cli->diags);
}

static int prepare(training *t) {
    int code = read_recipe(t);
    if (!code) code = check_freeze(t);
    if (!code) code = open_data(t);
    if (code || !open_folder(t)) return code ? code : CLI_BAD_INPUT;
    run_folder_close(
        &t->folder); /* refused before the compiler's time is spent, and not there if that is cut short */
    code = compile(t);
    if (code || !open_folder(t)) return code ? code : CLI_BAD_INPUT;
    return start_weights(t);
}

static int run(cli *c) {
    training t = {.cli = c, .folder.lock = -1};
    if (!c->settings.data) return cli_misuse(c, "on what? --data DIR");
    if (c->settings.save_every.given && !(c->settings.save_every.number >= 0))
        return cli_misuse(c, "--save-every takes seconds, not less than 0");
    int code = open_graph(c, &t.opened);
    if (!code) code = prepare(&t);
    if (!code) code = train_net(&t);
    dataset_close(t.train);
    dataset_close(t.test);
    run_folder_close(&t.folder);
    opened_close(&t.opened);
    return code;
}

const command train_command = {
    .name = "train",
    .summary = "Trains a net as its train {} says; can be stopped and goes on",
    .usage = "train FILE.net --data DIR [OPTION]...",
    .example = "  netc train lenet5.net --data mnist/ --set optimizer.lr=0.05\n",
    .options = options,
    .least = 1,
    .most = 1,
    .operands = "FILE.net",
    .run = run,
};
