"""Stores of toy sweeps that several tests share: with failed and with missing points."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from myelode.sweeps.stores.store import Store, create
from tests.sweeps.decay import plan_of

DOSES = "regimen.pulse.to: {from: 1 uM, to: 4 uM, points: 4}"
RATES = "k: {from: 0.1 1/h, to: 3 1/h, points: 6, spacing: log}"
GRID = f"grid: {{{RATES}, {DOSES}}}"


def stored(
    folder: Path, scenario: Path, design: str, more: str = "", chunks: Iterable[int] | None = None
) -> Store:
    """A store with the points of a sweep, or of some of its chunks."""
    plan = plan_of(scenario, design, more)
    store = create(folder / "toy.zarr", plan.layout, plan.document)
    for number in range(plan.layout.chunks) if chunks is None else chunks:
        store.write(number, plan.compute(number), plan.key(number))
    return store


def gappy(folder: Path, scenario: Path, design: str = GRID) -> Store:
    """A store in which the fastest runs gave up, and one chunk of four points is missing."""
    more = "record: [drug]\nengine: ensemble\nchunk: 4\nlimits: {steps: 130}\n"
    return stored(folder, scenario, design, more, (0, 1, 3, 4, 5))
