"""Training steps of netc held against PyTorch's, from the same weights and batches.

usage: steps.py [--steps-program PROGRAM] wide [NET ...]     ten steps in double: every weight within 1e-8 of the tensor's largest
       steps.py [--steps-program PROGRAM] narrow [NET ...]   float32: ten steps within 1e-4 where there is no batch norm, else the
                                                             first gradient's distance to the double one beside PyTorch's own
PROGRAM is what `make steps` builds. Run with a Python that has torch and torchvision.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "goldens"))
from zoo_nets import NETS  # noqa: E402

# net: batch (few: where kinks must be rare), arguments of the text, PyTorch's optimizer, whether it has batch norm
CASES = {
    "mnist": dict(batch=16, sets=["optimizer=sgd(momentum=0.5)", "loss=cross_entropy(logits)"], momentum=0.5),
    "resnet20": dict(batch=8, sets=["optimizer=sgd(momentum=0.9,weight_decay=1e-4)"], momentum=0.9, decay=1e-4, norm=True),
    "resnet18_cifar": dict(batch=4, few=1, sets=["optimizer=sgd(momentum=0.9,weight_decay=5e-4)"], momentum=0.9, decay=5e-4, norm=True),
    "googlenet": dict(batch=3, few=1, size=64, rate=0.0001, sets=["optimizer=sgd(momentum=0.9)"], momentum=0.9, norm=True),
    "row_lstm": dict(batch=8, sets=["optimizer=sgd()"]),
    "row_gru": dict(batch=8, sets=["optimizer=sgd()"]),
    "char_rnn": dict(batch=4, sets=["optimizer=sgd()"]),
}
STEPS, RATE = 10, 0.01  # googlenet on small pictures normalises over few numbers: at 0.01 any rounding grows 45-fold a step, at 0.001 6-fold


def module_of(name, wide):
    torch.manual_seed(1)
    m = NETS[name].make()
    m = m.double() if wide else m.float()
    for part in m.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    return m.train()


def params_of(m):
    return [(k, v) for k, v in m.state_dict().items() if not k.endswith("num_batches_tracked")]


def batches(name, case, count):
    g = torch.Generator().manual_seed(7)
    shape = next(iter(NETS[name].inputs.values()))
    whole = isinstance(shape[0], tuple)
    n = case["batch"] * count
    if whole:
        x = torch.randint(0, shape[1], (n, *shape[0]), generator=g)
    else:
        if "size" in case:
            shape = (shape[0], case["size"], case["size"])
        x = torch.randn(n, *shape, generator=g, dtype=torch.float64).float().double()
    with torch.no_grad():
        m = module_of(name, not whole).eval()
        out = logits(m, x[: case["batch"]] if whole else x[: case["batch"]])
    classes = out.shape[-1]
    label = torch.randint(0, classes, (n, *out.shape[1:-1]), generator=g)
    return x, label


def logits(m, x):
    y = m(x)
    return y[0] if isinstance(y, tuple) else y


def loss_of(y, label):
    return F.cross_entropy(y.reshape(-1, y.shape[-1]), label.reshape(-1))


def torch_steps(name, case, x, label, wide, count):
    m = module_of(name, wide)
    opt = torch.optim.SGD(m.parameters(), lr=case.get("rate", RATE), momentum=case.get("momentum", 0), weight_decay=case.get("decay", 0))
    losses = []
    for k in range(count):
        part = slice(k * case["batch"], (k + 1) * case["batch"])
        xs = x[part] if not x.is_floating_point() or wide else x[part].float()
        opt.zero_grad()
        loss = loss_of(logits(m, xs), label[part])
        loss.backward()
        opt.step()
        losses.append(float(loss.detach()))
    return m, losses


def gradient(name, case, x, label, wide):
    m = module_of(name, wide)
    xs = x[: case["batch"]]
    xs = xs if not x.is_floating_point() or wide else xs.float()
    loss_of(logits(m, xs), label[: case["batch"]]).backward()
    return {k: p.grad.double().numpy().ravel() for k, p in m.named_parameters()}


def netc_steps(program, name, case, x, label, precision, count, rate, backend, sets):
    m = module_of(name, precision == "f64")
    with tempfile.TemporaryDirectory() as folder:
        put = lambda n, a: np.ascontiguousarray(a).tofile(os.path.join(folder, n))  # noqa: E731
        put("params", np.concatenate([v.double().numpy().ravel() for _, v in params_of(m)]))
        put("inputs", x.numpy().astype(np.float64 if x.is_floating_point() else np.int32))
        put("target", label.numpy().astype(np.int32))
        net = os.path.join(ROOT, "examples", name + ".net")
        if "size" in case:
            text = open(net).read().replace("224, 224", "%d, %d" % (case["size"], case["size"]))
            text = re.sub(r"-> dropout\([0-9.]*\)", "", text)
            net = os.path.join(ROOT, "examples", ".steps_%s.net" % name)
            open(net, "w").write(text)
        try:
            subprocess.run([program, net, folder, precision, str(case["batch"]), str(count), repr(rate), backend,
                            *sets], check=True)
        finally:
            if "size" in case:
                os.remove(net)
        after = np.fromfile(os.path.join(folder, "params.after"))
        losses = np.fromfile(os.path.join(folder, "losses"))
    out, at = {}, 0
    for k, v in params_of(m):
        out[k] = after[at : at + v.numel()]
        at += v.numel()
    return out, losses


def sets_of(name, case):
    plain = ["loss=cross_entropy(logits)"] if name != "mnist" else []
    return plain + case["sets"]


def wide(program, names):
    good = True
    for name in names:
        case = CASES[name]
        x, label = batches(name, case, STEPS)
        m, losses = torch_steps(name, case, x, label, True, STEPS)
        ours, our_losses = netc_steps(program, name, case, x, label, "f64", STEPS, case.get("rate", RATE), "interp", sets_of(name, case))
        worst, where = 0, ""
        for k, v in params_of(m):
            v = v.double().numpy().ravel()
            d = np.abs(v - ours[k]).max() / max(np.abs(v).max(), 1e-300)
            if not d <= worst:
                worst, where = d, k
        ok = worst <= 1e-8
        good &= ok
        print("%-16s %s  worst %.1e at %s  losses %.6f .. %.6f (PyTorch %.6f .. %.6f)"
              % (name, "ok " if ok else "BAD", worst, where, our_losses[0], our_losses[-1], losses[0], losses[-1]), flush=True)
    return good


BATCHES = 9  # a ReLU or a pool that another rounding tips over moves a gradient by far more than rounding does: hence medians


def distances(program, name, case, backend):
    """The largest ratio over all tensors of how far netc's gradient and PyTorch's lie from the double one, in L2."""
    case = dict(case, batch=case.get("few", case["batch"]))
    x, label = batches(name, case, BATCHES)
    start, big = dict(params_of(module_of(name, False))), float(2**40)  # so large a step is the gradient
    plain = ["loss=cross_entropy(logits)", "optimizer=sgd()"]
    ours, theirs = {}, {}
    for k in range(BATCHES):
        part = slice(k * case["batch"], (k + 1) * case["batch"])
        exact, single = gradient(name, case, x[part], label[part], True), gradient(name, case, x[part], label[part], False)
        after, _ = netc_steps(program, name, case, x[part], label[part], "f32", 1, big, backend, plain)
        for t, g in exact.items():
            mine = (start[t].double().numpy().ravel() - after[t]) / big
            floor = 1e-7 * np.linalg.norm(g) + 1e-12
            ours.setdefault(t, []).append(np.linalg.norm(mine - g))
            theirs.setdefault(t, []).append(max(np.linalg.norm(single[t] - g), floor))
    ratios = {t: np.median(ours[t]) / np.median(theirs[t]) for t in ours}
    worst = max(ratios, key=ratios.get)
    return ratios[worst], "%s (%.1e and %.1e; half of the tensors below %.2f)" % (
        worst, np.median(ours[worst]), np.median(theirs[worst]), np.median(list(ratios.values())))


def narrow(program, names, backend):
    good = True
    for name in names:
        case = CASES[name]
        x, label = batches(name, case, STEPS)
        if not case.get("norm"):
            m, _ = torch_steps(name, case, x, label, False, STEPS)
            ours, _ = netc_steps(program, name, case, x, label, "f32", STEPS, case.get("rate", RATE), backend, sets_of(name, case))
            worst = max(np.abs(v.double().numpy().ravel() - ours[k]).max() / max(float(v.abs().max()), 1e-30) for k, v in params_of(m))
            ok = worst <= 1e-4
            print("%-16s %s  ten steps: worst %.1e of the tensor's largest" % (name, "ok " if ok else "BAD", worst), flush=True)
        else:
            ratio, where = distances(program, name, case, backend)
            ok = ratio <= 2
            print("%-16s %s  first gradient: distance to the double one %.2f x PyTorch's at most, at %s"
                  % (name, "ok " if ok else "BAD", ratio, where), flush=True)
        good &= ok
    return good


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--steps-program", default=os.path.join(ROOT, "build", "steps"))
    p.add_argument("--backend", default="c")
    p.add_argument("what", choices=["wide", "narrow"])
    p.add_argument("nets", nargs="*")
    a = p.parse_args()
    names = a.nets or list(CASES)
    good = wide(a.steps_program, names) if a.what == "wide" else narrow(a.steps_program, names, a.backend)
    sys.exit(0 if good else 1)


main()
