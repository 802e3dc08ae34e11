#!/usr/bin/env python3
"""PyTorch's results for the ops that gradients are made of: writes tests/goldens/ops/gradients.txt and reductions over
the batch, tests/goldens/ops/batches.txt. Run and checked like make_ops.py, whose cases these are.

    python tests/goldens/make_gradients.py      (needs torch; run from the project's root)
"""
import torch
import torch.nn.functional as F

from make_ops import BATCH, Golden, attributes, dims_of, padded


def pulled(function, x, dy):
    """The gradient of function's argument at x, where its result's is dy."""
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(function(x), x, dy)[0]


def list_of(dims):
    return [-1 if d == "N" else d for d in dims]


def text_of(dims):
    return "[" + ",".join(map(str, dims)) + "]"


def batches():
    g = Golden("batches")
    for x, to in (((20, 1, 1), ("N", 20, 3, 5)), (("N", 20, 1, 1), ("N", 20, 5, 3)), (("N", 1, 4), ("N", 3, 4)),
                  ((1,), ("N", 7)), ((33,), ("N", 33)), (("N", 1), ("N", 19)), ((), ("N", 3, 17))):
        batched = x and x[0] == "N"
        sizes = [BATCH if d == "N" else d for d in to]
        declared = f"x f32{text_of(x)}" if batched else f"!x f32{text_of(x)}; t f32[N,2]"
        g.case(declared, "broadcast(%x)" + attributes(shape=list_of(to)), lambda x, *_: x.expand(sizes).clone())
    for x, to in (("[N,20,5,3]", (20, 1, 1)), ("[N,64,3,4]", (64, 1, 1)), ("[N,33]", (33,)), ("[N,3,17]", (17,)),
                  ("[N,3,4]", ()), ("[N,3,4,5]", ("N", 3, 1, 5)), ("[N,16,4,5]", (1, 16, 1, 5)), ("[N]", ()),
                  ("[N,19]", ("N", 1)), ("[N,7,6,5]", (7, 6, 5)), ("[N,300]", (300,)), ("[N,5,18]", (1, 1))):
        sizes = [BATCH if d == "N" else d for d in to]
        g.case(f"x f32{x}", "sum_to(%x)" + attributes(shape=list_of(to)), lambda x: x.sum_to_size(sizes))
    # as convolutions leave their results: in blocks
    for channels in (20, 48):
        declared = f"x f32[N,3,6,5]; !w f32[{channels},3,3,3]"
        g.case(declared, f"%c = conv2d(%x, %w)\nsum_to(%c) {{shape=[{channels},1,1]}}",
               lambda x, w: F.conv2d(x, w).sum((0, 2, 3)).reshape(-1, 1, 1))
        g.case(declared, "%c = conv2d(%x, %w)\nbatch_stats(%c)",
               lambda x, w: (F.conv2d(x, w).mean((0, 2, 3)), F.conv2d(x, w).var((0, 2, 3), unbiased=False)), outputs="m v")
    for x in ("[N,3,5,7]", "[N,37]", "[N,4,9]", "[N,64,2,2]"):
        def stats(x):
            axes = [0] + list(range(2, x.dim()))
            return x.mean(axes), x.var(axes, unbiased=False)
        g.case(f"x f32{x}", "batch_stats(%x)", stats, outputs="m v")
        g.case(f"x f32{x}", "batch_stats(%x)", stats, outputs="m v", fill={"x": (100.0, 101.0)})
    g.case("a f32[N,3,5,7]; b f32[N,3,5,7]",
           'map_sums(%a, %b) {shape=[3,1,1], results=[0,1], expr="s0=mul(i0,1.0); mul(i0,i1)"}',
           lambda a, b: (a.sum((0, 2, 3)).reshape(-1, 1, 1), (a * b).sum((0, 2, 3)).reshape(-1, 1, 1)), outputs="y z")
    g.case("a f32[N,19]; b f32[N,1]", 'map_sums(%a, %b) {shape=[19], results=[0], expr="mul(i0,i1)"}',
           lambda a, b: (a * b).sum(0))
    g.case("a f32[N,5,6]", 'map_sums(%a) {shape=[], results=[0], expr="exp(i0)"}', lambda a: a.exp().sum())
    # what batch norm's gradient sums: one node for both
    for channels in (20, 32):
        to = f"{{shape=[{channels},1,1]}}"
        g.case(f"x f32[N,3,5,6]; g f32[N,{channels},5,6]; !w f32[{channels},3,1,1]; !m f32[{channels},1,1]",
               f"%c = conv2d(%x, %w)\n%a = sum_to(%g) {to}\n%d = sub(%c, %m)\n%p = mul(%g, %d)\n%b = sum_to(%p) {to}\n"
               "sub(%b, %a)", lambda x, dy, w, m: (dy * (F.conv2d(x, w) - m) - dy).sum((0, 2, 3)).reshape(-1, 1, 1),
               title="sums")
    g.case("x f32[N,3]", "samples(%x)", lambda x: torch.tensor(float(BATCH)))
    g.case("x f32[N,4,3,3]", "%k = samples(%x)\ndiv(%x, %k)", lambda x: x / BATCH, title="samples")
    for i, classes in (("[N]", 10), ("[N,3]", 37), ("[N,2,2]", 1), ("[N,7]", 5)):
        g.case(f"i i32{i}", "one_hot(%i)" + attributes(classes=classes),
               lambda i: F.one_hot(i, classes).double(), fill={"i": classes})
    return g


def convolutions(g):
    def weight(x, o, kernel, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1, blocked=False):
        def result(x, w):
            return F.conv2d(padded(x, pad), w, stride=stride, dilation=dilation, groups=groups)
        shape = result(torch.zeros(dims_of(x)), torch.zeros(o, dims_of(x)[1] // groups, *kernel)).shape
        call = "conv2d_weight(%a, %g)" if blocked else "conv2d_weight(%x, %g)"
        call += attributes(kernel=kernel, stride=stride if stride != (1, 1) else None, pad=pad if any(pad) else None,
                           dilation=dilation if dilation != (1, 1) else None, groups=groups if groups > 1 else None)
        before = "%i = conv2d(%x, %e)\n%a = relu(%i)\n" if blocked else ""
        declared = f"x f32{x}; g f32[N,{','.join(map(str, shape[1:]))}]"
        if not blocked:
            g.case(declared, call, lambda x, dy: pulled(lambda w: result(x, w), torch.zeros(o, x.shape[1] // groups, *kernel).double(), dy))
            return
        c = dims_of(x)[1]
        g.case(declared + f"; !e f32[{c},{c},1,1]", before + call,
               lambda x, dy, e: pulled(lambda w: result(F.relu(F.conv2d(x, e)), w),
                                       torch.zeros(o, c // groups, *kernel).double(), dy))

    weight("[N,3,8,8]", 4, (3, 3), pad=(1, 1, 1, 1))
    weight("[N,16,9,10]", 32, (3, 3), pad=(1, 1, 1, 1))
    weight("[N,20,9,7]", 18, (1, 1))
    weight("[N,33,9,10]", 40, (1, 1), stride=(2, 2))
    weight("[N,17,10,12]", 19, (3, 3), stride=(2, 2), pad=(1, 1, 1, 1))
    weight("[N,3,17,19]", 16, (7, 7), stride=(2, 2), pad=(3, 3, 3, 3))
    weight("[N,1,12,12]", 10, (5, 5))
    weight("[N,5,8,8]", 20, (5, 5))
    weight("[N,5,10,12]", 17, (3, 2), stride=(1, 2), pad=(3, 1, 2, 0), dilation=(2, 3))
    weight("[N,16,9,9]", 16, (3, 3), pad=(1, 1, 1, 1), groups=16)
    weight("[N,9,6,6]", 15, (3, 3), groups=3)
    weight("[N,18,7,7]", 33, (3, 3), pad=(1, 1, 1, 1), blocked=True)
    weight("[N,34,4,4]", 17, (3, 3), stride=(2, 2), pad=(1, 1, 1, 1), blocked=True)
    weight("[N,16,8,7]", 16, (3, 3), pad=(1, 1, 1, 1), groups=16, blocked=True)
    weight("[N,32,5,6]", 32, (3, 3), pad=(1, 1, 1, 1), groups=2, blocked=True)
    weight("[N,24,6,8]", 10, (1, 3), pad=(0, 1, 0, 1), blocked=True)
    weight("[N,48,5,5]", 64, (1, 1), blocked=True)

    def data(x, o, kernel, stride, pad, more, after=""):
        """The gradient of a strided convolution's input, with what may be fused behind it."""
        dims = dims_of(x)
        declared = f"x f32{x}; !w f32[{dims[1]},{o},{kernel},{kernel}]"
        how = attributes(stride=(stride, stride), pad=(pad,) * 4 if pad else None, output_pad=(more, more) if more else None)
        call = f"conv_transpose2d(%x, %w){how}"
        if after:
            call = f"%t = {call}\n%m = mul(%t, %a)\nrelu(%m)"
            size = (dims[2] - 1) * stride - 2 * pad + kernel + more
            declared += f"; a f32[N,{o},{size},{(dims[3] - 1) * stride - 2 * pad + kernel + more}]"
        def expect(x, w, *a):
            y = F.conv_transpose2d(x, w, stride=stride, padding=pad, output_padding=more)
            return F.relu(y * a[0]) if a else y
        g.case(declared, call, expect, title="conv_transpose2d_data")

    data("[N,40,3,4]", 18, 3, 2, 1, 1)
    data("[N,20,3,4]", 17, 3, 2, 1, 1, after="fused")
    data("[N,34,2,3]", 33, 1, 2, 0, 1)
    data("[N,16,4,2]", 33, 4, 2, 1, 0, after="fused")
    data("[N,17,2,6]", 16, 5, 3, 2, 0)
    data("[N,16,3,3]", 20, 2, 3, 0, 0)

    def turn(o, i, kernel, groups=1):
        def turned(w):
            w = w.reshape(groups, o // groups, i, *kernel).transpose(1, 2).reshape(groups * i, o // groups, *kernel)
            return w.flip(2, 3)
        # a result that the input has no part in would be none: nothing is added to it
        g.case(f"!w f32[{o},{i},{kernel[0]},{kernel[1]}]; x f32[N,1]",
               "%t = conv2d_turn(%w)" + attributes(groups=groups if groups > 1 else None)
               + "\nconst %o f32[] 0\n%z = mul(%x, %o)\n%s = sum_to(%z) {shape=[]}\nadd(%t, %s)",
               lambda w, x: turned(w), title="conv2d_turn")

    turn(4, 3, (3, 3))
    turn(18, 20, (1, 1))
    turn(6, 2, (2, 3), groups=3)
    turn(18, 1, (3, 3), groups=18)


def rows(g):
    for x, dy in (("[N,16]", "[N,16]"), ("[N,7]", "[N,3]"), ("[N,100]", "[N,37]"), ("[N,5,20]", "[N,5,33]"),
                  ("[N,28,28]", "[N,28,48]"), ("[N,3,2,10]", "[N,3,2,4]"), ("[N,65]", "[N,34]")):
        g.case(f"x f32{x}; g f32{dy}", "linear_weight(%x, %g)",
               lambda x, dy: dy.reshape(-1, dy.shape[-1]).T @ x.reshape(-1, x.shape[-1]))
    for dy, w in (("[N,16]", "[16,16]"), ("[N,3]", "[3,7]"), ("[N,37]", "[37,100]"), ("[N,5,33]", "[33,20]"),
                  ("[N,3,2,4]", "[4,10]"), ("[N,28,40]", "[40,28]"), ("[N,65]", "[65,33]")):
        g.case(f"g f32{dy}; !w f32{w}", "linear_data(%g, %w)", lambda dy, w: dy @ w)
    # rows of the weight a part at a time, and what is fused behind the last
    g.case("g f32[N,4200]; !w f32[4200,19]; m f32[N,19]", "%t = linear_data(%g, %w)\n%u = mul(%t, %m)\nrelu(%u)",
           lambda dy, w, m: F.relu(dy @ w * m), title="linear_data")
    for i, f, count in (("[N,5]", 16, 11), ("[N,4]", 5, 7), ("[N]", 33, 3), ("[N,2,3]", 1, 20), ("[N,9]", 40, 2)):
        g.case(f"i i32{i}; g f32{i[:-1]},{f}]", "embedding_weight(%i, %g)" + attributes(rows=count),
               lambda i, dy: torch.zeros(count, f).double().index_add_(0, i.reshape(-1), dy.reshape(-1, f)),
               fill={"i": count})


def pools(g):
    def largest(x, kernel, stride, pad=(0, 0, 0, 0), dilation=(1, 1), ceil=False, blocked=False, ties=False):
        def pool(x):
            return F.max_pool2d(padded(x, pad, -torch.inf), kernel, stride, 0, dilation, ceil)
        shape = pool(torch.zeros(dims_of(x)).double()).shape
        how = attributes(kernel=kernel, stride=stride, pad=pad if any(pad) else None,
                         dilation=dilation if dilation != (1, 1) else None, ceil=ceil or None)
        c = dims_of(x)[1]
        declared = f"x f32{x}; g f32[N,{','.join(map(str, shape[1:]))}]" + (f"; !e f32[{c},{c},1,1]" if blocked else "")
        before, image = "", "%x"
        if blocked:
            before, image = "%a = conv2d(%x, %e)\n", "%a"
        if ties:
            before, image = "%a = floor(%x)\n", "%a"
        def seen(x, e):
            return F.conv2d(x, e[0]) if e else torch.floor(x) if ties else x
        g.case(declared, f"{before}%p = maxpool({image}){how}\nmaxpool_grad({image}, %p, %g){how}",
               lambda x, dy, *e: pulled(pool, seen(x, e), dy), fill={"x": (-3.0, 3.0)} if ties else None)

    largest("[N,3,8,8]", (2, 2), (2, 2))
    largest("[N,3,8,8]", (2, 2), (2, 2), ties=True)
    largest("[N,16,13,13]", (3, 3), (2, 2), pad=(1, 1, 1, 1))
    largest("[N,6,13,13]", (3, 3), (2, 2), pad=(1, 1, 1, 1), ties=True)
    largest("[N,20,12,15]", (3, 3), (2, 2), blocked=True)
    largest("[N,18,8,6]", (2, 2), (2, 2), blocked=True)
    largest("[N,18,7,7]", (2, 2), (2, 2), blocked=True)
    largest("[N,2,11,9]", (3, 2), (1, 1), pad=(2, 1, 1, 0), dilation=(2, 3))
    largest("[N,5,7,9]", (2, 2), (3, 3))
    largest("[N,16,13,13]", (3, 3), (2, 2), blocked=True)

    def average(x, kernel, stride, pad=(0, 0), ceil=False, counts=True):
        def pool(x):
            return F.avg_pool2d(x, kernel, stride, pad, ceil, counts)
        size = dims_of(x)
        shape = pool(torch.zeros(size).double()).shape
        g.case(f"g f32[N,{','.join(map(str, shape[1:]))}]", "avgpool_grad(%g)" + attributes(
            kernel=kernel, stride=stride, pad=(pad * 2) if any(pad) else None, ceil=ceil or None,
            include_pad=None if counts else False, size=size[2:]), lambda dy: pulled(pool, torch.zeros(size).double(), dy))

    average("[N,3,8,8]", (2, 2), (2, 2))
    average("[N,3,13,13]", (3, 3), (2, 2), pad=(1, 1))
    average("[N,4,12,15]", (3, 3), (2, 2), pad=(1, 1), ceil=True, counts=False)
    average("[N,6,7,7]", (7, 7), (7, 7))

    for x, size in (("[N,3,8,8]", (1, 1)), ("[N,4,13,11]", (6, 6)), ("[N,5,3,4]", (7, 7))):
        dims = dims_of(x)
        g.case(f"g f32[N,{dims[1]},{size[0]},{size[1]}]", "adaptive_avgpool_grad(%g)" + attributes(size=dims[2:]),
               lambda dy: pulled(lambda x: F.adaptive_avg_pool2d(x, size), torch.zeros(dims).double(), dy))
        g.case(f"x f32{x}; g f32[N,{dims[1]},{size[0]},{size[1]}]",
               "%p = adaptive_maxpool(%x)" + attributes(size=size) + "\nadaptive_maxpool_grad(%x, %p, %g)",
               lambda x, dy: pulled(lambda x: F.adaptive_max_pool2d(x, size), x, dy))


def images(g):
    for x, size, mode, align in (("[N,3,4,5]", (8, 10), "nearest", None), ("[N,18,3,4]", (7, 5), "nearest", None),
                                 ("[N,3,4,5]", (8, 15), "bilinear", None), ("[N,18,5,3]", (9, 7), "bilinear", True),
                                 ("[N,2,8,9]", (4, 3), "bilinear", None)):
        dims = dims_of(x)
        def larger(x):
            return F.interpolate(x, size, mode=mode, align_corners=align)
        g.case(f"g f32[N,{dims[1]},{size[0]},{size[1]}]", "upsample_grad(%g)" + attributes(
            size=dims[2:], mode=None if mode == "nearest" else mode, align_corners=align),
            lambda dy: pulled(larger, torch.zeros(dims).double(), dy))
    for x, size, alpha, beta, k in (("[N,12,4,5]", 5, 0.5, 0.75, 1.0), ("[N,8,3,17]", 3, 0.3, 0.6, 2.0)):
        g.case(f"x f32{x}; g f32{x}", "lrn_grad(%x, %g)" + attributes(size=size, alpha=alpha, beta=beta, k=k),
               lambda x, dy: pulled(lambda x: F.local_response_norm(x, size, alpha, beta, k), x, dy))


def gradients():
    g = Golden("gradients")
    for part in (convolutions, rows, pools, images):
        part(g)
    return g


if __name__ == "__main__":
    for make in (batches, gradients):
        make().write()
