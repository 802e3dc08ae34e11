/* netc fmt: texts in canonical form, in place. */
#include "frontend/cli/cli.h"
#include "ir/base/file.h"

#include <string.h>

static const option options[] = {
    {OPTION(check, "check", NULL, OPTION_FLAG, "change nothing; list files that are not in form, exit 1")},
    {0},
};

/* 1 where a file is not in form and only that was asked. */
static int format(cli *c, const char *path) {
    text out = text_in(c->arena);
    const source *s = file_read_text(c->arena, path, LANG_MAX_BYTES, c->diags);
    if (!s || !lang_format(c->arena, s, &out, c->diags)) return CLI_BAD_INPUT;
    bool same = out.length == s->bytes && (!s->bytes || memcmp(out.at, s->text, s->bytes) == 0);
    if (c->settings.check) return same ? CLI_OK : (printf("%s\n", path), CLI_BAD_INPUT);
    if (strcmp(path, "-") == 0) return fwrite(out.at ? out.at : "", 1, out.length, stdout), CLI_OK;
    return same || file_write(path, out.at ? out.at : "", out.length, c->diags) ? CLI_OK : CLI_BAD_INPUT;
}

static int run(cli *c) {
    int worst = CLI_OK;
    for (int k = 0; k < c->operands.count; k++) {
        int code = format(c, c->operands.at[k]);
        if (code > worst) worst = code;
        cli_report(c); /* a file's errors do not crowd out another's */
    }
    return worst;
}

const command fmt_command = {
    .name = "fmt",
    .summary = "Puts texts of nets into canonical form, in place",
    .usage = "fmt [--check] FILE.net... ('-': standard input to standard output)",
    .example = "  netc fmt resnet18.net\n",
    .options = options,
    .least = 1,
    .most = -1,
    .operands = "FILE.net",
    .run = run,
};
