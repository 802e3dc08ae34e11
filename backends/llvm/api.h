/* Between api.c and train.c: the functions of the header, and how they are written. */
#ifndef NETC_BACKENDS_LLVM_API_H
#define NETC_BACKENDS_LLVM_API_H

#include "backends/llvm/emit.h"
#include "ir/op.h"

/* Codes of the header's enum. */
enum { OK, NULL_POINTER, BAD_BATCH, UNALIGNED, SMALL_WORKSPACE, NOT_PREPARED, BAD_LABEL, NOT_FINITE, CODES };
enum { NAME_ROOM = 96 };

typedef struct api {
    unit *u;
    const bool *targets;
    const char *prefix;
    LLVMValueRef f; /* at hand */
} api;

LLVMValueRef api_i32(const api *a, int64_t x);
LLVMTypeRef api_size_type(const api *a);
LLVMValueRef api_size(const api *a, int64_t x);
LLVMValueRef api_arg(const api *a, int k);
LLVMValueRef api_bytes_on(const api *a, LLVMValueRef base, int64_t bytes);
/* A public function PREFIX_name, its builder at its start. */
void api_begin(api *a, const char *name, LLVMTypeRef result, LLVMTypeRef *types, int count);
/* Returns the code where the condition holds. */
void api_refuse_if(const api *a, LLVMValueRef condition, int code);
void api_refuse_null(const api *a, LLVMValueRef pointer);
void api_refuse_unaligned(const api *a, LLVMValueRef pointer);
/* Calls the entry made for the best instructions that the processor has. */
void api_call_best(const api *a, entry_kind kind, LLVMValueRef *args);
LLVMValueRef api_constant(const api *a, const char *name, LLVMValueRef x, bool public);

/* A row of a table of tensors; NULLs: the last one. */
LLVMValueRef api_row(const api *a, const char *name, const shape *s, int64_t offset, bool trainable);
bool api_name_fits(const api *a, const char *kind, const char *name, span at); /* else an error */
/* PREFIX_name of these rows and the last one, for which there is room. */
void api_table(const api *a, const char *name, LLVMValueRef *rows, int count);

/* train.c: what trains, if the program has it. False with errors. */
bool api_training(api *a);

#endif
