/* Nets as objects, assembly, LLVM's language and shared objects, each with its header. */
#ifndef NETC_FRONTEND_API_OUTPUT_LLVM_H
#define NETC_FRONTEND_API_OUTPUT_LLVM_H

#include "frontend/api/output.h"

/* output_kind.write of .o, .s, .ll, .so; errors that say so where netc was built without LLVM. */
bool output_object(arena *a, const net *n, const graph *g, const output_options *o,
                   const char *const **written, diags *d);
bool output_assembly(arena *a, const net *n, const graph *g, const output_options *o,
                     const char *const **written, diags *d);
bool output_llvm_text(arena *a, const net *n, const graph *g, const output_options *o,
                      const char *const **written, diags *d);
bool output_shared(arena *a, const net *n, const graph *g, const output_options *o,
                   const char *const **written, diags *d);

#endif
