"""Indices from any points that fill a space: PAWN and RBD-FAST. Points may be missing."""

from __future__ import annotations

import numpy as np

from myelode.errors import ScenarioError
from myelode.sensitivities.libraries import analyser
from myelode.sensitivities.samples import (
    BOOTSTRAP_SEED,
    CONFIDENCE,
    Indices,
    Reading,
    Sample,
    has_number,
    resamples,
    varies,
)

FEWEST_PER_SLICE, MOST_SLICES = 10, 10
HARMONICS, FEWEST_PER_HARMONIC = 10, 10
DISTANCES = ("median", "mean", "minimum", "maximum")


def pawn_indices(sample: Sample, reading: Reading) -> Indices:
    """Distances between the endpoint's distribution in slices of a parameter and in the whole.

    Distances are those of Kolmogorov and Smirnov, from 0 to 1, over up to ten slices of equal
    numbers of points. ``noise`` is the median for a parameter that does nothing, which is what a
    number of points as small as this leaves by chance.

    Raises ScenarioError for fewer than 20 points.
    """
    points, values = _kept(sample, reading)
    slices = min(MOST_SLICES, len(values) // FEWEST_PER_SLICE)
    if slices < 2:
        raise ScenarioError(f"pawn needs 20 points or more, and {len(values)} have a number")
    dummy = np.random.default_rng(BOOTSTRAP_SEED).random((len(values), 1))
    names = [*sample.names, "nothing"]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0, 1]] * len(names)}
    found = analyser("pawn")(problem, np.hstack([points, dummy]), values, S=slices)
    result = {name: np.asarray(found[name], float)[:-1] for name in DISTANCES}
    return result | {"noise": np.full(len(sample.names), float(found["median"][-1]))}


def rbd_indices(sample: Sample, reading: Reading) -> Indices:
    """First-order indices, as Sobol's, with the half widths of their 95 % intervals.

    Raises ScenarioError for fewer than 100 points.
    """
    points, values = _kept(sample, reading)
    fewest = HARMONICS * FEWEST_PER_HARMONIC
    if len(values) < fewest:
        raise ScenarioError(f"rbd needs {fewest} points or more, and {len(values)} have a number")
    if not varies(values):
        return {name: np.full(len(sample.names), np.nan) for name in ("S1", "S1_conf")}
    found = analyser("rbd_fast")(
        sample.problem, points, values, M=HARMONICS, num_resamples=resamples(len(values)),
        conf_level=CONFIDENCE, seed=np.random.default_rng(BOOTSTRAP_SEED),
    )  # fmt: skip
    return {name: np.asarray(found[name], float) for name in ("S1", "S1_conf")}


def is_independent(sample: Sample, reading: Reading) -> np.ndarray:
    """Which points have a number, and repeat no others: of a Saltelli design those of A and B."""
    used = has_number(sample, reading)
    if sample.kind == "saltelli":
        rows = 2 + len(sample.names) * (2 if sample.options.get("second_order") else 1)
        place = np.arange(sample.count) % rows
        used = used & ((place == 0) | (place == rows - 1))
    return used


def _kept(sample: Sample, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of the independent points that have a number, and the numbers."""
    used = is_independent(sample, reading)
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
