/* LLVM's target machines: which processor the code is for, and modules to bytes. */
#ifndef NETC_BACKENDS_LLVM_MACHINE_H
#define NETC_BACKENDS_LLVM_MACHINE_H

#include "backends/llvm/emit.h"

/* For this machine's processor where the target is the best that it runs, else for the least one that has the
 * target's instructions. One thread's. NULL with an error, which is LLVM's to free, in *why. */
LLVMTargetMachineRef machine_new(target_id which, bool optimises, char **why);
/* For the least processor of a triple (NULL: this machine's). */
LLVMTargetMachineRef machine_of(const char *triple, char **why);
/* Whether processors of this triple (normalized) may have the target's instructions. */
bool machine_fits(const char *triple, target_id which);
bool machine_is_x86(const char *triple);
/* Function f may use the instructions of u's target, whatever the machine's processor has. */
void machine_attributes(const unit *u, LLVMValueRef f);

/* Gives the module the machine's layout; before anything in it is emitted. */
void machine_adopt(LLVMTargetMachineRef m, LLVMModuleRef module);
/* Optimises the module, and makes bytes of it; NULL with an error in *why. */
bool machine_optimise(LLVMTargetMachineRef m, LLVMModuleRef module, char **why);
LLVMMemoryBufferRef machine_emit(LLVMTargetMachineRef m, LLVMModuleRef module, LLVMCodeGenFileType type,
                                 char **why);

#endif
