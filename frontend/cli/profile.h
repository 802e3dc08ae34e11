/* Between profile.c, which runs a net, and profile_json.c, which writes what it took for other programs. */
#ifndef NETC_FRONTEND_CLI_PROFILE_H
#define NETC_FRONTEND_CLI_PROFILE_H

#include "frontend/api/profile.h"
#include "frontend/cli/cli.h"

typedef struct profiled {
    const char *net, *backend;
    int64_t batch;
    bool train;
    profile profile;
    speed machine;
    profile_table table;
} profiled;

/* Prints JSON; an exit code. */
int profile_json(cli *c, const profiled *p);
/* Writes the fastest pass as Chrome's and Perfetto's JSON; false with an error. */
bool profile_trace(cli *c, const profiled *p, const char *path);

#endif
