"""Whether points of a sweep are a grid over two of its axes, and where they are at the others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from myelode.figures.sweeps.across import Across
from myelode.figures.sweeps.data import Shown

MOST_LEVELS = 3
"""Values of a further axis that are shown."""
FULLEST = 0.5
"""Points that fill less than this share of the pairs of values are no grid."""


def is_grid(x: Across, y: Across, share: float = FULLEST) -> bool:
    """Whether the points of two axes stand at most pairs of their values, or at such a share."""
    return _pairs(x, y, np.arange(len(x.places))) >= share * len(x.levels) * len(y.levels)


def fills_maps(shown: Shown, x: Across, y: Across) -> bool:
    """Whether each cell of all maps over two axes has its point, unless that has no place.

    Points that move one at a time, and random ones that are crossed with a grid, leave holes.
    """
    cells, holes = len(x.levels) * len(y.levels), 0
    for _, points in places_of(shown, x, y):
        holes += cells - _pairs(x, y, points)
        if holes > shown.unplaced or not is_grid_of(x, y, points):
            return False
    return True


def is_grid_of(x: Across, y: Across, points: np.ndarray) -> bool:
    """Whether some points are at most one in a cell, and fill enough of these."""
    there = _pairs(x, y, points)
    return there == len(points) and there >= FULLEST * len(x.levels) * len(y.levels)


def _pairs(x: Across, y: Across, points: np.ndarray) -> int:
    """At how many pairs of values of two axes some points stand."""
    return len(np.unique(x.places[points] * len(y.levels) + y.places[points]))


def places_of(shown: Shown, x: Across, y: Across) -> Iterator[tuple[list[str], np.ndarray]]:
    """The points at some values of the other axes, and these values in print."""
    others = [axis for axis in shown.axes.values() if axis.name not in (x.name, y.name)]
    for numbers in itertools.product(*(some_levels(axis, MOST_LEVELS) for axis in others)):
        here = np.ones(len(shown.status), dtype=bool)
        told = []
        for axis, number in zip(others, numbers, strict=True):
            here &= axis.places == number
            told.append(_level_text(axis, number))
        yield told, np.flatnonzero(here)


def _level_text(axis: Across, number: int) -> str:
    """A value of an axis with its name, unless it is a word that says it all."""
    text = axis.text(axis.levels[number]).replace("_", " ")
    return text if axis.is_text else f"{axis.name} {text}"


def some_levels(axis: Across, most: int) -> list[int]:
    """The numbers of some values of an axis, evenly from the first to the last."""
    count = len(axis.levels)
    return sorted({int(n) for n in np.linspace(0, count - 1, min(count, most)).round()})
