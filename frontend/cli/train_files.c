/* Texts of a run's folder, for people: what was run, and how to run it again. */
#include "frontend/api/recipe.h"
#include "frontend/api/version.h"
#include "frontend/cli/train.h"
#include "ir/base/file.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { MOST_COMMANDS = 1 << 20, MOST_PATH = 4096 };

/* ---- recipe.net ---- */

static void add_given(text *t, const strings *list, const char *how) {
    for (int k = 0; k < list->count; k++) text_printf(t, "#   %s %s\n", how, list->at[k]);
}

static void add_line(text *t, const char *name, const char *words) {
    text_printf(t, "#   %-10s %s\n", name, words);
}

/* As comments: what the run amounts to, whatever the text below says. */
static void add_settings(text *t, const graph *g, int64_t epochs, uint64_t number) {
    const recipe *r = g->recipe;
    arena *a = t->arena;
    text augment = text_in(a), clip = text_in(a);
    for (int k = 0; k < r->augment.count; k++)
        text_printf(&augment, k ? ", %s" : "%s", recipe_words(a, &r->augment.at[k]));
    text_real(&clip, r->clip, false);
    add_line(t, "loss", arena_printf(a, "%s of %s", recipe_words(a, &r->loss), r->loss_output));
    add_line(t, "optimizer", recipe_words(a, &r->optimizer));
    if (r->schedule.name) add_line(t, "schedule", recipe_words(a, &r->schedule));
    if (r->init.name) add_line(t, "init", recipe_words(a, &r->init));
    if (augment.length) add_line(t, "augment", augment.at);
    if (r->clip > 0) add_line(t, "clip", clip.at);
    add_line(t, "batch", arena_printf(a, "%" PRId64, r->batch));
    add_line(t, "epochs", arena_printf(a, "%" PRId64, epochs));
    add_line(t, "seed", arena_printf(a, "%" PRIu64, number));
}

static bool write_net(cli *c, const run_folder *f, const graph *g, int64_t epochs, uint64_t number) {
    const settings *s = &c->settings;
    const source *from = g->files.at[0];
    text t = text_in(c->arena);
    text_printf(&t, "# Net %s as netc %s trained it, with\n", g->name, NETC_VERSION);
    add_settings(&t, g, epochs, number);
    if (s->defines.count || s->sets.count)
        text_puts(&t, "# Not in the text below, but from the command line:\n");
    add_given(&t, &s->defines, "-D");
    add_given(&t, &s->sets, "--set");
    text_puts(&t, "\n");
    text_add(&t, from->text, from->bytes);
    return run_folder_write(f, "recipe.net", t.at, t.length, c->diags);
}

/* What the text names lies beside it or below: so it does here. */
static bool write_named(cli *c, const run_folder *f, const graph *g) {
    const char *slash = strrchr(g->files.at[0]->path, '/');
    size_t skip = slash ? (size_t)(slash + 1 - g->files.at[0]->path) : 0;
    for (int k = 1; k < g->files.count; k++) {
        const source *s = g->files.at[k];
        if (!run_folder_write(f, s->path + skip, s->text, s->bytes, c->diags)) return false;
    }
    return true;
}

/* ---- command.txt ---- */

static void add_word(text *t, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    if (*word && strspn(word, plain) == strlen(word)) {
        text_puts(t, word);
        return;
    }
    text_puts(t, "'");
    for (; *word; word++) text_puts(t, *word == '\'' ? "'\\''" : (char[]){*word, 0});
    text_puts(t, "'");
}

const char *train_words(const cli *c) {
    text t = text_in(c->arena);
    text_puts(&t, "netc");
    for (int k = 1; k < c->word_count; k++) {
        text_puts(&t, " ");
        add_word(&t, c->words[k]);
    }
    return t.at;
}

/* A line for each call that worked in this folder; calls repeated are told once. */
static bool write_command(cli *c, const run_folder *f) {
    const char *path = run_folder_path(f, "command.txt", c->arena), *line;
    char here[MOST_PATH];
    text t = text_in(c->arena), words = text_in(c->arena);
    if (getcwd(here, sizeof here)) {
        text_puts(&words, "cd ");
        add_word(&words, here);
        text_puts(&words, " && ");
    }
    text_printf(&words, "%s\n", train_words(c));
    if (run_folder_has(f, "command.txt")) {
        const source *old = file_read_text(c->arena, path, MOST_COMMANDS, c->diags);
        if (!old) return false;
        line = strstr(old->text, words.at);
        if (line && (line == old->text || line[-1] == '\n')) return true;
        text_add(&t, old->text, old->bytes);
    }
    text_puts(&t, words.at);
    return run_folder_write(f, "command.txt", t.at, t.length, c->diags);
}

bool train_write_recipe(cli *c, const run_folder *f, const graph *g, int64_t epochs, uint64_t number) {
    return write_named(c, f, g) && write_net(c, f, g, epochs, number) && write_command(c, f);
}
