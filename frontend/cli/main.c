/* The program: finds the command, gives it memory and a place to fall back to, and turns what was reported
 * into messages and an exit code. */
#include "frontend/cli/cli.h"
#include "ir/base/guard.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* netc FILE.net -o FILE.c needs no command's name: what begins with '-', is a file or looks like one is no
 * command. */
static bool is_file(const char *word) {
    return word[0] == '-' || strpbrk(word, "./") || access(word, F_OK) == 0;
}

static const command *choose(cli *c, int argc, char **argv) {
    const command *named = command_find(argv[1]);
    c->command = named ? named : &compile_command;
    if (named || is_file(argv[1])) return c->command;
    c->command = &help_command;
    strings_add(c->arena, &c->operands, argv[1]); /* help says that there is no such command */
    (void)argc;
    return NULL;
}

static int start(cli *c, int argc, char **argv) {
    if (argc < 2) return help_print(stderr, c->arena, NULL), CLI_USAGE;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help_print(stdout, c->arena, NULL), CLI_OK;
    if (strcmp(argv[1], "--version") == 0) return version_print(stdout), CLI_OK;
    if (!choose(c, argc, argv)) return c->command->run(c);
    int skip = command_find(argv[1]) ? 2 : 1;
    if (!options_parse(c->command, argc - skip, argv + skip, &c->settings, &c->operands, c->diags)) {
        diag_add(c->diags, DIAG_NOTE, (span){0}, "'netc %s --help' shows what it takes", c->command->name);
        return CLI_USAGE;
    }
    if (c->settings.help) return help_print(stdout, c->arena, c->command), CLI_OK;
    return c->command->run(c);
}

static bool is_bug(const char *message) {
    return strncmp(message, "internal", 8) == 0 || strstr(message, "a bug in netc");
}

static int bug(void) {
    fputs("note: this is a bug in netc: please report it with this message, the command and the net\n",
          stderr);
    return CLI_BUG;
}

/* Nothing of this function's own changes between setjmp and the jump back. */
static int guarded(cli *c, trap *t, int argc, char **argv) {
    if (setjmp(t->jump)) {
        waiting_end(&c->waiting);
        diags_print(c->diags, stderr, cli_color(stderr));
        fprintf(stderr, "error: %s\n", t->reason);
        return is_bug(t->reason) ? bug() : CLI_BAD_INPUT;
    }
    int code = start(c, argc, argv);
    if (!cli_flush(c) && code == CLI_OK) code = CLI_BAD_INPUT;
    bool internal = false;
    for (const diag *d = c->diags->first; d; d = d->next)
        internal |= d->severity == DIAG_ERROR && is_bug(d->text);
    cli_report(c);
    return internal ? bug() : code;
}

/* How long OpenMP's threads spin before they sleep, where the user has not said: its own milliseconds starve the
 * threads that decode pictures, and everyone else on a busy machine. */
static void calm_openmp(void) {
    setenv("GOMP_SPINCOUNT", "2000", 0); /* turns; some microseconds */
    setenv("KMP_BLOCKTIME", "0", 0);     /* milliseconds */
}

int main(int argc, char **argv) {
    trap t;
    arena a;
    calm_openmp();
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of writing, told as one */
    signal(SIGXFSZ, SIG_IGN); /* a file limit is an error of write, like a full disk */
    arena_init(&a, guard_cap(), &t);
    diags d = {.arena = &a};
    cli c = {.arena = &a, .diags = &d, .words = argv, .word_count = argc};
    int code = guarded(&c, &t, argc, argv);
    arena_free(&a);
    return code;
}
