/* netc show: a net's layers and what it costs. */
#include "frontend/api/describe.h"
#include "frontend/api/layers.h"
#include "frontend/cli/draw.h"
#include "frontend/cli/json.h"

#include <string.h>

static const option options[] = {
    {OPTION(draw, "draw", "FILE", OPTION_TEXT, "draw the layers: .dot; by graphviz .svg, .png, .pdf")},
    OPTION_JSON,
    OPTION_DEFINE,
    OPTION_NET,
    {0},
};

/* "12,345" */
static const char *grouped(arena *a, int64_t n) {
    char digits[24];
    text t = text_in(a);
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int k = 0; k < length; k++) text_printf(&t, k && (length - k) % 3 == 0 ? ",%c" : "%c", digits[k]);
    return t.at;
}

/* "64x112x112": a sample's. */
static const char *shape_words(arena *a, const shape *s) {
    text t = text_in(a);
    int first = shape_batched(s);
    for (int k = first; k < s->rank; k++) text_printf(&t, k > first ? "x%lld" : "%lld", (long long)s->dim[k]);
    return t.at ? t.at : "1";
}

static const char *field_words(arena *a, const layer_row *r) {
    if (!r->field[0]) return "-";
    if (r->field[0] == r->field[1]) return arena_printf(a, "%lld", (long long)r->field[0]);
    return arena_printf(a, "%lldx%lld", (long long)r->field[0], (long long)r->field[1]);
}

/* ---- text ---- */

enum { COLUMNS = 7, NUMBERS = 3 /* columns from here on stand right */ };

typedef struct line {
    const char *cell[COLUMNS];
} line;

static line line_of(arena *a, const layer_row *r) {
    return (line){{r->name, r->op, shape_words(a, &r->output), grouped(a, r->neurons),
                   grouped(a, r->parameters), grouped(a, r->multiply_adds), field_words(a, r)}};
}

static void print_line(const line *l, const int *width) {
    for (int k = 0; k < COLUMNS; k++)
        printf("%s%*s", k ? "  " : "", k < NUMBERS ? -width[k] : width[k], l->cell[k]);
    printf("\n");
}

static void print_table(cli *c, const net *n, const layer_table *t) {
    int count = t->count + 2, width[COLUMNS] = {0};
    line *lines = NEW_ARRAY(c->arena, line, count);
    lines[0] = (line){{"layer", "op", "output", "neurons", "parameters", "multiply-adds", "field"}};
    for (int k = 0; k < t->count; k++) lines[k + 1] = line_of(c->arena, &t->at[k]);
    lines[count - 1] = (line){
        {"total", "", "", "", grouped(c->arena, t->parameters), grouped(c->arena, t->multiply_adds), ""}};
    for (int i = 0; i < count; i++)
        for (int k = 0; k < COLUMNS; k++)
            if ((int)strlen(lines[i].cell[k]) > width[k]) width[k] = (int)strlen(lines[i].cell[k]);
    for (int i = 0; i < count; i++) print_line(&lines[i], width);
    printf("\n%s: one call of one sample needs %s bytes of workspace and %s bytes of packed weights\n",
           n->name, grouped(c->arena, n->workspace_bytes), grouped(c->arena, n->packed_bytes));
}

/* ---- JSON ---- */

static json_t *json_of_shape(const shape *s) {
    json_t *list = json_array();
    for (int k = shape_batched(s); k < s->rank; k++) json_array_append_new(list, json_integer(s->dim[k]));
    return list;
}

static json_t *json_of_field(const layer_row *r) {
    if (!r->field[0]) return json_null();
    if (r->field[0] == r->field[1]) return json_integer(r->field[0]);
    return json_pack("[I,I]", (json_int_t)r->field[0], (json_int_t)r->field[1]);
}

static json_t *json_of_row(const layer_row *r) {
    return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:o}", "name", r->name, "op", r->op, "output",
                     json_of_shape(&r->output), "neurons", (json_int_t)r->neurons, "parameters",
                     (json_int_t)r->parameters, "multiply_adds", (json_int_t)r->multiply_adds,
                     "receptive_field", json_of_field(r));
}

static int print_json_table(cli *c, const net *n, const layer_table *t) {
    json_t *rows = json_array();
    for (int k = 0; k < t->count; k++) json_array_append_new(rows, json_of_row(&t->at[k]));
    return cli_json(c, json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "net", n->name, "parameters",
                                 (json_int_t)t->parameters, "multiply_adds", (json_int_t)t->multiply_adds,
                                 "workspace_bytes", (json_int_t)n->workspace_bytes, "packed_bytes",
                                 (json_int_t)n->packed_bytes, "layers", rows));
}

static int run(cli *c) {
    opened o;
    compile_options sizes = {.max_batch = 1, .max_threads = COMPILE_THREADS};
    int code = open_graph(c, &o);
    if (code) return code;
    if (c->settings.draw) return draw_net(c, o.graph);
    const program *p = compile_program(c->arena, o.graph, &sizes, c->diags);
    if (!p) return CLI_BAD_INPUT;
    describe_program(&o.net, p);
    layer_table t = layers_of(c->arena, o.graph);
    if (c->settings.json) return print_json_table(c, &o.net, &t);
    print_table(c, &o.net, &t);
    return CLI_OK;
}

const command show_command = {
    .name = "show",
    .summary = "Prints a net's layers, their shapes and costs",
    .usage = "show FILE.net [OPTION]...",
    .example = "  netc show resnet50.net\n",
    .options = options,
    .least = 1,
    .most = 1,
    .operands = "FILE.net",
    .run = run,
};
