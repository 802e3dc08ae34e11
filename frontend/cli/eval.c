/* netc eval: how well a net classifies a data set. */
#include "frontend/cli/json.h"
#include "runtime/evaluate.h"

#include <math.h>

enum { BATCH = 32 };

static const option options[] = {
    {OPTION(data, "data", "DIR", OPTION_TEXT, "MNIST, CIFAR-10, a folder a class, arrays, text")},
    {OPTION(split, "split", "NAME", OPTION_TEXT, "test or train; else test where there is one")},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    {OPTION(limit, "limit", "N", OPTION_COUNT, "only the first N pictures"), .least = 1, .most = INT64_MAX},
    {OPTION(augment, "augment", NULL, OPTION_FLAG, "change the pictures at random, as in training")},
    OPTION_JSON,
    OPTION_BACKEND,
    OPTION_CACHE,
    OPTION_TARGET,
    OPTION_THREADS,
    OPTION_BATCH("pictures computed at once; else 32"),
    OPTION_DEFINE,
    OPTION_SET,
    OPTION_NET,
    OPTION_PASSES,
    OPTION_EXACT,
    {0},
};

static double share(int64_t part, int64_t all) {
    return all ? (double)part / (double)all : NAN;
}

static int print(cli *c, const tally *e, double seconds) {
    double rate = seconds > 0 ? (double)e->samples / seconds : 0;
    double top1 = share(e->correct, e->answers), top5 = share(e->correct5, e->answers);
    double loss = e->loss / (double)e->samples;
    if (c->settings.json)
        return cli_json(c, json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "images", (json_int_t)e->samples,
                                     "correct", (json_int_t)e->correct, "top1", json_of_real(top1), "top5",
                                     json_of_real(top5), "loss", json_of_real(loss), "images_per_second",
                                     json_of_real(rate)));
    printf("%lld images  ", (long long)e->samples);
    if (e->answers)
        printf("%lld correct  top1 %.2f %%  top5 %.2f %%  ", (long long)e->correct, 100 * top1, 100 * top5);
    printf("loss %.4f  %.0f images/s\n", loss, rate);
    return CLI_OK;
}

static int compute(cli *c, opened *o, loader *l) {
    tally e;
    double seconds;
    const evaluate_options how = {.what = "eval"};
    int code = open_session(c, o, loader_batch_size(l));
    if (code) return code;
    return evaluate(&e, &seconds, &o->session, l, &how, c->diags) ? print(c, &e, seconds) : CLI_BAD_INPUT;
}

static int load(cli *c, opened *o, const dataset *set) {
    const settings *s = &c->settings;
    loader_options how = {.batch = s->batch ? s->batch : BATCH,
                          .limit = s->limit,
                          .threads = s->threads ? (int)s->threads : -1,
                          .seed = s->seed.number,
                          .augment = s->augment};
    loader *l = loader_open(c->arena, &o->net, set, &how, c->diags);
    int code = l ? compute(c, o, l) : CLI_BAD_INPUT;
    loader_close(l);
    return code;
}

static int run(cli *c) {
    opened o;
    if (!c->settings.data) return cli_misuse(c, "on what? --data DIR");
    int code = open_graph(c, &o);
    if (code) return code;
    code = open_weights(c, &o, true);
    dataset *set = code ? NULL : dataset_open(c->arena, c->settings.data, c->settings.split, c->diags);
    if (!code) code = set ? load(c, &o, set) : CLI_BAD_INPUT;
    dataset_close(set);
    opened_close(&o);
    return code;
}

const command eval_command = {
    .name = "eval",
    .summary = "Counts how many pictures of a data set a net classifies rightly",
    .usage = "eval FILE.net --data DIR [OPTION]...",
    .example = "  netc eval resnet20.net --weights resnet20.th --data cifar10/\n",
    .options = options,
    .least = 1,
    .most = 1,
    .operands = "FILE.net",
    .run = run,
};
