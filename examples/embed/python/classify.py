"""Names what is in pictures: classify.py FILE.ppm... (32 x 32, at most 16)."""
import ctypes
import pathlib
import re
import sys

import numpy as np

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
HERE = pathlib.Path(__file__).parent


class Net:
    """resnet20.so with a workspace of its own; sizes are read from the header that came with it."""

    def __init__(self):
        header = (HERE / "resnet20.h").read_text()
        self.size = {n: int(v) for n, v in re.findall(r"#define RESNET20_(\w+)\s+(\d+)", header)}
        self.library = ctypes.CDLL(str(HERE / "resnet20.so"))
        self.library.resnet20_weights.restype = ctypes.c_void_p
        self.library.resnet20_error.restype = ctypes.c_char_p
        self.library.resnet20_forward_u8.argtypes = [
            ctypes.c_void_p,  # executor
            ctypes.c_void_p,  # packed weights
            ctypes.c_int,  # n
            np.ctypeslib.ndpointer(np.uint8, 4, flags="C"),  # image [n, 32, 32, 3]
            np.ctypeslib.ndpointer(np.float32, 2, flags="C,W"),  # logits [n, 10]
            ctypes.c_void_p,  # workspace
            ctypes.c_size_t,
        ]
        align, need = self.size["ALIGN"], self.size["WORKSPACE_BYTES"]
        memory = np.empty(need + align, np.uint8)
        self.workspace = memory[-memory.ctypes.data % align :][:need]

    def __call__(self, images):
        logits = np.empty((len(images), self.size["LOGITS_SIZE"]), np.float32)
        code = self.library.resnet20_forward_u8(
            None, self.library.resnet20_weights(), len(images), images, logits,
            self.workspace.ctypes.data, self.workspace.nbytes,
        )
        if code:
            raise ValueError(self.library.resnet20_error(code).decode())
        return logits


def read_picture(path):
    data = pathlib.Path(path).read_bytes()
    head = re.match(rb"P6\s+32\s+32\s+255\s", data)
    if not head:
        raise ValueError(f"{path}: a 32x32 PPM picture is needed")
    return np.frombuffer(data, np.uint8, 32 * 32 * 3, head.end()).reshape(32, 32, 3)


def main():
    images = np.stack([read_picture(path) for path in sys.argv[1:]])
    logits = Net()(images).astype(np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    for row in odds / odds.sum(axis=1, keepdims=True):
        print(NAMES[row.argmax()], f"{row.max():.4f}")


if __name__ == "__main__":
    main()
