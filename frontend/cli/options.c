/* Reads a command line by a table of options. */
#include "frontend/cli/options.h"

#include "ir/base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 40 };

typedef struct parsing {
    const command *command;
    int count, at;
    char **given;
    settings *settings;
    strings *operands;
    diags *diags;
} parsing;

static const option help = {
    .name = "help", .help = "show this", .kind = OPTION_FLAG, .offset = offsetof(settings, help)};

void strings_add(arena *a, strings *s, const char *item) {
    VEC_PUSH(a, s, item);
    VEC_PUSH(a, s, NULL);
    s->count--;
}

static bool ends(const option *o) {
    return !o->name && !o->letter;
}

static bool fail(parsing *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(parsing *p, const char *format, ...) {
    va_list list;
    va_start(list, format);
    diag_add(p->diags, DIAG_ERROR, (span){0}, "netc %s: %s", p->command->name,
             arena_vprintf(p->diags->arena, format, list));
    va_end(list);
    return false;
}

/* ---- values ---- */

static bool set_count(parsing *p, const option *o, const char *value, int64_t *out) {
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    bool number = *value >= '0' && *value <= '9' && !*end && !errno;
    if (number && n >= o->least && n <= o->most) return *out = n, true;
    return fail(p, "--%s takes a whole number from %lld to %lld, not '%s'", o->name, (long long)o->least,
                (long long)o->most, value);
}

static bool set_seed(parsing *p, const option *o, const char *value, seed *out) {
    char *end;
    errno = 0;
    *out = (seed){true, strtoull(value, &end, 10)};
    if (*value >= '0' && *value <= '9' && !*end && !errno) return true;
    return fail(p, "--%s takes a whole number from 0 to 2^64 - 1, not '%s'", o->name, value);
}

static bool set_real(parsing *p, const option *o, const char *value, real *out) {
    out->given = true;
    if (text_read_real(value, strlen(value), &out->number) && isfinite(out->number)) return true;
    return fail(p, "--%s takes a number, not '%s'", o->name, value);
}

static bool set_choice(parsing *p, const option *o, const char *value, int *out) {
    text list = text_in(p->diags->arena);
    for (int k = 0; o->choices[k]; k++) {
        if (strcmp(o->choices[k], value) == 0) return *out = k + 1, true;
        text_printf(&list, k ? ", %s" : "%s", o->choices[k]);
    }
    return fail(p, "--%s is one of %s, not '%s'", o->name, list.at, value);
}

static bool set(parsing *p, const option *o, const char *value) {
    void *field = (char *)p->settings + o->offset;
    switch (o->kind) {
    case OPTION_FLAG: return *(bool *)field = true;
    case OPTION_TEXT: return *(const char **)field = value, true;
    case OPTION_LIST: return strings_add(p->diags->arena, field, value), true;
    case OPTION_COUNT: return set_count(p, o, value, field);
    case OPTION_SEED: return set_seed(p, o, value, field);
    case OPTION_REAL: return set_real(p, o, value, field);
    case OPTION_CHOICE: return set_choice(p, o, value, field);
    }
    return false;
}

/* ---- which option ---- */

static bool unknown(parsing *p, const char *name) {
    const char *names[MAX_OPTIONS];
    int count = 0;
    for (const option *o = p->command->options; !ends(o) && count < MAX_OPTIONS - 1; o++)
        if (o->name) names[count++] = o->name;
    names[count++] = help.name;
    const char *near = nearest_name(name, names, count);
    for (int k = 0; k < count && !near && strlen(name) > 1; k++) /* an abbreviation */
        if (strncmp(names[k], name, strlen(name)) == 0) near = names[k];
    if (near) return fail(p, "there is no option '--%s'; did you mean '--%s'?", name, near);
    return fail(p, "there is no option '--%s'", name);
}

static const option *find(const command *c, const char *name, size_t length, char letter) {
    if (length == strlen(help.name) && name && strncmp(name, help.name, length) == 0) return &help;
    if (letter == 'h') return &help;
    for (const option *o = c->options; !ends(o); o++) {
        if (letter && o->letter == letter) return o;
        if (name && o->name && strlen(o->name) == length && strncmp(o->name, name, length) == 0) return o;
    }
    return NULL;
}

/* The option's value: `glued` to it, or the next word. */
static bool take(parsing *p, const option *o, const char *glued, const char *shown) {
    if (o->kind == OPTION_FLAG) {
        if (glued) return fail(p, "%s takes no value", shown);
        return set(p, o, NULL);
    }
    if (glued) return set(p, o, glued);
    if (p->at >= p->count) return fail(p, "%s needs a value: %s %s", shown, shown, o->value);
    return set(p, o, p->given[p->at++]);
}

static bool take_long(parsing *p, const char *word) {
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const option *o = find(p->command, name, length, 0);
    if (!o) return unknown(p, arena_text(p->diags->arena, name, length));
    return take(p, o, equals ? equals + 1 : NULL, arena_text(p->diags->arena, word, length + 2));
}

static bool take_short(parsing *p, const char *word) {
    const option *o = find(p->command, NULL, 0, word[1]);
    if (!o) return fail(p, "there is no option '-%c'", word[1]);
    return take(p, o, word[2] ? word + 2 : NULL, arena_text(p->diags->arena, word, 2));
}

static bool check_operands(parsing *p) {
    const command *c = p->command;
    if (p->settings->help) return true;
    if (p->operands->count < c->least) return fail(p, "%s is missing: netc %s", c->operands, c->usage);
    if (c->most < 0 || p->operands->count <= c->most) return true;
    return fail(p, "'%s' is one too many: netc %s", p->operands->at[c->most], c->usage);
}

bool options_parse(const command *c, int count, char **given, settings *s, strings *operands, diags *d) {
    parsing p = {c, count, 0, given, s, operands, d};
    bool good = true, over = false;
    while (p.at < p.count) {
        const char *word = p.given[p.at++];
        if (over || word[0] != '-' || !word[1])
            strings_add(d->arena, operands, word);
        else if (strcmp(word, "--") == 0)
            over = true;
        else
            good &= word[1] == '-' ? take_long(&p, word) : take_short(&p, word);
    }
    return good && check_operands(&p);
}

/* ---- help ---- */

const char *option_words(arena *a, const option *o) {
    const char *value = o->value ? o->value : "";
    if (!o->name) return arena_printf(a, "-%c %s", o->letter, value);
    if (o->letter) return arena_printf(a, "-%c, --%s %s", o->letter, o->name, value);
    return arena_printf(a, "--%s%s%s", o->name, *value ? " " : "", value);
}
