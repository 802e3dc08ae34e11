/* Types of the kernel IR, and walking a function. */
#include "ir/kernel/emit.h"

static const struct {
    const char *name;
    int bytes;
} bases[KB_BASES] = {
    [KB_VOID] = {"void", 0}, [KB_INT] = {"int", 8}, [KB_I32] = {"i32", 4},   [KB_U8] = {"u8", 1},
    [KB_F32] = {"f32", 4},   [KB_F64] = {"f64", 8}, [KB_BOOL] = {"bool", 1}, [KB_PTR] = {"ptr", 8},
};

const char *const kop_names[K_OPS] = {
    [K_PARAM] = "param",       [K_CONST] = "const",   [K_ARITH] = "arith", [K_CAST] = "cast",
    [K_BITS] = "bits",         [K_SPLAT] = "splat",   [K_TAIL] = "tail",   [K_LOAD] = "load",
    [K_STORE] = "store",       [K_OFFSET] = "offset", [K_HSUM] = "hsum",   [K_HMAX] = "hmax",
    [K_REG] = "reg",           [K_GET] = "get",       [K_SET] = "set",     [K_LOCAL] = "local",
    [K_FOR] = "for",           [K_IF] = "if",         [K_CALL] = "call",   [K_BARRIER] = "barrier",
    [K_PREFETCH] = "prefetch",
};

int kbase_bytes(kbase b) {
    return bases[b].bytes;
}

const char *kbase_name(kbase b) {
    return bases[b].name;
}

void kblock_visit(const kblock *b, void (*visit)(void *context, kinst *inst), void *context) {
    for (kinst *x = b->first; x; x = x->next) {
        visit(context, x);
        kblock_visit(&x->body, visit, context);
        kblock_visit(&x->otherwise, visit, context);
    }
}
