/* Changing what a scan reads and gives: its lists of operands beside those of its body's arguments. */
#ifndef NETC_PASSES_SCANS_H
#define NETC_PASSES_SCANS_H

#include "ir/ops/scan.h"
#include "passes/edit.h"

/* An operand of the scan and the argument of its body that stands for it. */
typedef struct scan_operand {
    value *outer, *inner;
} scan_operand;

typedef struct scan_lists {
    VEC(scan_operand) sequences, carries, captured;
} scan_lists;

scan_lists scan_open(arena *a, const node *n);
/* A new scan of these operands in n's place; its body is n's, with the arguments in the lists' order. `keep`
 * tells which of n's yields the body still has (NULL: all). */
void scan_close(edit *r, node *n, const scan_lists *l, const bool *keep);

/* The lists without sequences and captured values that the body does not read. */
scan_lists scan_read(const graph *body, const scan_lists *l);

/* Keeps n without operands that its body does not read and yields that nobody does; true if there were any.
 */
bool scan_trim(edit *r, node *n);

#endif
