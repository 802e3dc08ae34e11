/* rnn: h' = tanh(x·w_ih + b_ih + h·w_hh + b_hh), or relu, as in PyTorch. */
#include "ir/ops/infer.h"
#include "ir/ops/recurrent.h"

static void step(graph *body, const node *n, value *gx, value *gh, value *const *carry, value **next) {
    const recurrent_attrs *a = n->attrs;
    (void)carry;
    next[0] = make_one(body, n, a->nonlinearity, make_two(body, n, "add", gx, gh));
}

static const cell rnn = {.gates = 1, .carries = 1, .one_bias = true, .step = step};

static bool infer(graph *g, node *n, diags *d) {
    return recurrent_infer(g, n, &rnn, d);
}

static int64_t work(const node *n) {
    return recurrent_work(n, &rnn);
}

static void expand(graph *g, node *n, value **results) {
    recurrent_expand(g, n, &rnn, results);
}

static const char *const nonlinearities[] = {"tanh", "relu", NULL};

static const attr attributes[] = {
    {"reversed", ATTR_BOOL, offsetof(recurrent_attrs, reversed), false, 0, NULL},
    {"nonlinearity", ATTR_NAME, offsetof(recurrent_attrs, nonlinearity), false, 0, nonlinearities},
    {0},
};

#define SAMPLE(x, h0, wi, wh, b, attrs)                                                                      \
    "graph rnn\ninput %x f32" x "\n" h0 "\nparam %wi \"w_ih\" f32" wi                                        \
    " trainable\nparam %wh \"w_hh\" f32" wh " trainable\nparam %bi \"b_ih\" f32" b                           \
    " trainable\nparam %bh \"b_hh\" f32" b " trainable\n%y, %h = rnn(%x, %h0, %wi, %wh, %bi, %bh)" attrs     \
    "\noutput y %y\noutput h %h\n"

static const char *const samples[] = {
    SAMPLE("[N,5,3]", "input %h0 f32[N,4]", "[4,3]", "[4,4]", "[4]", ""),
    SAMPLE("[N,3,20]", "const %h0 f32[17] 0", "[17,20]", "[17,17]", "[17]", " {reversed=true}"),
    SAMPLE("[N,1,2]", "input %h0 f32[N,16]", "[16,2]", "[16,16]", "[16]", " {nonlinearity=relu}"),
    "graph rnn\ninput %x f32[N,4,5]\nconst %h0 f32[6] 0\nparam %wi \"w_ih\" f32[6,5] trainable\n"
    "param %wh \"w_hh\" f32[6,6] trainable\n%y, %h = rnn(%x, %h0, %wi, %wh)\noutput h %h\n",
    NULL,
};

static const char *const inputs[] = {"x", "h0", "w_ih", "w_hh", "b_ih", "b_hh", NULL};

const op op_rnn = {
    .name = "rnn",
    .summary = "recurrent layer over sequences [N,T,F]: all its h, and the last",
    .inputs_min = 4,
    .inputs_max = 6,
    .outputs = 2,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(recurrent_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .work = work,
    .expand = expand,
    .samples = samples,
};
