/* How each target spells the kernel IR's operations, and the small functions that some spellings call. */
#ifndef NETC_BACKENDS_C_SPELL_H
#define NETC_BACKENDS_C_SPELL_H

#include "backends/cprint.h"
#include "ir/kernel/target.h"

extern const dialect c_dialects[TARGET_COUNT];

/* The helper functions on vectors that `code`, printed for `target`, mentions: definitions to stand before
 * it. */
void c_vector_helpers(arena *a, text *out, target_id target, const char *code);
/* Typedefs of the vectors that `code` (helpers included) mentions. */
void c_vector_types(arena *a, text *out, const char *code);
/* Helpers on scalars and on arrays of lanes that `code` mentions, for any compiler. */
void c_scalar_helpers(arena *a, text *out, const char *code);
/* True if this identifier stands in the code outside of comments. */
bool c_mentions(const char *code, const char *name);

#endif
