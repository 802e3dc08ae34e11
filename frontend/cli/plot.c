/* netc plot: several runs in one chart. */
#include "runtime/plot.h"
#include "frontend/cli/cli.h"
#include "runtime/results_table.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

static const char TABLE[] = "results.csv", ACROSS[] = "step", UP[] = "train_error";

static const option options[] = {
    {.letter = 'o',
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(settings, out),
     .help = "the chart to write: .png or .svg"},
    {OPTION(up, "y", "COLUMN", OPTION_TEXT, "of results.csv, or test_error; else train_error")},
    {OPTION(across, "x", "COLUMN", OPTION_TEXT, "of results.csv; else step; epoch, seconds")},
    {OPTION(goal, "goal", "Y", OPTION_REAL, "draw this level and say where each run reaches it")},
    {0},
};

/* What a name of --y stands for: a column, scaled. */
static const struct {
    const char *name, *column, *title;
    double from, scale;
} derived[] = {
    {"train_error", "train_accuracy", "training error (%)", 100, -100},
    {"test_error", "test_accuracy", "test error (%)", 100, -100},
    {"train_accuracy", "train_accuracy", "training accuracy (%)", 0, 100},
    {"test_accuracy", "test_accuracy", "test accuracy (%)", 0, 100},
};

typedef struct quantity {
    const char *column, *title;
    double from, scale; /* shown: from + scale·number */
} quantity;

static quantity quantity_of(const char *name) {
    for (size_t k = 0; k < sizeof derived / sizeof *derived; k++)
        if (strcmp(derived[k].name, name) == 0)
            return (quantity){derived[k].column, derived[k].title, derived[k].from, derived[k].scale};
    return (quantity){name, name, 0, 1};
}

/* The table of a run: in its folder, or the file itself. */
static const char *table_of(arena *a, const char *run) {
    struct stat s;
    if (stat(run, &s) == 0 && !S_ISDIR(s.st_mode)) return run;
    return arena_printf(a, "%s/%s", run, TABLE);
}

/* "runs/relu4-1/" and "runs/relu4-1/results.csv" are both relu4-1. */
static const char *name_of(arena *a, const char *run) {
    size_t end = strlen(run), tail = strlen(TABLE);
    if (end > tail && strcmp(run + end - tail, TABLE) == 0 && run[end - tail - 1] == '/') end -= tail;
    while (end > 1 && run[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && run[start - 1] != '/') start--;
    return arena_text(a, run + start, end - start);
}

static const double *column(cli *c, const results_table *t, const char *name, quantity q) {
    int at = results_table_find(t, q.column);
    const char *near = nearest_name(name, t->names, t->columns);
    if (at < 0) {
        diag_file(c->diags, t->path, "there is no column '%s'%s%s%s", q.column,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        return NULL;
    }
    double *numbers = NEW_ARRAY(c->arena, double, t->rows + 1);
    for (int k = 0; k < t->rows; k++) numbers[k] = q.from + q.scale * t->at[(int64_t)k * t->columns + at];
    return numbers;
}

static bool read_curve(cli *c, const char *run, plot_curve *to) {
    const char *across = c->settings.across ? c->settings.across : ACROSS,
               *up = c->settings.up ? c->settings.up : UP;
    results_table t;
    if (!results_table_read(&t, c->arena, table_of(c->arena, run), c->diags)) return false;
    *to = (plot_curve){name_of(c->arena, run), column(c, &t, across, (quantity){across, across, 0, 1}),
                       column(c, &t, up, quantity_of(up)), t.rows};
    return to->x && to->y;
}

static void print_reached(const plot_chart *chart) {
    for (int k = 0; k < chart->count; k++) {
        int at = plot_first_past(&chart->curves[k], chart->goal);
        printf("%s  ", chart->curves[k].name);
        if (at < 0)
            printf("not reached\n");
        else
            printf("%s %.10g\n", chart->x_title, chart->curves[k].x[at]);
    }
}

static int run(cli *c) {
    const settings *s = &c->settings;
    const char *across = s->across ? s->across : ACROSS;
    int count = c->operands.count;
    plot_curve *curves = NEW_ARRAY(c->arena, plot_curve, count);
    bool good = true;
    if (!s->out) return cli_misuse(c, "say what to write: -o chart.png");
    for (int k = 0; k < count; k++) good &= read_curve(c, c->operands.at[k], &curves[k]);
    if (!good) return CLI_BAD_INPUT;
    const char *title = quantity_of(s->up ? s->up : UP).title;
    plot_chart chart = {title, across, title, curves, count, s->goal.given ? s->goal.number : NAN};
    if (!plot_curves(s->out, &chart, c->diags)) return CLI_BAD_INPUT;
    if (s->goal.given) print_reached(&chart);
    return CLI_OK;
}

const command plot_command = {
    .name = "plot",
    .summary = "Draws training runs in one chart",
    .usage = "plot RUN... -o FILE.png [OPTION]...",
    .example = "  netc plot runs/relu4-1 runs/tanh4-1 --goal 25 -o chart.png\n",
    .options = options,
    .least = 1,
    .most = -1,
    .operands = "RUN, the folder of a training run",
    .run = run,
};
