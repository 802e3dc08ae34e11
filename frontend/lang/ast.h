/* What the user wrote: the syntax tree of one .net text, every part with its span. The parser builds it, the
 * elaborator (elab.h) walks it; only the marks `used` and `assigned` change after parsing, for warnings. */
#ifndef NETC_FRONTEND_LANG_AST_H
#define NETC_FRONTEND_LANG_AST_H

#include "ir/base/diag.h"

typedef struct ast_expr ast_expr;
typedef struct ast_stmt ast_stmt;

typedef VEC(ast_expr *) ast_exprs;
typedef VEC(ast_stmt *) ast_stmts;

/* A name that a statement gives a value to. */
typedef struct ast_name {
    const char *name;
    span at;
    bool assigned, used;           /* ever, in any instance of the block */
    const struct ast_name *beside; /* the names given values together with it, `count` of them */
    int count;
} ast_name;
typedef VEC(ast_name) ast_names;

/* `value` or `name = value` in a call, a default, a carry or an entry of train {}. */
typedef struct ast_arg {
    const char *name; /* NULL: by position */
    span at;          /* of the name, or of the value */
    ast_expr *value;  /* NULL: a block's argument without default */
} ast_arg;
typedef VEC(ast_arg) ast_args;

/* `conv1:` or `[i]:` */
typedef struct ast_label {
    const char *name; /* NULL: computed */
    ast_expr *index;
    span at;
} ast_label;

typedef struct ast_call {
    ast_label *label;
    bool primitive; /* written op.NAME: never a block */
    const char *callee;
    span callee_at;
    ast_args args;
} ast_call;

/* One place in x[...]: an index, or a range with open ends (NULL). */
typedef struct ast_index {
    ast_expr *from, *to;
    bool range;
    span at;
} ast_index;
typedef VEC(ast_index) ast_indices;

/* What `for` and `scan` run over: lists or sequences, or from .. to. */
typedef struct ast_domain {
    ast_exprs over;
    ast_expr *from, *to; /* set together */
    bool reversed;
    span at;
} ast_domain;

typedef enum ast_operator {
    OPERATOR_OR,
    OPERATOR_AND,
    OPERATOR_NOT,
    OPERATOR_EQ,
    OPERATOR_NE,
    OPERATOR_LT,
    OPERATOR_LE,
    OPERATOR_GT,
    OPERATOR_GE,
    OPERATOR_ADD,
    OPERATOR_SUB,
    OPERATOR_MUL,
    OPERATOR_DIV,
    OPERATOR_FLOORDIV,
    OPERATOR_MOD,
    OPERATOR_NEG,
    OPERATOR_COUNT
} ast_operator;

typedef enum ast_kind {
    AST_INT,
    AST_REAL,
    AST_BOOL,
    AST_NONE,
    AST_TEXT, /* literal */
    AST_JOIN, /* text with {expressions} in it */
    AST_NAME,
    AST_LIST,
    AST_UNARY,
    AST_BINARY,
    AST_IF,
    AST_FIELD,
    AST_INDEX,
    AST_CALL,
    AST_PIPE, /* first -> stage -> stage: each a call that lacks its first argument */
    AST_SCAN
} ast_kind;

struct ast_expr {
    ast_kind kind;
    int depth; /* of nesting, leaves 1 */
    span at;
    union {
        int64_t integer;
        double real;
        bool truth;
        const char *text; /* AST_TEXT, AST_NAME */
        ast_exprs list;   /* AST_LIST, AST_JOIN */
        struct {
            ast_operator op;
            span op_at;
            ast_expr *left, *right; /* left only: unary */
        } operation;
        struct {
            ast_expr *condition, *then, *otherwise;
        } choice;
        struct {
            ast_expr *of;
            const char *name;
            span name_at;
        } field;
        struct {
            ast_expr *of;
            ast_indices places;
        } index;
        ast_call call;
        struct {
            ast_expr *first;
            ast_exprs stages;
        } pipe;
        struct {
            ast_names names;
            ast_domain domain;
            ast_args carries;
            ast_stmts body;
        } scan;
    } as;
};

typedef enum ast_stmt_kind {
    STMT_ASSIGN,
    STMT_INPUT,
    STMT_OUTPUT,
    STMT_STATE,
    STMT_LABELS,
    STMT_RETURN,
    STMT_YIELD,
    STMT_ASSERT,
    STMT_IF,
    STMT_FOR,
    STMT_TRAIN
} ast_stmt_kind;

struct ast_stmt {
    ast_stmt_kind kind;
    span at;
    union {
        struct { /* also output */
            ast_names names;
            ast_expr *value;
        } assign;
        struct { /* also state */
            ast_name name;
            ast_exprs dims;
            bool integer;
            bool normalize;
            span normalize_at;
            ast_args statistics; /* mean, std */
        } input;
        ast_exprs results; /* return, yield */
        ast_expr *labels;
        struct {
            ast_expr *condition, *text;
        } assertion;
        struct {
            ast_expr *condition;
            ast_stmts then, otherwise;
        } choice;
        struct {
            ast_names names;
            ast_domain domain;
            ast_stmts body;
        } loop;
        ast_args train;
    } as;
};

/* A block or a net: a named list of statements with arguments. */
typedef struct ast_block {
    bool net;
    bool prelude;
    const char *name;
    span at; /* of the name */
    ast_args params;
    ast_stmts body;
    const source *source;
} ast_block;

typedef struct ast_use {
    const char *path;
    span at;
} ast_use;

typedef struct ast_file {
    VEC(ast_use) uses;
    VEC(ast_block *) blocks; /* nets too, in the order of the text */
    VEC(uint32_t) starts;    /* where statements begin, for the formatter */
} ast_file;

#endif
