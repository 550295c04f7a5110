"""What PAWN gives a parameter that does nothing, which is not zero: slices differ by chance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from myelode.sensitivities.samples import BOOTSTRAP_SEED, CONFIDENCE

FEWEST_DUMMIES, MOST_DUMMIES, MOST_SHUFFLED = 20, 1000, 5_000_000
AT_ONCE = 1_000_000
"""Points of several dummies that are in memory together."""


def chance_level(values: np.ndarray, slices: int) -> float:
    """Below it lie 95 % of the medians over slices that parameters without effect have.

    Each of many such parameters, fewer of many points, puts the points into slices at random, of
    the sizes that SALib's analyser makes; that would look at one parameter after the other.

    Parameters
    ----------
    values : of an endpoint, shape (points,), in any order.
    slices : how many.
    """
    many = len(values)
    ordered = np.sort(values)
    whole = tuple(np.searchsorted(ordered, ordered, side) / many for side in ("left", "right"))
    cuts = _cuts(many, slices)
    medians = []
    for orders in _shuffled(many):
        parts = (orders[:, first:last] for first, last in pairwise(cuts))
        medians.append(np.median([_distances(part, whole) for part in parts], axis=0))
    return float(np.quantile(np.concatenate(medians), CONFIDENCE))


def _shuffled(points: int) -> Iterator[np.ndarray]:
    """Points in random order, some dummies at a time: (dummies, points)."""
    generator, places = np.random.default_rng(BOOTSTRAP_SEED), np.arange(points, dtype=np.int32)
    left = max(FEWEST_DUMMIES, min(MOST_DUMMIES, MOST_SHUFFLED // points))
    while left:
        now = min(left, max(1, AT_ONCE // points))
        yield generator.permuted(np.broadcast_to(places, (now, points)), axis=1)
        left -= now


def _cuts(points: int, slices: int) -> list[int]:
    """Where slices of ranks begin: at their quantiles, which leaves the last point out."""
    quantiles = np.quantile(np.arange(points), np.linspace(0, 1, slices + 1))
    return [int(cut) for cut in np.ceil(quantiles)]


def _distances(places: np.ndarray, whole: tuple[np.ndarray, ...]) -> np.ndarray:
    """Distances of Kolmogorov and Smirnov between some points and all, shape (dummies,).

    Parameters
    ----------
    places : of the points, in the order of the values of all: (dummies, points).
    whole : the distribution of all just below each place, and at it.
    """
    below, at = whole
    places = np.sort(places, axis=1)
    shares = np.arange(places.shape[1] + 1) / places.shape[1]
    above = (shares[1:] - at[places]).max(axis=1)
    return np.asarray(np.maximum(above, (below[places] - shares[:-1]).max(axis=1)))
