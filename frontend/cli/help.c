/* netc help, --help, --version: from the tables of commands and options. */
#include "frontend/api/version.h"
#include "frontend/cli/manual.h"

#include <string.h>

enum { COLUMN = 22, NAMES = 10, WIDTH = 78 };

static const char example[] = "  netc run resnet18.net --weights w.safetensors --input cat.jpg\n";

static bool ends(const option *o) {
    return !o->name && !o->letter;
}

static void print_options(FILE *to, arena *a, const option *o, bool all) {
    for (; !ends(o); o++)
        if (all || !o->rare) fprintf(to, "  %-*s %s\n", COLUMN, option_words(a, o), o->help);
}

/* The names of what was left out, in lines that fit. */
static void print_rare(FILE *to, arena *a, const command *c) {
    int at = WIDTH;
    bool any = false;
    for (const option *o = c->options; !ends(o); o++) {
        if (!o->rare) continue;
        const char *words = option_words(a, o);
        if (!any) fprintf(to, "Less often ('netc help %s' says more):", c->name);
        if (at + (int)strlen(words) + 2 > WIDTH) at = fprintf(to, "\n ") - 1;
        at += fprintf(to, " %s ", words);
        any = true;
    }
    if (any) fputc('\n', to);
}

static void print_commands(FILE *to) {
    for (const command *const *c = commands; *c; c++)
        fprintf(to, "  %-*s %s\n", NAMES, (*c)->name, (*c)->summary);
}

static void print_command(FILE *to, arena *a, const command *c, bool all) {
    fprintf(to, "%s\nUsage: netc %s\n%s.\n\n", c->example, c->usage, c->summary);
    print_options(to, a, c->options, all);
    if (!all) print_rare(to, a, c);
}

void help_print(FILE *to, arena *a, const command *c) {
    if (c) {
        print_command(to, a, c, false);
        return;
    }
    fprintf(to,
            "%s\nUsage: netc FILE.net -o FILE.c, or netc COMMAND ...\n"
            "Compiles neural networks written as text to portable C, and runs them.\n\n",
            example);
    print_commands(to);
    fputs("\n'netc COMMAND --help' says more; 'netc --version' tells the version.\n", to);
}

void help_print_all(FILE *to, arena *a, const command *c) {
    if (c)
        print_command(to, a, c, true);
    else
        help_print(to, a, NULL);
}

void version_print(FILE *to) {
    fprintf(to, "netc %s\n", NETC_VERSION);
}

static int unknown(cli *c, const char *name) {
    const char *names[16];
    int count = 0;
    for (const command *const *k = commands; *k && count < 16; k++) names[count++] = (*k)->name;
    const char *near = nearest_name(name, names, count);
    return cli_misuse(c, "there is no command '%s'%s%s%s", name, near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "");
}

static int run(cli *c) {
    const char *name = c->operands.count ? c->operands.at[0] : NULL;
    if (c->settings.man) return manual_print(stdout, c->arena), CLI_OK;
    if (c->settings.completion)
        return completion_print(stdout, completion_shells[c->settings.completion - 1]), CLI_OK;
    const command *about = name ? command_find(name) : NULL;
    if (name && !about) return unknown(c, name);
    help_print_all(stdout, c->arena, about);
    return CLI_OK;
}

static const option options[] = {
    {OPTION(man, "man", NULL, OPTION_FLAG, "all of it as a manual page, for man"), .rare = true},
    {OPTION(completion, "completion", "SHELL", OPTION_CHOICE, "completions for bash, zsh or fish"),
     .choices = completion_shells, .rare = true},
    {0},
};

const command help_command = {
    .name = "help",
    .summary = "Says what a command does and takes",
    .usage = "help [OPTION]... [COMMAND]",
    .example = "  netc help run\n",
    .options = options,
    .most = 1,
    .operands = "COMMAND",
    .run = run,
};
