/* netc help --man: the tables of commands and options as a manual page. */
#include "frontend/cli/manual.h"

#include "frontend/api/version.h"

#include <string.h>

/* Text in roff: hyphens that can be copied, no escapes, no line that looks like a request. */
static void put(FILE *to, const char *s) {
    bool begins = true;
    for (; *s; s++) {
        if (begins && (*s == '.' || *s == '\'')) fputs("\\&", to);
        if (*s == '-')
            fputs("\\-", to);
        else if (*s == '\\')
            fputs("\\e", to);
        else
            fputc(*s, to);
        begins = *s == '\n';
    }
}

/* A line of a request with one argument. */
static void request(FILE *to, const char *name, const char *argument) {
    fprintf(to, ".%s ", name);
    put(to, argument);
    fputc('\n', to);
}

/* Behind an option: which words it takes, or which numbers. */
static void print_range(FILE *to, const option *o) {
    if (o->kind == OPTION_CHOICE) {
        fputs(" One of", to);
        for (int k = 0; o->choices[k]; k++) {
            fputs(k ? ", " : " ", to);
            put(to, o->choices[k]);
        }
        fputc('.', to);
    }
    if (o->kind == OPTION_LIST) fputs(" May be given several times.", to);
    fputc('\n', to);
}

static void print_options(FILE *to, arena *a, const option *o) {
    for (; o->name || o->letter; o++) {
        fputs(".TP\n", to);
        request(to, "B", option_words(a, o));
        put(to, o->help);
        fputc('.', to);
        print_range(to, o);
    }
}

static void print_command(FILE *to, arena *a, const command *c) {
    request(to, "SS", arena_printf(a, "netc %s", c->usage));
    put(to, c->summary);
    fputs(".\n.PP\n.EX\n", to);
    put(to, c->example);
    fputs(".EE\n", to);
    print_options(to, a, c->options);
}

static const struct {
    const char *name, *text;
} behind[] = {
    {"EXIT STATUS", "0\tdone\n1\ta file, a net or a value is refused; a line with error: says why\n"
                    "2\tcalled wrongly\n70\ta bug in netc\n"},
    {"ENVIRONMENT",
     "CC\tthe C compiler for \\-\\-backend c\nTMPDIR\twhere that compiler's files go; else /tmp\n"
     "NO_COLOR\tno colours on a terminal\n"},
};

void manual_print(FILE *to, arena *a) {
    fprintf(to,
            ".TH NETC 1 \"\" \"netc %s\" \"User Commands\"\n.SH NAME\n"
            "netc \\- compiles neural networks written as text to portable C, and runs them\n.SH SYNOPSIS\n",
            NETC_VERSION);
    for (const command *const *c = commands; *c; c++) {
        request(to, "B", arena_printf(a, "netc %s", (*c)->usage));
        fputs(".br\n", to);
    }
    fputs(".SH DESCRIPTION\n"
          "A net is a short text; what it computes is written as C, objects or shared objects, or run in "
          "place.\n"
          "Results go to standard output, all else to standard error. Options and operands may stand in any\n"
          "order;\n.B \\-\\-\nends the options,\n.B \\-\\-help\nshows those that are used most.\n"
          ".SH COMMANDS\n",
          to);
    for (const command *const *c = commands; *c; c++) print_command(to, a, *c);
    for (size_t k = 0; k < sizeof behind / sizeof *behind; k++)
        fprintf(to, ".SH %s\n.nf\n.ta 1i\n%s.fi\n", behind[k].name, behind[k].text);
}
