#!/usr/bin/env python3
"""PyTorch's learning rates, a line a case: NAME rate rate ... (schedules.txt, read by tests/unit/schedule_test.c, which
holds the cases' arguments). Every case has EPOCHS epochs of STEPS steps at lr LR."""

import torch
from torch.optim.lr_scheduler import (
    ConstantLR, CosineAnnealingLR, LinearLR, MultiStepLR, OneCycleLR, SequentialLR, StepLR)

EPOCHS, STEPS, LR = 8, 5, 0.2


def by_epoch(make):
    """Rates of a scheduler that is stepped after every epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=LR)
    scheduler, rates = make(optimizer), []
    for _ in range(EPOCHS):
        rates += [optimizer.param_groups[0]["lr"]] * STEPS
        optimizer.step()
        scheduler.step()
    return rates


def by_step(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))], lr=LR)
    scheduler, rates = make(optimizer), []
    for step in range(EPOCHS * STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < EPOCHS * STEPS:
            scheduler.step()
    return rates


def warmed(warm, rest):
    """`warm` steps of LinearLR, then the rates of the rest from their beginning."""
    ramp = by_step(lambda o: SequentialLR(
        o, [LinearLR(o, 1 / warm, 1.0, warm - 1), ConstantLR(o, 1.0, 1)], [warm]))
    return (ramp[:warm] + rest)[:EPOCHS * STEPS]


CASES = {
    "step": by_epoch(lambda o: StepLR(o, 3, 0.5)),
    "step_usual": by_epoch(lambda o: StepLR(o, 2)),
    "multistep": by_epoch(lambda o: MultiStepLR(o, [2, 5, 6], 0.3)),
    "cosine": by_epoch(lambda o: CosineAnnealingLR(o, EPOCHS)),
    "cosine_least": by_epoch(lambda o: CosineAnnealingLR(o, EPOCHS, 0.01)),
    "one_cycle": by_step(lambda o: OneCycleLR(o, LR, EPOCHS * STEPS, cycle_momentum=False)),
    "one_cycle_rise": by_step(lambda o: OneCycleLR(o, 1.5, EPOCHS * STEPS, pct_start=0.45, cycle_momentum=False)),
    "constant_warm": warmed(10, [LR] * EPOCHS * STEPS),
    "cosine_warm": warmed(10, by_epoch(lambda o: CosineAnnealingLR(o, EPOCHS - 2))),
    "multistep_warm": warmed(5, by_epoch(lambda o: MultiStepLR(o, [2, 5, 6], 0.3))),
}

for name, rates in CASES.items():
    print(name, *(repr(float(r)) for r in rates))
