/* Code put into this process's memory, and calls into it. */
#include "backends/llvm/image.h"
#include "ir/base/guard.h"
#include "ir/base/size.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

typedef void entry_function(const team *t, int64_t n, const void *params, void *packed,
                            const void *const *inputs, void *const *outputs, void *workspace);

struct llvm_code {
    const program *program;
    void *memory; /* whole pages; NULL: none */
    size_t bytes;
    entry_function *entry[ENTRY_KINDS];
};

bool llvm_can_load(void) {
    return relocator_host();
}

const char *llvm_version(void) {
    return LLVM_VERSION_STRING;
}

/* ---- loading ---- */

static bool within(const image_header *h, uint64_t offset, uint64_t bytes) {
    return offset >= sizeof *h && offset <= h->bytes && bytes <= h->bytes - offset;
}

/* Whether it may be an image of this program for this processor: damage is for its keeper to find. */
static bool plausible(const image_header *h, const program *p, size_t bytes) {
    const relocator *host = relocator_host();
    bool good = host && memcmp(h->magic, IMAGE_MAGIC, sizeof h->magic) == 0 && h->machine == host->machine &&
                h->bytes == bytes && within(h, h->imports, IMPORTS * sizeof(image_import));
    for (int k = 0; k < ENTRY_KINDS; k++)
        good = good && (p->entries[k].present ? within(h, h->entry[k], 1) : !h->entry[k]);
    return good;
}

static void fill_imports(char *memory, const image_header *h) {
    const uintptr_t addresses[IMPORTS] = {(uintptr_t)memcpy, (uintptr_t)memmove, (uintptr_t)memset};
    image_import list[IMPORTS];
    memcpy(list, memory + h->imports, sizeof list);
    for (int k = 0; k < IMPORTS; k++) list[k].address = addresses[k];
    memcpy(memory + h->imports, list, sizeof list);
}

static bool place(llvm_code *c, const void *image, const image_header *h) {
    void *memory = mmap(NULL, c->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    c->memory = memory;
    memcpy(memory, image, c->bytes);
    fill_imports(memory, h);
    if (mprotect(memory, c->bytes, PROT_READ | PROT_EXEC) != 0) return false;
    __builtin___clear_cache((char *)memory, (char *)memory + c->bytes);
    return true;
}

llvm_code *llvm_open(arena *a, const program *p, const void *image, size_t bytes, diags *d) {
    image_header h;
    llvm_code *c = NEW(a, llvm_code);
    *c = (llvm_code){.program = p, .bytes = bytes};
    if (bytes < sizeof h || (memcpy(&h, image, sizeof h), !plausible(&h, p, bytes))) {
        diag_add(d, DIAG_ERROR, (span){0}, "net %s cannot run: this is not its code", p->name);
        return NULL;
    }
    if (!place(c, image, &h)) {
        int why = errno;
        llvm_unload(c);
        diag_add(d, DIAG_ERROR, (span){0},
                 "net %s cannot run: there is no memory for its code: %s; take --backend c or interp",
                 p->name, strerror(why));
        return NULL;
    }
    for (int k = 0; k < ENTRY_KINDS; k++) {
        uintptr_t at = (uintptr_t)c->memory + h.entry[k];
        if (h.entry[k])
            memcpy(&c->entry[k], &at, sizeof at); /* ISO C has no cast from numbers to functions */
    }
    return c;
}

void llvm_unload(llvm_code *c) {
    if (!c || !c->memory) return;
    munmap(c->memory, c->bytes);
    c->memory = NULL;
}

/* ---- compiling ---- */

/* What is held meanwhile: an arena that jumps lets go of it. */
typedef struct making {
    arena *arena;
    const program *program;
    const llvm_options *options;
    text *image;
    diags *diags;
    objects objects;
} making;

static bool make(void *context) {
    making *m = context;
    return objects_compile(&m->objects, m->arena, m->program, m->options, m->diags) &&
           image_link(m->image, m->arena, m->program, m->options->target, &m->objects, m->diags);
}

static void drop(void *context) {
    making *m = context;
    objects_free(&m->objects);
}

bool llvm_compile(arena *a, const program *p, const llvm_options *o, text *image, diags *d) {
    making m = {.arena = a, .program = p, .options = o, .image = image, .diags = d};
    if (!library_open(d)) return false;
    bool good = guard_undo(a, make, drop, &m);
    drop(&m);
    return good;
}

llvm_code *llvm_load(arena *a, const program *p, const llvm_options *o, diags *d) {
    text image = text_in(a);
    return llvm_compile(a, p, o, &image, d) ? llvm_open(a, p, image.at, image.length, d) : NULL;
}

/* ---- running ---- */

static bool refuse(diags *d, const program *p, const char *why) {
    diag_add(d, DIAG_ERROR, (span){0}, "net %s cannot run: %s", p->name, why);
    return false;
}

static char *state_at(const run_args *args, const buffer *b) {
    switch (b->area) {
    case AREA_INPUT: return (char *)(uintptr_t)args->inputs[b->index];
    case AREA_OUTPUT: return args->outputs[b->index];
    case AREA_PACKED: return (char *)args->packed + b->offset;
    default: return (char *)args->workspace + b->offset;
    }
}

static void *state_of(const run_args *args, int k) {
    return args->states ? args->states[k] : NULL;
}

static size_t state_bytes(const state_slot *s, int64_t n) {
    return (size_t)(s->per_sample * n) * (size_t)kbase_bytes(s->now->elem);
}

static void start_states(const program *p, const run_args *args) {
    for (int k = 0; k < p->states.count; k++) {
        const state_slot *s = &p->states.at[k];
        const void *from = state_of(args, k);
        if (from)
            memcpy(state_at(args, s->now), from, state_bytes(s, args->n));
        else
            memset(state_at(args, s->now), 0, state_bytes(s, args->n));
    }
}

static void keep_states(const program *p, const run_args *args) {
    for (int k = 0; k < p->states.count; k++) {
        const state_slot *s = &p->states.at[k];
        void *to = state_of(args, k);
        if (to) memcpy(to, state_at(args, s->next ? s->next : s->now), state_bytes(s, args->n));
    }
}

static bool run_prepare(const llvm_code *c, const run_args *args, const team *t) {
    packed_header header = program_header(c->program);
    memset(args->packed, 0, sizeof header);
    c->entry[ENTRY_PREPARE](t, 1, args->params, args->packed, NULL, NULL, NULL);
    memcpy(args->packed, &header, sizeof header);
    return true;
}

static bool unaligned(const void *at) {
    return (uintptr_t)at % BUFFER_ALIGN != 0;
}

static bool run_forward(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d) {
    const program *p = c->program;
    packed_header header = program_header(p);
    if (!args->packed || unaligned(args->packed) || unaligned(args->workspace))
        return refuse(d, p, "packed weights or workspace are missing or not aligned");
    if (kind == ENTRY_PREPARE) return run_prepare(c, args, t);
    if (args->n < 1 || args->n > p->max_batch) return refuse(d, p, "the number of samples is out of range");
    if (memcmp(args->packed, &header, sizeof header) != 0)
        return refuse(d, p, "the packed weights were not prepared for it");
    start_states(p, args);
    c->entry[kind](t, args->n, NULL, args->packed, args->inputs, args->outputs, args->workspace);
    keep_states(p, args);
    return true;
}

static bool run_training(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d) {
    const program *p = c->program;
    const void *const seed[1] = {args->init};
    void *const loss[1] = {args->loss};
    bool init = kind == ENTRY_INIT;
    if (!init && (args->n < 1 || args->n > p->max_batch))
        return refuse(d, p, "the number of samples is out of range");
    if ((!args->params && p->params_bytes) || (init ? !args->init : !args->loss || !args->inputs))
        return refuse(d, p, "what is trained, its inputs or the place of the loss are missing");
    if (!init && (unaligned(args->workspace) || (!args->workspace && p->step_bytes)))
        return refuse(d, p, "the workspace is missing or not aligned");
    c->entry[kind](t, init ? 1 : args->n, args->params, args->moments, init ? seed : args->inputs, loss,
                   args->workspace);
    return true;
}

bool llvm_run(const llvm_code *c, entry_kind kind, const run_args *args, const team *t, diags *d) {
    if ((unsigned)kind >= ENTRY_KINDS || !c->entry[kind])
        return refuse(d, c->program, "it has no such entry");
    return kind < ENTRY_STEP ? run_forward(c, kind, args, t, d) : run_training(c, kind, args, t, d);
}
