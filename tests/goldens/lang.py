"""What PyTorch gives for the nets of tests/lang/layers/: the prelude's layers and the language's own constructs.

usage: lang.py        writes tests/lang/layers/NAME.txt, as golden.py describes; tests/unit/lang_layers_test.c reads them
"""
import os

import torch
import torch.nn as nn
import torch.nn.functional as F

from golden import write_net
from zoo import values

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lang", "layers")


class Activations(nn.Module):
    def __init__(self):
        super().__init__()
        self.p1, self.p4 = nn.PReLU(), nn.PReLU(4)

    def forward(self, x):
        y = 4 * x
        return (F.leaky_relu(y, 0.2), self.p1(y), self.p4(y), F.relu6(3 * y), F.elu(y, 0.7), F.gelu(y),
                F.gelu(y, approximate="tanh"), F.silu(y), F.softplus(10 * y), F.hardswish(y), F.hardsigmoid(y))


def same(x, layer, kernel, stride):
    """TensorFlow's rule: ceil(size / stride) results, the odd one of the padding after."""
    pads = []
    for size in reversed(x.shape[2:]):
        total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
        pads += [total // 2, total - total // 2]
    return layer(F.pad(x, pads))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(4, 6, 3, padding=1, groups=2)
        self.b = nn.Conv2d(4, 5, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), bias=False)
        self.c = nn.Conv2d(4, 3, 2)
        self.d = nn.Conv2d(4, 2, 3, stride=2)
        self.e = nn.Conv2d(4, 2, 4)
        self.f = nn.Conv2d(4, 8, 3, padding=1, groups=4)
        self.g = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.h = nn.ConvTranspose2d(4, 2, (2, 3), dilation=2, bias=False)

    def forward(self, x):
        return (self.a(x), self.b(x), self.c(F.pad(x, (1, 0, 0, 2))), same(x, self.d, 3, 2), same(x, self.e, 4, 1),
                self.f(x), self.g(x), self.h(x))


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.LayerNorm([6, 4, 5]), nn.LayerNorm(5, eps=0.1, bias=False)
        self.c, self.d = nn.BatchNorm2d(6, eps=1e-3), nn.BatchNorm1d(7)
        self.eval()

    def forward(self, x, v):
        local = nn.LocalResponseNorm(3, alpha=0.5, beta=0.75, k=2)
        paper = nn.LocalResponseNorm(3, alpha=1.5, beta=0.75, k=2)
        return self.a(x), self.b(x), self.c(x), self.d(v), local(x), paper(x)


class Parts(nn.Module):
    def forward(self, x):
        c = 3 * x
        return (x[:, 1], x[:, -1, :, 0] + x[:, 0:1, 1:3, 2][:, 0, 0, None], x[:, 1:4, :2, -2:],
                x.sum((2, 3)) - c.mean(1, keepdim=True)[:, 0, 0, 0:1], x.amax((1, 3)), x.amin(-1, keepdim=True),
                torch.maximum(x, -x) - x.clamp(max=0.25), torch.stack([x[:, 0], x[:, 1], x[:, 4]], 1),
                torch.cat([x[:, 2:], x[:, :2]], 1).permute(0, 3, 1, 2).reshape(x.shape[0], 6, -1),
                torch.where(x > 0, x, x[:, 0:1] * 0.5), x.flatten(1).softmax(-1),
                (x.abs() + 1) ** 1.5 / (x.abs() + 2).sqrt(), F.pad(x, (0, 1, 1, 2), mode="reflect"),
                F.interpolate(x, scale_factor=2, mode="bilinear"))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.LSTM(5, 4, 2, bidirectional=True, batch_first=True)
        self.b = nn.GRU(5, 3, bidirectional=True, batch_first=True)
        self.c = nn.RNN(5, 4, 2, nonlinearity="relu", bias=False, batch_first=True)
        self.d = nn.LSTM(5, 4, batch_first=True)
        self.e = nn.GRU(5, 4, 2, batch_first=True)

    def forward(self, x, start):
        a, (ah, ac) = self.a(x)
        b, bh = self.b(x)
        c, ch = self.c(x)
        d, (dh, dc) = self.d(x, (start[None], start.tanh()[None]))
        e, _ = self.e(x, torch.stack([start, -start]))
        return (a, ah.transpose(0, 1), ac.transpose(0, 1), b, bh.transpose(0, 1), c, ch.transpose(0, 1), d, dh[0], dc[0],
                e[:, -1])


class Scans(nn.Module):
    def __init__(self):
        super().__init__()
        self.ih, self.hh, self.again = nn.Linear(3, 4), nn.Linear(4, 4, bias=False), nn.Linear(4, 4)

    def forward(self, x, z):
        n, steps = x.shape[:2]
        h, ys = torch.zeros(n, 4, dtype=x.dtype), []
        for t in range(steps):
            h = (self.ih(x[:, t]) + self.hh(h)).tanh()
            ys.append(h)
        s, back = h, [None] * steps
        for t in reversed(range(steps)):
            s = 0.5 * s + z[:, t]
            back[t] = s - h
        last = [x[:, t:, :2].sum(1) * 2 for t in range(steps)]
        q = z[:, 0]
        for i in range(2, 6):
            q = q * 0.5 + i
        g, grown = h, []
        for _ in range(3):
            g = self.again(g)
            grown.append(g.relu())
        c, nested = torch.zeros(n, 1, dtype=x.dtype), []
        for t in range(steps):
            for u in reversed(range(steps)):
                c = 0.5 * c + (z[:, u] * x[:, t, 0:1]).mean(1, keepdim=True)
            nested.append(c)
        return (torch.stack(ys, 1), h, torch.stack(back, 1), torch.stack(last, 1), q, torch.stack(grown, 1),
                torch.stack(nested, 1))


NETS = {
    "activations": (Activations, {"x": (4, 3, 3)},
                    "leaky one_slope slopes six elus gelus gelus_tanh silus plus hard harder"),
    "convolutions": (Convolutions, {"x": (4, 9, 7)}, "same wide corner halved even apart up grown"),
    "norms": (Norms, {"x": (6, 4, 5), "v": (7,)}, "all row channels features local paper"),
    "parts": (Parts, {"x": (5, 4, 3)},
              "element ends inner total largest least either piled turned chosen soft power padded larger"),
    "recurrent": (Recurrent, {"x": (6, 5), "start": (4,)}, "a ah ac b bh c ch d dh dc e"),
    "scans": (Scans, {"x": (5, 3), "z": (5, 4)}, "y h back last count grown nested"),
}

if __name__ == "__main__":
    for name, (make, inputs, outputs) in NETS.items():
        write_net(os.path.join(FOLDER, name + ".txt"), make(), inputs, values, outputs.split())
