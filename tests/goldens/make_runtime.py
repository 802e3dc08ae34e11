"""Makes tests/data/runtime: weight files, arrays and pictures for the tests of runtime/, with what PyTorch, numpy
and PIL (with torchvision) make of them. Run from the repository's root; needs torch, torchvision, safetensors.

Every tensor holds (37 i + 11 k) mod 101, less 50, over 8 (i the element, k the tensor), which every float type
holds exactly, so the tests know what to expect without a file of values."""

import os
import pickle

import numpy as np
import safetensors.torch
import torch
import torchvision.transforms as T
from PIL import Image

OUT = "tests/data/runtime/"


def pattern(k, shape, dtype=torch.float32):
    n = int(np.prod(shape))
    values = ((37 * np.arange(n) + 11 * k) % 101 - 50) / 8
    return torch.tensor(values.reshape(shape)).to(dtype)


def state_dict(prefix=""):
    shapes = {"conv.weight": (4, 3, 3, 3), "conv.bias": (4,), "bn.running_mean": (4,), "fc.weight": (2, 16)}
    d = {prefix + name: pattern(k, s) for k, (name, s) in enumerate(shapes.items())}
    d[prefix + "bn.num_batches_tracked"] = torch.tensor(7)
    return d


def kinds():
    floats = [torch.float64, torch.float16, torch.bfloat16, torch.float32]
    d = {str(t)[6:]: pattern(k, (2, 5), t) for k, t in enumerate(floats)}
    d["int64"] = torch.arange(6).reshape(2, 3) - 3
    d["uint8"] = torch.arange(250, 256, dtype=torch.uint8)
    d["bool"] = torch.tensor([True, False, True])
    d["scalar"] = torch.tensor(2.5)
    d["empty"] = torch.zeros(0, 4)
    return d


def strided():
    return {
        "channels_last": pattern(0, (2, 3, 4, 5)).contiguous(memory_format=torch.channels_last),
        "transposed": pattern(1, (6, 4)).t().contiguous().t(),
        "slice": torch.cat([torch.zeros(9), pattern(2, (8,)), torch.zeros(3)])[9:17],
        "every_second": torch.stack([pattern(3, (5,)), torch.zeros(5)], 1)[:, 0],
    }


class Call:
    """A pickle that wants to run a command when it is loaded."""

    def __reduce__(self):
        return os.system, ("touch netc-was-here",)


def weights():
    safetensors.torch.save_file(state_dict(), OUT + "tiny.safetensors", metadata={"format": "pt"})
    safetensors.torch.save_file(kinds(), OUT + "kinds.safetensors")
    arrays = {k: v.numpy() for k, v in state_dict().items()}
    arrays["fc.weight"] = np.asfortranarray(arrays["fc.weight"])
    np.savez(OUT + "tiny.npz", **arrays)
    np.savez_compressed(OUT + "tiny_deflated.npz", **arrays)
    checkpoint = {"epoch": 3, "best": 91.5, "state_dict": state_dict("module."),
                  "optimizer": {"state": {0: {"momentum": torch.ones(4)}}, "param_groups": [{"lr": 0.1}]}}
    ordered = torch.nn.Linear(3, 2)
    with torch.no_grad():
        for k, p in enumerate(ordered.parameters()):
            p.copy_(pattern(k, tuple(p.shape)))
    for suffix, new in (("zip", True), ("old", False)):
        def save(name, what, **more):
            torch.save(what, f"{OUT}{name}_{suffix}.pt", _use_new_zipfile_serialization=new, **more)
        save("tiny", state_dict())
        save("kinds", kinds())
        save("strided", strided())
        save("checkpoint", checkpoint)
        save("linear", ordered.state_dict(), pickle_protocol=4)
        save("parameters", dict(ordered.named_parameters()))
        save("evil", {"weight": pattern(0, (3,)), "extra": Call()})
    for protocol in (0, 1, 2, 4):
        with open(f"{OUT}evil_{protocol}.pkl", "wb") as f:
            pickle.dump(Call() if protocol == 0 else {"a": Call()}, f, protocol)


def arrays():
    a = np.array([[1.5, -2, 3], [4, 5, 6.25]])
    for name, dtype in (("f4", "<f4"), ("f8", "<f8"), ("i4", "<i4"), ("i8", "<i8"), ("u1", "|u1"), ("b1", "|b1")):
        np.save(OUT + f"a_{name}.npy", np.abs(a).astype(dtype))
    np.save(OUT + "a_fortran.npy", np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)))
    np.save(OUT + "a_scalar.npy", np.float32(2.5))
    np.save(OUT + "a_big.npy", a.astype(">f4"))
    np.save(OUT + "a_object.npy", np.array([None, "x"], dtype=object), allow_pickle=True)
    np.save(OUT + "a_struct.npy", np.zeros(2, dtype=[("x", "<f4"), ("y", "<i4")]))
    for version in ((2, 0), (3, 0)):
        with open(OUT + f"a_v{version[0]}.npy", "wb") as f:
            np.lib.format.write_array(f, a.astype("<f4"), version)


def digits():
    """A data set as Keras' mnist.npz: pictures of 5 x 7, counting pixels."""
    x = np.arange(6 * 35).reshape(6, 5, 7)
    x[4:] = x[:2] + 100
    np.savez_compressed(OUT + "digits.npz", x_train=x[:4].astype(np.uint8), y_train=np.array([7, 6, 5, 4], np.uint8),
                        x_test=x[4:].astype(np.uint8), y_test=np.array([3, 4], np.int64))


def scene(h, w, channels):
    """Smooth waves with some noise: something that resizing can get wrong."""
    y, x = np.mgrid[0:h, 0:w]
    waves = [127 + 90 * np.sin(x / 7 + k) + 27 * np.cos(y / 5 * k + x / 11) for k in range(channels)]
    noise = np.random.default_rng(h * w).normal(0, 12, (h, w, channels))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def fitted(im, side, mode):
    im = im.convert(mode)
    if im.size == (side, side):
        return im
    resize = side if side < 96 else (side * 256 + 112) // 224
    return T.CenterCrop(side)(T.Resize(resize)(im))


def pictures():
    rgb, gray = Image.fromarray(scene(45, 61, 3)), Image.fromarray(scene(37, 29, 1)[..., 0])
    made = {"rgb.png": rgb, "gray.png": gray, "rgba.png": rgb.convert("RGBA"), "palette.png": rgb.quantize(11),
            "bilevel.png": gray.convert("1"), "la.png": gray.convert("LA"), "j420.jpg": rgb, "j422.jpg": rgb,
            "j444.jpg": rgb, "progressive.jpg": rgb, "gray.jpg": gray, "cmyk.jpg": rgb.convert("CMYK")}
    options = {"j420.jpg": {"subsampling": 2}, "j422.jpg": {"subsampling": 1}, "j444.jpg": {"subsampling": 0},
               "progressive.jpg": {"progressive": True}}
    for name, im in made.items():
        im.save(OUT + name, **options.get(name, {}))
        im = Image.open(OUT + name)
        np.save(OUT + name + ".rgb.npy", np.array(im.convert("RGB")))
    Image.fromarray((scene(9, 8, 1)[..., 0].astype(np.uint16) << 8) + 77).save(OUT + "gray16.png")
    np.save(OUT + "gray16.png.rgb.npy", np.repeat(scene(9, 8, 1), 3, -1))
    wide = Image.fromarray(scene(30, 170, 3))
    tall = Image.fromarray(scene(200, 50, 3))  # shrunk so that Pillow 13 goes along y first
    wide.save(OUT + "wide.png")
    tall.save(OUT + "tall.png")
    for name in ("rgb.png", "j420.jpg", "gray.png", "wide.png", "tall.png"):
        im = Image.open(OUT + name)
        for side, mode in ((32, "RGB"), (32, "L"), (64, "L"), (100, "L")):
            np.save(OUT + f"{name}.{side}{mode}.npy", np.array(fitted(im, side, mode)))
    np.save(OUT + "rgb.png.17x90.npy", np.array(rgb.resize((90, 17), Image.Resampling.BILINEAR)))
    np.save(OUT + "rgb.png.90x17.npy", np.array(rgb.resize((17, 90), Image.Resampling.BILINEAR)))
    digit = Image.fromarray(scene(28, 28, 1)[..., 0])
    digit.save(OUT + "digit.png")
    np.save(OUT + "digit.png.50.npy", np.array(digit.resize((50, 50), Image.Resampling.BILINEAR)))
    norm = T.Compose([T.ToTensor(), T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    np.save(OUT + "rgb.png.32norm.npy", norm(fitted(rgb, 32, "RGB")).numpy())


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    weights()
    arrays()
    digits()
    pictures()
