/* netc help --completion SHELL: the tables of commands and options as a shell's completions. */
#include "frontend/cli/manual.h"

#include <string.h>

const char *const completion_shells[] = {"bash", "zsh", "fish", NULL};

static bool ends(const option *o) {
    return !o->name && !o->letter;
}

static bool takes_file(const option *o) {
    return o->value && (strstr(o->value, "FILE") || strstr(o->value, "DIR"));
}

/* "run|eval|show": all commands, between what a shell puts between patterns. */
static void put_commands(FILE *to, const char *between) {
    for (const command *const *c = commands; *c; c++)
        fprintf(to, "%s%s", c == commands ? "" : between, (*c)->name);
}

static void put_choices(FILE *to, const option *o) {
    for (int k = 0; o->choices[k]; k++) fprintf(to, "%s%s", k ? " " : "", o->choices[k]);
}

/* Inside of '...': a quote ends it, stands for itself, and begins it again; `escaped` get a backslash. */
static void put_quoted(FILE *to, const char *s, const char *escaped) {
    for (; *s; s++) {
        if (*s == '\'')
            fputs("'\\''", to);
        else
            fprintf(to, "%s%c", strchr(escaped, *s) ? "\\" : "", *s);
    }
}

/* ---- bash ---- */

static void put_flags(FILE *to, const option *o) {
    for (; !ends(o); o++) {
        if (o->letter) fprintf(to, "-%c ", o->letter);
        if (o->name) fprintf(to, "--%s ", o->name);
    }
    fputs("--help", to);
}

/* Where the word before is an option that takes one of some words, these. */
static void bash_values(FILE *to, const command *c) {
    for (const option *o = c->options; !ends(o); o++) {
        if (o->kind != OPTION_CHOICE) continue;
        fprintf(to, "    %s,--%s) COMPREPLY=($(compgen -W \"", c->name, o->name);
        put_choices(to, o);
        fputs("\" -- \"$word\")); return ;;\n", to);
    }
}

static void print_bash(FILE *to) {
    fputs("# bash completion for netc; where nothing fits, bash completes names of files\n"
          "_netc() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} "
          "command=${COMP_WORDS[1]} options\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" = 1 ] && [[ $word != -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"",
          to);
    put_commands(to, " ");
    fputs("\" -- \"$word\") $(compgen -f -X '!*.net' -- \"$word\"))\n        return\n    fi\n    case "
          "$command in\n    ",
          to);
    put_commands(to, "|");
    fputs(") ;;\n    *) command=compile ;;\n    esac\n    case $command,$before in\n", to);
    for (const command *const *c = commands; *c; c++) bash_values(to, *c);
    fputs("    esac\n    case $command in\n", to);
    for (const command *const *c = commands; *c; c++) {
        fprintf(to, "    %s) options=\"", (*c)->name);
        put_flags(to, (*c)->options);
        fputs("\" ;;\n", to);
    }
    fputs("    esac\n    [[ $word == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n    "
          "return 0\n}\n"
          "complete -o default -F _netc netc\n",
          to);
}

/* ---- zsh ---- */

static void zsh_option(FILE *to, const option *o) {
    const char *again = o->kind == OPTION_LIST ? "*" : "";
    for (int form = 0; form < 2; form++) {
        if (form ? !o->name : !o->letter) continue;
        fputs(" \\\n            '", to);
        if (form)
            fprintf(to, "%s--%s", again, o->name);
        else
            fprintf(to, "%s-%c", again, o->letter);
        fputc('[', to);
        put_quoted(to, o->help, "[]\\");
        fputc(']', to);
        if (o->value) {
            fputc(':', to);
            put_quoted(to, o->value, ":\\");
            fputc(':', to);
        }
        if (takes_file(o)) fputs("_files", to);
        if (o->kind == OPTION_CHOICE) {
            fputc('(', to);
            put_choices(to, o);
            fputc(')', to);
        }
        fputc('\'', to);
    }
}

static void print_zsh(FILE *to) {
    fputs("#compdef netc\n_netc() {\n    local -a commands=(\n", to);
    for (const command *const *c = commands; *c; c++) {
        fprintf(to, "        '%s:", (*c)->name);
        put_quoted(to, (*c)->summary, ":\\");
        fputs("'\n", to);
    }
    fputs("    )\n    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
          "        _describe command commands\n        _files -g '*.net'\n        return\n    fi\n"
          "    local command=compile\n    case $words[2] in\n    ",
          to);
    put_commands(to, "|");
    fputs(") command=$words[2]; shift words; (( CURRENT-- )) ;;\n    esac\n    case $command in\n", to);
    for (const command *const *c = commands; *c; c++) {
        fprintf(to, "    %s)\n        _arguments '--help[show what it takes]'", (*c)->name);
        for (const option *o = (*c)->options; !ends(o); o++) zsh_option(to, o);
        fputs(" \\\n            '*:file:_files'\n        ;;\n", to);
    }
    fputs("    esac\n}\n_netc \"$@\"\n", to);
}

/* ---- fish ---- */

static void fish_text(FILE *to, const char *s) {
    fputs(" -d '", to);
    for (; *s; s++) fprintf(to, "%s%c", *s == '\'' || *s == '\\' ? "\\" : "", *s);
    fputs("'\n", to);
}

static void fish_option(FILE *to, const command *c, const option *o) {
    /* 'compile' may be left out: its options stand where no other command does */
    if (c == &compile_command) {
        fputs("complete -c netc -n 'not __fish_seen_subcommand_from", to);
        for (const command *const *k = commands; *k; k++)
            if (*k != c) fprintf(to, " %s", (*k)->name);
    } else {
        fprintf(to, "complete -c netc -n '__fish_seen_subcommand_from %s", c->name);
    }
    fputc('\'', to);
    if (o->name) fprintf(to, " -l %s", o->name);
    if (o->letter) fprintf(to, " -s %c", o->letter);
    if (o->kind == OPTION_CHOICE) {
        fputs(" -x -a '", to);
        put_choices(to, o);
        fputc('\'', to);
    } else if (o->value) {
        fputs(takes_file(o) ? " -r -F" : " -x", to);
    }
    fish_text(to, o->help);
}

static void print_fish(FILE *to) {
    fputs("# fish completion for netc\n", to);
    for (const command *const *c = commands; *c; c++) {
        fprintf(to, "complete -c netc -n __fish_use_subcommand -a %s", (*c)->name);
        fish_text(to, (*c)->summary);
        for (const option *o = (*c)->options; !ends(o); o++) fish_option(to, *c, o);
    }
    fputs("complete -c netc -l help -s h -d 'show what a command takes'\n", to);
}

void completion_print(FILE *to, const char *shell) {
    static void (*const printers[])(FILE * to) = {print_bash, print_zsh, print_fish};
    for (int k = 0; completion_shells[k]; k++)
        if (strcmp(shell, completion_shells[k]) == 0) printers[k](to);
}
