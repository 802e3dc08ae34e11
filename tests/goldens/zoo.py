"""The zoo held against PyTorch.

usage: zoo.py counts [NET ...]                    trainable parameters, against zoo.md's; multiply-adds of one sample
       zoo.py params [NET ...]                    writes params/NET.params: name, shape and t(rainable) or s(tatistic) a line
       zoo.py write NET FOLDER [--batch N]        NET.safetensors, NET.INPUT.npy for each input, NET.logits.npy
       zoo.py compare [--netc PROGRAM] [--backend c|interp] [--batch N] [NET ...]
                                                  runs netc on what `write` gives; 1e-4 relative to the largest logit
       zoo.py formula [NET ...]                   writes zoo/NET.txt: outputs for the weights that golden.py's formula gives

Run with a Python that has torch, torchvision and safetensors. `params` and `formula` are what tests/unit/zoo_test.c
checks netc against; their files are committed, no weights are.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import torch

from zoo_nets import NETS

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOLERANCE = 1e-4  # of the largest: 150 layers in another order of summation, in float


def build(name):
    return NETS[name].make()


def values(module):
    """(name, tensor, trainable) in the order of the state dict, counters left out."""
    trainable = {k for k, _ in module.named_parameters()}
    return [(k, v, k in trainable) for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")]


def random_inputs(name, batch):
    generator, inputs = torch.Generator().manual_seed(zlib.crc32(name.encode())), {}
    for key, shape in NETS[name].inputs.items():
        if isinstance(shape[0], tuple):
            inputs[key] = torch.randint(0, shape[1], (batch, *shape[0]), generator=generator)
        else:
            inputs[key] = torch.randn(batch, *shape, generator=generator)
    return inputs


def settle(module, inputs, generator):
    """Running statistics as training would leave them, somewhat off: activations stay of order 1 at any depth."""
    norms = [m for m in module.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for m in norms:
        m.momentum = None
        m.train()
    module(*inputs.values())
    for m in norms:
        m.eval()
        m.running_var.mul_(torch.empty_like(m.running_var).uniform_(0.5, 1.5, generator=generator)).add_(0.05)
        m.running_mean.add_(torch.randn(m.running_mean.shape, generator=generator), alpha=0.1)


def seeded(name, inputs):
    """The net with reproducible weights: He-like for products, uniform near one for scales, small biases."""
    module = build(name).eval()
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) ^ 1)
    with torch.no_grad():
        for key, v, trainable in values(module):
            if v.dim() > 1:
                v.normal_(0, (2 / v[0].numel()) ** 0.5, generator=generator)
            elif trainable and key.endswith("weight"):
                v.uniform_(0.5, 1.5, generator=generator)
            elif trainable:
                v.normal_(0, 0.1, generator=generator)
        settle(module, inputs, generator)
    return module


def first_output(y):
    return (y[0] if isinstance(y, tuple) else y).float().contiguous()


def write(name, folder, batch):
    """Writes weights, inputs and logits; returns their paths and the logits."""
    from safetensors.torch import save_file
    inputs = random_inputs(name, batch)
    module = seeded(name, inputs)
    weights = os.path.join(folder, name + ".safetensors")
    save_file({k: v.contiguous().clone() for k, v, _ in values(module)}, weights)
    with torch.no_grad():  # in double, so that what differs is netc's error alone
        logits = first_output(module.double()(*(x.double() if x.is_floating_point() else x for x in inputs.values())))
    logits = logits.numpy()
    paths = {}
    for key, x in inputs.items():
        paths[key] = os.path.join(folder, f"{name}.{key}.npy")
        np.save(paths[key], x.numpy().astype(np.float32 if x.is_floating_point() else np.int32))
    np.save(os.path.join(folder, name + ".logits.npy"), logits)
    return weights, paths, logits


def compare_one(name, a, folder):
    """None where netc's logits agree, else what is wrong."""
    weights, inputs, logits = write(name, folder, a.batch)
    out = os.path.join(folder, name + ".netc.npy")
    command = [a.netc, "run", os.path.join(ROOT, "examples", name + ".net"), "--weights", weights, "--output", out,
               "--backend", a.backend]
    for key, path in inputs.items():
        command += ["--input", f"{key}={path}" if len(inputs) > 1 else path]
    done = subprocess.run(command + a.also.split(), capture_output=True, text=True)
    if done.returncode:
        return None, f"exit {done.returncode}: " + (done.stderr.strip().splitlines() or ["?"])[0]
    got = np.load(out)
    if got.shape != logits.shape:
        return None, f"shape {got.shape}, expected {logits.shape}"
    error = float(np.abs(got - logits).max() / max(np.abs(logits).max(), 1e-30))
    return error, None if error <= TOLERANCE else "too far"


def compare(a):
    failed = 0
    for name in a.nets:
        with tempfile.TemporaryDirectory() as folder:
            error, problem = compare_one(name, a, folder)
        failed += problem is not None
        figure = "" if error is None else f"{error:.1e} "
        print(f"{name:16} {figure}{'ok' if problem is None else 'FAILED ' + problem}", flush=True)
    print(f"{len(a.nets) - failed} passed, {failed} failed")
    return failed > 0


def multiply_adds(name, module):
    """Of one sample: every product of a weight and a value, biases and elementwise work left out."""
    total = 0

    def count(m, inputs, output):
        nonlocal total
        if isinstance(m, torch.nn.Conv2d):
            total += output.numel() * m.weight[0].numel()
        elif isinstance(m, torch.nn.Linear):
            total += output.numel() * m.in_features
        elif isinstance(m, torch.nn.RNNBase):
            total += inputs[0].shape[1] * sum(w.numel() for k, w in m.named_parameters() if k.startswith("weight"))
    for m in module.modules():
        m.register_forward_hook(count)
    with torch.no_grad():
        module.eval()(*(x.to("meta") for x in random_inputs(name, 1).values()))
    return total


def counts(a):
    wrong = 0
    for name in a.nets:
        with torch.device("meta"):
            module = build(name)
        count = sum(p.numel() for p in module.parameters())
        stated = NETS[name].count
        wrong += stated not in (None, count)
        print(f"{name:16} {count:12,} {multiply_adds(name, module):15,}"
              + ("" if stated in (None, count) else f"  stated {stated:,}"))
    return wrong > 0


def params(a):
    os.makedirs(os.path.join(HERE, "params"), exist_ok=True)
    for name in a.nets:
        with torch.device("meta"):
            rows = values(build(name))
        with open(os.path.join(HERE, "params", name + ".params"), "w") as f:
            for key, v, trainable in rows:
                f.write(f"{key} {','.join(map(str, v.shape))} {'t' if trainable else 's'}\n")


def formula(a):
    import golden
    os.makedirs(os.path.join(HERE, "zoo"), exist_ok=True)
    for name in a.nets:
        golden.write_net(os.path.join(HERE, "zoo", name + ".txt"), build(name).eval(), NETS[name].inputs, values,
                         NETS[name].outputs)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("mode", choices=["counts", "params", "write", "compare", "formula"])
    p.add_argument("nets", nargs="*")
    p.add_argument("--netc", default=os.path.join(ROOT, "build", "netc"))
    p.add_argument("--backend", default="c")
    p.add_argument("--batch", type=int, default=2)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--also", default="", help="further options for netc, in one string")
    a = p.parse_intermixed_args()
    torch.set_num_threads(a.threads)
    if a.mode == "write":
        name, folder = a.nets
        logits = write(name, folder, a.batch)[2]
        print(json.dumps({"shape": logits.shape, "largest": float(np.abs(logits).max())}))
        return 0
    a.nets = a.nets or list(NETS)
    unknown = [n for n in a.nets if n not in NETS]
    if unknown:
        p.error("no such net: " + ", ".join(unknown))
    return {"compare": compare, "counts": counts, "params": params, "formula": formula}[a.mode](a) or 0


if __name__ == "__main__":
    sys.exit(main())
