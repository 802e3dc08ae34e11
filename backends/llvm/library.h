/* LLVM's library is opened when code is first made: whoever finds its code made already never waits for it, and netc
 * starts where there is none. Files of this folder include this header for all of LLVM's; the names that they call
 * then stand for fields of a table (calls.h, which the Makefile makes from what is called). */
#ifndef NETC_BACKENDS_LLVM_LIBRARY_H
#define NETC_BACKENDS_LLVM_LIBRARY_H

#include "ir/base/diag.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <llvm/Config/llvm-config.h>

#include "backends/llvm/calls.h"

/* Before any other call: the library is there and knows all its machines. False with an error. */
bool library_open(diags *d);

#endif
