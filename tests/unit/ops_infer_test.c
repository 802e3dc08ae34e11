/* Inference of every op: the shapes it gives, the errors it says, the normal form it leaves attributes in. */
#include "ir/op.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    trap t;
    arena a;
    diags d;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->a, 0, &f->t);
    f->d.arena = &f->a;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    arena_free(&f->a);
    free(f);
    return 0;
}

/* "x f32[N,3]; w f32[4,3]; i i32[N]" and a call: the graph of that one node, or NULL with errors in f->d. A
 * name whose shape begins with N is an input, another a parameter. */
static graph *graph_of(fixture *f, const char *declared, const char *call) {
    text t = text_in(&f->a);
    f->d = (diags){.arena = &f->a};
    for (const char *p = declared; *p;) {
        size_t length = strcspn(p, ";");
        const char *shape_at = memchr(p, '[', length);
        text_printf(&t, "%s %%%.*s\n", shape_at && shape_at[1] == 'N' ? "input" : "param", (int)length, p);
        p += length + strspn(p + length, "; ");
    }
    text_printf(&t, "%s\n", call);
    source *s = NEW(&f->a, source);
    *s = (source){"test", t.at, t.length};
    return graph_parse(&f->a, s, &f->d);
}

static const char *types_of(fixture *f, const node *n) {
    text t = text_in(&f->a);
    for (int i = 0; i < n->outputs; i++) {
        text_printf(&t, "%s%s", i ? " " : "", dtype_name(n->out[i]->type));
        shape_print(&t, &n->out[i]->shape);
    }
    return t.at;
}

static const struct {
    const char *declared, *call, *want;
} good[] = {
    {"x f32[N,3,8,8]; w f32[4,3,3,3]", "%y = conv2d(%x, %w)", "f32[N,4,6,6]"},
    {"x f32[N,3,224,224]; w f32[64,3,7,7]; b f32[64]", "%y = conv2d(%x, %w, %b) {stride=2, pad=3}",
     "f32[N,64,112,112]"},
    {"x f32[N,6,9,10]; w f32[4,3,3,2]",
     "%y = conv2d(%x, %w) {stride=[2,1], pad=[1,0,2,3], dilation=[2,3], groups=2}", "f32[N,4,4,10]"},
    {"x f32[N,3,5,5]; w f32[3,4,3,3]", "%y = conv_transpose2d(%x, %w) {stride=2, pad=1, output_pad=1}",
     "f32[N,4,10,10]"},
    {"x f32[N,4,5,6]; w f32[4,3,2,2]", "%y = conv_transpose2d(%x, %w) {groups=2, dilation=[2,1]}",
     "f32[N,6,7,7]"},
    {"x f32[N,7]; w f32[3,7]; b f32[3]", "%y = linear(%x, %w, %b)", "f32[N,3]"},
    {"x f32[N,5,6,7]; w f32[3,7]", "%y = linear(%x, %w)", "f32[N,5,6,3]"},
    {"a f32[N,2,3]; b f32[N,3,4]", "%y = matmul(%a, %b)", "f32[N,2,4]"},
    {"a f32[N,3]; b f32[3,4]", "%y = matmul(%a, %b)", "f32[N,4]"},
    {"a f32[2,3]; b f32[N,3,4]", "%y = matmul(%a, %b)", "f32[N,2,4]"},
    {"a f32[N,5,2,3]; b f32[N,1,3,4]", "%y = matmul(%a, %b)", "f32[N,5,2,4]"},
    {"x f32[N,3,112,112]", "%y = maxpool(%x) {kernel=3, stride=2, pad=1}", "f32[N,3,56,56]"},
    {"x f32[N,3,112,112]", "%y = maxpool(%x) {kernel=3, stride=2, ceil=true}", "f32[N,3,56,56]"},
    /* the third window would start past the image: PyTorch drops it */
    {"x f32[N,3,4,4]", "%y = maxpool(%x) {kernel=2, stride=3, ceil=true}", "f32[N,3,2,2]"},
    {"x f32[N,3,5,5]", "%y = maxpool(%x) {kernel=2, stride=3, ceil=true, pad=1}", "f32[N,3,2,2]"},
    {"x f32[N,3,6,6]", "%y = avgpool(%x) {kernel=[2,3]}", "f32[N,3,3,2]"},
    {"x f32[N,3,9,7]", "%y = adaptive_avgpool(%x) {size=[6,5]}", "f32[N,3,6,5]"},
    {"x f32[N,3,9,7]", "%y = global_maxpool(%x)", "f32[N,3]"},
    {"x f32[N,3,9,7]; c f32[3]", "%y = batchnorm(%x, %c, %c, %c, %c)", "f32[N,3,9,7]"},
    {"x f32[N,9,7]; w f32[9,7]", "%y = layernorm(%x, %w)", "f32[N,9,7]"},
    {"x f32[N,9,7]", "%y = softmax(%x) {axis=1}", "f32[N,9,7]"},
    {"x f32[N,3,4,5]", "%y = reduce_mean(%x)", "f32[N]"},
    {"x f32[N,3,4,5]", "%y = reduce_max(%x) {axes=[-1,1]}", "f32[N,4]"},
    {"x f32[N,3,4,5]", "%y = reduce_sum(%x) {axes=[2], keep=true}", "f32[N,3,1,5]"},
    {"w f32[3,4]", "%y = reduce_sum(%w) {axes=[0,1]}", "f32[]"},
    {"x f32[N,3,4]", "%y = argmax(%x)", "i32[N,3]"},
    {"a f32[N,2,3]; b f32[N,5,3]", "%y = concat(%a, %b, %a)", "f32[N,9,3]"},
    {"x f32[N,9,3]", "%a, %b, %c = split(%x) {sizes=[2,3,4]}", "f32[N,2,3] f32[N,3,3] f32[N,4,3]"},
    {"x f32[N,9,3]", "%y = slice(%x) {start=-4, step=3}", "f32[N,2,3]"},
    {"x f32[N,9,4]", "%y = reshape(%x) {shape=[3,-1,2]}", "f32[N,3,6,2]"},
    {"w f32[9,4]", "%y = reshape(%w) {shape=[36]}", "f32[36]"},
    {"x f32[N,9,4]", "%y = flatten(%x)", "f32[N,36]"},
    {"x f32[N,2,3,4]", "%y = flatten(%x) {start=2}", "f32[N,2,12]"},
    {"w f32[2,3,4]", "%y = flatten(%w)", "f32[24]"},
    {"w f32[2,3,4]", "%y = flatten(%w) {start=2}", "f32[2,12]"},
    {"x f32[N,2,3,4]", "%y = transpose(%x) {order=[0,3,1,2]}", "f32[N,4,2,3]"},
    {"x f32[N,2,3,4]", "%y = pad(%x) {pads=[1,2,3,4]}", "f32[N,2,7,10]"},
    {"x f32[N,16,3,4]", "%y = pad(%x) {before=[8,0,1], after=[8,0,0], pads=1}", "f32[N,32,5,7]"},
    {"x f32[N,2,3,4]", "%y = upsample(%x) {scale=[2,3]}", "f32[N,2,6,12]"},
    {"x f32[N,2,3,4]", "%y = upsample(%x) {size=7, mode=bilinear}", "f32[N,2,7,7]"},
    {"i i32[N,5]; w f32[10,3]", "%y = embedding(%i, %w)", "f32[N,5,3]"},
    {"i i32[N,5]", "%y = cast(%i)", "f32[N,5]"},
    {"x f32[N,5]; w f32[10,5]", "%y = rbf(%x, %w)", "f32[N,10]"},
    {"x f32[N,7,5]; h f32[N,4]; i f32[4,5]; w f32[4,4]", "%y, %z = rnn(%x, %h, %i, %w)",
     "f32[N,7,4] f32[N,4]"},
    {"x f32[N,7,5]; h f32[4]; i f32[16,5]; w f32[16,4]; b f32[16]",
     "%y, %z, %c = lstm(%x, %h, %h, %i, %w, %b, %b)", "f32[N,7,4] f32[N,4] f32[N,4]"},
    {"x f32[N,7,5]; h f32[4]; i f32[12,5]; w f32[12,4]", "%y, %z = gru(%x, %h, %i, %w)",
     "f32[N,7,4] f32[N,4]"},
    {"x f32[N,7,5]; z f32[5]",
     "%y, %z1 = scan(%x, %z) {sequences=1, carries=1, yields=1, body={argument %e f32[N,5]; argument %c "
     "f32[N,5]; "
     "%s = add(%e, %c); output %s; output %e}}",
     "f32[N,7,5] f32[N,5]"},
    {"a f32[N,3,1,5]; b f32[N,1,4,1]", "%y = add(%a, %b)", "f32[N,3,4,5]"},
    {"a f32[N,3,4,5]; b f32[3,1,1]", "%y = mul(%a, %b)", "f32[N,3,4,5]"},
    {"a f32[N,3]; b f32[1,3]", "%y = max(%a, %b)", "f32[N,3]"},
    {"x f32[N,20,3,4]", "%y = reorder(%x) {layout=blocked16, right=1}", "f32[N,20,3,4]"},
    {"x f32[N]", "%y = flatten(%x)", "f32[N,1]"},
};

static void shapes_are_pytorchs(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        graph *g = graph_of(f, good[i].declared, good[i].call);
        if (!g) fail_msg("%s: %s", good[i].call, f->d.first->text);
        const char *got = types_of(f, g->nodes.at[0]);
        if (strcmp(got, good[i].want) != 0) fail_msg("%s gives %s, not %s", good[i].call, got, good[i].want);
    }
}

static const struct {
    const char *declared, *call, *words;
} bad[] = {
    {"a f32[N,64,56,56]; b f32[N,128,28,28]", "%y = add(%a, %b)",
     "cannot add [N,64,56,56] and [N,128,28,28]: channels differ"},
    {"a f32[N,64,56,56]; b f32[N,64,28,56]", "%y = mul(%a, %b)", "heights differ"},
    {"a f32[N,3]; b f32[N,4]", "%y = sub(%a, %b)", "cannot sub [N,3] and [N,4]: features differ"},
    {"a f32[N,5,3]; b f32[N,4,3]", "%y = sub(%a, %b)", "sizes of axis 1 differ"},
    {"a f32[N,8]; b f32[N,4,8]", "%y = add(%a, %b)", "ranks differ; reshape [N,8]"},
    {"a f32[N,8]; b f32[5,1,8]", "%y = add(%a, %b)", "cannot add [N,8] and [5,1,8]: both"},
    {"a i32[N,8]; b i32[N,8]", "%y = add(%a, %b)", "type i32: it computes in floating point; cast"},
    {"x f32[N,3,8,8]; w f32[8,4,3,3]", "%y = conv2d(%x, %w)",
     "cannot conv2d [N,3,8,8] with weight [8,4,3,3]: channels differ, the input has 3 and the weight takes "
     "4"},
    {"x f32[N,3,8,8]; w f32[8,1,3,3]", "%y = conv2d(%x, %w) {groups=2}",
     "3 channels in and 8 out must both be"},
    {"x f32[N,3,8,8]; w f32[8,3,3,3]", "%y = conv2d(%x, %w) {groups=0}", "groups = 0: it must lie in 1 to 3"},
    {"x f32[N,3,8,8]; w f32[8,3,9,9]", "%y = conv2d(%x, %w)",
     "a kernel 9 high does not fit into 8 with padding"},
    {"x f32[N,3,8,8]; w f32[8,3,3]", "%y = conv2d(%x, %w)", "the weight must be [O,I/groups,KH,KW]"},
    {"x f32[N,3,8,8]; w f32[N,3,3,3]", "%y = conv2d(%x, %w)", "may not depend on the net's input"},
    {"x f32[N,3,8,8]; w f32[8,3,3,3]; b f32[7]", "%y = conv2d(%x, %w, %b)",
     "bias [7]: it needs one number for each of 8"},
    {"x f32[N,3,8,8]; w f32[8,3,3,3]", "%y = conv2d(%x, %w) {stride=0}", "stride = 0: it must lie in"},
    {"x f32[N,3,8,8]; w f32[8,3,3,3]", "%y = conv2d(%x, %w) {pad=-1}", "pad = -1: it must lie in"},
    {"x f32[N,3,8,8]; w f32[8,3,3,3]", "%y = conv2d(%x, %w) {dilation=70368744177664}", "dilation = 7036"},
    {"x f32[N,48]; w f32[8,3,3,3]", "%y = conv2d(%x, %w)", "it takes images [N,channels,height,width]"},
    {"x f32[N,3,5,5]; w f32[4,4,3,3]", "%y = conv_transpose2d(%x, %w)",
     "the input has 3 and the weight takes 4"},
    {"x f32[N,3,5,5]; w f32[3,4,3,3]", "%y = conv_transpose2d(%x, %w) {pad=4}",
     "padding takes all of the result's rows"},
    {"x f32[N,3,5,5]; w f32[3,4,3,3]", "%y = conv_transpose2d(%x, %w) {output_pad=1}", "output_pad = 1"},
    {"x f32[N,7]; w f32[3,8]", "%y = linear(%x, %w)",
     "features differ, the input has 7 and the weight takes 8"},
    {"x f32[N,8,2,2]; w f32[3,32]", "%y = linear(%x, %w)", "flatten the input first"},
    {"a f32[N,3]; b f32[N,3]", "%y = matmul(%a, %b)", "the sum would run over the batch"},
    {"a f32[N,3]; b f32[2,3,4]", "%y = matmul(%a, %b)", "do not broadcast"},
    {"a f32[N,2,3]; b f32[N,4,3]", "%y = matmul(%a, %b)", "3 columns of the first meet 4 rows of the second"},
    {"x f32[N,3,5,5]", "%y = maxpool(%x)", "kernel"},
    {"x f32[N,3,5,5]", "%y = maxpool(%x) {kernel=2, pad=2}", "padding 2 is not smaller than the kernel"},
    {"x f32[N,3,5,5]", "%y = maxpool(%x) {kernel=7}", "7 high does not fit"},
    {"x f32[N,3,5,5]", "%y = maxpool(%x) {kernel=2, dilation=0}", "dilation = 0"},
    {"x f32[N,3,5,5]", "%y = adaptive_avgpool(%x) {size=0}", "size = 0"},
    {"x f32[N,30]", "%y = global_avgpool(%x)", "it takes images"},
    {"x f32[N,3,5,5]; c f32[3]; e f32[4]", "%y = batchnorm(%x, %c, %c, %e, %c)",
     "mean [4]: it needs one number"},
    {"x f32[N,5,7]; w f32[5]", "%y = layernorm(%x, %w)",
     "weight [5]: it must have the shape of the last axes"},
    {"x f32[N,5,7,7]", "%y = lrn(%x)", "size"},
    {"x f32[N,5]", "%y = softmax(%x) {axis=0}", "that is the batch"},
    {"x f32[N,5]", "%y = softmax(%x) {axis=2}", "along axis 2: it has axes 0 to 1"},
    {"x f32[N,5,6]", "%y = reduce_sum(%x) {axes=[1,-2]}", "axis 1 is given twice"},
    {"x f32[N,5,6]", "%y = reduce_mean(%x) {axes=[0]}", "that is the batch, whose samples stay apart"},
    {"x f32[N]", "%y = reduce_sum(%x)", "no axis besides the batch"},
    {"a f32[N,2,3]; b f32[N,5,4]", "%y = concat(%a, %b)",
     "cannot concat [N,2,3] and [N,5,4] along axis 1: sizes of axis 2"},
    {"a f32[N,2]; b f32[3,2]", "%y = concat(%a, %b)", "sizes of axis 0 differ"},
    {"x f32[N,9]", "%a, %b = split(%x) {sizes=[2,3]}", "add up to axis 1's 9, not to 5"},
    {"x f32[N,9]", "%a, %b = split(%x) {sizes=[0,9]}", "must be positive"},
    {"x f32[N,9]", "%y = slice(%x) {start=3, stop=12}", "from 3 to 12: it has 9 elements"},
    {"x f32[N,9]", "%y = slice(%x) {start=4, stop=4}", "at least one"},
    {"x f32[N,9]", "%y = slice(%x) {step=0}", "step = 0"},
    {"x f32[N,9]", "%y = reshape(%x) {shape=[2,5]}", "cannot reshape [N,9] to [2,5]: 9 numbers of a sample"},
    {"x f32[N,9]", "%y = reshape(%x) {shape=[-1,-1]}", "cannot reshape"},
    {"x f32[N,9]", "%y = reshape(%x) {shape=[70368744177664,9]}", "cannot reshape"},
    {"x f32[N,9]", "%y = flatten(%x) {start=0}", "start = 0"},
    {"x f32[N,2,3]", "%y = transpose(%x) {order=[1,0,2]}", "the batch, axis 0, must stay first"},
    {"x f32[N,2,3]", "%y = transpose(%x) {order=[0,1,1]}", "each of its axes 0 to 2 once"},
    {"x f32[N,2,3]", "%y = pad(%x) {before=[1]}", "'before' has 1 numbers, but needs one for each of 2 axes"},
    {"x f32[N,2,3,3]", "%y = pad(%x) {pads=3, mode=reflect}", "axis 2 has 2 elements to reflect, not 3"},
    {"x f32[N,2,3,3]", "%y = pad(%x) {pads=-1}", "to take some away, slice"},
    {"x f32[N,2,3,3]", "%y = pad(%x) {before=[70368744177664,0,0]}", "to take some away, slice"},
    {"x f32[N,2,3,3]", "%y = upsample(%x)", "give either 'scale' or 'size'"},
    {"x f32[N,2,3,3]", "%y = upsample(%x) {scale=2, size=4}", "give either 'scale' or 'size'"},
    {"x f32[N,2,3,3]", "%y = upsample(%x) {scale=2, align_corners=true}", "that is for bilinear"},
    {"x f32[N,2]", "%y = dropout(%x) {p=1.0}", "p = 1"},
    {"i f32[N,5]; w f32[10,3]", "%y = embedding(%i, %w)", "indices are integers; declare the input as `int`"},
    {"x f32[N,5]; w f32[10,6]", "%y = rbf(%x, %w)", "the input must be [N,6]"},
    {"x f32[N,7,5]; h f32[4]; i f32[4,6]; w f32[4,4]", "%y, %z = rnn(%x, %h, %i, %w)", "features differ"},
    {"x f32[N,7,5]; h f32[4]; i f32[16,5]; w f32[16,5]", "%y, %z, %c = lstm(%x, %h, %h, %i, %w)",
     "[4*H,F] and [4*H,H]"},
    {"x f32[N,7,5]; h f32[3]; i f32[12,5]; w f32[12,4]", "%y, %z = gru(%x, %h, %i, %w)",
     "h0 [3]: it must be [N,4] or [4]"},
    {"x f32[N,7,5]; h f32[4]; i f32[12,5]; w f32[12,4]; b f32[12]", "%y, %z = gru(%x, %h, %i, %w, %b)",
     "give both"},
    {"x f32[N,7,5]",
     "%y = scan(%x) {sequences=1, carries=0, yields=1, body={argument %e f32[N,4]; output %e}}",
     "its elements are [N,5], but the body takes [N,4]"},
    {"x f32[N,7,5]; c f32[5]",
     "%y = scan(%x, %c) {sequences=1, carries=1, yields=0, body={argument %e f32[N,5]; argument %c f32[5]; "
     "output %e}}",
     "a carry keeps its shape"},
    {"x f32[N,7,5]; y f32[N,6,5]",
     "%z = scan(%x, %y) {sequences=2, carries=0, yields=1, body={argument %e f32[N,5]; argument %f f32[N,5]; "
     "output %e}}",
     "it has 6 steps, but the scan has 7"},
    {"x f32[N,5]", "%y = scan(%x) {sequences=0, carries=1, yields=0, body={argument %c f32[N,5]; output %c}}",
     "give a sequence, or at least 1 step"},
    {"x f32[N,5]",
     "%y = scan(%x) {sequences=0, carries=1, yields=1, steps=2, body={argument %c f32[N,5]; output %c}}",
     "must give 1 carries and 1 yields"},
    {"x f32[N,5]", "%y = reorder(%x) {layout=blocked16}", "only images"},
    {"x f32[N,1,1,1048576]", "%y = upsample(%x) {size=[16777216,16777216]}", "empty axis or is too large"},
    {"x f32[N,4194304]; w f32[4194304,1]", "%y = matmul(%w, %x)", "the sum would run over the batch"},
    {"a f32[N,4194304,1]; b f32[N,1,33554432]", "%y = matmul(%a, %b)", "empty axis or is too large"},
};

static void mistakes_are_explained(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        graph *g = graph_of(f, bad[i].declared, bad[i].call);
        if (g || !f->d.first) fail_msg("%s is accepted", bad[i].call);
        assert_int_equal(f->d.errors, 1);
        if (!strstr(f->d.first->text, bad[i].words)) fail_msg("%s: \"%s\"", bad[i].call, f->d.first->text);
    }
}

static const struct {
    const char *declared, *call, *want;
} normal[] = {
    {"x f32[N,3,8,8]", "%y = maxpool(%x) {kernel=2}", "maxpool(%0) {kernel=[2,2], stride=[2,2]}"},
    {"x f32[N,3,4,5]", "%y = reduce_sum(%x)", "reduce_sum(%0) {axes=[1,2,3]}"},
    {"x f32[N,3,4,5]", "%y = reduce_sum(%x) {axes=[-1,1]}", "reduce_sum(%0) {axes=[1,3]}"},
    {"x f32[N,3,4,5]", "%y = softmax(%x)", "softmax(%0) {axis=3}"},
    {"x f32[N,9]", "%y = slice(%x) {start=-4}", "slice(%0) {start=5, stop=9}"},
    {"x f32[N,9,4]", "%y = reshape(%x) {shape=[-1]}", "reshape(%0) {shape=[36]}"},
    {"x f32[N,2,3,4]", "%y = pad(%x) {pads=[1,2,3,4], before=[5,0,0]}",
     "pad(%0) {before=[5,1,2], after=[0,3,4]}"},
    {"x f32[N,2,3,4]", "%y = upsample(%x) {scale=2}", "upsample(%0) {size=[6,8]}"},
};

static void attributes_become_normal(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < sizeof normal / sizeof *normal; i++) {
        graph *g = graph_of(f, normal[i].declared, normal[i].call);
        if (!g) fail_msg("%s: %s", normal[i].call, f->d.first->text);
        text t = text_in(&f->a);
        graph_print(&t, g);
        if (!strstr(t.at, normal[i].want)) fail_msg("%s, not %s", t.at, normal[i].want);
        assert_true(graph_check(g, &f->d)); /* infers again */
    }
}

static void multiply_adds_are_counted(void **state) {
    fixture *f = *state;
    const struct {
        const char *declared, *call;
        int64_t want;
    } works[] = {
        {"x f32[N,3,224,224]; w f32[64,3,7,7]", "%y = conv2d(%x, %w) {stride=2, pad=3}", 118013952},
        {"x f32[N,32,7,7]; w f32[32,1,3,3]", "%y = conv2d(%x, %w) {pad=1, groups=32}", 14112},
        {"x f32[N,3,5,5]; w f32[3,4,2,2]", "%y = conv_transpose2d(%x, %w)", 1200},
        {"x f32[N,7]; w f32[3,7]", "%y = linear(%x, %w)", 21},
        {"x f32[N,5,7]; w f32[3,7]", "%y = linear(%x, %w)", 105},
        {"a f32[N,2,3]; b f32[N,3,4]", "%y = matmul(%a, %b)", 24},
        {"x f32[N,28,28]; h f32[100]; i f32[400,28]; w f32[400,100]", "%y, %z, %c = lstm(%x, %h, %h, %i, %w)",
         1433600},
        {"x f32[N,7,5]; z f32[5]; w f32[5,5]",
         "%y = scan(%x, %z, %w) {sequences=1, carries=1, yields=0, body={argument %e f32[N,5]; argument %c "
         "f32[N,5]; "
         "argument %w f32[5,5]; %s = add(%e, %c); %l = linear(%s, %w); output %l}}",
         175},
        {"x f32[N,3,8,8]", "%y = maxpool(%x) {kernel=2}", 0},
        {"x f32[N,1,1048576,1048576]; w f32[1,1,1024,1024]", "%y = conv2d(%x, %w) {pad=512}",
         (int64_t)1 << 45},
    };
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        graph *g = graph_of(f, works[i].declared, works[i].call);
        if (!g) fail_msg("%s: %s", works[i].call, f->d.first->text);
        assert_int_equal(node_work(g->nodes.at[0]), works[i].want);
    }
}

static void embeddings_bound_their_input(void **state) {
    fixture *f = *state;
    graph *g = graph_of(
        f, "i i32[N,6]; w f32[10,3]; v f32[7,3]",
        "%a = slice(%i) {stop=3}\n%b = embedding(%a, %w)\n%c = embedding(%i, %v)\n%d = embedding(%i, %w)");
    assert_non_null(g);
    assert_int_equal(g->inputs.at[0]->as.input.bound, 7);
    g = graph_of(f, "i i32[N,6]; w f32[10,3]",
                 "%y = scan(%i, %w) {sequences=1, carries=0, yields=1, body={argument %e i32[N]; argument %w "
                 "f32[10,3]; "
                 "%r = embedding(%e, %w); output %r}}");
    assert_non_null(g);
    assert_int_equal(g->inputs.at[0]->as.input.bound, 10);
}

static void reorder_sets_the_layout(void **state) {
    fixture *f = *state;
    graph *g = graph_of(f, "x f32[N,20,3,4]", "%y = reorder(%x) {layout=blocked16, left=1, right=2}");
    assert_non_null(g);
    const layout *l = &g->nodes.at[0]->out[0]->layout;
    assert_int_equal(l->kind, LAYOUT_BLOCKED16);
    assert_int_equal(l->left, 1);
    assert_int_equal(l->right, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shapes_are_pytorchs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_explained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(attributes_become_normal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(multiply_adds_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(embeddings_bound_their_input, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reorder_sets_the_layout, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
