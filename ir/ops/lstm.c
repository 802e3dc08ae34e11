/* lstm: long short-term memory, gates in PyTorch's order i, f, g, o:
 * c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c'). Hochreiter and Schmidhuber, 1997; forget gate by Gers,
 * 2000. */
#include "ir/ops/infer.h"
#include "ir/ops/recurrent.h"

static void step(graph *body, const node *n, value *gx, value *gh, value *const *carry, value **next) {
    value *gate[4];
    recurrent_gates(body, n, make_two(body, n, "add", gx, gh), 4, gate);
    for (int k = 0; k < 4; k++) gate[k] = make_one(body, n, k == 2 ? "tanh" : "sigmoid", gate[k]);
    value *kept = make_two(body, n, "mul", gate[1], carry[1]),
          *added = make_two(body, n, "mul", gate[0], gate[2]);
    next[1] = make_two(body, n, "add", kept, added);
    next[0] = make_two(body, n, "mul", gate[3], make_one(body, n, "tanh", next[1]));
}

static const cell lstm = {.gates = 4, .carries = 2, .one_bias = true, .step = step};

static bool infer(graph *g, node *n, diags *d) {
    return recurrent_infer(g, n, &lstm, d);
}

static int64_t work(const node *n) {
    return recurrent_work(n, &lstm);
}

static void expand(graph *g, node *n, value **results) {
    recurrent_expand(g, n, &lstm, results);
}

static const attr attributes[] = {
    {"reversed", ATTR_BOOL, offsetof(recurrent_attrs, reversed), false, 0, NULL},
    {0},
};

#define SAMPLE(x, h0, wi, wh, b, attrs)                                                                      \
    "graph lstm\ninput %x f32" x "\n" h0 "\nparam %wi \"w_ih\" f32" wi                                       \
    " trainable\nparam %wh \"w_hh\" f32" wh " trainable\nparam %bi \"b_ih\" f32" b                           \
    " trainable\nparam %bh \"b_hh\" f32" b                                                                   \
    " trainable\n%y, %h, %c = lstm(%x, %h0, %c0, %wi, %wh, %bi, %bh)" attrs                                  \
    "\noutput y %y\noutput h %h\noutput c %c\n"

static const char *const samples[] = {
    SAMPLE("[N,5,3]", "input %h0 f32[N,4]\ninput %c0 f32[N,4]", "[16,3]", "[16,4]", "[16]", ""),
    SAMPLE("[N,3,20]", "const %h0 f32[17] 0\nconst %c0 f32[17] 0", "[68,20]", "[68,17]", "[68]",
           " {reversed=true}"),
    SAMPLE("[N,1,2]", "const %h0 f32[] 0\ninput %c0 f32[N,16]", "[64,2]", "[64,16]", "[64]", ""),
    "graph lstm\ninput %x f32[N,4,5]\nconst %z f32[6] 0\nparam %wi \"w_ih\" f32[24,5] trainable\n"
    "param %wh \"w_hh\" f32[24,6] trainable\n%y, %h, %c = lstm(%x, %z, %z, %wi, %wh)\noutput h %h\n",
    NULL,
};

static const char *const inputs[] = {"x", "h0", "c0", "w_ih", "w_hh", "b_ih", "b_hh", NULL};

const op op_lstm = {
    .name = "lstm",
    .summary = "long short-term memory over sequences [N,T,F]: all its h, the last h and c",
    .inputs_min = 5,
    .inputs_max = 7,
    .outputs = 3,
    .input_names = inputs,
    .attrs = attributes,
    .attr_size = sizeof(recurrent_attrs),
    .scalar = S_COUNT,
    .infer = infer,
    .work = work,
    .expand = expand,
    .samples = samples,
};
