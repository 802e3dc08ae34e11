/* Grammar of the network language: LALR(1), no conflicts. Memory is the arena's, so nothing needs a destructor. */
%require "3.8"
%expect 0
%define api.pure full
%define api.prefix {lang_}
%define api.token.prefix {T_}
%define api.location.type {span}
%define parse.error custom
%define parse.lac full
%define parse.lac.es-capacity-initial "4000"
%locations
%parse-param {parse *p}
%lex-param {parse *p}

%code requires {
#include "frontend/lang/parse.h"
#define YYLLOC_DEFAULT(all, rhs, count)                                                                       \
    do {                                                                                                      \
        if (count) (all) = span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, count));                                 \
        else (all) = (span){YYRHSLOC(rhs, 0).source, YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end};             \
    } while (0)
/* The stacks lie in yyparse's frame and never grow: nothing to lose in a jump. */
#define YYINITDEPTH 4000
#define YYMAXDEPTH  4000
}

%code provides {
int lang_lex(LANG_STYPE *value, span *at, parse *p);
int lang_scan(LANG_STYPE *value, span *at, void *scanner);
void lang_error(const span *at, parse *p, const char *message);
/* syntax.c: writes the error; `names` are the tokens that could stand in place of `name`. */
void syntax_error(parse *p, span at, const char *name, const char *const *names, int count);
}

%code {
#define ADD(list, item) VEC_PUSH(p->arena, list, item)
#define START(at)       VEC_PUSH(p->arena, &p->file->starts, (at).begin)
#define LIST(T)         NEW(p->arena, T)
#define RECOVER(level)                                                                                        \
    do {                                                                                                      \
        yychar = parse_recover(p, level, yychar, yylloc, T_LANG_EMPTY);                                            \
        yyerrok;                                                                                              \
        if (p->ended) YYABORT;                                                                             \
    } while (0)
}

%union {
    int64_t integer;
    double real;
    bool truth;
    const char *name;
    ast_expr *expr;
    ast_stmt *stmt;
    ast_exprs *exprs;
    ast_stmts *stmts;
    ast_name one;
    ast_names *names;
    ast_arg arg;
    ast_args *args;
    ast_label *label;
    ast_index place;
    ast_indices *places;
    ast_domain *domain;
}

%token START_FILE START_EXPR BAD COMMENT
%token END 0 "the end of the text"
%token <name> NAME "a name"
%token <integer> INT "an integer"
%token <real> REAL "a number"
%token STRING "a text"
%token AND "'and'" ASSERT "'assert'" BLOCK "'block'" CARRY "'carry'" ELSE "'else'" FALSE "'false'" FOR "'for'"
       IF "'if'" IN "'in'" INPUT "'input'" INTEGERS "'int'" LABELS "'labels'" NET "'net'" NONE "'none'"
       NORMALIZE "'normalize'" NOT "'not'" OR "'or'" OUTPUT "'output'" RETURN "'return'" REVERSED "'reversed'"
       SCAN "'scan'" STATE "'state'" THEN "'then'" TRAIN "'train'" TRUE "'true'" USE "'use'" YIELD "'yield'"
%token OP "'op.'" ARROW "'->'" RANGE "'..'" EQ "'=='" NE "'!='" LE "'<='" GE "'>='" FLOORDIV "'//'"

%precedence ELSE
%left OR
%left AND
%precedence NOT
%nonassoc EQ NE '<' '>' LE GE
%left '+' '-'
%left '*' '/' '%' FLOORDIV
%precedence NEG

%type <stmt> statement else_if
%type <stmts> statements else
%type <expr> expr simple postfix call stage
%type <exprs> exprs expr_list
%type <one> name
%type <names> names
%type <arg> param arg entry carry
%type <args> params param_list args arg_list entries carries carry_list
%type <label> label
%type <place> place
%type <places> places
%type <domain> domain
%type <truth> reversed integers

%%

start: START_FILE items | START_EXPR expr { p->expr = $expr; };

items: %empty | items item;

item: USE STRING {
        ast_use use = {ast_plain_string(p, @STRING), @STRING};
        START(@$);
        ADD(&p->file->uses, use);
    }
    | BLOCK NAME '(' params ')' '{' statements '}' {
        ast_block *b = NEW(p->arena, ast_block);
        *b = (ast_block){.name = $NAME, .at = @NAME, .params = *$params, .body = *$statements, .source = p->source};
        START(@$);
        ADD(&p->file->blocks, b);
    }
    | NET NAME '{' statements '}' {
        ast_block *b = NEW(p->arena, ast_block);
        *b = (ast_block){.net = true, .name = $NAME, .at = @NAME, .body = *$statements, .source = p->source};
        START(@$);
        ADD(&p->file->blocks, b);
    }
    | NET NAME '(' params ')' '{' statements '}' {
        ast_block *b = NEW(p->arena, ast_block);
        *b = (ast_block){.net = true, .name = $NAME, .at = @NAME, .params = *$params, .body = *$statements,
                         .source = p->source};
        START(@$);
        ADD(&p->file->blocks, b);
    }
    | error { RECOVER(RECOVER_ITEM); };

params: %empty { $$ = LIST(ast_args); } | param_list | param_list ',';
param_list: param { $$ = LIST(ast_args); ADD($$, $param); } | param_list ',' param { $$ = $1; ADD($$, $param); };
param: NAME { $$ = (ast_arg){$NAME, @NAME, NULL}; } | NAME '=' expr { $$ = (ast_arg){$NAME, @NAME, $expr}; };

statements: %empty { $$ = LIST(ast_stmts); }
    | statements statement { $$ = $1; if ($2) { START(@2); ADD($$, $2); } };

statement: names '=' expr {
        $$ = ast_statement(p, STMT_ASSIGN, @$);
        $$->as.assign.names = *$names;
        $$->as.assign.value = $expr;
    }
    | OUTPUT names '=' expr {
        $$ = ast_statement(p, STMT_OUTPUT, @$);
        $$->as.assign.names = *$names;
        $$->as.assign.value = $expr;
    }
    | INPUT name '[' exprs ']' integers {
        $$ = ast_statement(p, STMT_INPUT, @$);
        $$->as.input.name = $name;
        $$->as.input.dims = *$exprs;
        $$->as.input.integer = $integers;
    }
    | INPUT name '[' exprs ']' integers NORMALIZE '(' args ')' {
        $$ = ast_statement(p, STMT_INPUT, @$);
        $$->as.input.name = $name;
        $$->as.input.dims = *$exprs;
        $$->as.input.integer = $integers;
        $$->as.input.normalize = true;
        $$->as.input.normalize_at = @NORMALIZE;
        $$->as.input.statistics = *$args;
    }
    | STATE name '[' exprs ']' {
        $$ = ast_statement(p, STMT_STATE, @$);
        $$->as.input.name = $name;
        $$->as.input.dims = *$exprs;
    }
    | LABELS '=' expr { $$ = ast_statement(p, STMT_LABELS, @$); $$->as.labels = $expr; }
    | RETURN expr_list { $$ = ast_statement(p, STMT_RETURN, @$); $$->as.results = *$2; }
    | YIELD expr_list { $$ = ast_statement(p, STMT_YIELD, @$); $$->as.results = *$2; }
    | ASSERT expr { $$ = ast_statement(p, STMT_ASSERT, @$); $$->as.assertion.condition = $2; }
    | ASSERT expr[condition] ',' expr[text] {
        $$ = ast_statement(p, STMT_ASSERT, @$);
        $$->as.assertion.condition = $condition;
        $$->as.assertion.text = $text;
    }
    | FOR names IN domain '{' statements '}' {
        $$ = ast_statement(p, STMT_FOR, @$);
        $$->as.loop.names = *$names;
        $$->as.loop.domain = *$domain;
        $$->as.loop.body = *$statements;
    }
    | IF expr '{' statements '}' else {
        $$ = ast_statement(p, STMT_IF, @$);
        $$->as.choice.condition = $expr;
        $$->as.choice.then = *$statements;
        $$->as.choice.otherwise = *$else;
    }
    | TRAIN '{' entries '}' { $$ = ast_statement(p, STMT_TRAIN, @$); $$->as.train = *$entries; }
    | error { $$ = NULL; RECOVER(RECOVER_STATEMENT); };

else: %empty { $$ = LIST(ast_stmts); }
    | ELSE '{' statements '}' { $$ = $statements; }
    | ELSE else_if { $$ = LIST(ast_stmts); ADD($$, $else_if); };
else_if: IF expr '{' statements '}' else {
        $$ = ast_statement(p, STMT_IF, @$);
        $$->as.choice.condition = $expr;
        $$->as.choice.then = *$statements;
        $$->as.choice.otherwise = *$else;
    };

integers: %empty { $$ = false; } | INTEGERS { $$ = true; };

entries: %empty { $$ = LIST(ast_args); }
    | entries entry { $$ = $1; if ($2.name) { START(@2); ADD($$, $2); } };
entry: NAME '=' expr { $$ = (ast_arg){$NAME, @NAME, $expr}; }
    | error { $$ = (ast_arg){NULL, @$, NULL}; RECOVER(RECOVER_STATEMENT); };

name: NAME { $$ = (ast_name){.name = $NAME, .at = @NAME}; };
names: name { $$ = LIST(ast_names); ADD($$, $name); } | names ',' name { $$ = $1; ADD($$, $name); };

domain: reversed expr_list {
        $$ = LIST(ast_domain);
        *$$ = (ast_domain){.over = *$expr_list, .reversed = $reversed, .at = @$};
    }
    | reversed expr[from] RANGE expr[to] {
        $$ = LIST(ast_domain);
        *$$ = (ast_domain){.from = $from, .to = $to, .reversed = $reversed, .at = @$};
    };
reversed: %empty { $$ = false; } | REVERSED { $$ = true; };

exprs: %empty { $$ = LIST(ast_exprs); } | expr_list | expr_list ',';
expr_list: expr { $$ = LIST(ast_exprs); ADD($$, $expr); } | expr_list ',' expr { $$ = $1; ADD($$, $expr); };

args: %empty { $$ = LIST(ast_args); } | arg_list | arg_list ',';
arg_list: arg { $$ = LIST(ast_args); ADD($$, $arg); } | arg_list ',' arg { $$ = $1; ADD($$, $arg); };
arg: expr { $$ = (ast_arg){NULL, @expr, $expr}; } | NAME '=' expr { $$ = (ast_arg){$NAME, @NAME, $expr}; }
    | REVERSED '=' expr { $$ = (ast_arg){"reversed", @REVERSED, $expr}; }; /* an attribute of the recurrent ops */

expr: simple | expr ARROW stage { $$ = ast_pipe(p, $1, $stage); };

stage: NAME { $$ = ast_call_of(p, @$, NULL, false, $NAME, @NAME, NULL); }
    | label NAME { $$ = ast_call_of(p, @$, $label, false, $NAME, @NAME, NULL); }
    | OP NAME { $$ = ast_call_of(p, @$, NULL, true, $NAME, @NAME, NULL); }
    | label OP NAME { $$ = ast_call_of(p, @$, $label, true, $NAME, @NAME, NULL); }
    | call
    | '[' expr ']' ':' call { $$ = $call; $$->as.call.label = LIST(ast_label);
        *$$->as.call.label = (ast_label){.index = $expr, .at = span_join(@1, @3)}; $$->at = @$;
        ast_nest(p, $$, $$, $expr, NULL); }
    | '[' expr ']' ':' NAME { ast_label *l = LIST(ast_label);
        *l = (ast_label){.index = $expr, .at = span_join(@1, @3)};
        $$ = ast_nest(p, ast_call_of(p, @$, l, false, $NAME, @NAME, NULL), $expr, NULL, NULL); };

label: NAME ':' { $$ = LIST(ast_label); *$$ = (ast_label){.name = $NAME, .at = @NAME}; };

call: NAME '(' args ')' { $$ = ast_call_of(p, @$, NULL, false, $NAME, @NAME, $args); }
    | label NAME '(' args ')' { $$ = ast_call_of(p, @$, $label, false, $NAME, @NAME, $args); }
    | OP NAME '(' args ')' { $$ = ast_call_of(p, @$, NULL, true, $NAME, @NAME, $args); }
    | label OP NAME '(' args ')' { $$ = ast_call_of(p, @$, $label, true, $NAME, @NAME, $args); };

simple: postfix
    | simple OR simple { $$ = ast_binary(p, OPERATOR_OR, $1, @2, $3); }
    | simple AND simple { $$ = ast_binary(p, OPERATOR_AND, $1, @2, $3); }
    | NOT simple { $$ = ast_unary(p, OPERATOR_NOT, @1, $2); }
    | simple EQ simple { $$ = ast_binary(p, OPERATOR_EQ, $1, @2, $3); }
    | simple NE simple { $$ = ast_binary(p, OPERATOR_NE, $1, @2, $3); }
    | simple '<' simple { $$ = ast_binary(p, OPERATOR_LT, $1, @2, $3); }
    | simple LE simple { $$ = ast_binary(p, OPERATOR_LE, $1, @2, $3); }
    | simple '>' simple { $$ = ast_binary(p, OPERATOR_GT, $1, @2, $3); }
    | simple GE simple { $$ = ast_binary(p, OPERATOR_GE, $1, @2, $3); }
    | simple '+' simple { $$ = ast_binary(p, OPERATOR_ADD, $1, @2, $3); }
    | simple '-' simple { $$ = ast_binary(p, OPERATOR_SUB, $1, @2, $3); }
    | simple '*' simple { $$ = ast_binary(p, OPERATOR_MUL, $1, @2, $3); }
    | simple '/' simple { $$ = ast_binary(p, OPERATOR_DIV, $1, @2, $3); }
    | simple FLOORDIV simple { $$ = ast_binary(p, OPERATOR_FLOORDIV, $1, @2, $3); }
    | simple '%' simple { $$ = ast_binary(p, OPERATOR_MOD, $1, @2, $3); }
    | '-' simple %prec NEG { $$ = ast_unary(p, OPERATOR_NEG, @1, $2); }
    | IF expr[condition] THEN expr[then] ELSE simple[otherwise] {
        $$ = ast_new(p, AST_IF, @$);
        $$->as.choice.condition = $condition;
        $$->as.choice.then = $then;
        $$->as.choice.otherwise = $otherwise;
        ast_nest(p, $$, $condition, $then, $otherwise);
    };

postfix: INT { $$ = ast_new(p, AST_INT, @$); $$->as.integer = $INT; }
    | REAL { $$ = ast_new(p, AST_REAL, @$); $$->as.real = $REAL; }
    | STRING { $$ = ast_string(p, @STRING); }
    | TRUE { $$ = ast_new(p, AST_BOOL, @$); $$->as.truth = true; }
    | FALSE { $$ = ast_new(p, AST_BOOL, @$); }
    | NONE { $$ = ast_new(p, AST_NONE, @$); }
    | NAME { $$ = ast_new(p, AST_NAME, @$); $$->as.text = $NAME; }
    | call
    | '(' expr ')' { $$ = $expr; }
    | '[' exprs ']' {
        $$ = ast_new(p, AST_LIST, @$);
        $$->as.list = *$exprs;
        for (int i = 0; i < $exprs->count; i++) ast_nest(p, $$, $exprs->at[i], NULL, NULL);
    }
    | postfix '.' NAME {
        $$ = ast_new(p, AST_FIELD, @$);
        $$->as.field.of = $1;
        $$->as.field.name = $NAME;
        $$->as.field.name_at = @NAME;
        ast_nest(p, $$, $1, NULL, NULL);
    }
    | postfix '[' places ']' {
        $$ = ast_new(p, AST_INDEX, @$);
        $$->as.index.of = $1;
        $$->as.index.places = *$places;
        ast_nest(p, $$, $1, NULL, NULL);
        for (int i = 0; i < $places->count; i++) ast_nest(p, $$, $places->at[i].from, $places->at[i].to, NULL);
    }
    | SCAN names IN domain carries '{' statements '}' {
        $$ = ast_new(p, AST_SCAN, @$);
        $$->as.scan.names = *$names;
        $$->as.scan.domain = *$domain;
        $$->as.scan.carries = *$carries;
        $$->as.scan.body = *$statements;
    };

carries: %empty { $$ = LIST(ast_args); } | CARRY carry_list { $$ = $2; };
carry_list: carry { $$ = LIST(ast_args); ADD($$, $carry); } | carry_list ',' carry { $$ = $1; ADD($$, $carry); };
carry: NAME '=' expr { $$ = (ast_arg){$NAME, @NAME, $expr}; };

places: place { $$ = LIST(ast_indices); ADD($$, $place); } | places ',' place { $$ = $1; ADD($$, $place); };
place: expr { $$ = (ast_index){$expr, NULL, false, @$}; }
    | expr[from] RANGE expr[to] { $$ = (ast_index){$from, $to, true, @$}; }
    | expr[from] RANGE { $$ = (ast_index){$from, NULL, true, @$}; }
    | RANGE expr[to] { $$ = (ast_index){NULL, $to, true, @$}; }
    | RANGE { $$ = (ast_index){NULL, NULL, true, @$}; };

%%

static int yyreport_syntax_error(const yypcontext_t *context, parse *p) {
    yysymbol_kind_t expected[YYNTOKENS], found = yypcontext_token(context);
    const char *names[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, expected, YYNTOKENS);
    for (int i = 0; i < count; i++) names[i] = yysymbol_name(expected[i]);
    syntax_error(p, *yypcontext_location(context), found < 0 ? "" : yysymbol_name(found), names, count);
    return 0;
}
