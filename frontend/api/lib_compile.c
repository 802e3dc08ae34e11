/* From a text to a model, and a model's end. The model's arena outlives the call: it has a trap of its own. */
#include "frontend/api/describe.h"
#include "frontend/api/lib.h"
#include "frontend/api/version.h"
#include "ir/base/file.h"
#include "ir/base/guard.h"

#include <assert.h>
#include <string.h>

static_assert((int)NETC_F32 == (int)NET_F32 && (int)NETC_I32 == (int)NET_I32, "the same numbers");

const char *netc_version(void) {
    return NETC_VERSION;
}

/* ---- options ---- */

/* Options of an older host are shorter; of a newer one they may be longer, if it leaves zeros there. */
static bool copy_options(netc_options *to, const netc_options *given, netc_error *e) {
    *to = (netc_options){.size = sizeof *to};
    if (!given) return true;
    if (given->size < offsetof(netc_options, set))
        return lib_refuse(e, NETC_BAD_CALL, "options.size is %zu: set it to sizeof(netc_options)",
                          given->size);
    for (size_t k = sizeof *to; k < given->size; k++)
        if (((const char *)given)[k])
            return lib_refuse(e, NETC_UNSUPPORTED, "options has fields that netc %s does not know",
                              NETC_VERSION);
    memcpy(to, given, given->size < sizeof *to ? given->size : sizeof *to);
    to->size = sizeof *to;
    return true;
}

static bool check_options(const netc_options *o, netc_error *e) {
    if (o->max_batch < 0 || o->max_batch > COMPILE_MAX_BATCH)
        return lib_refuse(e, NETC_BAD_CALL, "options.max_batch is %d: it lies in 1..%d, or 0 for 1",
                          o->max_batch, (int)COMPILE_MAX_BATCH);
    if (o->threads < 0 || o->threads > COMPILE_MAX_THREADS)
        return lib_refuse(e, NETC_BAD_CALL,
                          "options.threads is %d: it lies in 1..%d, or 0 for one a processor", o->threads,
                          (int)COMPILE_MAX_THREADS);
    if (o->executor &&
        (!o->executor->run || o->executor->threads < 1 || o->executor->threads > COMPILE_MAX_THREADS))
        return lib_refuse(e, NETC_BAD_CALL, "options.executor needs run and 1..%d threads",
                          (int)COMPILE_MAX_THREADS);
    if (o->target && strcmp(o->target, "native") != 0 && !target_find(o->target))
        return lib_refuse(e, NETC_BAD_CALL,
                          "options.target: there is no '%s'; there are native, avx512, avx2, neon and c99",
                          o->target);
    return true;
}

/* The best first. */
static const executor *const backends[] = {&llvm_executor, &c_executor, &interp_executor};

static bool can(const executor *e, const netc_options *o) {
    return e->available() && !(o->executor && e == &c_executor);
}

static const executor *choose_backend(lib_call *c, const netc_options *o) {
    const executor *named = NULL, *best = NULL;
    for (size_t k = 0; k < sizeof backends / sizeof *backends; k++) {
        if (o->backend && strcmp(backends[k]->name, o->backend) == 0) named = backends[k];
        if (!best && can(backends[k], o)) best = backends[k];
    }
    if (!o->backend || (named && can(named, o))) return o->backend ? named : best;
    if (!named)
        lib_fail(c, NETC_BAD_CALL, "options.backend: there is no '%s'; there are llvm, c and interp",
                 o->backend);
    else if (named->available())
        lib_fail(c, NETC_UNSUPPORTED, "backend '%s' cannot run on options.executor: take llvm", named->name);
    else
        lib_fail(c, NETC_UNSUPPORTED,
                 named == &c_executor
                     ? "backend 'c': there is no C compiler (cc, gcc or clang) on PATH or in CC"
                     : "backend '%s': this netc was built without it",
                 named->name);
    return NULL;
}

static executor_options how_to_open(const netc_model *m, const netc_options *o) {
    executor_options e = {
        .threads = o->threads, .no_cache = !o->cache, .team = o->executor ? &m->team : NULL};
    e.compile.max_batch = o->max_batch ? o->max_batch : 1;
    if (o->target)
        e.compile
            .targets[strcmp(o->target, "native") == 0 ? compile_host_target() : target_find(o->target)->id] =
            true;
    return e;
}

/* ---- what the host sees of a net ---- */

static netc_tensor *tensors_of(arena *a, const net_tensor *from, int count) {
    netc_tensor *list = NEW_ARRAY(a, netc_tensor, count + 1);
    for (int k = 0; k < count; k++) {
        list[k] = (netc_tensor){.name = from[k].name,
                                .type = (int)from[k].type,
                                .rank = from[k].rank,
                                .bytes = (size_t)from[k].count * sizeof(float),
                                .batched = from[k].batched};
        memcpy(list[k].dims, from[k].dims, sizeof list[k].dims);
    }
    return list;
}

static void describe_parameters(netc_model *m) {
    arena *a = &m->arena;
    m->by_name = map_in(a);
    m->parameters = NEW_ARRAY(a, netc_tensor, m->net.param_count + 1);
    m->given = NEW_ARRAY(a, bool, m->net.param_count + 1);
    for (int k = 0; k < m->net.param_count; k++) {
        const param *p = &m->net.params[k].at;
        netc_tensor *t = &m->parameters[k];
        *t = (netc_tensor){.name = p->name, .rank = p->rank, .bytes = (size_t)p->count * sizeof(float)};
        memcpy(t->dims, p->dims, sizeof t->dims);
        map_put(&m->by_name, p->name, (void *)(uintptr_t)&m->net.params[k]);
    }
}

/* ---- compiling ---- */

typedef struct compiling {
    netc_model *model;
    const netc_options *options;
    const char *path, *text; /* one of them */
    size_t bytes;
} compiling;

static const source *read_source(lib_call *frame, const compiling *c) {
    source *s = NEW(frame->arena, source);
    const char *zero = c->text ? memchr(c->text, 0, c->bytes) : NULL;
    if (c->path) return file_read_text(frame->arena, c->path, LANG_MAX_BYTES, frame->diags);
    if (c->bytes > LANG_MAX_BYTES)
        lib_fail(frame, NETC_BAD_INPUT, "the text has %zu bytes, but netc reads %d at most", c->bytes,
                 (int)LANG_MAX_BYTES);
    else if (zero)
        lib_fail(frame, NETC_BAD_INPUT, "this is not text: byte %zu is zero", (size_t)(zero - c->text));
    else
        *s = (source){"text", arena_text(frame->arena, c->text, c->bytes), c->bytes};
    return s->text ? s : NULL;
}

/* Errors of a later call may point into what the host gave. */
static const char *const *copy_list(arena *a, const char *const *list) {
    int count = 0;
    while (list && list[count]) count++;
    const char **to = NEW_ARRAY(a, const char *, count + 1);
    for (int k = 0; k < count; k++) to[k] = arena_text(a, list[k], strlen(list[k]));
    return to;
}

static bool compile(lib_call *frame, void *context) {
    const compiling *c = context;
    netc_model *m = c->model;
    arena *a = &m->arena;
    const lang_options options = {.sets = copy_list(a, c->options->set)};
    m->executor = choose_backend(frame, c->options);
    m->how = how_to_open(m, c->options);
    const source *s = m->executor ? read_source(frame, c) : NULL;
    m->graph = s ? lang_compile(a, s, &options, frame->diags) : NULL;
    if (!m->graph) return false;
    describe_graph(&m->net, a, m->graph);
    m->inputs = tensors_of(a, m->net.inputs, m->net.input_count);
    m->outputs = tensors_of(a, m->net.outputs, m->net.output_count);
    describe_parameters(m);
    m->params = lib_memory(&m->options, m->net.values * (int64_t)sizeof(float));
    if (!m->params) return lib_fail(frame, NETC_NO_MEMORY, "out of memory: there is none for the weights");
    return executor_open(m->executor, &m->net, a, m->graph, &m->how, frame->diags);
}

static netc_model *new_model(const netc_options *o) {
    netc_model *m = lib_memory(o, sizeof *m);
    if (!m) return NULL;
    m->options = *o;
    m->options.set = NULL;
    m->options.backend = m->options.target = NULL;
    m->options.executor = NULL;
    if (o->executor) m->team = (team){o->executor->user, o->executor->threads, o->executor->run};
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->turn, NULL);
    arena_init(&m->arena, guard_cap(), NULL);
    m->arena.from = lib_allocator(o);
    return m;
}

static void free_model(netc_model *m) {
    const netc_options o = m->options;
    net_close(&m->net);
    lib_release(&o, m->packed);
    lib_release(&o, m->params);
    arena_free(&m->arena);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->turn);
    lib_release(&o, m);
}

/* Either path or memory is NULL. */
static netc_model *compile_either(const char *path, const char *memory, size_t bytes,
                                  const netc_options *given, netc_error *error) {
    netc_options o;
    lib_clear(error);
    if (!copy_options(&o, given, error) || !check_options(&o, error)) return NULL;
    netc_model *m = new_model(&o);
    if (!m) return lib_refuse(error, NETC_NO_MEMORY, "out of memory"), NULL;
    compiling c = {m, &o, path, memory, bytes};
    lib_call frame = {.options = &o, .error = error, .file = path ? path : "text"};
    if (lib_build(&frame, &m->arena, compile, &c)) return m;
    free_model(m);
    return NULL;
}

static netc_model *refuse_onnx(netc_error *error, const char *what) {
    lib_refuse(error, NETC_UNSUPPORTED,
               "%s: netc %s has no reader for ONNX: write the net as a .net text; weights that PyTorch saves "
               "load as they are",
               what, NETC_VERSION);
    return NULL;
}

netc_model *netc_compile_file(const char *path, const netc_options *options, netc_error *error) {
    size_t length = path ? strlen(path) : 0;
    if (!path) return lib_refuse(error, NETC_BAD_CALL, "netc_compile_file: path is NULL"), NULL;
    if (length > 5 && strcmp(path + length - 5, ".onnx") == 0) return refuse_onnx(error, path);
    return compile_either(path, NULL, 0, options, error);
}

netc_model *netc_compile_text(const char *memory, size_t bytes, const netc_options *options,
                              netc_error *error) {
    if (!memory) return lib_refuse(error, NETC_BAD_CALL, "netc_compile_text: text is NULL"), NULL;
    return compile_either(NULL, memory, bytes, options, error);
}

netc_model *netc_compile_onnx(const void *bytes, size_t count, const netc_options *options,
                              netc_error *error) {
    (void)bytes, (void)count, (void)options;
    return refuse_onnx(error, "netc_compile_onnx");
}

/* ---- its end ---- */

void lib_hold(netc_model *m, int sessions, int trainers) {
    pthread_mutex_lock(&m->lock);
    m->sessions += sessions;
    m->trainers += trainers;
    pthread_mutex_unlock(&m->lock);
}

void lib_let_go(netc_model *m, int sessions, int trainers) {
    pthread_mutex_lock(&m->lock);
    m->sessions -= sessions;
    m->trainers -= trainers;
    bool last = m->freed && !m->sessions && !m->trainers;
    pthread_mutex_unlock(&m->lock);
    if (last) free_model(m);
}

void netc_model_free(netc_model *m) {
    if (!m) return;
    pthread_mutex_lock(&m->lock);
    m->freed = true;
    pthread_mutex_unlock(&m->lock);
    lib_let_go(m, 0, 0);
}

/* ---- tensors ---- */

static const netc_tensor *at(const netc_tensor *list, int count, int i) {
    return i >= 0 && i < count ? &list[i] : NULL;
}

int netc_input_count(const netc_model *m) {
    return m ? m->net.input_count : 0;
}

const netc_tensor *netc_input(const netc_model *m, int i) {
    return m ? at(m->inputs, m->net.input_count, i) : NULL;
}

int netc_output_count(const netc_model *m) {
    return m ? m->net.output_count : 0;
}

const netc_tensor *netc_output(const netc_model *m, int i) {
    return m ? at(m->outputs, m->net.output_count, i) : NULL;
}

int netc_parameter_count(const netc_model *m) {
    return m ? m->net.param_count : 0;
}

const netc_tensor *netc_parameter(const netc_model *m, int i) {
    return m ? at(m->parameters, m->net.param_count, i) : NULL;
}
