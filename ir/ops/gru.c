/* gru: gated recurrent unit, gates in PyTorch's order r, z, n, the reset applied after the product:
 * n = tanh(x_n + σ(r)·h_n), h' = n + σ(z)·(h - n). Cho et al., 2014. */
#include "ir/ops/infer.h"
#include "ir/ops/recurrent.h"

static void step(graph *body, const node *n, value *gx, value *gh, value *const *carry, value **next) {
    value *x[3], *h[3], *gate[2];
    recurrent_gates(body, n, gx, 3, x);
    recurrent_gates(body, n, gh, 3, h);
    for (int k = 0; k < 2; k++) gate[k] = make_one(body, n, "sigmoid", make_two(body, n, "add", x[k], h[k]));
    value *reset = make_two(body, n, "mul", gate[0], h[2]);
    value *fresh = make_one(body, n, "tanh", make_two(body, n, "add", x[2], reset));
    value *kept = make_two(body, n, "mul", gate[1], make_two(body, n, "sub", carry[0], fresh));
    next[0] = make_two(body, n, "add", fresh, kept);
}

static const cell gru = {.gates = 3, .carries = 1, .step = step};

static bool infer(graph *g, node *n, diags *d) {
    return recurrent_infer(g, n, &gru, d);
}

static int64_t work(const node *n) {
    return recurrent_work(n, &gru);
}

static void expand(graph *g, node *n, value **results) {
    recurrent_expand(g, n, &gru, results);
}

static const attr attributes[] = {
    {"reversed", ATTR_BOOL, offsetof(recurrent_attrs, reversed), false, 0, NULL},
    {0},
};

#define SAMPLE(x, h0, wi, wh, b, attrs)                                                                      \
    "graph gru\ninput %x f32" x "\n" h0 "\nparam %wi \"w_ih\" f32" wi                                        \
    " trainable\nparam %wh \"w_hh\" f32" wh " trainable\nparam %bi \"b_ih\" f32" b                           \
    " trainable\nparam %bh \"b_hh\" f32" b " trainable\n%y, %h = gru(%x, %h0, %wi, %wh, %bi, %bh)" attrs     \
    "\noutput y %y\noutput h %h\n"

static const char *const samples[] = {
    SAMPLE("[N,5,3]", "input %h0 f32[N,4]", "[12,3]", "[12,4]", "[12]", ""),
    SAMPLE("[N,3,20]", "const %h0 f32[17] 0", "[51,20]", "[51,17]", "[51]", " {reversed=true}"),
    SAMPLE("[N,1,2]", "input %h0 f32[N,16]", "[48,2]", "[48,16]", "[48]", ""),
    "graph gru\ninput %x f32[N,4,5]\nconst %h0 f32[6] 0\nparam %wi \"w_ih\" f32[18,5] trainable\n"
    "param %wh \"w_hh\" f32[18,6] trainable\n%y, %h = gru(%x, %h0, %wi, %wh)\noutput h %h\n",
    NULL,
};

static const char *const inputs[] = {"x", "h0", "w_ih", "w_hh", "b_ih", "b_hh", NULL};

const op op_gru = {
    .name = "gru",
    .summary = "gated recurrent unit over sequences [N,T,F]: all its h, and the last",
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
