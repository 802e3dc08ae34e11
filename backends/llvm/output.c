/* A net compiled ahead of time: one module with the entries of all targets asked for, and the functions of the
 * header. */
#include "backends/llvm/compile.h"

#include "ir/base/guard.h"

#include <string.h>

enum { MESSAGE = 512 };

bool llvm_output_targets(const llvm_output *o, bool chosen[TARGET_COUNT], diags *d) {
    char *why = NULL;
    bool any = false;
    if (!library_open(d)) return false;
    LLVMTargetMachineRef m = machine_of(o->triple, &why);
    if (!m) {
        diag_add(d, DIAG_ERROR, (span){0}, "--triple %s: %s", o->triple ? o->triple : "of this machine",
                 why ? why : "LLVM does not know it");
        LLVMDisposeMessage(why);
        return false;
    }
    char *triple = LLVMGetTargetMachineTriple(m);
    for (int t = 0; t < TARGET_COUNT; t++)
        any |= chosen[t] = o->targets[t] && machine_fits(triple, (target_id)t);
    if (chosen[TARGET_NEON]) chosen[TARGET_C99] = false; /* every processor of its kind has it */
    if (!any)
        diag_add(d, DIAG_ERROR, (span){0},
                 "--target: processors of %s run none of these; c99 runs everywhere", triple);
    LLVMDisposeMessage(triple);
    LLVMDisposeTargetMachine(m);
    return any;
}

typedef struct output {
    const program *program;
    const llvm_output *options;
    bool targets[TARGET_COUNT];
    LLVMTargetMachineRef machine;
    unit unit;
    diags diags;
    char why[MESSAGE];
} output;

static bool emit_targets(output *o, arena *a) {
    unit *u = &o->unit;
    for (int t = 0; t < TARGET_COUNT; t++) {
        items all = {0};
        if (!o->targets[t]) continue;
        u->target = (target_id)t;
        if (!items_collect(&all, a, o->program, u->target, u->diags)) return false;
        for (int k = 0; k < all.list.count; k++)
            if (!items_emit(u, &all, &all.list.at[k])) return false;
    }
    return ll_api(u, o->targets);
}

static bool fill(arena *a, void *context) {
    output *o = context;
    o->diags = (diags){.arena = a};
    o->unit.arena = a;
    o->unit.diags = &o->diags;
    if (emit_targets(o, a)) return true;
    snprintf(o->why, MESSAGE, "%s", o->diags.first ? o->diags.first->text : "it cannot be translated");
    return false;
}

static void open_unit(output *o) {
    unit *u = &o->unit;
    char *triple = LLVMGetTargetMachineTriple(o->machine);
    LLVMTargetDataRef data = LLVMCreateTargetDataLayout(o->machine);
    *u = (unit){.program = o->program, .output = o->options};
    u->big_words = LLVMPointerSize(data) == 8;
    u->by_function = machine_is_x86(triple);
    if (LLVMByteOrder(data) != LLVMLittleEndian)
        snprintf(o->why, MESSAGE, "machines of %s keep numbers the other way round, which netc cannot do",
                 triple);
    ll_open(u, o->program->name);
    machine_adopt(o->machine, u->module);
    LLVMDisposeTargetData(data);
    LLVMDisposeMessage(triple);
}

/* The module as bytes of the form asked for; NULL with o->why. */
static LLVMMemoryBufferRef make_bytes(output *o) {
    char *why = NULL;
    LLVMMemoryBufferRef bytes = NULL;
    LLVMModuleRef m = o->unit.module;
    if (o->options->form == LLVM_FORM_IR) {
        if (machine_optimise(o->machine, m, &why)) {
            char *all = LLVMPrintModuleToString(m);
            bytes = LLVMCreateMemoryBufferWithMemoryRangeCopy(all, strlen(all), "");
            LLVMDisposeMessage(all);
        }
    } else {
        bool object = o->options->form == LLVM_FORM_OBJECT;
        bytes = machine_emit(o->machine, m, object ? LLVMObjectFile : LLVMAssemblyFile, &why);
    }
    if (why) snprintf(o->why, MESSAGE, "LLVM: %s", why);
    LLVMDisposeMessage(why);
    return bytes;
}

static LLVMMemoryBufferRef compile(output *o) {
    char reason[GUARD_REASON] = "";
    LLVMMemoryBufferRef bytes = NULL;
    open_unit(o);
    if (!*o->why && guard_run(0, fill, o, reason)) bytes = make_bytes(o);
    if (*reason) snprintf(o->why, MESSAGE, "%s", reason);
    ll_close(&o->unit);
    return bytes;
}

/* Adds to a text of the caller's; if its arena jumps the buffer goes first. */
static void hand_over(arena *a, text *out, LLVMMemoryBufferRef bytes) {
    trap *outer = a->trap, own;
    a->trap = &own;
    if (setjmp(own.jump)) {
        a->trap = outer;
        LLVMDisposeMemoryBuffer(bytes);
        trap_spring(outer, own.reason);
    }
    text_add(out, LLVMGetBufferStart(bytes), LLVMGetBufferSize(bytes));
    a->trap = outer;
    LLVMDisposeMemoryBuffer(bytes);
}

bool llvm_emit(arena *a, const program *p, const llvm_output *options, text *out, diags *d) {
    output o = {.program = p, .options = options};
    char *why = NULL;
    if (!llvm_output_targets(options, o.targets, d)) return false;
    o.machine = machine_of(options->triple, &why);
    LLVMMemoryBufferRef bytes = o.machine ? compile(&o) : NULL;
    if (o.machine) LLVMDisposeTargetMachine(o.machine);
    LLVMDisposeMessage(why);
    if (!bytes) {
        diag_add(d, DIAG_ERROR, (span){0}, "the LLVM backend failed: %s", o.why);
        return false;
    }
    hand_over(a, out, bytes);
    return true;
}
