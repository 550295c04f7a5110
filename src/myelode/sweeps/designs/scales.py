"""Scales of an axis: what numbers between 0 and 1 mean on it, and what stands for them in keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from myelode.portable import exp, log_ratio

Columns = dict[str, np.ndarray]
"""Values by axis: numbers in the model's units, or texts (an object array) for places."""

DIGITS = 15
"""Significant digits of values of a grid: 0.1 between 0.01 and 1 is 0.1."""

EDGE = 2.0**-33
"""How close to 0 and 1 a spread is read: a distribution has no value at its ends."""


class AxisReader(Protocol):
    """What the scenario and its model know about an axis; all raise ScenarioError."""

    def is_place(self, name: str) -> bool:
        """Whether an axis is a place of the scenario, whose values are texts."""
        ...

    def number(self, name: str, quantity: str | float | int) -> float:
        """A quantity in the model's unit of an axis."""
        ...

    def unit(self, name: str) -> str | None:
        """The model's unit of an axis; None where it has none."""
        ...

    def value(self, name: str) -> float:
        """What stands on an axis of numbers where nothing moves it."""
        ...

    def quantile(self, name: str, column: str, normal: np.ndarray) -> np.ndarray:
        """Values of the spread that a column states, where standard normal numbers stand."""
        ...

    def drawn(
        self, column: str, names: Sequence[str] | None, seed: int, first: int, last: int
    ) -> Columns:
        """Subjects number first + 1 and so on, of all rows (or those named) with such a spread."""
        ...

    def spread(self, column: str, names: Sequence[str] | None) -> str:
        """All that numbers of `quantile` or `drawn` depend on, beside their places."""
        ...


class Scale(Protocol):
    """The values of one axis."""

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        ...

    def marks(self, unit: np.ndarray) -> np.ndarray:
        """What stands for the values in the key of a chunk: the same on every processor."""
        ...


class Marked:
    """A scale whose values have the same bits on every processor."""

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        raise NotImplementedError

    def marks(self, unit: np.ndarray) -> np.ndarray:
        """The values themselves."""
        return self.values(unit)


@dataclass(frozen=True)
class Stretch(Marked):
    """Numbers from `low` to `high`, evenly or evenly on a logarithmic scale; both ends exact."""

    low: float
    high: float
    is_log: bool

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        if not self.is_log:
            return self.low * (1 - unit) + self.high * unit
        between = self.low * exp(unit * log_ratio(self.high, self.low))
        return np.where(unit == 1, self.high, between)

    def spaced(self, points: int) -> np.ndarray:
        """So many values, both ends among them, without the noise of their last digit."""
        values = self.values(np.linspace(0, 1, points))
        inner = [float(f"{value:.{DIGITS}g}") for value in values[1:-1].tolist()]
        return np.array([values[0], *inner, values[-1]][:points])


@dataclass(frozen=True)
class Choice(Marked):
    """Listed values, each with the same share."""

    items: np.ndarray

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        number = (unit * len(self.items)).astype(np.int64)
        return np.asarray(self.items[np.minimum(number, len(self.items) - 1)])


@dataclass(frozen=True)
class Written(Marked):
    """Numbers as texts with their unit: what a place of the scenario takes."""

    scale: Stretch
    unit: str

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        return self.texts(self.scale.values(unit))

    def texts(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers with their unit."""
        return as_texts([f"{number!r} {self.unit}".strip() for number in numbers.tolist()])


@dataclass(frozen=True)
class Quantiles:
    """The spread that a row of the parameter table states."""

    name: str
    column: str
    reader: AxisReader

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        from scipy.special import ndtri

        normal = np.asarray(ndtri(np.clip(unit, EDGE, 1 - EDGE)))
        return self.reader.quantile(self.name, self.column, normal)

    def marks(self, unit: np.ndarray) -> np.ndarray:
        """The numbers from 0 to 1: libraries may round a quantile in another way elsewhere."""
        return unit

    @property
    def about(self) -> str:
        """The spread."""
        return self.reader.spread(self.column, (self.name,))


def as_texts(texts: Sequence[str]) -> np.ndarray:
    """Texts as an array of objects."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array
