"""Spaces from which points are drawn: a scale for each axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import isfinite

import numpy as np

from myelode.errors import ModelError, ScenarioError
from myelode.sweeps.designs.scales import (
    AxisReader,
    Choice,
    Columns,
    Quantiles,
    Scale,
    Stretch,
    Written,
    as_texts,
)
from myelode.sweeps.designs.sections import Column, Over, Range, Span, Spread
from myelode.units import factor, split_quantity

At = Callable[..., AbstractContextManager[None]]
"""Says at which place of the file errors inside arise, below the place that it is bound to."""


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

    @property
    def about(self) -> str:
        """The distributions."""
        return "".join(s.about for s in self.scales.values() if isinstance(s, Quantiles))

    def from_unit(self, unit: np.ndarray) -> Columns:
        """Values by axis at points (points, axes) of the unit cube."""
        return {
            name: scale.values(np.ascontiguousarray(unit[:, number]))
            for number, (name, scale) in enumerate(self.scales.items())
        }

    def marks(self, unit: np.ndarray) -> Columns:
        """What stands for the values at points of the unit cube in the key of a chunk."""
        return {
            name: scale.marks(np.ascontiguousarray(unit[:, number]))
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


def read_range(name: str, axis: Range, reader: AxisReader, at: At) -> np.ndarray:
    """The values of an axis of a grid that runs from one value to another."""
    scale = read_span(name, axis, reader, at)
    if isinstance(scale, Written):
        return scale.texts(scale.scale.spaced(axis.points))
    return scale.spaced(axis.points)
