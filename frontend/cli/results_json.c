/* Results as JSON. */
#include "frontend/cli/json.h"
#include "frontend/cli/results.h"
#include "runtime/scores.h"

/* Numbers nested by the axes from `axis` on; *at walks over them. */
static json_t *nested(const net_tensor *t, int axis, const void *data, int64_t *at) {
    if (axis == t->rank) {
        int64_t i = (*at)++;
        if (t->type == NET_I32) return json_integer(((const int32_t *)data)[i]);
        return json_of_real((double)((const float *)data)[i]);
    }
    json_t *list = json_array();
    for (int64_t k = 0; k < t->dims[axis]; k++) json_array_append_new(list, nested(t, axis + 1, data, at));
    return list;
}

static json_t *json_of_output(const results *r, int output) {
    const net_tensor *t = &r->net->outputs[output];
    int64_t at = 0;
    if (!t->batched || r->in->samples == 1) return nested(t, 0, r->outputs[output], &at);
    json_t *list = json_array();
    for (int64_t s = 0; s < r->in->samples; s++)
        json_array_append_new(list, nested(t, 0, r->outputs[output], &at));
    return list;
}

static json_t *json_of_top(cli *c, const results *r, int64_t sample, guess *top) {
    const net_tensor *t = &r->net->outputs[0];
    const float *row = (const float *)r->outputs[0] + sample * t->count;
    int count = scores_top(r->net->scores, row, t->count, top, r->top);
    json_t *list = json_array();
    for (int k = 0; k < count; k++)
        json_array_append_new(list,
                              json_pack("{s:I, s:o, s:o}", "class", (json_int_t)top[k].class, "name",
                                        json_of_text(c->arena, class_name(c->arena, r->net, top[k].class)),
                                        "p", json_of_real(top[k].p)));
    return list;
}

static json_t *json_of_tops(cli *c, const results *r) {
    guess *top = NEW_ARRAY(c->arena, guess, r->top + 1);
    if (r->net->scores == SCORES_NONE) return json_array();
    if (r->in->samples == 1) return json_of_top(c, r, 0, top);
    json_t *list = json_array();
    for (int64_t s = 0; s < r->in->samples; s++) json_array_append_new(list, json_of_top(c, r, s, top));
    return list;
}

int results_json(cli *c, const results *r) {
    json_t *all = json_object();
    for (int k = 0; k < r->net->output_count; k++)
        json_object_set_new(all, r->net->outputs[k].name, json_of_output(r, k));
    return cli_json(c, json_pack("{s:o, s:o}", "outputs", all, "top", json_of_tops(c, r)));
}
