/* What a command takes, as tables: parsing, --help and whatever else lists options read the same rows. */
#ifndef NETC_FRONTEND_CLI_OPTIONS_H
#define NETC_FRONTEND_CLI_OPTIONS_H

#include "ir/base/diag.h"

typedef enum option_kind {
    OPTION_FLAG,  /* bool */
    OPTION_TEXT,  /* const char * */
    OPTION_LIST,  /* strings: may be given several times */
    OPTION_COUNT, /* int64_t within least..most */
    OPTION_SEED,  /* seed */
    OPTION_REAL,  /* real */
    OPTION_CHOICE /* int: 1 + the index among `choices`, 0 where not given */
} option_kind;

typedef struct option {
    const char *name;  /* "weights" for --weights; NULL: only the letter */
    char letter;       /* 'o' for -o; 0: none */
    const char *value; /* "FILE"; NULL: takes none */
    const char *help;  /* one line */
    option_kind kind;
    size_t offset; /* of the field of `settings` */
    bool rare;     /* --help, which fits a screen, only names it; `netc help COMMAND` says all */
    int64_t least, most;
    const char *const *choices; /* ends with NULL */
} option;

typedef VEC(const char *) strings; /* a NULL follows the last */

typedef struct seed {
    bool given;
    uint64_t number;
} seed;

typedef struct real {
    bool given;
    double number;
} real;

/* All that options of any command set. */
typedef struct settings {
    bool help, man, json, check, exact, augment, resume, train;
    const char *out, *weights, *prefix, *triple, *passes, *dump, *backend, *data, *split, *net, *draw,
        *prompt, *across, *up, *val, *trace, *tune;
    strings defines, sets, inputs, outputs, layers, freeze;
    int64_t top, batch, threads, max_threads, limit, maps, generate, epochs;
    seed seed, text_seed;
    real temperature, goal, save_every, seconds;
    int embed, target, completion;
    bool no_cache, executor, error;
    real tolerance;
} settings;

typedef struct cli cli;

typedef struct command {
    const char *name;
    const char *summary;   /* one line */
    const char *usage;     /* behind "netc " */
    const char *example;   /* a whole command line, or several */
    const option *options; /* ends with a row without name and letter; --help is everyone's */
    int least, most;       /* operands; most -1: any number */
    const char *operands;  /* what they are, for "NET is missing" */
    int (*run)(cli *c);    /* an exit code */
} command;

extern const command *const commands[]; /* ends with NULL */

/* Options and operands may stand in any order; "--" ends the options. False with errors on anything unknown,
 * with the nearest name. */
bool options_parse(const command *c, int count, char **given, settings *s, strings *operands, diags *d);
/* A row as --help shows it: "--weights FILE  its weights: ...". */
void option_print(FILE *to, const option *o, int width);
/* "-o FILE", "--weights FILE" */
const char *option_words(arena *a, const option *o);

void strings_add(arena *a, strings *s, const char *item);

#endif
