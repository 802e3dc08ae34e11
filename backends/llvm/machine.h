/* LLVM's target machines: which processor the code is for, and modules to bytes. */
#ifndef NETC_BACKENDS_LLVM_MACHINE_H
#define NETC_BACKENDS_LLVM_MACHINE_H

#include "backends/llvm/emit.h"

#include <llvm-c/TargetMachine.h>

/* For this machine's processor where the target is the best that it runs, else for the least one that has the
 * target's instructions. One thread's. NULL with an error, which is malloc's, in *why. */
LLVMTargetMachineRef machine_new(target_id which, char **why);
/* Optimises the module and makes bytes of it; NULL with an error in *why. */
LLVMMemoryBufferRef machine_emit(LLVMTargetMachineRef m, LLVMModuleRef module, LLVMCodeGenFileType type,
                                 char **why);

#endif
