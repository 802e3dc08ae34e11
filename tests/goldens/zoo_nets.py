"""Every net of examples/ as a PyTorch module: what netc's own are held against.

NETS maps a net's name to an Entry. Modules register their parts in the order in which the .net file creates them,
so that state_dict() has the same names in the same order.
"""
from dataclasses import dataclass
from typing import Callable

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Entry:
    make: Callable[[], nn.Module]
    inputs: dict              # name -> shape without the batch; a pair (shape, bound) for whole numbers below bound
    count: int | None = None  # trainable numbers, where they are stated
    outputs: tuple = ("logits",)


def chain(*parts):
    """nn.Sequential of named parts: ("conv1", module) is a child, a bare function or module is applied in between."""
    return Chain(parts)


class Chain(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.steps = []
        for part in parts:
            if isinstance(part, tuple):
                self.add_module(part[0], part[1])
                self.steps.append(part[0])
            else:
                self.steps.append(part)

    def forward(self, x):
        for step in self.steps:
            x = (self._modules[step] if isinstance(step, str) else step)(x)
        return x


def numbered(*parts):
    """A sequence as nn.Sequential numbers it: functions without parameters take a number too."""
    return Chain([(str(i), p) if isinstance(p, nn.Module) else p for i, p in enumerate(parts)])


relu, tanh, sigmoid = F.relu, torch.tanh, torch.sigmoid
conv, linear, bn = nn.Conv2d, nn.Linear, nn.BatchNorm2d


def maxpool(k, stride=None, pad=0, ceil=False):
    return lambda x: F.max_pool2d(x, k, stride, pad, ceil_mode=ceil)


def avgpool(k):
    return lambda x: F.avg_pool2d(x, k)


def lrn(n, alpha, beta, k):
    """alpha as PyTorch means it: divided by n."""
    return lambda x: F.local_response_norm(x, n, alpha, beta, k)


def flatten(x):
    return x.flatten(1)


def gap(x):
    return x.mean((2, 3))


# ---- small nets ------------------------------------------------------------------------------------------------

def mnist():
    return chain(("conv1", conv(1, 10, 5)), maxpool(2), relu, ("conv2", conv(10, 20, 5)), maxpool(2), relu, flatten,
                 ("fc", linear(320, 10)))


def mlp_shuffle():
    return chain(flatten, ("fc1", linear(784, 8)), relu, ("fc2", linear(8, 8)), relu, ("fc3", linear(8, 10)),
                 lambda x: F.log_softmax(x, 1))


def cnn_shuffle():
    return chain(("conv1", conv(1, 6, 5)), relu, maxpool(2), ("conv2", conv(6, 6, 5)), relu, maxpool(2), flatten,
                 ("fc1", linear(96, 50)), relu, ("fc2", linear(50, 10)), lambda x: F.log_softmax(x, 1))


def perceptron():
    return chain(("fc", linear(2, 1)), lambda x: (x > 0).float())


def bp():
    return chain(flatten, ("hidden", linear(784, 100)), sigmoid, ("readout", linear(100, 10)), sigmoid)


def he_linear():
    return chain(("fc", linear(10, 50)), relu)


def lenet_cifar(pool):
    return chain(("conv1", conv(3, 6, 5)), relu, pool, ("conv2", conv(6, 16, 5)), relu, pool, flatten,
                 ("fc1", linear(400, 120)), relu, ("fc2", linear(120, 84)), relu, ("fc3", linear(84, 10)))


class RBF(nn.Module):
    """Squared distances to a prototype a class."""
    def __init__(self, features, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, features))

    def forward(self, x):
        return ((x[:, None, :] - self.weight) ** 2).sum(-1)


def lenet5(last):
    return chain(("conv1", conv(1, 6, 5)), tanh, avgpool(2), ("conv2", conv(6, 16, 5)), tanh, avgpool(2), flatten,
                 ("fc1", linear(400, 120)), tanh, ("fc2", linear(120, 84)), tanh, last)


def features_lenet():
    return chain(("conv1", conv(1, 32, 5)), maxpool(2))


def four_layers(activation):
    """Krizhevsky's cuda-convnet "quick" shape: three convolutions and one linear layer."""
    return chain(("conv1", conv(3, 32, 5, padding=2)), activation, maxpool(3, 2, 1),
                 ("conv2", conv(32, 32, 5, padding=2)), activation, maxpool(3, 2, 1),
                 ("conv3", conv(32, 64, 5, padding=2)), activation, maxpool(3, 2, 1), flatten,
                 ("fc", linear(1024, 10)))


# ---- recurrent nets --------------------------------------------------------------------------------------------

class Rows(nn.Module):
    """A sequence [T,F] to a class: the last step of a recurrent layer, then one linear layer."""
    def __init__(self, cell, key, features, hidden, classes):
        super().__init__()
        self.add_module(key, cell(features, hidden, batch_first=True))
        self.key, self.fc = key, linear(hidden, classes)

    def forward(self, x):
        return self.fc(self._modules[self.key](x)[0][:, -1])


class OneToN(nn.Module):
    """A sequence of `steps` outputs from one vector, which starts the state; each output is fed back."""
    def __init__(self, start=16, hidden=32, out=8, steps=10):
        super().__init__()
        self.steps, self.out = steps, out
        self.begin = linear(start, hidden)
        self.feedback, self.recurrent = linear(out, hidden, bias=False), linear(hidden, hidden)
        self.readout = linear(hidden, out)

    def forward(self, x):
        h, y, ys = tanh(self.begin(x)), x.new_zeros(len(x), self.out), []
        for _ in range(self.steps):
            h = tanh(self.feedback(y) + self.recurrent(h))
            y = self.readout(h)
            ys.append(y)
        return torch.stack(ys, 1)


class NToM(nn.Module):
    """Encoder and decoder: a GRU reads N steps, its last state starts a decoder of M steps that is fed its own output."""
    def __init__(self, features=8, hidden=32, out=6, steps=7):
        super().__init__()
        self.steps, self.out = steps, out
        self.encoder = nn.GRU(features, hidden, batch_first=True)
        self.feedback, self.recurrent = linear(out, hidden, bias=False), linear(hidden, hidden)
        self.readout = linear(hidden, out)

    def forward(self, x):
        h, y, ys = self.encoder(x)[1][0], x.new_zeros(len(x), self.out), []
        for _ in range(self.steps):
            h = tanh(self.feedback(y) + self.recurrent(h))
            y = self.readout(h)
            ys.append(y)
        return torch.stack(ys, 1)


class Tagger(nn.Module):
    """One tag a word: embedding, LSTM, linear at every step."""
    def __init__(self, words=10, dim=16, hidden=32, tags=3):
        super().__init__()
        self.embedding = nn.Embedding(words, dim)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)
        self.fc = linear(hidden, tags)

    def forward(self, x):
        return self.fc(self.lstm(self.embedding(x))[0])


# ---- VGG and its kin -------------------------------------------------------------------------------------------

def features(channels, plan, norm=False):
    """VGG's numbered sequence; "M" is a maximum over 2x2."""
    parts = []
    for step in plan:
        if step == "M":
            parts.append(maxpool(2))
        else:
            parts += [conv(channels, step, 3, padding=1)] + ([bn(step)] if norm else []) + [relu]
            channels = step
    return numbered(*parts)


VGG11 = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")


def dropout(x):
    return x  # at inference


def vgg_cifar():
    return chain(("features", features(3, VGG11, True)), flatten, ("fc", linear(512, 10)))


def vgg11_gray():
    head = numbered(linear(25088, 4096), relu, dropout, linear(4096, 4096), relu, dropout, linear(4096, 10))
    return chain(("features", features(1, VGG11)), flatten, ("classifier", head))


def nin():
    def block(i, o, k, s=1, p=0):
        return numbered(conv(i, o, k, s, p), relu, conv(o, o, 1), relu, conv(o, o, 1), relu)
    return chain(("nin1", block(1, 96, 11, 4)), maxpool(3, 2), ("nin2", block(96, 256, 5, 1, 2)), maxpool(3, 2),
                 ("nin3", block(256, 384, 3, 1, 1)), maxpool(3, 2), ("nin4", block(384, 10, 3, 1, 1)), gap)


# ---- AlexNets --------------------------------------------------------------------------------------------------

def alexnet2012():
    norm = lrn(5, 5e-4, 0.75, 2)  # the paper's alpha 1e-4 is not divided by n = 5
    return chain(("conv1", conv(3, 96, 11, 4)), relu, norm, maxpool(3, 2),
                 ("conv2", conv(96, 256, 5, padding=2, groups=2)), relu, norm, maxpool(3, 2),
                 ("conv3", conv(256, 384, 3, padding=1)), relu, ("conv4", conv(384, 384, 3, padding=1, groups=2)), relu,
                 ("conv5", conv(384, 256, 3, padding=1, groups=2)), relu, maxpool(3, 2), flatten,
                 ("fc6", linear(9216, 4096)), relu, ("fc7", linear(4096, 4096)), relu, ("fc8", linear(4096, 1000)))


def myalexnet(channels, activation):
    return chain(("c1", conv(channels, 96, 11, 4)), relu, maxpool(3, 2), ("c2", conv(96, 256, 5, padding=2)), relu,
                 maxpool(3, 2), ("c3", conv(256, 384, 3, padding=1)), relu, ("c4", conv(384, 384, 3, padding=1)), relu,
                 ("c5", conv(384, 256, 3, padding=1)), relu, maxpool(3, 2), flatten, ("f6", linear(9216, 4096)), activation,
                 ("f7", linear(4096, 4096)), activation, ("f8", linear(4096, 1000)), ("f9", linear(1000, 10)))


# ---- GoogLeNet of the paper ------------------------------------------------------------------------------------

class Inception(nn.Module):
    def __init__(self, i, c1, r3, c3, r5, c5, cp):
        super().__init__()
        self.conv1 = conv(i, c1, 1)
        self.reduce3, self.conv3 = conv(i, r3, 1), conv(r3, c3, 3, padding=1)
        self.reduce5, self.conv5 = conv(i, r5, 1), conv(r5, c5, 5, padding=2)
        self.project = conv(i, cp, 1)

    def forward(self, x):
        return torch.cat((relu(self.conv1(x)), relu(self.conv3(relu(self.reduce3(x)))),
                          relu(self.conv5(relu(self.reduce5(x)))), relu(self.project(F.max_pool2d(x, 3, 1, 1)))), 1)


INCEPTIONS = {"3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
              "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
              "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
              "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128)}


def googlenet2014():
    pool, norm = maxpool(3, 2, 0, True), lrn(5, 1e-4, 0.75, 1)
    parts = [("conv1", conv(3, 64, 7, 2, 3)), relu, pool, norm, ("reduce2", conv(64, 64, 1)), relu,
             ("conv2", conv(64, 192, 3, padding=1)), relu, norm, pool]
    channels = 192
    for key, (c1, r3, c3, r5, c5, cp) in INCEPTIONS.items():
        parts.append(("inception" + key, Inception(channels, c1, r3, c3, r5, c5, cp)))
        channels = c1 + c3 + c5 + cp
        if key in ("3b", "4e"):
            parts.append(pool)
    return chain(*parts, gap, ("fc", linear(channels, 1000)))


# ---- ResNets for 32x32 -----------------------------------------------------------------------------------------

class Biased(nn.Module):
    """Residual block whose convolutions have biases; `shortcut` False leaves the plain net of the same depth."""
    def __init__(self, i, o, stride, shortcut):
        super().__init__()
        self.conv1, self.bn1 = conv(i, o, 3, stride, 1), bn(o)
        self.conv2, self.bn2 = conv(o, o, 3, 1, 1), bn(o)
        self.residual = shortcut
        if shortcut and (stride != 1 or i != o):
            self.shortcut = nn.Sequential(conv(i, o, 1, stride), bn(o))

    def forward(self, x):
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if not self.residual:
            return relu(y)
        return relu(y + (self.shortcut(x) if hasattr(self, "shortcut") else x))


def biased(blocks, shortcut=True):
    parts, i = [("conv1", conv(3, 64, 3, 1, 1)), ("bn1", bn(64)), relu], 64
    for k, (o, count) in enumerate(zip((64, 128, 256, 512), blocks)):
        rows = [Biased(i if j == 0 else o, o, 2 if j == 0 and k > 0 else 1, shortcut) for j in range(count)]
        parts.append((f"layer{k + 1}", nn.Sequential(*rows)))
        i = o
    return chain(*parts, gap, ("fc", linear(512, 10)))


class OptionA(nn.Module):
    """He et al.'s block for CIFAR-10: where the shape changes, the shortcut is every second pixel between zero channels."""
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(i, o, 3, stride, 1, bias=False), bn(o)
        self.conv2, self.bn2 = conv(o, o, 3, 1, 1, bias=False), bn(o)
        self.grow = o - i

    def forward(self, x):
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if self.grow:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow // 2, self.grow // 2))
        return relu(x + y)


def option_a(n):
    parts, i = [("conv1", conv(3, 16, 3, 1, 1, bias=False)), ("bn1", bn(16)), relu], 16
    for k, o in enumerate((16, 32, 64)):
        rows = [OptionA(i if j == 0 else o, o, 2 if j == 0 and k > 0 else 1) for j in range(n)]
        parts.append((f"layer{k + 1}", nn.Sequential(*rows)))
        i = o
    return chain(*parts, gap, ("linear", linear(64, 10)))


def vision(name, **options):
    def make():
        import torchvision
        return getattr(torchvision.models, name)(weights=None, **options)
    return make


# ---- the table -------------------------------------------------------------------------------------------------

GRAY, RGB32, RGB = {"image": (1, 28, 28)}, {"image": (3, 32, 32)}, {"image": (3, 224, 224)}
GRAY32, ROWS = {"image": (1, 32, 32)}, {"rows": (28, 28)}
RGB227, GRAY224, GRAY227 = {"image": (3, 227, 227)}, {"image": (1, 224, 224)}, {"image": (1, 227, 227)}

NETS = {
    "mnist": Entry(mnist, GRAY, 8490),
    "mlp_shuffle": Entry(mlp_shuffle, GRAY, 6442, outputs=("scores",)),
    "cnn_shuffle": Entry(cnn_shuffle, GRAY, 6422, outputs=("scores",)),
    "perceptron": Entry(perceptron, {"x": (2,)}, 3, outputs=("fires",)),
    "bp": Entry(bp, GRAY, 79510, outputs=("scores",)),
    "he_linear": Entry(he_linear, {"x": (10,)}, 550, outputs=("y",)),
    "lenet_cifar": Entry(lambda: lenet_cifar(maxpool(2)), RGB32, 62006),
    "lenet_cifar_avg": Entry(lambda: lenet_cifar(avgpool(2)), RGB32, 62006),
    "lenet5": Entry(lambda: lenet5(("fc3", linear(84, 10))), GRAY32, 61706),
    "lenet5_rbf": Entry(lambda: lenet5(("rbf", RBF(84, 10))), GRAY32, 61696, outputs=("distances",)),
    "features_lenet": Entry(features_lenet, GRAY, 832, outputs=("pooled",)),
    "row_lstm": Entry(lambda: Rows(nn.LSTM, "lstm", 28, 100, 10), ROWS, 53010),
    "row_rnn": Entry(lambda: Rows(nn.RNN, "rnn", 28, 100, 10), ROWS, 14010),
    "row_gru": Entry(lambda: Rows(nn.GRU, "gru", 28, 100, 10), ROWS, 40010),
    "rnn_n_to_1": Entry(lambda: Rows(nn.RNN, "rnn", 8, 32, 4), {"sequence": (20, 8)}),
    "rnn_1_to_n": Entry(OneToN, {"vector": (16,)}, outputs=("sequence",)),
    "rnn_n_to_m": Entry(NToM, {"sequence": (12, 8)}, outputs=("answer",)),
    "tagger": Entry(Tagger, {"sentence": ((4,), 10)}, outputs=("tags",)),
    "char_rnn": Entry(lambda: Tagger(96, 32, 128, 96), {"text": ((32,), 96)}),
    "relu4": Entry(lambda: four_layers(relu), RGB32),
    "tanh4": Entry(lambda: four_layers(tanh), RGB32),
    "resnet18_cifar": Entry(lambda: biased((2, 2, 2, 2)), RGB32, 11178762),
    "resnet34_cifar": Entry(lambda: biased((3, 4, 6, 3)), RGB32),
    "plain34_cifar": Entry(lambda: biased((3, 4, 6, 3), False), RGB32),
    "vgg_cifar": Entry(vgg_cifar, RGB32, 9231114),
    "vgg11_gray": Entry(vgg11_gray, GRAY224, 128806154),
    "nin": Entry(nin, GRAY224, 1992166),
    "googlenet2014": Entry(googlenet2014, RGB),
    "alexnet2012": Entry(alexnet2012, RGB227, 60965224),
    "myalexnet_rgb": Entry(lambda: myalexnet(3, dropout), RGB227, 62388354),
    "myalexnet": Entry(lambda: myalexnet(1, relu), GRAY227, 62365122),
    "alexnet": Entry(vision("alexnet"), RGB, 61100840),
    "vgg11": Entry(vision("vgg11"), RGB, 132863336),
    "vgg16": Entry(vision("vgg16"), RGB, 138357544),
    "vgg19": Entry(vision("vgg19"), RGB, 143667240),
    "googlenet": Entry(vision("googlenet", aux_logits=False, init_weights=False), RGB, 6624904),
    "resnet18": Entry(vision("resnet18"), RGB, 11689512),
    "resnet34": Entry(vision("resnet34"), RGB, 21797672),
    "resnet50": Entry(vision("resnet50"), RGB, 25557032),
    "resnet101": Entry(vision("resnet101"), RGB, 44549160),
    "resnet152": Entry(vision("resnet152"), RGB, 60192808),
    "mobilenet_v2": Entry(vision("mobilenet_v2"), RGB, 3504872),
    "resnet20": Entry(lambda: option_a(3), RGB32),
    "resnet32": Entry(lambda: option_a(5), RGB32),
    "resnet44": Entry(lambda: option_a(7), RGB32),
    "resnet56": Entry(lambda: option_a(9), RGB32),
}
