"""A scenario that stands for any other: a few values and places that a sweep may have as axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from myelode.errors import ScenarioError, best_matches
from myelode.sweeps.designs.reading import Points, read_points
from myelode.sweeps.sections import sweep_from_text
from myelode.units import to_unit

UNITS = {"k": "1/h", "k2": "1/h", "n": "dimensionless", "x": None}
PLACES = ("cell_line", "observe.until")
SPREADS = {"k": 0.5, "k2": 1.0}


class Reader:
    """Four values, two places, and two log-normal spreads around 1."""

    def is_place(self, name: str) -> bool:
        return name in PLACES or not self.known(name)

    def known(self, name: str) -> bool:
        if name not in UNITS:
            raise ScenarioError(f"{name!r} is unknown{best_matches(name, [*UNITS, *PLACES])}")
        return True

    def unit(self, name: str) -> str | None:
        return UNITS[name]

    def value(self, name: str) -> float:
        return 1.0

    def number(self, name: str, quantity: str | float | int) -> float:
        number = to_unit(quantity, self.unit(name), name)
        if name == "k" and number <= 0:
            raise ScenarioError(f"k must be positive, and {quantity} is not")
        return number

    def quantile(self, name: str, column: str, normal: np.ndarray) -> np.ndarray:
        if name not in SPREADS:
            raise ScenarioError(f"{name!r} states no {column}")
        return np.exp(SPREADS[name] * normal)

    def drawn(
        self, column: str, names: Sequence[str] | None, seed: int, first: int, last: int
    ) -> dict[str, np.ndarray]:
        if column != "uncertainty":
            raise ScenarioError(f"nothing has {column}")
        numbers = np.arange(first + 1, last + 1, dtype=float)
        return dict.fromkeys(SPREADS, 1000.0 * seed + numbers)

    def spread(self, column: str, names: Sequence[str] | None) -> str:
        return repr((column, names, SPREADS))


def points_of(design: str, where: str = "own.yaml") -> Points:
    """The points of a design, written as one mapping of YAML."""
    sweep = sweep_from_text(f"id: a\ntitle: b\nscenario: c\ndesign: {design}", where)
    return read_points(sweep.design, Reader(), sweep.at, sweep.beside)


def rows(points: Points) -> list[tuple[Any, ...]]:
    """All points, as tuples."""
    columns = points.columns(0, points.count)
    return list(zip(*(columns[name].tolist() for name in points.names), strict=True))
