"""Indices from any points that fill a space: PAWN and RBD-FAST. Points may be missing."""

from __future__ import annotations

import numpy as np

from myelode.errors import ScenarioError
from myelode.sensitivities.chance import chance_level
from myelode.sensitivities.gaps import gaps_of, has_gaps
from myelode.sensitivities.libraries import analyser
from myelode.sensitivities.samples import (
    BOOTSTRAP_SEED,
    CONFIDENCE,
    Indices,
    Reading,
    Sample,
    every_point,
    has_number,
    of_these,
    resamples,
    varies,
)

FEWEST_PER_SLICE = 10
SLICES = (2, 3, 4, 5, 7, 8, 10)
"""How many there may be.

SALib cuts at ``np.arange(0, 1 + 1/S, 1/S)``, which rounding makes one cut too long for 6 and 9.
"""
HARMONICS, FEWEST_PER_HARMONIC = 10, 10
DISTANCES = ("median", "mean", "minimum", "maximum")


def pawn_indices(sample: Sample, reading: Reading) -> Indices:
    """Distances between the endpoint's distribution in slices of a parameter and in the whole.

    Distances are those of Kolmogorov and Smirnov, from 0 to 1, over up to ten slices of equal
    numbers of points. ``noise`` is the level below which lie the medians of 95 % of parameters that
    do nothing, which is what so small a number of points leaves to chance.

    Raises ScenarioError for fewer than 20 points.
    """
    points, values = _kept(sample, reading)
    slices = max((n for n in SLICES if n * FEWEST_PER_SLICE <= len(values)), default=0)
    if not slices:
        raise ScenarioError(_refusal("pawn", min(SLICES) * FEWEST_PER_SLICE, sample, reading))
    found = analyser("pawn")(sample.problem, points, values, S=slices)
    result = {name: np.asarray(found[name], float) for name in DISTANCES}
    return result | {"noise": np.full(len(sample.names), chance_level(values, slices))}


def rbd_indices(sample: Sample, reading: Reading) -> Indices:
    """First-order indices, as Sobol's, with the half widths of their 95 % intervals.

    Raises ScenarioError for fewer than 100 points.
    """
    points, values = _kept(sample, reading)
    fewest = HARMONICS * FEWEST_PER_HARMONIC
    if len(values) < fewest:
        raise ScenarioError(_refusal("rbd", fewest, sample, reading))
    if not varies(values):
        return {name: np.full(len(sample.names), np.nan) for name in ("S1", "S1_conf")}
    found = analyser("rbd_fast")(
        sample.problem, points, values, M=HARMONICS, num_resamples=resamples(len(values)),
        conf_level=CONFIDENCE, seed=np.random.default_rng(BOOTSTRAP_SEED),
    )  # fmt: skip
    return {name: np.asarray(found[name], float) for name in ("S1", "S1_conf")}


def _refusal(method: str, fewest: int, sample: Sample, reading: Reading) -> str:
    """Why there are too few points, and where those are that have no number."""
    looked_at, read = of_these(sample, reading, is_independent(sample))
    many = int(has_number(looked_at, read).sum())
    why = f": {gaps_of(looked_at, read)}" if has_gaps(read) else ""
    return f"{method} needs {fewest} points or more, and {many} have a number{why}"


def is_independent(sample: Sample) -> np.ndarray:
    """Which points repeat no others: of a Saltelli design those of A and B, else all."""
    if sample.kind != "saltelli":
        return every_point(sample)
    rows = 2 + len(sample.names) * (2 if sample.options.get("second_order") else 1)
    place = np.arange(sample.count) % rows
    return np.asarray((place == 0) | (place == rows - 1))


def is_independent_number(sample: Sample, reading: Reading) -> np.ndarray:
    """Which points repeat no others, and have a number."""
    return np.asarray(is_independent(sample) & has_number(sample, reading))


def _kept(sample: Sample, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of the independent points that have a number, and the numbers."""
    used = is_independent_number(sample, reading)
    return _ranks(sample.points[used]), reading.values[used]


def _ranks(points: np.ndarray) -> np.ndarray:
    """Ranks by column, equal values in any order, so that each slice has as many points.

    Listed values would else fill some slices and leave others empty.
    """
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    ranks = np.empty(points.shape)
    for column, values in enumerate(points.T):
        order = np.lexsort((generator.random(len(values)), values))
        ranks[order, column] = np.arange(len(values))
    return ranks
