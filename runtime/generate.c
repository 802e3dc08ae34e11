/* The loop that writes text: classes in, logits out, a draw, and the drawn class goes in. */
#include "runtime/generate.h"

#include "runtime/characters.h"
#include "runtime/random.h"
#include "runtime/shown.h"

#include <math.h>
#include <string.h>

enum { STREAM = RANDOM_INPUTS + 0x0f000000 /* behind those of any net's inputs */ };

typedef struct writer {
    session *session;
    const generate_options *options;
    diags *diags;
    int64_t classes;
    int32_t class; /* what goes in next */
    void **outputs, **states;
    double *weights; /* of the classes, room for them */
} writer;

/* ---- is the net of this kind? ---- */

static bool refuse(const writer *w, const char *why) {
    return diag_file(w->diags, "--generate", "the net '%s' cannot write text: %s", w->session->net->name,
                     why);
}

static bool fits(writer *w) {
    const net *n = w->session->net;
    if (n->input_count != 1 || n->inputs[0].type != NET_I32 || !n->inputs[0].batched)
        return refuse(w, "its one input must be characters, 'input text[1] int'");
    if (n->inputs[0].count != 1)
        return refuse(
            w, arena_printf(w->diags->arena,
                            "it reads %lld characters a call, and writing takes one: where the text has "
                            "an argument for that, give -D length=1",
                            (long long)n->inputs[0].count));
    if (n->output_count < 1 || n->outputs[0].type != NET_F32 || !n->outputs[0].batched)
        return refuse(w, "its first output must be logits of the next character");
    w->classes = n->outputs[0].count;
    if (n->label_count ? n->label_count != w->classes : w->classes != CHARACTERS)
        return refuse(w, arena_printf(w->diags->arena,
                                      "it has %lld classes, and %d characters: its labels, or without labels "
                                      "printable ASCII and the end of a line",
                                      (long long)w->classes, n->label_count ? n->label_count : CHARACTERS));
    if (n->inputs[0].bound && n->inputs[0].bound < w->classes)
        return refuse(w, "it gives more classes than it can read");
    return true;
}

/* ---- characters ---- */

static const char *character(const writer *w, int64_t class, char ascii[2]) {
    const net *n = w->session->net;
    if (n->label_count) return n->labels[class];
    ascii[0] = character_of((int)class);
    ascii[1] = 0;
    return ascii;
}

/* The class whose character the text begins with, the longest of several; -1: none. */
static int32_t class_at(const writer *w, const char *text, size_t *length) {
    char ascii[2];
    int32_t best = -1;
    *length = 0;
    for (int64_t k = 0; k < w->classes; k++) {
        const char *c = character(w, k, ascii);
        size_t size = strlen(c);
        if (size <= *length || strncmp(text, c, size) != 0) continue;
        *length = size;
        best = (int32_t)k;
    }
    return best;
}

/* ---- steps ---- */

static bool step(writer *w) {
    const net *n = w->session->net;
    const void *input = &w->class;
    net_call call = {.n = 1,
                     .packed = w->session->packed,
                     .inputs = &input,
                     .outputs = w->outputs,
                     .states = w->states,
                     .workspace = w->session->workspace};
    return n->forward(n->self, &call, w->diags);
}

static int32_t likeliest(const float *logits, int64_t classes) {
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++)
        if (logits[k] > logits[best] || isnan(logits[best])) best = k;
    return (int32_t)best;
}

/* Character i of the text: number i of the seed's stream falls into one of the classes' shares of 0..1. */
static int32_t draw(const writer *w, int64_t i) {
    const float *logits = w->outputs[0];
    int32_t best = likeliest(logits, w->classes);
    float number;
    double sum = 0;
    if (!(w->options->temperature > 0)) return best;
    for (int64_t k = 0; k < w->classes; k++) {
        double x = ((double)logits[k] - (double)logits[best]) / w->options->temperature;
        w->weights[k] = x > -600 ? steady_exp(x) : 0;
        sum += w->weights[k];
    }
    random_uniform(&number, i, 1, 0, 1, (random_stream){w->options->seed, STREAM});
    double left = (double)number * sum;
    for (int64_t k = 0; k < w->classes; k++)
        if (w->weights[k] > 0 && (left -= w->weights[k]) < 0) return (int32_t)k;
    return best;
}

/* Reads all of the prompt; what it says of the last character is what is written from. */
static bool read_prompt(writer *w) {
    const char *at = w->options->prompt && *w->options->prompt ? w->options->prompt : "\n";
    while (*at) {
        size_t length;
        w->class = class_at(w, at, &length);
        if (w->class < 0)
            return diag_file(w->diags, "--prompt", "the net has no character for '%s'",
                             shown(w->diags->arena, at, strlen(at)));
        if (!step(w)) return false;
        at += length;
    }
    return true;
}

static void make_room(writer *w) {
    const net *n = w->session->net;
    arena *a = w->diags->arena;
    w->weights = NEW_ARRAY(a, double, w->classes);
    w->outputs = NEW_ARRAY(a, void *, n->output_count + 1);
    w->states = NEW_ARRAY(a, void *, n->state_count + 1);
    for (int k = 0; k < n->output_count; k++) w->outputs[k] = NEW_ARRAY(a, float, n->outputs[k].count);
    for (int k = 0; k < n->state_count; k++) w->states[k] = NEW_ARRAY(a, float, n->states[k].count);
}

bool generate(session *s, const generate_options *o, diags *d) {
    writer w = {.session = s, .options = o, .diags = d};
    char ascii[2];
    if (!fits(&w)) return false;
    make_room(&w);
    if (!read_prompt(&w)) return false;
    bool going = !o->prompt || o->put(o->user, o->prompt);
    for (int64_t i = 0; going && i < o->count; i++) {
        w.class = draw(&w, i);
        going = o->put(o->user, character(&w, w.class, ascii));
        if (going && i + 1 < o->count && !step(&w)) return false;
    }
    return true;
}
