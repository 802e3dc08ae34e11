/* The text of a program: buffers, micros, kernels, entries. */
#include "ir/kernel/emit.h"
#include "ir/kernel/program.h"
#include "ir/op.h"

static const char *const areas[] = {"input", "pixels", "output", "params", "packed", "workspace", "const"};
static const char *const entries[ENTRY_KINDS] = {"prepare", "forward", "forward_u8"};

static void print_buffer(text *t, const buffer *b) {
    text_printf(t, "  buffer %d %s %s[", b->id, b->name, kbase_name(b->elem));
    if (b->per_sample && b->fixed) text_printf(t, "%lld + ", (long long)b->fixed);
    if (b->per_sample)
        text_printf(t, "n*%lld]", (long long)b->per_sample);
    else
        text_printf(t, "%lld]", (long long)b->fixed);
    text_printf(t, " %s @ %lld\n", areas[b->area], (long long)b->offset);
}

static void print_arg(text *t, const call_arg *g) {
    if (g->kind == ARG_SCRATCH) text_puts(t, "scratch");
    if (g->kind == ARG_BUFFER) text_puts(t, g->buffer->name);
    if (g->kind == ARG_INT)
        text_printf(t, "%lld", (long long)g->offset);
    else if (g->offset)
        text_printf(t, " + %lld", (long long)g->offset);
    for (int v = 0; v < MAX_LOOPS; v++)
        if (g->stride[v]) text_printf(t, " + t%d*%lld", v, (long long)g->stride[v]);
}

static void print_steps(text *t, const steps *s, int depth);

static void print_step(text *t, const step *s, int depth) {
    text_printf(t, "%*s", 4 + 2 * depth, "");
    if (s->is_loop) {
        text_printf(t, "loop t%d in 0..%lld:\n", depth, (long long)s->count);
        print_steps(t, s->body, depth + 1);
        return;
    }
    text_printf(t, "call %s(", s->call.kernel->name);
    for (int k = 0; k < s->call.args; k++) {
        if (k) text_puts(t, ", ");
        print_arg(t, &s->call.arg[k]);
    }
    text_puts(t, ")");
    const node *n = s->call.node;
    if (n && n->op)
        text_printf(t, "  # %s %s", n->op->name, n->scope && n->scope->path ? n->scope->path : "");
    text_puts(t, "\n");
}

static void print_steps(text *t, const steps *s, int depth) {
    for (int i = 0; i < s->list.count; i++) print_step(t, &s->list.at[i], depth);
}

static void print_kernel(text *t, const kernel *k, target_id which) {
    if (!k->body[which]) return;
    text_printf(t, "\n# %s runs for i in 0..%lld", k->name, (long long)k->count.mul);
    if (k->count.per == 1)
        text_puts(t, "*n");
    else if (k->count.per)
        text_printf(t, "*ceil(n/%lld)", (long long)k->count.per);
    text_puts(t, "\n");
    kfunc_print(t, k->body[which]);
}

void program_print(text *t, const program *p) {
    text_printf(t, "program %s %s max_batch %lld packed %lld workspace %lld scratch %lld @ %lld\n", p->name,
                kbase_name(p->real), (long long)p->max_batch, (long long)p->packed_bytes,
                (long long)p->workspace_bytes, (long long)p->scratch_bytes, (long long)p->scratch_offset);
    for (int i = 0; i < p->buffers.count; i++) print_buffer(t, p->buffers.at[i]);
    for (int k = 0; k < ENTRY_KINDS; k++) {
        if (!p->entries[k].present) continue;
        text_printf(t, "  entry %s:\n", entries[k]);
        print_steps(t, &p->entries[k].steps, 0);
    }
    for (int which = 0; which < TARGET_COUNT; which++) {
        for (int i = 0; i < p->micros[which].count; i++) {
            text_puts(t, "\n");
            kfunc_print(t, p->micros[which].at[i]);
        }
        for (int i = 0; i < p->kernels.count; i++) print_kernel(t, p->kernels.at[i], (target_id)which);
    }
}
