/* What `netc run` has computed, and the ways to print it. */
#ifndef NETC_FRONTEND_CLI_RESULTS_H
#define NETC_FRONTEND_CLI_RESULTS_H

#include "frontend/cli/cli.h"
#include "runtime/inputs.h"

typedef struct results {
    const net *net;
    const inputs *in;
    void **outputs; /* one an output: [samples][count], one in all where it has no batch */
    int first;      /* of the outputs: what --output means without a name */
    int top;        /* classes wanted */
} results;

/* Classes of the first output where that is a row of scores; a summary of the others. */
void results_print(cli *c, const results *r);
/* {"outputs": {NAME: numbers}, "top": [{"class", "name", "p"}]}. One sample has numbers nested by the
 * output's own shape and one list of classes; several have a list of these, one a sample. */
int results_json(cli *c, const results *r);
/* --output [NAME=]FILE.npy: [samples, ...] as the net declares it. */
bool results_save(cli *c, const results *r);

/* A class's name: its label, fit to print, or its number. */
const char *class_name(arena *a, const net *n, int64_t class);

#endif
