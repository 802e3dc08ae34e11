"""Outputs of whole nets for weights and inputs that both sides make themselves: nothing large is stored.

Element k of the tensor NAME is uniform in low..high by the rule of tests/support/golden.h (splitmix64 over FNV-1a of the
name), a 32-bit float. Bounds go by what a tensor is:

    inputs               -1 .. 1, or whole numbers below their bound
    running_var          0.5 .. 1.5
    running_mean         -0.1 .. 0.1
    weight of rank 1     0.5 .. 1           scales of batch normalisation
    of rank 2 and more   +-sqrt(6 / fan_in) fan_in: elements of [0]; He et al., so that signals keep their size
    anything else        -0.1 .. 0.1        biases

PyTorch computes in double precision. A file holds "batch N", then for each output in the text's order a line
"expect NAME f32[DIMS]" and its numbers, up to eight a line. tests/unit/zoo_golden_test.c reads them.
"""
import math

import numpy as np
import torch

CHUNK = 1 << 22


def seed_of(name):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return seed


def draws(name, first, last):
    """24 bits for each index in first .. last."""
    with np.errstate(over="ignore"):
        z = np.arange(first + 1, last + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed_of(name))
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return ((z ^ z >> np.uint64(31)) >> np.uint64(40)).astype(np.int64)


def uniform(name, shape, low, high):
    out = np.empty(math.prod(shape), np.float32)
    for i in range(0, out.size, CHUNK):
        end = min(i + CHUNK, out.size)
        out[i:end] = low + (high - low) * (draws(name, i, end) / 16777216.0)
    return torch.from_numpy(out).reshape(shape)


def bounds(name, shape):
    if name.endswith("running_var"):
        return 0.5, 1.5
    if len(shape) > 1:
        bound = math.sqrt(6.0 / math.prod(shape[1:]))
        return -bound, bound
    if len(shape) == 1 and name.endswith("weight"):
        return 0.5, 1.0
    return -0.1, 0.1


def fill(module, values):
    with torch.no_grad():
        for key, v, _ in values(module):
            v.copy_(uniform(key, tuple(v.shape), *bounds(key, tuple(v.shape))))


def make_input(name, shape, batch):
    if isinstance(shape[0], tuple):
        dims = (batch, *shape[0])
        return torch.from_numpy(draws(name, 0, math.prod(dims)) % shape[1]).reshape(dims)
    return uniform(name, (batch, *shape), -1.0, 1.0).double()


def write_net(path, module, inputs, values, outputs):
    """`inputs` as in zoo_nets.NETS; two samples, one where they are large, eight where they are tiny."""
    largest = max(math.prod(s[0] if isinstance(s[0], tuple) else s) for s in inputs.values())
    batch = 1 if largest > 40000 else 8 if largest <= 10 else 2
    fill(module, values)
    with torch.no_grad():
        y = module.double()(*(make_input(k, s, batch) for k, s in inputs.items()))
    lines = [f"batch {batch}"]
    for name, out in zip(outputs, y if isinstance(y, tuple) else (y,), strict=True):
        lines.append(f"expect {name} f32[{','.join(map(str, out.shape))}]")
        flat = [f"{x:.9g}" for x in out.float().flatten().tolist()]
        lines += [" ".join(flat[i:i + 8]) for i in range(0, len(flat), 8)]
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
