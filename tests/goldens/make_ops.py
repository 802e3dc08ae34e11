#!/usr/bin/env python3
"""PyTorch's results for every op of netc, over a spread of shapes and attributes: writes tests/goldens/ops/NAME.txt.

    python tests/goldens/make_ops.py            (needs torch; run from the project's root)

Every case is a graph text of one op and what it must give; tests/support/golden.h describes the form and reads
it. Inputs and parameters are not stored: both sides make them from their names (`numbers`). PyTorch computes in
double precision, so a result's error is the rounding to the float that is written.
"""
import math
import pathlib
import re

import numpy
import torch
import torch.nn.functional as F

BATCH = 2
MASK = (1 << 64) - 1
TYPES = {"f32": numpy.float32, "i32": numpy.int32}


def draws(name, count):
    """24 random bits for each of `count` numbers: FNV-1a of the name, then splitmix64 of that plus the index."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK
    out = []
    for i in range(count):
        z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & MASK
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        out.append((z ^ z >> 31) >> 40)
    return numpy.array(out, dtype=numpy.int64)


def numbers(name, kind, dims, fill):
    """Uniform in low..high (default -1..1) as floats, or integers below `fill`, as PyTorch is to see them."""
    bits = draws(name, math.prod(dims))
    if kind == "i32":
        return torch.tensor(bits % fill).reshape(dims)
    low, high = fill
    x = (low + (high - low) * (bits / 16777216.0)).astype(numpy.float32)
    return torch.tensor(x.astype(numpy.float64)).reshape(dims)


def dims_of(text):
    return [BATCH if d == "N" else int(d) for d in text.strip("[]").split(",") if d]


class Golden:
    """One file of cases."""

    def __init__(self, name):
        self.name, self.cases, self.seen = name, [], {}

    def case(self, declared, call, expect, fill=None, outputs="y", title=None):
        """declared: "x f32[N,3,8,8]; !w f32[4,3,3,3]" (! a parameter); call: op(%x, %w) {...}, or several statements
        the last of which is the call; expect: from the tensors in that order to the result or results."""
        fill, lines, tensors = fill or {}, [], []
        for d in filter(None, (d.strip() for d in declared.split(";"))):
            name, kind, dims = re.fullmatch(r"!?(\w+) (\w+)(\[.*\])", d).groups()
            lines.append(f"param %{name} {kind}{dims} trainable" if d[0] == "!" else f"input %{name} {kind}{dims}")
            tensors.append(numbers(name, kind, dims_of(dims), fill.get(name, (-1.0, 1.0))))
        *before, last = call.split("\n")
        outs = outputs.split()
        lines += before + [", ".join("%" + o for o in outs) + " = " + last] + [f"output {o} %{o}" for o in outs]
        results = expect(*tensors)
        results = results if isinstance(results, tuple) else (results,)
        assert len(results) == len(outs), call
        title = title or re.match(r"\w+", last).group()
        self.seen[title] = self.seen.get(title, 0) + 1
        text = [f"case {title}-{self.seen[title]}", f"batch {BATCH}"]
        text += [f"fill {n} below {f}" if isinstance(f, int) else f"fill {n} {f[0]!r} {f[1]!r}" for n, f in fill.items()]
        text += [f"graph {title}"] + lines
        for o, r in zip(outs, results):
            text += expected(o, r)
        self.cases.append("\n".join(text + ["end", ""]))

    def write(self):
        head = "# PyTorch's results, written by tests/goldens/make_ops.py; tests/support/golden.h describes the form.\n"
        path = pathlib.Path("tests/goldens/ops") / f"{self.name}.txt"
        path.write_text(head + "\n".join(self.cases))
        print(f"{path}: {len(self.cases)} cases, {path.stat().st_size} bytes")


def expected(name, tensor):
    kind = "i32" if tensor.dtype in (torch.int64, torch.int32) else "f32"
    flat = tensor.detach().reshape(-1).numpy().astype(TYPES[kind])
    assert numpy.isfinite(flat).all(), name
    yield f"expect {name} {kind}[{','.join(map(str, tensor.shape))}]"
    for i in range(0, len(flat), 12):
        yield " ".join(str(v).removesuffix(".0") for v in flat[i:i + 12])


def attributes(**given):
    """{a=1, b=[1,2]}, leaving out what is None."""
    def spell(v):
        if isinstance(v, bool):
            return "true" if v else "false"
        return "[" + ",".join(map(str, v)) + "]" if isinstance(v, (list, tuple)) else str(v)
    given = {k: v for k, v in given.items() if v is not None}
    return " {" + ", ".join(f"{k}={spell(v)}" for k, v in given.items()) + "}" if given else ""


def padded(x, pad, value=0.0):
    """top, left, bottom, right"""
    return F.pad(x, (pad[1], pad[3], pad[0], pad[2]), value=value)


# ---- products

def conv2d():
    g = Golden("conv2d")

    def conv(x, w, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1), groups=1, bias=True):
        o, b = w[0], f"; !b f32[{w[0]}]" if bias else ""
        call = f"conv2d(%x, %w{', %b' if bias else ''})" + attributes(
            stride=stride if stride != (1, 1) else None, pad=pad if any(pad) else None,
            dilation=dilation if dilation != (1, 1) else None, groups=groups if groups > 1 else None)
        g.case(f"x f32[N,{','.join(map(str, x))}]; !w f32[{','.join(map(str, w))}]{b}", call,
               lambda x, w, b=None: F.conv2d(padded(x, pad), w, b, stride, 0, dilation, groups))

    same = (1, 1, 1, 1)
    conv((3, 6, 5), (4, 3, 3, 3))
    conv((16, 5, 7), (16, 16, 3, 3), pad=same)
    conv((16, 3, 31), (32, 16, 3, 3), pad=same)
    conv((20, 5, 6), (18, 20, 3, 3), pad=same, bias=False)
    conv((32, 7, 7), (17, 32, 1, 1))
    conv((33, 4, 5), (40, 33, 1, 1), stride=(2, 2), bias=False)
    conv((48, 3, 9), (16, 48, 1, 1), pad=same)
    conv((3, 17, 19), (16, 3, 7, 7), stride=(2, 2), pad=(3, 3, 3, 3))
    conv((1, 12, 12), (10, 1, 5, 5))
    conv((2, 27, 23), (6, 2, 11, 11), stride=(4, 4), pad=(2, 2, 2, 2))
    conv((32, 9, 8), (32, 32, 3, 3), stride=(2, 2), pad=same)
    conv((16, 10, 11), (16, 16, 3, 3), stride=(1, 2), pad=(2, 0, 1, 3))
    conv((5, 10, 12), (17, 5, 3, 2), stride=(1, 2), pad=(0, 1, 2, 0), dilation=(2, 3))
    conv((16, 9, 9), (16, 16, 3, 3), pad=(2, 2, 2, 2), dilation=(2, 2))
    conv((16, 6, 7), (16, 1, 3, 3), pad=same, groups=16)
    conv((19, 8, 7), (19, 1, 3, 3), stride=(2, 2), pad=same, groups=19)
    conv((35, 5, 6), (35, 1, 5, 5), pad=(2, 2, 2, 2), groups=35, bias=False)
    conv((4, 5, 5), (8, 1, 3, 3), pad=same, groups=4)
    conv((32, 4, 5), (48, 16, 3, 3), pad=same, groups=2)
    conv((24, 4, 5), (20, 12, 3, 3), pad=same, groups=2)
    conv((9, 5, 5), (15, 3, 3, 3), groups=3)
    conv((24, 4, 6), (10, 24, 1, 3), pad=(0, 1, 0, 1))
    conv((24, 6, 4), (10, 24, 3, 1), pad=(1, 0, 1, 0), bias=False)
    conv((7, 4, 4), (21, 7, 4, 4))
    conv((16, 1, 1), (33, 16, 1, 1))
    # whose weights outgrow the first-level cache: a part of the inputs at a time
    conv((96, 13, 13), (48, 96, 3, 3), stride=(2, 2), pad=same)
    conv((656, 7, 7), (17, 656, 1, 1), bias=False)
    return g


def conv_transpose2d():
    g = Golden("conv_transpose2d")

    def conv(x, w, stride=(1, 1), pad=(0, 0, 0, 0), output_pad=(0, 0), dilation=(1, 1), groups=1, bias=True):
        b = f"; !b f32[{w[1] * groups}]" if bias else ""
        call = f"conv_transpose2d(%x, %w{', %b' if bias else ''})" + attributes(
            stride=stride, pad=pad, output_pad=output_pad, dilation=dilation, groups=groups)

        def expect(x, w, b=None):
            # output_pad grows the result before the padding is cut away, so PyTorch's check against the
            # stride and asymmetric padding are both met by cutting here
            y = F.conv_transpose2d(x, w, b, stride, 0, output_pad, groups, dilation)
            return y[:, :, pad[0]:y.shape[2] - pad[2], pad[1]:y.shape[3] - pad[3]]
        g.case(f"x f32[N,{','.join(map(str, x))}]; !w f32[{','.join(map(str, w))}]{b}", call, expect)

    conv((3, 4, 5), (3, 4, 3, 3))
    conv((18, 4, 3), (18, 20, 4, 4), stride=(2, 2), pad=(1, 1, 1, 1))
    conv((16, 3, 3), (16, 16, 3, 3), stride=(2, 2), pad=(1, 1, 1, 1), output_pad=(1, 1))
    conv((8, 4, 3), (8, 4, 3, 2), stride=(3, 2), pad=(1, 0, 0, 1), output_pad=(1, 0), groups=2)
    conv((6, 4, 4), (6, 1, 3, 3), stride=(2, 2), pad=(1, 1, 1, 1), output_pad=(1, 1), groups=6, bias=False)
    conv((5, 4, 5), (5, 3, 2, 3), dilation=(2, 2))
    conv((16, 1, 1), (16, 32, 4, 4), bias=False)
    conv((4, 5, 6), (4, 17, 1, 1))
    conv((5, 3, 4), (5, 2, 2, 2), stride=(3, 3))
    return g


def linear():
    g = Golden("linear")
    for x, o, bias in (("16", 16, 1), ("7", 3, 1), ("100", 37, 1), ("48", 65, 0), ("5,20", 33, 1), ("3,2,10", 4, 1),
                       ("1", 1, 1), ("33", 16, 0), ("4,64", 10, 0)):
        f = x.split(",")[-1]
        g.case(f"x f32[N,{x}]; !w f32[{o},{f}]" + (f"; !b f32[{o}]" if bias else ""),
               "linear(%x, %w, %b)" if bias else "linear(%x, %w)", F.linear)
    return g


def matmul():
    g = Golden("matmul")
    for a, b in (("a f32[N,5,7]", "b f32[N,7,3]"), ("a f32[N,2,16,20]", "b f32[N,2,20,33]"),
                 ("a f32[N,3,4,6]", "b f32[N,1,6,5]"), ("a f32[N,1,4,6]", "b f32[N,3,6,5]"), ("a f32[N,19]", "!b f32[19,24]"),
                 ("a f32[N,6,8]", "!b f32[8,17]"), ("a f32[N,3,4,6]", "!b f32[3,6,2]"), ("!a f32[4,6]", "b f32[N,6,5]"),
                 ("!a f32[3,1,2,6]", "b f32[N,1,4,6,5]"), ("a f32[N,1,1]", "b f32[N,1,1]")):
        g.case(f"{a}; {b}", "matmul(%a, %b)", torch.matmul)
    return g


def rbf():
    g = Golden("rbf")
    for f, o in ((84, 10), (5, 17), (16, 1), (1, 4)):
        g.case(f"x f32[N,{f}]; !w f32[{o},{f}]", "rbf(%x, %w)", lambda x, w: ((x[:, None] - w) ** 2).sum(2))
    return g


# ---- pools

def maxpool():
    g = Golden("maxpool")

    def pool(x, kernel, stride=None, pad=(0, 0, 0, 0), dilation=None, ceil=None):
        call = "maxpool(%x)" + attributes(kernel=kernel, stride=stride, pad=pad if any(pad) else None, dilation=dilation,
                                          ceil=ceil)

        def expect(x):
            symmetric = pad[:2] == pad[2:]
            x = x if symmetric else padded(x, pad, -math.inf)
            return F.max_pool2d(x, kernel, stride, pad[:2] if symmetric else 0, dilation or 1, bool(ceil))
        g.case(f"x f32[N,{','.join(map(str, x))}]", call, expect)

    pool((3, 8, 8), (2, 2))
    pool((16, 7, 7), (3, 3), (2, 2), (1, 1, 1, 1))
    pool((16, 13, 13), (3, 3), (2, 2))
    pool((20, 8, 9), (3, 3), (2, 2), ceil=True)
    pool((20, 6, 6), (3, 3), (2, 2), (1, 1, 1, 1), ceil=True)
    pool((5, 5, 7), (2, 2), (2, 2), ceil=True)
    pool((33, 5, 6), (3, 2), (1, 2), (1, 1, 1, 1), ceil=True)
    pool((17, 5, 5), (3, 3), (1, 1), (1, 1, 1, 1))
    pool((3, 7, 6), (3, 2), (1, 1), (2, 1, 0, 0))
    pool((2, 11, 9), (3, 2), (1, 1), (1, 1, 1, 1), (2, 2))
    pool((5, 5, 5), (5, 5))
    pool((18, 3, 29), (1, 3), (1, 1))
    pool((4, 4, 4), (2, 2), (3, 3), ceil=True)
    return g


def avgpool():
    g = Golden("avgpool")

    def pool(x, kernel, stride=None, pad=(0, 0), ceil=None, include_pad=None):
        call = "avgpool(%x)" + attributes(kernel=kernel, stride=stride, pad=pad * 2 if any(pad) else None, ceil=ceil,
                                          include_pad=include_pad)
        g.case(f"x f32[N,{','.join(map(str, x))}]", call,
               lambda x: F.avg_pool2d(x, kernel, stride, pad, bool(ceil), include_pad is not False))

    pool((3, 8, 8), (2, 2))
    pool((16, 7, 7), (3, 3), (2, 2), (1, 1))
    pool((16, 7, 7), (3, 3), (2, 2), (1, 1), include_pad=False)
    pool((20, 6, 6), (3, 3), (2, 2), (1, 1), ceil=True)
    pool((20, 6, 6), (3, 3), (2, 2), (1, 1), ceil=True, include_pad=False)
    pool((5, 5, 7), (2, 2), (2, 2), ceil=True)
    pool((33, 5, 6), (3, 2), (2, 2), (1, 1), ceil=True)
    pool((17, 5, 5), (3, 3), (1, 1), (1, 1), include_pad=False)
    pool((6, 7, 7), (7, 7))
    pool((4, 4, 4), (2, 2), (3, 3), ceil=True)
    return g


def whole_pools():
    g = Golden("whole_pools")
    for x, size in (("3,8,8", (1, 1)), ("16,13,11", (6, 6)), ("20,7,9", (3, 4)), ("5,3,4", (7, 7)), ("33,7,7", (7, 7))):
        for name, f in (("adaptive_avgpool", F.adaptive_avg_pool2d), ("adaptive_maxpool", F.adaptive_max_pool2d)):
            g.case(f"x f32[N,{x}]", f"{name}(%x)" + attributes(size=size), lambda x: f(x, size))
    for x in ("3,8,8", "16,7,7", "37,5,3", "64,1,1", "20,3,33"):
        g.case(f"x f32[N,{x}]", "global_avgpool(%x)", lambda x: x.mean((2, 3)))
        g.case(f"x f32[N,{x}]", "global_maxpool(%x)", lambda x: x.amax((2, 3)))
    return g


# ---- normalisation

def norms():
    g = Golden("norms")
    for x, eps in (("3,5,6", None), ("16,4,4", 0.001), ("37,3,2", None), ("21", None), ("6,5", 0.1)):
        c = x.split(",")[0]
        g.case(f"x f32[N,{x}]; !w f32[{c}]; !b f32[{c}]; !mean f32[{c}]; !var f32[{c}]",
               "batchnorm(%x, %w, %b, %mean, %var)" + attributes(eps=eps),
               lambda x, w, b, mean, var: F.batch_norm(x, mean, var, w, b, False, 0.1, eps or 1e-5),
               fill={"var": (0.1, 2.0)})
    for x, eps in (("3,5,6", None), ("16,4,4", 0.001), ("37,3,2", None), ("21", 0.1), ("6,5", None)):
        c, sizes = x.split(",")[0], len(x.split(","))

        def batch_norm(x, w, b):
            over = [0] + list(range(2, sizes + 1))
            return F.batch_norm(x, None, None, w, b, True, 0.0, eps or 1e-5), x.mean(over), x.var(over, unbiased=False)
        g.case(f"x f32[N,{x}]; !w f32[{c}]; !b f32[{c}]", "batchnorm_train(%x, %w, %b)" + attributes(eps=eps), batch_norm,
               outputs="y mean var")
    for x, w, eps in (("20", "20", None), ("4,33", "33", 0.001), ("3,4,5", "3,4,5", None), ("17,2,6", "2,6", None),
                      ("3,1,16", "16", None)):
        dims = dims_of(w)
        g.case(f"x f32[N,{x}]; !w f32[{w}]; !b f32[{w}]", "layernorm(%x, %w, %b)" + attributes(eps=eps),
               lambda x, w, b: F.layer_norm(x, dims, w, b, eps or 1e-5), fill={"x": (-3.0, 5.0)})
    g.case("x f32[N,9]; !w f32[9]", "layernorm(%x, %w)", lambda x, w: F.layer_norm(x, (9,), w))
    for x, size, alpha, beta, k, divide in (("8,4,5", 5, None, None, None, None), ("16,3,3", 5, 0.5, None, 2.0, False),
                                            ("21,4,2", 4, 0.3, 0.5, None, None), ("3,5,5", 9, 1.0, 0.75, 1.0, True),
                                            ("96,1,2", 5, 1e-4, 0.75, 2.0, False), ("5,2,2", 1, 2.0, 1.0, None, None)):
        a = (1e-4 if alpha is None else alpha) * (size if divide is False else 1)
        g.case(f"x f32[N,{x}]", "lrn(%x)" + attributes(size=size, alpha=alpha, beta=beta, k=k, divide=divide),
               lambda x: F.local_response_norm(x, size, a, 0.75 if beta is None else beta, 1.0 if k is None else k),
               fill={"x": (-4.0, 4.0)})
    for x, axis in (("10", None), ("4,33", None), ("19,3,2", 1), ("2,5,7", -2), ("1", None)):
        for name, f in (("softmax", torch.softmax), ("log_softmax", torch.log_softmax)):
            for spread in (1.0, 60.0):
                g.case(f"x f32[N,{x}]", f"{name}(%x)" + attributes(axis=axis),
                       lambda x: f(x, -1 if axis is None else axis), fill={"x": (-spread, spread)})
    return g


def reductions():
    g = Golden("reductions")
    for x, axes, keep in (("3,4,5", (2, 3), None), ("20,3,3", (1,), True), ("37", None, None), ("5,18", (-1,), True),
                          ("7,2,6", (1, 3), None), ("17,3,2", (2,), None), ("2,3,4,5", (1, -1), None),
                          ("16,5,5", (1, 2, 3), True)):
        over = axes or tuple(range(1, 1 + len(x.split(","))))
        for name, f in (("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax)):
            g.case(f"x f32[N,{x}]", f"reduce_{name}(%x)" + attributes(axes=axes, keep=keep), lambda x: f(x, over, bool(keep)))
    for x, axis, keep in (("10", None, None), ("19,3,2", 1, None), ("4,33", None, True), ("2,5,7", -2, None)):
        g.case(f"x f32[N,{x}]", "argmax(%x)" + attributes(axis=axis, keep=keep),
               lambda x: torch.argmax(x, -1 if axis is None else axis, bool(keep)))
    return g


# ---- moving numbers

def moves():
    g = Golden("moves")

    def cat(axis):
        return lambda *parts: torch.cat(parts, axis)
    g.case("a f32[N,3,4,5]; b f32[N,2,4,5]", "concat(%a, %b)", cat(1))
    g.case("a f32[N,16,2,5]; b f32[N,32,2,5]", "concat(%a, %b)", cat(1))
    g.case("a f32[N,18,3,3]; b f32[N,7,3,3]; c f32[N,16,3,3]", "concat(%a, %b, %c)", cat(1))
    g.case("a f32[N,3,4,5]; b f32[N,3,2,5]", "concat(%a, %b) {axis=2}", cat(2))
    g.case("a f32[N,3,4,5]; b f32[N,3,4,1]", "concat(%a, %b) {axis=-1}", cat(3))
    g.case("a f32[N,5]; b f32[N,6]", "concat(%a, %b) {axis=-1}", cat(1))
    g.case("a f32[N,5]", "concat(%a, %a)", lambda a: torch.cat((a, a), 1))

    def split(x, sizes, axis=None):
        g.case(f"x f32[N,{x}]", "split(%x)" + attributes(sizes=sizes, axis=axis),
               lambda x: tuple(torch.split(x, sizes, 1 if axis is None else axis)),
               outputs=" ".join("abc"[:len(sizes)]))
    split("6,4,5", (2, 4))
    split("40,2,3", (16, 24))
    split("12", (3, 4, 5))
    split("3,4,7", (5, 2), -1)
    split("5,6", (1, 5), 2)

    def slice_(x, axis=None, start=None, stop=None, step=None):
        index = [slice(None)] * (1 + len(x.split(",")))
        index[1 if axis is None else axis] = slice(start, stop, step)
        g.case(f"x f32[N,{x}]", "slice(%x)" + attributes(axis=axis, start=start, stop=stop, step=step),
               lambda x: x[tuple(index)])
    slice_("6,4,5", start=1, stop=5)
    slice_("40,2,3", start=16, stop=32)
    slice_("5,8,8", axis=2, step=2)
    slice_("5,7,9", axis=-1, start=1, stop=-1, step=3)
    slice_("28,10", axis=1, start=-1)
    slice_("33,3,3", start=17)

    for x, s in (("6,4,5", (120,)), ("20,3,2", (5, -1, 6)), ("36", (4, 3, 3)), ("4,9", (-1,)), ("16,2,2", (2, 32, 1))):
        g.case(f"x f32[N,{x}]", "reshape(%x)" + attributes(shape=s), lambda x: x.reshape(BATCH, *s))
    for x, start in (("6,4,5", None), ("20,3,2", None), ("5,4,3", 2), ("7", None)):
        g.case(f"x f32[N,{x}]", "flatten(%x)" + attributes(start=start), lambda x: x.flatten(start or 1))
    g.case("x f32[N,20,3,2]; !w f32[5,120]", "%r = relu(%x)\n%f = flatten(%r)\nlinear(%f, %w)",
           lambda x, w: F.linear(F.relu(x).flatten(1), w), title="flatten")
    for x, order in (("6,4,5", (0, 2, 3, 1)), ("20,3,7", (0, 1, 3, 2)), ("5,18", (0, 2, 1)), ("2,3,4,5", (0, 3, 1, 4, 2)),
                     ("3,4,16", (0, 3, 1, 2))):
        g.case(f"x f32[N,{x}]", "transpose(%x)" + attributes(order=order), lambda x: x.permute(order))

    for x, pads, value in (("3,4,5", (1, 2, 0, 3), None), ("16,4,5", (1, 1, 1, 1), -2.5), ("18,2,3", (0, 0, 1, 0), 0.5)):
        g.case(f"x f32[N,{x}]", "pad(%x)" + attributes(pads=pads, value=value), lambda x: padded(x, pads, value or 0.0))
    for mode in ("reflect", "replicate"):
        for x, pads in (("18,5,6", (2, 1, 3, 4)), ("2,4,4", (1, 1, 1, 1)), ("16,3,4", (0, 3, 2, 0))):
            g.case(f"x f32[N,{x}]", "pad(%x)" + attributes(pads=pads, mode=mode),
                   lambda x: F.pad(x, (pads[1], pads[3], pads[0], pads[2]), mode=mode))
    g.case("x f32[N,16,4,4]", "pad(%x) {before=[8,0,0], after=[8,0,0]}", lambda x: F.pad(x, (0, 0, 0, 0, 8, 8)))
    g.case("x f32[N,5,2,3]", "pad(%x) {before=[1,0,2], after=[0,1,0], value=3.0}",
           lambda x: F.pad(x, (2, 0, 0, 1, 1, 0), value=3.0))
    g.case("x f32[N,7]", "pad(%x) {before=[2], after=[1]}", lambda x: F.pad(x, (2, 1)))

    g.case("x f32[N,3,4]", "identity(%x)", lambda x: x)
    g.case("x f32[N,3,4]", "dropout(%x) {p=0.3}", lambda x: x)
    g.case("x i32[N,3,4]", "cast(%x)", lambda x: x.double(), fill={"x": 1000000})
    for x, v, d in (("N,5", 11, 16), ("N,4", 7, 5), ("N", 3, 33), ("N,2,3", 20, 1)):
        g.case(f"x i32[{x}]; !w f32[{v},{d}]", "embedding(%x, %w)", F.embedding, fill={"x": v})
    return g


def upsample():
    g = Golden("upsample")

    def up(x, scale=None, size=None, mode=None, align=None):
        g.case(f"x f32[N,{x}]", "upsample(%x)" + attributes(scale=scale, size=size, mode=mode, align_corners=align),
               lambda x: F.interpolate(x, size, scale, mode or "nearest", align))
    up("3,4,5", scale=(2, 2))
    up("18,3,4", size=(7, 5))
    up("16,2,3", scale=(3, 1))
    up("5,7,6", size=(3, 4))
    up("3,4,5", scale=(2, 3), mode="bilinear", align=False)
    up("18,5,3", size=(9, 7), mode="bilinear", align=True)
    up("2,8,9", size=(4, 3), mode="bilinear", align=False)
    up("16,1,4", size=(3, 1), mode="bilinear", align=True)
    up("4,3,3", size=(3, 7), mode="bilinear", align=False)
    return g


# ---- elementwise

UNARY = {
    "neg": (torch.neg, (-3.0, 3.0)), "abs": (torch.abs, (-3.0, 3.0)), "sqrt": (torch.sqrt, (0.0, 9.0)),
    "rsqrt": (torch.rsqrt, (0.01, 9.0)), "exp": (torch.exp, (-20.0, 10.0)), "log": (torch.log, (0.001, 20.0)),
    "tanh": (torch.tanh, (-5.0, 5.0)), "erf": (torch.erf, (-4.0, 4.0)), "sin": (torch.sin, (-20.0, 20.0)),
    "cos": (torch.cos, (-20.0, 20.0)), "floor": (torch.floor, (-5.0, 5.0)), "relu": (torch.relu, (-3.0, 3.0)),
    "sigmoid": (torch.sigmoid, (-20.0, 20.0)),
}
BINARY = {
    "add": (torch.add, None), "sub": (torch.sub, None), "mul": (torch.mul, None), "div": (torch.div, (0.5, 3.0)),
    "max": (torch.maximum, None), "min": (torch.minimum, None), "pow": (torch.pow, (0.1, 3.0)),
}
COMPARE = {"lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge, "eq": torch.eq, "ne": torch.ne}


def elementwise():
    g = Golden("elementwise")
    for name, (f, spread) in UNARY.items():
        for x in ("3,3,5", "37", "18,2,2"):
            g.case(f"x f32[N,{x}]", f"{name}(%x)", f, fill={"x": spread})
    for name, (f, spread) in BINARY.items():
        fill = {"a": spread, "b": spread} if spread else None
        for a, b in (("a f32[N,3,3,5]", "b f32[N,3,3,5]"), ("a f32[N,18,2,2]", "!b f32[18,1,1]"), ("a f32[N,1,4,3]", "b f32[N,17,1,3]"),
                     ("a f32[N,1]", "b f32[N,19]"), ("!a f32[5]", "b f32[N,3,5]")):
            g.case(f"{a}; {b}", f"{name}(%a, %b)", f, fill=fill)
    for name, f in COMPARE.items():  # of whole numbers, so that some are equal
        for a, b in (("a f32[N,3,3,5]", "b f32[N,3,3,5]"), ("a f32[N,19]", "!b f32[19]")):
            g.case(f"{a}; {b}", f"%p = floor(%a)\n%q = floor(%b)\n{name}(%p, %q)",
                   lambda a, b: f(a.floor(), b.floor()).double(), fill={"a": (-2.0, 2.0), "b": (-2.0, 2.0)}, title=name)
    for a, b, c in (("a f32[N,3,3,5]", "b f32[N,3,3,5]", "c f32[N,3,1,5]"), ("a f32[N,20]", "b f32[N,20]", "!c f32[20]")):
        g.case(f"{a}; {b}; {c}", "%z = relu(%a)\nselect(%z, %b, %c)", lambda a, b, c: torch.where(a > 0, b, c), title="select")
    g.case("a f32[N,3,5,2]", 'map(%a) {expr="s0=mul(i0,i0); s1=add(s0,1); rsqrt(s1)"}', lambda a: (a * a + 1).rsqrt())
    g.case("a f32[N,20,2,2]; !b f32[20,1,1]", 'map(%a, %b) {expr="s0=add(i0,i1); relu(s0)"}', lambda a, b: torch.relu(a + b))
    g.case("a f32[N,19]; b f32[N,19]; c f32[N,1]",
           'map(%a, %b, %c) {expr="s0=sigmoid(i2); s1=sub(i0,i1); s2=mul(s0,s1); add(s2,i1)"}',
           lambda a, b, c: torch.sigmoid(c) * (a - b) + b)
    g.case("a f32[N,3,5,2]; b f32[N,3,5,2]", 'maps(%a, %b) {results=[0,2], expr="s0=mul(i0,0.5); s1=mul(i1,0.25); add(s0,s1)"}',
           lambda a, b: (a * 0.5, a * 0.5 + b * 0.25), outputs="y z")
    g.case("a f32[N,20,2,2]; !b f32[20,1,1]; c f32[N,20,2,2]",
           'maps(%a, %b, %c) {results=[2,0,1], expr="s0=add(i0,i1); s1=tanh(s0); mul(s1,i2)"}',
           lambda a, b, c: (torch.tanh(a + b) * c, a + b, torch.tanh(a + b)), outputs="y z w")
    return g


# ---- recurrent

def recurrent():
    g = Golden("recurrent")
    gates = {"rnn": 1, "lstm": 4, "gru": 3}
    functions = {"rnn": torch.rnn_tanh, "relu": torch.rnn_relu, "lstm": torch.lstm, "gru": torch.gru}

    def layer(name, t, f, h, initial, bias=True, reverse=None, nonlinearity=None):
        """initial: "given" [N,H], "vector" [H] or "zero"."""
        rows, carries = gates[name] * h, ["h0", "c0"][:2 if name == "lstm" else 1]
        declared = f"x f32[N,{t},{f}]"
        declared += "".join(f"; {c} f32[N,{h}]" if initial == "given" else f"; !{c} f32[{h}]" for c in carries if initial != "zero")
        declared += f"; !wi f32[{rows},{f}]; !wh f32[{rows},{h}]" + (f"; !bi f32[{rows}]; !bh f32[{rows}]" if bias else "")
        operands = ["x"] + (["z"] * len(carries) if initial == "zero" else carries) + ["wi", "wh"] + (["bi", "bh"] if bias else [])
        call = (f"const %z f32[{h}] 0\n" if initial == "zero" else "")
        call += f"{name}({', '.join('%' + o for o in operands)})" + attributes(reversed=reverse, nonlinearity=nonlinearity)

        def expect(x, *rest):
            first = [torch.zeros(h)] * len(carries) if initial == "zero" else rest[:len(carries)]
            weights = rest[-(4 if bias else 2):]
            first = tuple(c.double().expand(BATCH, h).unsqueeze(0).contiguous() for c in first)
            y, *last = functions[nonlinearity or name](x.flip(1) if reverse else x, first if name == "lstm" else first[0],
                                                       list(weights), bias, 1, 0.0, False, False, True)
            return (y.flip(1) if reverse else y,) + tuple(c[0] for c in last)
        g.case(declared, call, expect, outputs="y h c" if name == "lstm" else "y h")

    for name in gates:
        layer(name, 5, 3, 4, "given")
        layer(name, 3, 20, 17, "zero", reverse=True)
        layer(name, 1, 2, 16, "vector")
        layer(name, 4, 5, 6, "zero", bias=False)
        layer(name, 7, 16, 32, "given", reverse=True)
    layer("rnn", 4, 6, 5, "given", nonlinearity="relu")

    g.case("x f32[N,5,3]", "const %z f32[3] 0\nscan(%x, %z) {sequences=1, carries=1, yields=1, body={argument %e f32[N,3]; "
           "argument %c f32[N,3]; %t = add(%c, %e); output %t; output %t}}",
           lambda x: (x.cumsum(1), x.sum(1)), outputs="y s")
    g.case("x f32[N,4,5]; !p f32[4,5]", "scan(%x, %p) {sequences=2, carries=0, yields=1, body={argument %e f32[N,5]; "
           "argument %q f32[5]; %m = mul(%e, %q); output %m}}", lambda x, p: x * p)
    g.case("x f32[N,17]", "const %one f32[] 1\nscan(%x, %one, %x) {sequences=0, carries=2, yields=1, steps=3, body={"
           "argument %a f32[N,17]; argument %b f32[N,17]; argument %x f32[N,17]; %s = mul(%a, %x); %t = add(%b, %s); "
           "output %s; output %t; output %t}}",
           lambda x: (torch.stack((1 + x**2, 1 + x**2 + x**3, 1 + x**2 + x**3 + x**4), 1), x**4, 1 + x**2 + x**3 + x**4),
           outputs="y a b")

    def backwards(x):
        c, out = torch.zeros(BATCH, 6).double(), []
        for t in range(3, -1, -1):
            c = torch.tanh(c * 0.5 + x[:, t])
            out.insert(0, c)
        return torch.stack(out, 1), c
    g.case("x f32[N,4,6]", "const %z f32[] 0\nscan(%x, %z) {sequences=1, carries=1, yields=1, reversed=true, body={"
           "argument %e f32[N,6]; argument %c f32[N,6]; const %k f32[] 0.5; %m = mul(%c, %k); %a = add(%m, %e); "
           "%n = tanh(%a); output %n; output %n}}", backwards, outputs="y s")
    return g


# ---- losses

def losses():
    g = Golden("losses")

    def classes(name, x, label, f, axis, **given):
        count, weight = int(x.split(",")[axis - 1]), given.get("weight")
        given = dict(given, weight=torch.tensor(weight).double()) if weight else given
        fill = {"x": (-5.0, 5.0), "l": count}

        def loss(x, l):
            return f(x.movedim(axis, 1), l.long(), **given)
        g.case(f"x f32[N,{x}]; l i32{label}", f"{name}(%x, %l)" + attributes(**dict(given, weight=weight)), loss, fill=fill)
    for name, f in (("cross_entropy", F.cross_entropy), ("nll", F.nll_loss)):
        classes(name, "10", "[N]", f, 1)
        classes(name, "3", "[N]", f, 1, weight=[0.5, 2.0, 1.5])
        classes(name, "4,19", "[N,4]", f, 2)
        classes(name, "3,4,5", "[N,4,5]", f, 1, weight=[1.0, 0.25, 3.0])
    classes("cross_entropy", "7", "[N]", F.cross_entropy, 1, label_smoothing=0.1)
    classes("cross_entropy", "2,5", "[N,2]", F.cross_entropy, 2, label_smoothing=0.2, weight=[1.0, 0.5, 2.0, 0.25, 3.0])
    classes("cross_entropy", "5,2,3", "[N,2,3]", F.cross_entropy, 1, label_smoothing=0.3)
    g.case("x f32[N,4]; l i32[N]", "cross_entropy(%x, %l)", lambda x, l: F.cross_entropy(x, l.long()),
           fill={"x": (-300.0, 300.0), "l": 4})
    for x in ("10", "3,4,5", "1"):
        declared = f"x f32[N,{x}]; t f32[N,{x}]"
        g.case(declared, "mse(%x, %t)", F.mse_loss)
        g.case(declared, "l1(%x, %t)", F.l1_loss)
        shares = {"x": (0.001, 0.999), "t": (0.0, 1.0)}
        g.case(declared, "bce(%x, %t)", F.binary_cross_entropy, fill=shares)
        g.case(declared, "bce_with_logits(%x, %t)", F.binary_cross_entropy_with_logits, fill={"x": (-9.0, 9.0), "t": (0.0, 1.0)})
    # where the logarithm is held at -100 and where an exponential would overflow
    g.case("x f32[N,5]; t f32[N,5]", "const %h f32[] 0.5\n%s = gt(%x, %h)\nbce(%s, %t)",
           lambda x, t: F.binary_cross_entropy((x > 0.5).double(), t), fill={"x": (0.0, 1.0), "t": (0.0, 1.0)})
    g.case("x f32[N,5]; t f32[N,5]", "bce_with_logits(%x, %t)", F.binary_cross_entropy_with_logits,
           fill={"x": (-900.0, 900.0), "t": (0.0, 1.0)})
    return g


if __name__ == "__main__":
    for make in (conv2d, conv_transpose2d, linear, matmul, rbf, maxpool, avgpool, whole_pools, norms, reductions, moves,
                 upsample, elementwise, recurrent, losses):
        make().write()
