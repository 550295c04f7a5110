"""Spaces from which points are drawn: what numbers between 0 and 1 mean on each axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import numpy as np

from myelode.errors import ModelError, ScenarioError
from myelode.sweeps.designs.sections import Column, Over, Range, Span, Spread
from myelode.units import factor, split_quantity

Columns = dict[str, np.ndarray]
"""Values by axis: numbers in the model's units, or texts (an object array) for places."""

At = Callable[..., AbstractContextManager[None]]
"""Says at which place of the file errors inside arise, below the place that it is bound to."""

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


class Scale(Protocol):
    """The values of one axis."""

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        ...


@dataclass(frozen=True)
class Stretch:
    """Numbers from `low` to `high`, evenly or evenly on a logarithmic scale; both ends exact."""

    low: float
    high: float
    is_log: bool

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        if self.is_log:
            return np.asarray(np.power(self.low, 1 - unit) * np.power(self.high, unit))
        return self.low * (1 - unit) + self.high * unit

    def spaced(self, points: int) -> np.ndarray:
        """So many values, both ends among them."""
        spaced = np.geomspace if self.is_log else np.linspace
        return np.asarray(spaced(self.low, self.high, points))


@dataclass(frozen=True)
class Choice:
    """Listed values, each with the same share."""

    items: np.ndarray

    def values(self, unit: np.ndarray) -> np.ndarray:
        """The values at numbers from 0 to 1."""
        number = (unit * len(self.items)).astype(np.int64)
        return np.asarray(self.items[np.minimum(number, len(self.items) - 1)])


@dataclass(frozen=True)
class Written:
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


@dataclass(frozen=True)
class Space:
    """Axes from which points are drawn.

    Attributes
    ----------
    names : the axes, in the order of the columns of the unit cube.
    spreads : those that are read as a distribution, which reaches to infinity at 0 and 1.
    """

    scales: dict[str, Scale]

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return tuple(self.scales)

    @property
    def spreads(self) -> frozenset[str]:
        """The axes that are distributions."""
        return frozenset(n for n, scale in self.scales.items() if isinstance(scale, Quantiles))

    def from_unit(self, unit: np.ndarray) -> Columns:
        """Values by axis at points (points, axes) of the unit cube."""
        return {
            name: scale.values(np.ascontiguousarray(unit[:, number]))
            for number, (name, scale) in enumerate(self.scales.items())
        }


def read_space(over: Over, reader: AxisReader, at: At) -> Space:
    """The space of an `over:`; `at` is bound to it. Raises ScenarioError with the place."""
    if isinstance(over, str):
        with at():
            names = movable(over, reader)
        return Space({name: _quantiles(name, over, reader, at) for name in names})
    return Space({name: _scale(name, axis, reader, at) for name, axis in over.items()})


def movable(column: Column, reader: AxisReader) -> list[str]:
    """The rows that state a spread of their own: shares of a whole only move together."""
    middle = np.zeros(1)

    def is_movable(name: str) -> bool:
        try:
            reader.quantile(name, column, middle)
        except (ScenarioError, ModelError):
            return False
        return True

    return [name for name in reader.drawn(column, None, 1, 0, 1) if is_movable(name)]


def _scale(
    name: str, axis: list[str | float | int] | Span | Spread, reader: AxisReader, at: At
) -> Scale:
    if isinstance(axis, Spread):
        return _quantiles(name, axis.spread, reader, lambda: at(name))
    if isinstance(axis, list):
        return Choice(read_list(name, axis, reader, at))
    return read_span(name, axis, reader, at)


def _quantiles(name: str, column: str, reader: AxisReader, at: At) -> Quantiles:
    """Raises at once what would be raised at the first point."""
    scale = Quantiles(name, column, reader)
    with at():
        if reader.is_place(name):
            raise ScenarioError(f"{name!r} is no value of the model: it has no spread")
        scale.values(np.array([0.5]))
    return scale


def read_list(
    name: str, values: Sequence[str | float | int], reader: AxisReader, at: At
) -> np.ndarray:
    """Listed values of an axis, in the order in which they are listed."""
    with at(name):
        is_place = reader.is_place(name)
    if is_place:
        return as_texts([str(value) for value in values])
    numbers = []
    for position, value in enumerate(values):
        with at(name, position):
            numbers.append(reader.number(name, value))
    return np.array(numbers, dtype=float)


def read_span(name: str, axis: Span, reader: AxisReader, at: At) -> Stretch | Written:
    """The scale of an axis that runs from one value to another."""
    with at(name):
        if reader.is_place(name):
            return _written(axis)
        low, high = (reader.number(name, end) for end in (axis.from_, axis.to))
        return _stretch(axis, low, high)


def _written(axis: Span) -> Written:
    """A place's values stand in the unit of their first."""
    low, unit = split_quantity(axis.from_)
    high, other = split_quantity(axis.to)
    if unit is None or other is None:
        if unit != other:
            raise ScenarioError(f"one of {axis.from_!r} and {axis.to!r} has no unit")
        return Written(_stretch(axis, low, high), "")
    return Written(_stretch(axis, low, high * factor(other, unit, "'to'")), unit)


def _stretch(axis: Span, low: float, high: float) -> Stretch:
    if low == high:
        raise ScenarioError(f"an axis runs from one value to another, not twice {axis.from_!r}")
    if not isfinite(high - low):
        raise ScenarioError(f"{axis.from_!r} and {axis.to!r} are too far apart")
    if axis.spacing == "log" and not (low > 0 and high > 0):
        raise ScenarioError(
            f"values spaced evenly on a logarithmic scale are positive, "
            f"not from {axis.from_!r} to {axis.to!r}"
        )
    return Stretch(low, high, axis.spacing == "log")


def as_texts(texts: Sequence[str]) -> np.ndarray:
    """Texts as an array of objects."""
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def read_range(name: str, axis: Range, reader: AxisReader, at: At) -> np.ndarray:
    """The values of an axis of a grid that runs from one value to another."""
    scale = read_span(name, axis, reader, at)
    if isinstance(scale, Written):
        return scale.texts(scale.scale.spaced(axis.points))
    return scale.spaced(axis.points)
