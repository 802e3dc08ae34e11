/* What only a net declares: inputs, outputs, state kept from call to call, names of classes. */
#include "frontend/lang/elab.h"
#include "ir/base/size.h"

#include <math.h>
#include <string.h>

/* [N, sizes...] of an input or state; false with an error. */
static bool batched_shape(elab *e, const ast_name *name, const ast_exprs *dims, shape *out) {
    int64_t all;
    bool good = true;
    *out = (shape){1, {DIM_N}};
    if (dims->count < 1 || dims->count >= MAX_RANK) {
        fail(e, name->at, "'%s' has 1 to %d sizes in brackets (without the batch, which netc adds)",
             name->name, MAX_RANK - 1);
        return false;
    }
    for (int i = 0; i < dims->count; i++) {
        int64_t size = 1;
        bool read = eval_size(e, dims->at[i], "a size", &size);
        if (read && size < 1)
            fail(e, dims->at[i]->at, "a size must be positive, but this is %lld", (long long)size);
        good = good && read && size >= 1;
        out->dim[out->rank++] = size;
    }
    if (!good) return false;
    if (shape_valid(out) && size_add(shape_count(out), e->net->numbers, &all)) return true;
    fail(e, name->at, "'%s' is too large: a net's tensors hold at most 2^46 numbers", name->name);
    return false;
}

/* mean or std: a number a channel, or one for all. NULL with an error. */
static double *statistic(elab *e, const ast_arg *a, int64_t channels) {
    val v = eval_one(e, a->value);
    double *out = NEW_ARRAY(e->arena, double, channels);
    bool list = v.kind == VAL_LIST, good = val_is_number(v) || (list && v.as.list->count == channels);
    for (int64_t c = 0; c < channels && good; c++) {
        val x = list ? v.as.list->at[c] : v;
        good = val_is_number(x) && isfinite(val_number(x));
        if (good) out[c] = val_number(x);
        if (good && strcmp(a->name, "std") == 0 && out[c] <= 0) {
            fail(e, a->at, "'std' divides, so it must be positive");
            return NULL;
        }
    }
    if (!good && v.kind != VAL_ERROR)
        fail(e, a->at, "'%s' must be a number or a list of one for each of the %lld channels", a->name,
             (long long)channels);
    return good ? out : NULL;
}

static void normalize(elab *e, const ast_stmt *s, value *x) {
    static const char *const known[] = {"mean", "std"};
    int64_t channels = x->shape.dim[1];
    double *found[2] = {0};
    if (x->type != DT_F32 || channels > 65536) {
        fail(e, s->as.input.normalize_at,
             x->type != DT_F32 ? "integers are not normalized"
                               : "an input of more than 65536 channels is no picture");
        return;
    }
    for (int i = 0; i < s->as.input.statistics.count; i++) {
        const ast_arg *a = &s->as.input.statistics.at[i];
        int k = a->name && strcmp(a->name, "std") == 0;
        if (!a->name || strcmp(a->name, known[k]) != 0) {
            fail(e, a->at, "normalize takes mean = and std = by name%s",
                 a->name ? suggest(e, a->name, known, 2) : "");
            return;
        }
        if (!(found[k] = statistic(e, a, channels))) return;
    }
    if (!found[0] || !found[1]) {
        fail(e, s->as.input.normalize_at, "normalize needs both: normalize(mean = ..., std = ...)");
        return;
    }
    x->as.input.mean = found[0];
    x->as.input.std = found[1];
    x->as.input.channels = (int)channels;
}

void exec_input(elab *e, ast_stmt *s) {
    ast_name *name = &s->as.input.name;
    shape dims;
    bool claimed = claim_tensor_name(e, name->name, name->at);
    if (!batched_shape(e, name, &s->as.input.dims, &dims) || !claimed) {
        assign(e, name, val_error(), name->at);
        return;
    }
    value *v = graph_input(e->net, name->name, s->as.input.integer ? DT_I32 : DT_F32, dims, name->at);
    assign(e, name, val_tensor(v, 0), name->at);
    if (s->as.input.normalize) normalize(e, s, v);
}

void exec_state(elab *e, ast_stmt *s) {
    ast_name *name = &s->as.input.name;
    shape dims;
    bool claimed = claim_tensor_name(e, name->name, name->at);
    if (!batched_shape(e, name, &s->as.input.dims, &dims) || !claimed) {
        assign(e, name, val_error(), name->at);
        return;
    }
    assign(e, name, val_tensor(graph_state(e->net, name->name, dims, name->at), 0), name->at);
}

/* The last value given to a state's name is what the next call starts from. */
void finish_states(elab *e) {
    for (int i = 0; i < e->net->states.count; i++) {
        value *state = e->net->states.at[i];
        variable *v = find_variable(e, state->name);
        if (!v || v->v.kind == VAL_ERROR || v->v.as.tensor == state) continue;
        if (v->target) v->target->used = true;
        if (v->v.kind != VAL_TENSOR || !shape_equal(&v->v.as.tensor->shape, &state->shape)) {
            fail(e, v->at, "state '%s' is %s, but the next call would start from %s", state->name,
                 shape_string(e->arena, &state->shape), val_kind_name(e->arena, v->v));
            diag_add(e->diags, DIAG_NOTE, state->at, "it is declared here");
            continue;
        }
        state->as.next = v->v.as.tensor;
    }
}

static void add_output(elab *e, ast_name *name, val v) {
    if (v.kind == VAL_TENSOR && !shape_batched(&v.as.tensor->shape))
        v = fail(e, name->at, "output '%s' is %s, the same for every input: it depends on none", name->name,
                 val_kind_name(e->arena, v));
    if (v.kind == VAL_TENSOR && v.as.tensor->type != DT_F32 && v.as.tensor->kind != VALUE_NODE)
        v = fail(e, name->at, "output '%s' would only hand an integer input back", name->name);
    if (v.kind != VAL_TENSOR) {
        if (v.kind != VAL_ERROR)
            fail(e, name->at, "output '%s' must be a tensor, but it is %s", name->name,
                 val_kind_name(e->arena, v));
        return;
    }
    graph_output out = {name->name, v.as.tensor};
    VEC_PUSH(e->net->arena, &e->net->outputs, out);
}

void exec_output(elab *e, ast_stmt *s) {
    ast_names *names = &s->as.assign.names;
    val v = eval(e, s->as.assign.value);
    int given = v.kind == VAL_MANY ? v.as.list->count : 1;
    if (names->count > given && v.kind != VAL_ERROR)
        v = fail(e, names->at[given].at, "%d outputs, but the right side gives %d result%s", names->count,
                 given, given == 1 ? "" : "s");
    for (int i = 0; i < names->count; i++) {
        val one = v.kind == VAL_MANY ? v.as.list->at[i] : v;
        bool claimed = claim_tensor_name(e, names->at[i].name, names->at[i].at);
        assign(e, &names->at[i], one, names->at[i].at);
        names->at[i].used = true;
        if (claimed) add_output(e, &names->at[i], one);
    }
}

/* A line a class; blank lines at the end are none. */
static void labels_from_file(elab *e, const char *path, span at) {
    const source *s = load_beside(e->arena, path, at, e->diags);
    if (s) VEC_PUSH(e->arena, &e->net->files, s);
    const char *line = s ? s->text : "";
    while (*line) {
        size_t length = strcspn(line, "\n"), kept = length;
        if (kept && line[kept - 1] == '\r') kept--;
        if (kept || line[length])
            VEC_PUSH(e->net->arena, &e->net->labels, arena_text(e->net->arena, line, kept));
        line += length + (line[length] == '\n');
    }
    while (e->net->labels.count && !*e->net->labels.at[e->net->labels.count - 1]) e->net->labels.count--;
    if (s && !e->net->labels.count)
        fail(e, at, "the file '%s' names no class: it needs a line for each", path);
}

void exec_labels(elab *e, const ast_stmt *s) {
    span at = s->as.labels->at;
    val v = eval_one(e, s->as.labels);
    if (v.kind == VAL_ERROR) return;
    if (e->net->labels.count) {
        fail(e, s->at, "this net has its labels already");
        return;
    }
    if (v.kind == VAL_TEXT) {
        labels_from_file(e, v.as.text, at);
        return;
    }
    for (int i = 0; v.kind == VAL_LIST && i < v.as.list->count; i++)
        if (v.as.list->at[i].kind == VAL_TEXT)
            VEC_PUSH(e->net->arena, &e->net->labels, v.as.list->at[i].as.text);
    if (v.kind != VAL_LIST || !v.as.list->count || e->net->labels.count != v.as.list->count)
        fail(e, at, "labels are a list of texts, or the name of a file with a line a class");
}
