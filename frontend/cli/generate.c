/* Prints what a net of characters writes. */
#include "frontend/cli/generate.h"

#include "runtime/generate.h"

/* As it comes, so that a reader sees it grow; stops where nobody reads any more. */
static bool put(void *user, const char *words) {
    (void)user;
    return fputs(words, stdout) >= 0 && fflush(stdout) == 0;
}

int generate_misuse(cli *c) {
    const settings *s = &c->settings;
    bool more = s->inputs.count || c->operands.count > 1 || s->outputs.count || s->layers.count || s->json;
    if (s->generate && more)
        return cli_misuse(
            c, "--generate takes no inputs, outputs, layers or --json: the text begins with --prompt");
    if (!s->generate && (s->prompt || s->temperature.given || s->text_seed.given))
        return cli_misuse(c, "--prompt, --temperature and --seed-text belong to --generate N");
    if (s->temperature.given && s->temperature.number < 0)
        return cli_misuse(c, "--temperature takes a number from 0, not %g", s->temperature.number);
    return CLI_OK;
}

int generate_text(cli *c, opened *o) {
    const settings *s = &c->settings;
    int code = open_session(c, o, 1);
    if (code) return code;
    generate_options how = {.prompt = s->prompt,
                            .count = s->generate,
                            .temperature = s->temperature.given ? s->temperature.number : 1,
                            .seed = s->text_seed.number,
                            .put = put};
    if (!generate(&o->session, &how, c->diags)) return CLI_BAD_INPUT;
    putchar('\n');
    return CLI_OK;
}
