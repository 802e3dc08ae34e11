/* Inside of the C printer: values that are printed where they are used, or under a name of their own. */
#ifndef NETC_BACKENDS_CVALUE_H
#define NETC_BACKENDS_CVALUE_H

#include "backends/cprint.h"

typedef enum precedence {
    PREC_TERNARY,
    PREC_LOGIC, /* comparisons, shifts, bits: always in parentheses inside others, as people read them */
    PREC_ADD,
    PREC_MUL,
    PREC_UNARY,
    PREC_ATOM
} precedence;

/* A register's element that a pending text reads. */
typedef struct reg_read {
    const kinst *get;
    const struct reg_read *next;
} reg_read;

/* What an instruction's result is called, by id. A pending one is not printed yet: its text stands where its
 * only user is, unless something that it reads is written first. */
typedef struct cvalue {
    const char *text;
    precedence prec;
    bool simple; /* a name or a literal: may be repeated */
    bool pending;
    bool memory; /* reads memory */
    const reg_read *regs;
    int uses;
    const kblock *block, *user_block; /* where it is made; where it is last used */
    int order, block_end;             /* its place in the function's text; that of its block's last one */
    const char **elements;            /* K_REG: names, [dim0][dim1] */
    char *declared;            /* K_REG: 1 where the element was declared, 2 where its first SET will */
    struct accesses *accesses; /* K_REG: cuses.c's */
} cvalue;

typedef struct cprinter {
    arena *arena;
    text *out;
    const kfunc *f;
    const dialect *dialect;
    diags *diags;
    c_names names;
    cvalue *values;      /* by id */
    const kblock *block; /* being printed */
    VEC(const kinst *) pending;
    int indent;
    int temporaries;
    bool no_n; /* a kernel that is not told n */
    bool failed;
} cprinter;

#define VALUE(p, x) (&(p)->values[(x)->id])

/* Uses, and which instructions have none (theirs are not counted). */
void cprint_count_uses(cprinter *p);

/* The operands of a format and their types. */
typedef struct operands {
    const kinst *at[4];
    const char *spelled[4]; /* in place of at[], where not NULL: an address */
    ktype type, result;
} operands;

/* The format for an operation on `t`, or NULL with an error. */
const char *cprint_spelling(cprinter *p, int op, ktype t);
/* Expands the format; operands that it repeats are given names first. *prec is the result's. */
const char *cprint_format(cprinter *p, const char *format, const operands *o, precedence *prec);
/* The text of x as an operand of at least this precedence. */
const char *cprint_operand(cprinter *p, const kinst *x, precedence at_least);
/* Makes x simple: prints a declaration if it is still pending. */
void cprint_force(cprinter *p, const kinst *x);
/* x has this text from now on: printed where it is used if that is allowed, else declared here. */
void cprint_define(cprinter *p, const kinst *x, const char *text, precedence prec);
/* Declares what is pending and reads memory (registers: this element of this one; NULL: any). */
void cprint_flush_memory(cprinter *p);
void cprint_flush_register(cprinter *p, const kinst *reg, int64_t element);
int64_t cprint_element(const kinst *reg, const kinst *access); /* index of the element of a GET or SET */
bool cprint_lanes_loop(const cprinter *p, ktype t);            /* a vector in a dialect without vectors */
void cprint_declare(cprinter *p, ktype t, const char *name, const char *text, bool constant);
void cprint_assign(cprinter *p, ktype t, const char *name, const char *text);
void cprint_line(cprinter *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *cprint_type(cprinter *p, ktype t);
void cprint_unsupported(cprinter *p, const char *what, ktype t);

/* cexpr.c: what an instruction that gives a value computes; false for statements. */
bool cprint_value(cprinter *p, const kinst *x);
/* ptr + index as one operand. */
const char *cprint_address(cprinter *p, const kinst *ptr, const kinst *index);

#endif
