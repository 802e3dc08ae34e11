#!/usr/bin/env python3
"""Data for the sequence nets, as the .npy pairs that `netc train --data` reads.

usage: sequences.py digits FOLDER    12 digits, one-hot, and the last 7 of them in reverse: rnn_n_to_m.net
       sequences.py tags FOLDER      sentences of 4 words with a tag a word: tagger.net
"""
import os
import sys

import numpy as np

WORDS = ["arrive", "leave", "in", "at", "Beijing", "Taipei", "Paris", "on", "Monday", "noon"]
OTHER, DESTINATION, DEPARTURE = 0, 1, 2


def digits(count, rng):
    x = rng.integers(0, 10, (count, 12))
    return np.eye(10, dtype=np.float32)[x], x[:, :-8:-1].astype(np.int64)


def sentences():
    """Every sentence VERB [in|at] CITY on (Monday|noon): a city's tag follows from the verb alone."""
    w = {word: i for i, word in enumerate(WORDS)}
    out = []
    for verb, tag in (("arrive", DESTINATION), ("leave", DEPARTURE)):
        for city in ("Beijing", "Taipei", "Paris"):
            for when in ("Monday", "noon"):
                out.append(([w[verb], w[city], w["on"], w[when]], [OTHER, tag, OTHER, OTHER]))
                out.append(([w["on"], w[when], w[verb], w[city]], [OTHER, OTHER, OTHER, tag]))
                for by in ("in", "at"):
                    out.append(([w[verb], w[by], w[city], w[when]], [OTHER, OTHER, tag, OTHER]))
    return out


def tags():
    x, y = zip(*sentences())
    return np.array(x, np.int32), np.array(y, np.int64)


def save(folder, split, x, y):
    np.save(os.path.join(folder, split + "_x.npy"), x)
    np.save(os.path.join(folder, split + "_y.npy"), y)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("digits", "tags"):
        sys.exit(__doc__)
    what, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(1)
    if what == "digits":
        save(folder, "train", *digits(20000, rng))
        save(folder, "test", *digits(2000, rng))
    else:
        x, y = tags()
        order = rng.permutation(len(x))
        save(folder, "train", x[order[8:]], y[order[8:]])
        save(folder, "test", x[order[:8]], y[order[:8]])


main()
