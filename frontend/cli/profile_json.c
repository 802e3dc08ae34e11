/* What `netc profile` found, for other programs: one object, and a trace of one pass. */
#include "frontend/cli/profile.h"

#include "frontend/cli/json.h"
#include "ir/base/file.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 9, TRACE_DIGITS = 15 };

static json_t *names_of(const profile_row *r) {
    json_t *list = json_array();
    for (int k = 0; k < r->layer_count; k++) json_array_append_new(list, json_string(r->layers[k]));
    return list;
}

static json_t *kernels_of(const profile *p, const profile_row *r) {
    json_t *list = json_array();
    for (int k = 0; k < r->call_count; k++) {
        const profile_call *c = &p->calls[r->calls[k]];
        json_array_append_new(list, json_pack("{s:s, s:I, s:o}", "name", c->call->kernel->name, "runs",
                                              (json_int_t)c->times, "milliseconds",
                                              json_of_real(profile_median(p, &r->calls[k], 1))));
    }
    return list;
}

static json_t *row_of(cli *c, const profiled *p, const profile_row *r) {
    double peak = p->machine.gflops > 0 ? r->gflops / p->machine.gflops : 0;
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:I, s:o, s:o}", "name",
                     json_of_text(c->arena, r->name), "layers", names_of(r), "phase",
                     profile_phases[r->phase], "op", r->op ? r->op : "", "way", r->way ? r->way : "",
                     "milliseconds", json_of_real(r->ms), "share", json_of_real(r->share), "multiply_adds",
                     (json_int_t)r->multiply_adds, "gflops", json_of_real(r->gflops), "peak",
                     json_of_real(peak), "bytes", (json_int_t)r->bytes, "floor_milliseconds",
                     json_of_real(r->floor), "kernels", kernels_of(&p->profile, r));
}

int profile_json(cli *c, const profiled *p) {
    const profile *r = &p->profile;
    json_t *rows = json_array();
    for (int k = 0; k < p->table.count; k++) json_array_append_new(rows, row_of(c, p, &p->table.at[k]));
    json_t *machine =
        json_pack("{s:o, s:o, s:I}", "gflops", json_of_real(p->machine.gflops), "gigabytes_per_second",
                  json_of_real(p->machine.gbs), "bytes", (json_int_t)p->machine.bytes);
    return cli_json(c,
                    json_pack("{s:s, s:s, s:s, s:b, s:I, s:i, s:i, s:o, s:o, s:o}", "net", p->net, "backend",
                              p->backend, "target", targets[r->target].name, "train", (int)p->train, "batch",
                              (json_int_t)p->batch, "threads", r->threads, "passes", r->passes,
                              "milliseconds", json_of_real(r->total), "machine", machine, "layers", rows));
}

/* ---- the trace: times are in microseconds ---- */

/* The row that a call belongs to. */
static const profile_row *row_with(const profiled *p, int number) {
    for (int k = 0; k < p->table.count; k++)
        for (int i = 0; i < p->table.at[k].call_count; i++)
            if (p->table.at[k].calls[i] == number) return &p->table.at[k];
    return NULL;
}

static json_t *event_of(cli *c, const profiled *p, const profile_event *e) {
    const profile_row *r = row_with(p, e->call);
    const kernel *k = p->profile.calls[e->call].call->kernel;
    return json_pack("{s:o, s:s, s:s, s:f, s:f, s:i, s:i, s:{s:s}}", "name", json_of_text(c->arena, r->name),
                     "cat", profile_phases[r->phase], "ph", "X", "ts", (double)e->begin * 1e-3, "dur",
                     (double)(e->end - e->begin) * 1e-3, "pid", 1, "tid", 1, "args", "kernel", k->name);
}

static json_t *process_name(const profiled *p) {
    return json_pack("{s:s, s:s, s:i, s:{s:s}}", "name", "process_name", "ph", "M", "pid", 1, "args", "name",
                     p->net);
}

bool profile_trace(cli *c, const profiled *p, const char *path) {
    json_t *events = json_array(), *all;
    json_array_append_new(events, process_name(p));
    for (int k = 0; k < p->profile.event_count; k++)
        json_array_append_new(events, event_of(c, p, &p->profile.events[k]));
    all = json_pack("{s:o, s:s}", "traceEvents", events, "displayTimeUnit", "ns");
    char *text_ = all ? json_dumps(all, JSON_REAL_PRECISION(TRACE_DIGITS)) : NULL;
    json_decref(all);
    if (!text_) return diag_file(c->diags, path, "out of memory: the trace does not fit as JSON");
    bool good = file_write(path, text_, strlen(text_), c->diags);
    free(text_);
    return good;
}
