/* Between runner.c and entry.c: the record that carries a call's arguments to the threads. */
#ifndef NETC_BACKENDS_LLVM_RUNNER_H
#define NETC_BACKENDS_LLVM_RUNNER_H

#include "backends/llvm/emit.h"

enum { RUNNER_GRAIN = 65536 /* multiply-adds worth handing to another thread: about a microsecond */ };
enum { RECORD_COUNT, RECORD_PARTS, RECORD_N, RECORD_ARGS };

/* Whether calls of the kernel can be worth a team; only such kernels have runners. */
bool runner_wanted(const program *p, const kernel *k);
LLVMTypeRef runner_record(const unit *u, const kernel *k);
LLVMTypeRef runner_type(const unit *u); /* void(record *, int part, int slot): a team_body */
LLVMValueRef runner_declaration(const unit *u, const kernel *k);

#endif
