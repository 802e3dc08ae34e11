/* Sessions: a workspace and recurrent state each, one model's packed weights for all. */
#include "frontend/api/lib.h"

#include <string.h>

struct netc_session {
    netc_model *model;
    void *workspace;
    void **states; /* [max_batch][count] numbers each; NULL: the net has none */
    atomic_flag busy;
};

/* ---- opening and closing ---- */

static bool has_weights(lib_call *c, const netc_model *m) {
    for (int k = 0; k < m->net.param_count; k++)
        if (!m->given[k])
            return lib_fail(c, NETC_NO_WEIGHTS,
                            "net %s has no weights yet: parameter '%s' has no value; load or draw them first",
                            m->net.name, m->net.params[k].at.name);
    return true;
}

/* The lock is held. Only where no session is open weights change, so nobody reads `packed` here. */
static bool prepare(lib_call *c, netc_model *m) {
    if (m->prepared) return true;
    if (!has_weights(c, m)) return false;
    if (!m->packed) m->packed = lib_memory(&m->options, m->net.packed_bytes);
    if (!m->packed) return lib_fail(c, NETC_NO_MEMORY, "out of memory: there is none for the packed weights");
    m->prepared = m->net.prepare(m->net.self, m->params, m->packed, c->diags);
    return m->prepared;
}

static int64_t state_bytes(const net *n, int k) {
    return n->states[k].count * n->max_batch * (int64_t)sizeof(float);
}

static bool get_memory(netc_session *s) {
    const net *n = &s->model->net;
    const netc_options *o = &s->model->options;
    s->workspace = lib_memory(o, n->workspace_bytes);
    if (!s->workspace || !n->state_count) return s->workspace;
    s->states = lib_memory(o, (int64_t)n->state_count * (int64_t)sizeof *s->states);
    for (int k = 0; s->states && k < n->state_count; k++)
        if (!(s->states[k] = lib_memory(o, state_bytes(n, k)))) return false;
    return s->states;
}

static void release(netc_session *s) {
    const netc_options o = s->model->options;
    for (int k = 0; s->states && k < s->model->net.state_count; k++) lib_release(&o, s->states[k]);
    lib_release(&o, s->states);
    lib_release(&o, s->workspace);
    lib_release(&o, s);
}

static bool open_session(lib_call *c, void *context) {
    netc_session *s = context;
    if (!prepare(c, s->model)) return false;
    if (!get_memory(s))
        return lib_fail(c, NETC_NO_MEMORY, "out of memory: a session of net %s needs %lld MB",
                        s->model->net.name, (long long)(s->model->net.workspace_bytes >> 20) + 1);
    s->model->sessions++;
    return true;
}

netc_session *netc_session_new(const netc_model *model, netc_error *error) {
    netc_model *m =
        (netc_model *)(uintptr_t)model; /* const is what the host sees: weights stay as they are */
    if (!m) return lib_refuse(error, NETC_BAD_CALL, "netc_session_new: model is NULL"), NULL;
    netc_session *s = lib_memory(&m->options, sizeof *s);
    if (!s) return lib_refuse(error, NETC_NO_MEMORY, "out of memory"), NULL;
    s->model = m;
    atomic_flag_clear(&s->busy);
    lib_call c = {.options = &m->options, .error = error, .lock = &m->lock};
    if (lib_run(&c, open_session, s)) return s;
    release(s);
    return NULL;
}

void netc_session_free(netc_session *s) {
    if (!s) return;
    netc_model *m = s->model;
    release(s);
    lib_let_go(m, 1, 0);
}

/* ---- running ---- */

typedef struct running {
    netc_session *session;
    net_call call;
} running;

/* -1, or the index of the first number outside of [0, bound). */
static int64_t first_outside(const int32_t *numbers, int64_t count, int64_t bound) {
    for (int64_t i = 0; i < count; i++)
        if (numbers[i] < 0 || numbers[i] >= bound) return i;
    return -1;
}

static bool check_input(lib_call *c, const net_tensor *t, int64_t samples, const void *at) {
    if (!at) return lib_fail(c, NETC_BAD_CALL, "input '%s' is NULL", t->name);
    if (t->type != NET_I32 || !t->bound) return true;
    int64_t k = first_outside(at, t->count * (t->batched ? samples : 1), t->bound);
    if (k < 0) return true;
    return lib_fail(c, NETC_BAD_INPUT, "number %lld of input '%s' is %ld, which lies outside of 0..%lld",
                    (long long)k, t->name, (long)((const int32_t *)at)[k], (long long)t->bound - 1);
}

bool lib_check_inputs(lib_call *c, const net *n, int64_t samples, const void *const *inputs) {
    if (samples < 1 || samples > n->max_batch)
        return lib_fail(c, NETC_BAD_CALL, "n is %lld: net %s was compiled for 1..%lld samples (max_batch)",
                        (long long)samples, n->name, (long long)n->max_batch);
    if (!inputs && n->input_count) return lib_fail(c, NETC_BAD_CALL, "inputs is NULL");
    for (int k = 0; k < n->input_count; k++)
        if (!check_input(c, &n->inputs[k], samples, inputs[k])) return false;
    return true;
}

static bool run(lib_call *c, void *context) {
    const running *r = context;
    const net *n = &r->session->model->net;
    if (!lib_check_inputs(c, n, r->call.n, r->call.inputs)) return false;
    if (!r->call.outputs) return lib_fail(c, NETC_BAD_CALL, "outputs is NULL");
    for (int k = 0; k < n->output_count; k++)
        if (!r->call.outputs[k]) return lib_fail(c, NETC_BAD_CALL, "output '%s' is NULL", n->outputs[k].name);
    return n->forward(n->self, &r->call, c->diags);
}

bool netc_run(netc_session *s, int n, const void *const *inputs, void *const *outputs, netc_error *error) {
    if (!s) return lib_refuse(error, NETC_BAD_CALL, "netc_run: session is NULL");
    if (atomic_flag_test_and_set(&s->busy))
        return lib_refuse(error, NETC_BUSY, "another thread is running this session: each needs its own");
    netc_model *m = s->model;
    running r = {s,
                 {.n = n,
                  .packed = m->packed,
                  .inputs = inputs,
                  .outputs = outputs,
                  .states = s->states,
                  .workspace = s->workspace}};
    lib_call c = {.options = &m->options, .error = error, .lock = m->net.shared ? NULL : &m->turn};
    bool good = lib_run(&c, run, &r);
    atomic_flag_clear(&s->busy);
    return good;
}

void netc_session_reset(netc_session *s) {
    for (int k = 0; s && s->states && k < s->model->net.state_count; k++)
        memset(s->states[k], 0, (size_t)state_bytes(&s->model->net, k));
}
