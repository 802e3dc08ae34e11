/* Choice of processor, optimisation and code generation. */
#include "backends/llvm/machine.h"

#include <string.h>

/* The kernels come unrolled, folded and without equal values, so little is left to do: registers out of their
 * stack slots, loop invariants out of loops. */
static const char passes_text[] = "function(mem2reg,early-cse,loop-mssa(licm))";

/* ---- processors ---- */

/* The least that netc makes code for, by the beginning of the triple. */
typedef struct family {
    const char *triple;
    const char *cpu, *features, *abi;
    bool has[TARGET_COUNT]; /* targets that its processors may run */
} family_row;

static const family_row families[] = {
    {"x86_64", "x86-64", "", "", {[TARGET_C99] = true, [TARGET_AVX2] = true, [TARGET_AVX512] = true}},
    {"aarch64", "generic", "", "", {[TARGET_C99] = true, [TARGET_NEON] = true}},
    {"riscv64", "generic-rv64", "+m,+a,+f,+d,+c", "lp64d", {[TARGET_C99] = true}},
    {"", "generic", "", "", {[TARGET_C99] = true}}, /* any other */
};

static const family_row *family_of(const char *triple) {
    const family_row *f = families;
    while (strncmp(triple, f->triple, strlen(f->triple)) != 0) f++;
    return f;
}

bool machine_fits(const char *triple, target_id which) {
    return family_of(triple)->has[which];
}

bool machine_is_x86(const char *triple) {
    return family_of(triple) == &families[0];
}

typedef struct processor {
    const char *cpu, *features;
} processor;

/* What a target asks for beyond its family's least. */
static const processor wanted[TARGET_COUNT] = {
    [TARGET_AVX2] = {"haswell", "+avx2,+fma"}, [TARGET_AVX512] = {"skylake-avx512", "+avx512f,+avx512vl"}};

static void add_attribute(const unit *u, LLVMValueRef f, const char *name, const char *to) {
    unsigned name_length = (unsigned)strlen(name), length = (unsigned)strlen(to);
    LLVMAttributeRef attribute = LLVMCreateStringAttribute(u->context, name, name_length, to, length);
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

void machine_attributes(const unit *u, LLVMValueRef f) {
    const processor *p = &wanted[u->target];
    if (!p->cpu) return;
    add_attribute(u, f, "target-features", p->features);
    add_attribute(u, f, "tune-cpu", p->cpu);
}

static bool is_best(target_id t) {
#if defined(__x86_64__)
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return t == (avx512 ? TARGET_AVX512 : avx2 ? TARGET_AVX2 : TARGET_C99);
#elif defined(__aarch64__)
    return t == TARGET_NEON;
#else
    return t == TARGET_C99;
#endif
}

/* ---- machines ---- */

static LLVMTargetMachineRef create(const char *triple, processor p, bool optimises, char **why) {
    LLVMTargetRef llvm;
    if (LLVMGetTargetFromTriple(triple, &llvm, why)) return NULL;
    LLVMTargetMachineOptionsRef o = LLVMCreateTargetMachineOptions();
    LLVMTargetMachineOptionsSetCPU(o, p.cpu);
    LLVMTargetMachineOptionsSetFeatures(o, p.features);
    LLVMTargetMachineOptionsSetABI(o, family_of(triple)->abi);
    LLVMTargetMachineOptionsSetCodeGenOptLevel(o, optimises ? LLVMCodeGenLevelDefault : LLVMCodeGenLevelNone);
    LLVMTargetMachineOptionsSetRelocMode(o, LLVMRelocPIC);
    LLVMTargetMachineRef m = LLVMCreateTargetMachineWithOptions(llvm, triple, o);
    LLVMDisposeTargetMachineOptions(o);
    if (!m) *why = LLVMCreateMessage("LLVM has no such machine");
    return m;
}

LLVMTargetMachineRef machine_new(target_id which, bool optimises, char **why) {
    char *triple = LLVMGetDefaultTargetTriple(), *cpu = LLVMGetHostCPUName(), *own = LLVMGetHostCPUFeatures();
    const family_row *f = family_of(triple);
    processor p = wanted[which].cpu ? wanted[which] : (processor){f->cpu, f->features};
    if (is_best(which)) p = (processor){cpu, own};
    LLVMTargetMachineRef m = create(triple, p, optimises, why);
    LLVMDisposeMessage(triple);
    LLVMDisposeMessage(cpu);
    LLVMDisposeMessage(own);
    return m;
}

LLVMTargetMachineRef machine_of(const char *triple, char **why) {
    char *normal = triple ? LLVMNormalizeTargetTriple(triple) : LLVMGetDefaultTargetTriple();
    const family_row *f = family_of(normal);
    LLVMTargetMachineRef m = create(normal, (processor){f->cpu, f->features}, true, why);
    LLVMDisposeMessage(normal);
    return m;
}

/* ---- modules ---- */

void machine_adopt(LLVMTargetMachineRef m, LLVMModuleRef module) {
    LLVMTargetDataRef data = LLVMCreateTargetDataLayout(m);
    char *triple = LLVMGetTargetMachineTriple(m);
    LLVMSetModuleDataLayout(module, data);
    LLVMSetTarget(module, triple);
    LLVMDisposeTargetData(data);
    LLVMDisposeMessage(triple);
}

bool machine_optimise(LLVMTargetMachineRef m, LLVMModuleRef module, char **why) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(module, passes_text, m, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return true;
    char *message = LLVMGetErrorMessage(error);
    *why = LLVMCreateMessage(message);
    LLVMDisposeErrorMessage(message);
    return false;
}

LLVMMemoryBufferRef machine_emit(LLVMTargetMachineRef m, LLVMModuleRef module, LLVMCodeGenFileType type,
                                 char **why) {
    LLVMMemoryBufferRef bytes = NULL;
    if (!machine_optimise(m, module, why)) return NULL;
    return LLVMTargetMachineEmitToMemoryBuffer(m, module, type, why, &bytes) ? NULL : bytes;
}
