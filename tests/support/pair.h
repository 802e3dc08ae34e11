/* For tests of generated code: a folder with a generated pair in it, in which commands run. */
#ifndef NETC_TESTS_SUPPORT_PAIR_H
#define NETC_TESTS_SUPPORT_PAIR_H

#include "backends/c/c.h"

typedef struct pair_folder {
    arena *arena;
    const char *path;
} pair_folder;

/* A new folder under $TMPDIR. */
pair_folder pair_open(arena *a);
void pair_close(pair_folder *f);
void pair_write(const pair_folder *f, const char *name, const void *bytes, size_t size);
/* Runs a shell command there; its status, and what it wrote on both channels. */
int pair_run(const pair_folder *f, const char *command, const char **output);
/* Emits `p` as net.c and net.h (prefix "net") into the folder; false with errors in d. */
bool pair_emit(const pair_folder *f, const program *p, c_options o, diags *d);
/* True if the shell finds such a command. */
bool pair_has(const char *command);

#endif
