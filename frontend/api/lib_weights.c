/* A model's weights: from files, by name, drawn; never while sessions share them. */
#include "frontend/api/lib.h"
#include "ir/base/guard.h"
#include "runtime/weights.h"

#include <string.h>

static bool is_free(lib_call *c, const netc_model *m) {
    if (!m->sessions) return true;
    return lib_fail(c, NETC_BUSY, "net %s has %d open session%s, which share its weights: free them first",
                    m->net.name, m->sessions, m->sessions == 1 ? "" : "s");
}

static int64_t bytes_of(const netc_model *m) {
    return m->net.values * (int64_t)sizeof(float);
}

/* ---- all of them ---- */

bool lib_take_weights(lib_call *c, netc_model *m, float *values) {
    pthread_mutex_lock(&m->lock);
    bool good = !m->sessions;
    float *out = good ? m->params : values;
    if (good) {
        m->params = values;
        m->prepared = false;
        memset(m->given, true, (size_t)m->net.param_count * sizeof *m->given);
    }
    pthread_mutex_unlock(&m->lock);
    lib_release(&m->options, out);
    return good || is_free(c, m);
}

typedef struct loading {
    netc_model *model;
    const char *path; /* NULL: from memory */
    const void *bytes;
    size_t count;
    float *values;
    lib_call *call;
    tensors file;
} loading;

static bool copy_values(void *context) {
    loading *l = context;
    const net *n = &l->model->net;
    param *table = NEW_ARRAY(l->call->arena, param, n->param_count + 1);
    for (int k = 0; k < n->param_count; k++) table[k] = n->params[k].at;
    return params_load(&l->file, table, n->param_count, l->values, l->call->arena, l->call->diags);
}

static void close_file(void *context) {
    loading *l = context;
    tensors_close(&l->file);
}

static bool read_weights(lib_call *c, loading *l) {
    l->call = c;
    bool good = l->path ? tensors_open(&l->file, c->arena, l->path, c->diags)
                        : tensors_open_memory(&l->file, c->arena, "weights", l->bytes, l->count, c->diags);
    if (!good) return false;
    good = guard_undo(c->arena, copy_values, close_file, l);
    tensors_close(&l->file);
    return good;
}

static bool load(lib_call *c, void *context) {
    loading *l = context;
    l->values = lib_memory(&l->model->options, bytes_of(l->model));
    if (!l->values) return lib_fail(c, NETC_NO_MEMORY, "out of memory: there is none for the weights");
    return read_weights(c, l);
}

static bool take(lib_call *c, void *context) {
    loading *l = context;
    float *values = l->values;
    l->values = NULL;
    return lib_take_weights(c, l->model, values);
}

static bool load_either(netc_model *m, const char *path, const void *bytes, size_t count, netc_error *error) {
    loading l = {.model = m, .path = path, .bytes = bytes, .count = count};
    lib_call c = {.options = &m->options, .error = error, .file = path};
    bool good = lib_run(&c, load, &l) && lib_run(&c, take, &l);
    lib_release(&m->options, l.values);
    return good;
}

bool netc_load_weights(netc_model *m, const char *path, netc_error *error) {
    if (!m || !path)
        return lib_refuse(error, NETC_BAD_CALL, "netc_load_weights: %s is NULL", m ? "path" : "model");
    return load_either(m, path, NULL, 0, error);
}

bool netc_load_weights_memory(netc_model *m, const void *bytes, size_t count, netc_error *error) {
    if (!m || !bytes)
        return lib_refuse(error, NETC_BAD_CALL, "netc_load_weights_memory: %s is NULL",
                          m ? "bytes" : "model");
    return load_either(m, NULL, bytes, count, error);
}

static bool draw(lib_call *c, void *context) {
    loading *l = context;
    l->values = lib_memory(&l->model->options, bytes_of(l->model));
    if (!l->values) return lib_fail(c, NETC_NO_MEMORY, "out of memory: there is none for the weights");
    weights_draw(&l->model->net, l->count, l->values);
    return take(c, l);
}

bool netc_init_weights(netc_model *m, uint64_t seed, netc_error *error) {
    if (!m) return lib_refuse(error, NETC_BAD_CALL, "netc_init_weights: model is NULL");
    loading l = {.model = m, .count = seed};
    lib_call c = {.options = &m->options, .error = error};
    return lib_run(&c, draw, &l);
}

/* ---- one of them ---- */

typedef struct access {
    netc_model *model;
    const char *name;
    float *to;
    const float *from;
    size_t count;
} access;

static const char *near_name(lib_call *c, const net *n, const char *name) {
    const char **names = NEW_ARRAY(c->arena, const char *, n->param_count + 1);
    for (int k = 0; k < n->param_count; k++) names[k] = n->params[k].at.name;
    return nearest_name(name, names, n->param_count);
}

/* The parameter's index, or -1 after an error. */
static int find(lib_call *c, const access *x) {
    const net *n = &x->model->net;
    const net_param *p = map_get(&x->model->by_name, x->name);
    if (!p) {
        const char *near = near_name(c, n, x->name);
        lib_fail(c, NETC_BAD_CALL, "net %s has no parameter '%s'%s%s%s", n->name, x->name,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        return -1;
    }
    if (x->count == (size_t)p->at.count) return (int)(p - n->params);
    lib_fail(c, NETC_BAD_CALL, "parameter '%s' has %lld numbers, but count is %zu", x->name,
             (long long)p->at.count, x->count);
    return -1;
}

static bool get(lib_call *c, void *context) {
    const access *x = context;
    int k = find(c, x);
    if (k < 0) return false;
    if (!x->model->given[k])
        return lib_fail(c, NETC_NO_WEIGHTS, "parameter '%s' has no value yet: load or draw the weights first",
                        x->name);
    memcpy(x->to, x->model->params + x->model->net.params[k].at.offset, x->count * sizeof *x->to);
    return true;
}

static bool set(lib_call *c, void *context) {
    const access *x = context;
    int k = find(c, x);
    if (k < 0 || !is_free(c, x->model)) return false;
    memcpy(x->model->params + x->model->net.params[k].at.offset, x->from, x->count * sizeof *x->from);
    x->model->given[k] = true;
    x->model->prepared = false;
    return true;
}

/* The lock is not part of what is const to the host. */
static bool reach(const netc_model *m, access x, bool (*work)(lib_call *c, void *context),
                  netc_error *error) {
    x.model = (netc_model *)(uintptr_t)m;
    lib_call c = {.options = &m->options, .error = error, .lock = &x.model->lock};
    return lib_run(&c, work, &x);
}

bool netc_get_parameter(const netc_model *m, const char *name, float *values, size_t count,
                        netc_error *error) {
    if (!m || !name || !values)
        return lib_refuse(error, NETC_BAD_CALL, "netc_get_parameter: %s is NULL",
                          !m     ? "model"
                          : name ? "values"
                                 : "name");
    return reach(m, (access){.name = name, .to = values, .count = count}, get, error);
}

bool netc_set_parameter(netc_model *m, const char *name, const float *values, size_t count,
                        netc_error *error) {
    if (!m || !name || !values)
        return lib_refuse(error, NETC_BAD_CALL, "netc_set_parameter: %s is NULL",
                          !m     ? "model"
                          : name ? "values"
                                 : "name");
    return reach(m, (access){.name = name, .from = values, .count = count}, set, error);
}
