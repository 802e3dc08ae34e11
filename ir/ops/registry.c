/* The table of all ops: the rows of ir/scalar.def, then the records of this folder. */
#include "ir/ops/list.h"

#define ENTRY_KERNEL(NAME)
#define ENTRY_GRAPH(NAME)                                    &op_scalar_##NAME,
#define SCALAR(NAME, name, arity, kind, eval, c, derivative) ENTRY_##kind(NAME)
#define ENTRY(name)                                          &op_##name,

const op *const ops[] = {
#include "ir/scalar.def"
    FOR_EACH_OP(ENTRY) NULL};
