/* netc eval: how well a net classifies a data set. */
#include "frontend/cli/json.h"
#include "runtime/evaluate.h"

enum { BATCH = 32 };

static const option options[] = {
    {OPTION(data, "data", "DIR", OPTION_TEXT, "MNIST or CIFAR-10 as they come, or a folder a class")},
    {OPTION(split, "split", "NAME", OPTION_TEXT, "test or train; else test where there is one")},
    OPTION_WEIGHTS,
    OPTION_RANDOM,
    {OPTION(limit, "limit", "N", OPTION_COUNT, "only the first N pictures"), .least = 1, .most = INT64_MAX},
    OPTION_JSON,
    OPTION_BACKEND,
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

static int print(cli *c, const evaluation *e) {
    double images = (double)e->images, rate = e->seconds > 0 ? images / e->seconds : 0;
    double top1 = (double)e->correct / images, top5 = (double)e->correct5 / images, loss = e->loss / images;
    if (c->settings.json)
        return cli_json(c, json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "images", (json_int_t)e->images,
                                     "correct", (json_int_t)e->correct, "top1", json_of_real(top1), "top5",
                                     json_of_real(top5), "loss", json_of_real(loss), "images_per_second",
                                     json_of_real(rate)));
    printf("%lld images  %lld correct  top1 %.2f %%  top5 %.2f %%  loss %.4f  %.0f images/s\n",
           (long long)e->images, (long long)e->correct, 100 * top1, 100 * top5, loss, rate);
    return CLI_OK;
}

static int compute(cli *c, opened *o, const dataset *set) {
    evaluation e;
    int64_t count = dataset_count(set), limit = c->settings.limit ? c->settings.limit : count;
    int64_t images = limit < count ? limit : count, batch = c->settings.batch ? c->settings.batch : BATCH;
    evaluate_options how = {.images = images, .threads = (int)c->settings.threads};
    int code = evaluate_check(&o->net, set, c->diags) ? CLI_OK : CLI_BAD_INPUT;
    if (!code) code = open_session(c, o, batch < images ? batch : images);
    if (code) return code;
    if (!evaluate(&e, &o->session, set, &how, c->diags)) return CLI_BAD_INPUT;
    return print(c, &e);
}

static int run(cli *c) {
    opened o;
    if (!c->settings.data) return cli_misuse(c, "on what? --data DIR");
    int code = open_graph(c, &o);
    if (code) return code;
    code = open_weights(c, &o, true);
    dataset *set = code ? NULL : dataset_open(c->arena, c->settings.data, c->settings.split, c->diags);
    if (!code && !set) code = CLI_BAD_INPUT;
    if (set) {
        code = compute(c, &o, set);
        dataset_close(set);
    }
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
