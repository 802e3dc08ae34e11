"""Makes tests/data/augment: what torchvision makes of PIL's pictures with the parameters that stand in the arrays'
names. Run from the repository's root; needs torch, torchvision. The pictures are those of make_runtime.py."""

import os

import numpy as np
import torchvision.transforms.functional as F
from PIL import Image

DATA, OUT = "tests/data/runtime/", "tests/data/augment/"


made = {}


def save(name, im):
    made[name] = np.array(im)


def rainbow():
    """Every hue at several saturations and values, and the greys."""
    h, s, v = np.meshgrid(np.arange(0, 256, 5), [0, 1, 60, 128, 255], [1, 77, 200, 255], indexing="ij")
    hsv = np.stack([h, s, v], -1).astype(np.uint8).reshape(52, 20, 3)
    Image.fromarray(hsv, "HSV").convert("RGB").save(OUT + "rainbow.png")


def places(name, im):
    w, h = im.size
    save(f"{name}.pad3", F.pad(im, [3]))
    save(f"{name}.flip", F.hflip(im))
    save(f"{name}.vflip", F.vflip(im))
    save(f"{name}.crop_5_7_20_16", F.crop(im, 5, 7, 20, 16))
    save(f"{name}.resized_crop_5_7_20_16_24_12", F.resized_crop(im, 5, 7, 20, 16, [24, 12]))
    save(f"{name}.center_20_16", F.center_crop(im, [20, 16]))
    save(f"{name}.center_64_16", F.center_crop(im, [64, 16]))
    save(f"{name}.center_49_70", F.center_crop(im, [49, 70]))
    save(f"{name}.resize_20", F.resize(im, 20))
    save(f"{name}.resize_50", F.resize(im, 50))
    save(f"{name}.resize_31_17", F.resize(im, [31, 17]))


def colors(name, im):
    for factor in (0.0, 0.4, 1.0, 1.7):
        save(f"{name}.brightness_{factor}", F.adjust_brightness(im, factor))
        save(f"{name}.contrast_{factor}", F.adjust_contrast(im, factor))
        save(f"{name}.saturation_{factor}", F.adjust_saturation(im, factor))
    for turn in (-0.5, -0.13, 0.0, 0.07, 0.5):
        save(f"{name}.hue_{turn}", F.adjust_hue(im, turn))
    save(f"{name}.grayscale", F.to_grayscale(im, 3 if im.mode == "RGB" else 1))


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    rainbow()
    for name in ("rgb.png", "gray.png"):
        places(name, Image.open(DATA + name))
        colors(name, Image.open(DATA + name))
    colors("rainbow.png", Image.open(OUT + "rainbow.png"))
    np.savez_compressed(OUT + "torchvision.npz", **made)
