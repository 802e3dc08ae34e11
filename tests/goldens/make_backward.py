#!/usr/bin/env python3
"""PyTorch's gradients for the cases of make_ops.py and make_gradients.py that have any: writes tests/goldens/backward/.

    python tests/goldens/make_backward.py       (needs torch; run from the project's root)

A case is that of the op; what it expects is the gradient of Σ out·r, r_OUT being numbers of that name, for every floating
point operand x. Of each, three numbers d_x stand there: its products with random directions v0_x, v1_x, v2_x.
"""
import pathlib

import numpy
import torch

import make_gradients
import make_ops
from make_ops import Golden, numbers

DIRECTIONS = 3


def filled(name, like):
    return numbers(name, "f32", list(like.shape), (-1.0, 1.0))


class Backward(Golden):
    """A file of cases: those of Golden, with gradients in place of results."""

    def case(self, declared, call, expect, fill=None, outputs="y", title=None):
        names, grads = [d.split()[0].lstrip("!") for d in declared.split(";") if d.strip()], {}

        # of running statistics PyTorch has no gradient, of the target where x is 0 or 1 an infinite one
        fixed = ("mean", "var") if "batchnorm(" in call else "t" if "gt(" in call and "bce(" in call else ()

        def backward(*tensors):
            leaves = [t.detach().clone().requires_grad_(t.is_floating_point() and n not in fixed)
                      for n, t in zip(names, tensors)]
            results = expect(*leaves)
            results = results if isinstance(results, tuple) else (results,)
            sums = [(r * filled(f"r_{o}", r)).sum() for o, r in zip(outputs.split(), results)
                    if r.is_floating_point() and r.requires_grad]
            if sums:
                of = [(n, t) for n, t in zip(names, leaves) if t.requires_grad]
                found = torch.autograd.grad(sum(sums), [t for _, t in of], allow_unused=True)
                grads.update((n, g) for (n, _), g in zip(of, found) if g is not None)
            return tuple(r.detach() for r in results)
        if call.startswith("map("):
            return  # passes make these, of what has gradients
        super().case(declared, call, backward, fill, outputs, title)
        text = self.cases.pop()
        if grads:
            head = text[:text.index("\nexpect ")]
            lines = [line for n, g in grads.items() for line in self.products(n, g)]
            self.cases.append("\n".join([head] + lines + ["end", ""]))

    def products(self, name, gradient):
        sums = [(gradient * filled(f"v{k}_{name}", gradient)).sum().item() for k in range(DIRECTIONS)]
        assert numpy.isfinite(sums).all(), name
        yield f"expect d_{name} f32[{DIRECTIONS}]"
        yield " ".join(repr(s) for s in sums)

    def write(self):
        head = "# PyTorch's gradients, written by tests/goldens/make_backward.py, which describes them.\n"
        path = pathlib.Path("tests/goldens/backward") / f"{self.name}.txt"
        path.write_text(head + "\n".join(self.cases))
        print(f"{path}: {len(self.cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    make_ops.Golden = make_gradients.Golden = Backward
    pathlib.Path("tests/goldens/backward").mkdir(exist_ok=True)
    for make in (make_ops.conv2d, make_ops.conv_transpose2d, make_ops.linear, make_ops.matmul, make_ops.rbf,
                 make_ops.maxpool, make_ops.avgpool, make_ops.whole_pools, make_ops.norms, make_ops.reductions,
                 make_ops.moves, make_ops.upsample, make_ops.elementwise, make_ops.recurrent, make_ops.losses,
                 make_gradients.batches):
        make().write()
