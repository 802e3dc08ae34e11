"""How many of the 10,000 CIFAR-10 test pictures PyTorch gets right with the pretrained CIFAR ResNets.

usage: cifar_resnets.py [--data FOLDER of classes] [--weights FOLDER] [--threads N] [NET ...]

Writes cifar_resnets.txt beside itself: a line "NET CORRECT OF" for each net, then the guesses for every hundredth
picture (sorted by path: classes in alphabetical order are CIFAR-10's own order, pictures by number: airplane/0000.jpg,
airplane/0100.jpg, ... truck/0900.jpg). `netc eval`
must count the same on the same decoded pixels. The modules are those of zoo_nets.py.

`--demo` writes demo.txt instead: a line for each of examples/pictures/ with its name and ResNet-20's ten logits.
"""
import argparse
import glob
import os

import numpy as np
import torch
from PIL import Image

import zoo

HERE = os.path.dirname(os.path.abspath(__file__))
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def pictures(folder):
    """Normalised pixels [10000,3,32,32] and classes, in sorted order."""
    classes = sorted(os.listdir(folder))
    images, labels = [], []
    for label, name in enumerate(classes):
        for path in sorted(glob.glob(os.path.join(folder, name, "*.jpg"))):
            images.append(pixels(path))
            labels.append(label)
    return torch.from_numpy(np.stack(images)), torch.tensor(labels)


def pixels(path):
    return ((np.asarray(Image.open(path).convert("RGB"), np.float32) / 255 - MEAN) / STD).transpose(2, 0, 1)


def load(name, folder):
    path = glob.glob(os.path.join(folder, name + "*.th"))[0]
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    module = zoo.build(name)
    module.load_state_dict({k.removeprefix("module."): v for k, v in state.items()})
    return module.eval()


def demo():
    examples = os.path.join(HERE, "../../examples")
    module = load("resnet20", os.path.join(examples, "weights")).double()
    with open(os.path.join(HERE, "demo.txt"), "w") as f:
        for path in sorted(glob.glob(os.path.join(examples, "pictures", "*.jpg"))):
            with torch.no_grad():
                logits = module(torch.from_numpy(pixels(path))[None].double())[0]
            f.write(os.path.basename(path) + " " + " ".join(f"{x:.7g}" for x in logits.tolist()) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default="/tmp/cifar10/test")
    p.add_argument("--weights", default=os.path.join(HERE, "../../../shared/data/weights"))
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("nets", nargs="*", default=["resnet20", "resnet32", "resnet44", "resnet56"])
    p.add_argument("--demo", action="store_true")
    a = p.parse_args()
    if a.demo:
        return demo()
    torch.set_num_threads(a.threads)
    images, labels = pictures(a.data)
    lines, first = [], []
    for name in a.nets:
        module, guesses, margin = load(name, a.weights), [], []
        with torch.no_grad():
            for i in range(0, len(images), 250):
                top = module(images[i:i + 250]).topk(2)
                guesses.append(top.indices[:, 0])
                margin.append(top.values[:, 0] - top.values[:, 1])
        guesses, margin = torch.cat(guesses), torch.cat(margin)
        lines.append(f"{name} {int((guesses == labels).sum())} {len(labels)}")
        first.append(f"{name} each100th " + "".join(str(int(g)) for g in guesses[::100]))
        print(lines[-1], f"smallest margin {float(margin.min()):.2e}", flush=True)
    with open(os.path.join(HERE, "cifar_resnets.txt"), "w") as f:
        f.write("\n".join(lines + first) + "\n")


if __name__ == "__main__":
    main()
