/* Choice of processor, optimisation and code generation. */
#include "backends/llvm/machine.h"

#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <string.h>

/* The kernels come unrolled, folded and without equal values, so little is left to do: registers out of their
 * stack slots, loop invariants out of loops. */
static const char passes_text[] = "function(mem2reg,early-cse,loop-mssa(licm))";

static void start_llvm(void) {
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
}

typedef struct processor {
    const char *cpu, *features;
} processor;

/* The least that has the target's instructions. */
static processor least_processor(target_id t) {
    static const processor x86[TARGET_COUNT] = {[TARGET_C99] = {"x86-64", ""},
                                                [TARGET_AVX2] = {"haswell", ""},
                                                [TARGET_AVX512] = {"skylake-avx512", ""}};
#if defined(__x86_64__)
    if (x86[t].cpu) return x86[t];
#endif
    (void)x86;
    (void)t;
    return (processor){"generic", ""};
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

LLVMTargetMachineRef machine_new(target_id which, char **why) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_llvm);
    LLVMTargetMachineRef m = NULL;
    LLVMTargetRef llvm;
    char *triple = LLVMGetDefaultTargetTriple(), *cpu = LLVMGetHostCPUName(), *own = LLVMGetHostCPUFeatures();
    processor p = least_processor(which);
    if (is_best(which)) p = (processor){cpu, own};
    if (!LLVMGetTargetFromTriple(triple, &llvm, why)) {
        m = LLVMCreateTargetMachine(llvm, triple, p.cpu, p.features, LLVMCodeGenLevelDefault, LLVMRelocPIC,
                                    LLVMCodeModelDefault);
        if (!m) *why = LLVMCreateMessage("LLVM has no such processor");
    }
    LLVMDisposeMessage(triple);
    LLVMDisposeMessage(cpu);
    LLVMDisposeMessage(own);
    return m;
}

static bool optimise(LLVMTargetMachineRef m, LLVMModuleRef module, char **why) {
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
    LLVMTargetDataRef data = LLVMCreateTargetDataLayout(m);
    char *triple = LLVMGetTargetMachineTriple(m);
    LLVMSetModuleDataLayout(module, data);
    LLVMSetTarget(module, triple);
    LLVMDisposeTargetData(data);
    LLVMDisposeMessage(triple);
    if (!optimise(m, module, why)) return NULL;
    return LLVMTargetMachineEmitToMemoryBuffer(m, module, type, why, &bytes) ? NULL : bytes;
}
