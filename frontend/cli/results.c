/* Results as text and as arrays. */
#include "frontend/cli/results.h"

#include "runtime/scores.h"
#include "runtime/shown.h"

#include <math.h>
#include <string.h>

enum { SHOWN_NUMBERS = 6, WIDEST = 40 };

const char *class_name(arena *a, const net *n, int64_t class) {
    if (class >= n->label_count) return arena_printf(a, "%lld", (long long)class);
    return shown(a, n->labels[class], strlen(n->labels[class]));
}

/* ---- classes ---- */

static int top_of(const results *r, int64_t sample, guess *top) {
    const net_tensor *t = &r->net->outputs[0];
    return scores_top(r->net->scores, (const float *)r->outputs[0] + sample * t->count, t->count, top,
                      r->top);
}

static int widest(const char *name, int width) {
    int length = (int)strlen(name);
    return length > WIDEST ? width : length > width ? length : width;
}

/* "cat.jpg  cat  98.71 %", a line a sample. */
static void print_lines(cli *c, const results *r, guess *top) {
    int title = 0, name = 0;
    for (int64_t s = 0; s < r->in->samples; s++) title = widest(r->in->titles[s], title);
    for (int64_t k = 0; k < r->net->label_count; k++) name = widest(r->net->labels[k], name);
    for (int64_t s = 0; s < r->in->samples; s++) {
        top_of(r, s, top);
        printf("%-*s  %-*s  %6.2f %%\n", title, r->in->titles[s], name,
               class_name(c->arena, r->net, top->class), 100 * top->p);
    }
}

/* Behind the class's number: nothing where that is all its name. */
static const char *label_of(arena *a, const net *n, int64_t class) {
    const char *number = arena_printf(a, "%lld", (long long)class), *name = class_name(a, n, class);
    return strcmp(name, number) == 0 ? "" : arena_printf(a, "  %s", name);
}

static void print_tables(cli *c, const results *r, guess *top) {
    for (int64_t s = 0; s < r->in->samples; s++) {
        int count = top_of(r, s, top);
        printf("%s%s\n", s ? "\n" : "", r->in->titles[s]);
        for (int k = 0; k < count; k++)
            printf("  %6.2f %%  %4lld%s\n", 100 * top[k].p, (long long)top[k].class,
                   label_of(c->arena, r->net, top[k].class));
    }
}

/* ---- other outputs ---- */

static double number_at(const net_tensor *t, const void *data, int64_t i) {
    return t->type == NET_I32 ? ((const int32_t *)data)[i] : (double)((const float *)data)[i];
}

static void print_summary(const net_tensor *t, const void *data, int64_t samples) {
    int64_t count = t->count * (t->batched ? samples : 1);
    double least = INFINITY, most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double x = number_at(t, data, i);
        least = fmin(least, x);
        most = fmax(most, x);
        sum += x;
    }
    printf("%s [", t->name);
    if (t->batched) printf("%lld%s", (long long)samples, t->rank ? "," : "");
    for (int k = 0; k < t->rank; k++) printf("%lld%s", (long long)t->dims[k], k + 1 < t->rank ? "," : "");
    printf("]  least %g  most %g  mean %g\n ", least, most, sum / (double)count);
    for (int64_t i = 0; i < count && i < SHOWN_NUMBERS; i++) printf(" %g", number_at(t, data, i));
    printf(count > SHOWN_NUMBERS ? " ...\n" : "\n");
}

void results_print(cli *c, const results *r) {
    guess *top = NEW_ARRAY(c->arena, guess, r->top + 1);
    bool classes = r->net->scores != SCORES_NONE;
    if (classes && r->top == 1)
        print_lines(c, r, top);
    else if (classes)
        print_tables(c, r, top);
    for (int k = classes; k < r->net->output_count; k++)
        print_summary(&r->net->outputs[k], r->outputs[k], r->in->samples);
}

/* ---- files ---- */

static bool save(cli *c, const results *r, int output, const char *path) {
    const net_tensor *t = &r->net->outputs[output];
    int64_t dims[NET_MAX_RANK + 1] = {r->in->samples};
    memcpy(dims + t->batched, t->dims, (size_t)t->rank * sizeof *dims);
    return npy_write(path, t->type == NET_I32 ? EL_I32 : EL_F32, t->rank + t->batched, dims,
                     r->outputs[output], c->diags);
}

bool results_save(cli *c, const results *r) {
    const strings *list = &c->settings.outputs;
    bool good = true;
    for (int k = 0; k < list->count; k++) {
        const char *path;
        int output =
            tensor_named(r->net->outputs, r->net->output_count, list->at[k], &path, "output", c->diags);
        good = output != -2 && save(c, r, output < 0 ? r->first : output, path) && good;
    }
    return good;
}
