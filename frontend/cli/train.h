/* Between train.c and train_files.c. */
#ifndef NETC_FRONTEND_CLI_TRAIN_H
#define NETC_FRONTEND_CLI_TRAIN_H

#include "frontend/cli/cli.h"
#include "runtime/run_folder.h"

/* `number` is the seed. recipe.net: the text, with what it amounts to and what the command line changes in comments on top. command.txt: the
 * command lines that this folder was made with. */
bool train_write_recipe(cli *c, const run_folder *f, const graph *g, int64_t epochs, uint64_t number);
/* This call of netc as a shell takes it. */
const char *train_words(const cli *c);

#endif
