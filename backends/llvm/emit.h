/* Inside of the LLVM backend: a module while it is filled, and what the files that fill it share. A module has
 * a context of its own and belongs to one thread. */
#ifndef NETC_BACKENDS_LLVM_EMIT_H
#define NETC_BACKENDS_LLVM_EMIT_H

#include "backends/llvm/library.h"
#include "backends/llvm/llvm.h"

typedef struct unit {
    arena *arena;
    diags *diags;
    const program *program;
    target_id target;
    const llvm_output *output; /* the whole net in one module, for other programs; NULL: run in place */
    bool big_words;            /* output: size_t has 64 bits */
    bool by_function;          /* output: each function says itself which instructions it may use */
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMBuilderRef builder;
    LLVMTypeRef scalar[KB_BASES]; /* by kbase; KB_VOID and KB_PTR too */
    /* of the function at hand: */
    const kfunc *f;
    const kinst *const *fixed; /* of a micro, by parameter: the number that every caller gives; NULL: none */
    LLVMValueRef function;
    LLVMValueRef *values;     /* by instruction's id */
    LLVMValueRef **registers; /* by K_REG's id: a stack slot an element, which mem2reg makes values of */
} unit;

/* unit.c */
void ll_open(unit *u, const char *name); /* context, module, builder, types; arena .. target are set */
void ll_close(unit *u);                  /* module too, unless it was taken (NULL) */
LLVMTypeRef ll_type(const unit *u, ktype t);
LLVMValueRef ll_int(const unit *u, int64_t x); /* KB_INT */
LLVMValueRef ll_splat(const unit *u, LLVMValueRef x, int lanes);
/* Calls the intrinsic `name` ("llvm.fma"), overloaded on these types. */
LLVMValueRef ll_intrinsic(const unit *u, const char *name, LLVMTypeRef *types, int type_count,
                          LLVMValueRef *args, int count);
/* A function without unwinding, hidden outside of what is linked together; once a name. */
LLVMValueRef ll_new_function(const unit *u, const char *name, LLVMTypeRef type);
LLVMBasicBlockRef ll_new_block(const unit *u, const char *name);
/* A slot on the stack, whose place is the function's first block. */
LLVMValueRef ll_slot(const unit *u, LLVMTypeRef type, const char *name);
bool ll_fail(const unit *u, const char *what, ktype t);

/* for v = lo; v < hi; v += by: the body is emitted between ll_loop_open and ll_loop_close. */
typedef struct unit_loop {
    LLVMValueRef variable, hi, by;
    LLVMBasicBlockRef body, exit;
} unit_loop;
unit_loop ll_loop_open(const unit *u, LLVMValueRef lo, LLVMValueRef hi, LLVMValueRef by, const char *name);
void ll_loop_close(const unit *u, const unit_loop *l);

/* arith.c, memory.c: the result of an instruction; NULL after ll_fail */
LLVMValueRef ll_arith(const unit *u, const kinst *x, LLVMValueRef *arg);
LLVMValueRef ll_cast(const unit *u, const kinst *x, LLVMValueRef a);
LLVMValueRef ll_fold(const unit *u, const kinst *x, LLVMValueRef a); /* K_HSUM, K_HMAX */
LLVMValueRef ll_const(const unit *u, const kinst *x);
LLVMValueRef ll_tail(const unit *u, LLVMValueRef count, int lanes);
LLVMValueRef ll_load(const unit *u, const kinst *x, LLVMValueRef *arg);
void ll_prefetch(const unit *u, const kinst *x, LLVMValueRef *arg);
void ll_store(const unit *u, const kinst *x, LLVMValueRef *arg);
LLVMValueRef ll_max(const unit *u, LLVMValueRef a, LLVMValueRef b, bool real);

/* function.c: a kernel is void(begin, end, n, arguments), a micro void(arguments). The first only declares. */
LLVMValueRef ll_declaration(const unit *u, const kfunc *f);
bool ll_function(unit *u, const kfunc *f);

/* runner.c: void part(arguments *, int part, int slot), which runs part `part` of a call; see runner.h. */
bool ll_runner(unit *u, const kernel *k);

/* entry.c: void entry(team *, n, params, packed, inputs, outputs, workspace). Entries that train have moments for packed
 * and the place of the loss for output 0; init's input 0 are the words of the seed. */
enum {
    ENTRY_TEAM,
    ENTRY_N,
    ENTRY_PARAMS,
    ENTRY_PACKED,
    ENTRY_MOMENTS = ENTRY_PACKED,
    ENTRY_INPUTS,
    ENTRY_OUTPUTS,
    ENTRY_WORKSPACE,
    ENTRY_ARGS
};
bool ll_entry(unit *u, entry_kind kind);
LLVMValueRef ll_entry_declaration(const unit *u, entry_kind kind); /* of u->target */
const char *ll_entry_symbol(arena *a, entry_kind kind, target_id t);

/* api.c: what the header declares, in terms of the entries of these targets */
bool ll_api(unit *u, const bool targets[TARGET_COUNT]);

#endif
