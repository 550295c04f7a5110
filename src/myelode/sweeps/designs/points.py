"""Kinds of points: any slice of them can be had, and none is made before it is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from myelode.sweeps.designs.sequences import Sequence as UnitSequence
from myelode.sweeps.designs.spaces import AxisReader, Columns, Space


class Points(Protocol):
    """The points of a design.

    Attributes
    ----------
    count : how many there are.
    names : the axes.
    """

    @property
    def count(self) -> int: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`.

        Numbers in the model's units; object arrays of texts for places of the scenario. Row i
        depends on i alone.
        """
        ...


@dataclass(frozen=True)
class Grid:
    """All combinations of the axes' values, the last axis fastest."""

    axes: Mapping[str, np.ndarray]

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return tuple(self.axes)

    @property
    def count(self) -> int:
        """How many points there are."""
        return math.prod(map(len, self.axes.values()))

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        numbers, columns = np.arange(first, last), {}
        for name, values in reversed([*self.axes.items()]):
            numbers, places = np.divmod(numbers, len(values))
            columns[name] = values[places]
        return dict(reversed([*columns.items()]))


@dataclass(frozen=True)
class Sampled:
    """Points of a sequence in the unit cube, placed in a space."""

    space: Space
    sequence: UnitSequence
    count: int

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return self.space.names

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        return self.space.from_unit(self.sequence.rows(first, last))


@dataclass(frozen=True)
class Subjects:
    """Draws of all rows of the parameter table that state a spread, as scenarios draw them."""

    reader: AxisReader
    column: str
    seed: int
    count: int
    names: tuple[str, ...]

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        return self.reader.drawn(self.column, None, self.seed, first, last)


@dataclass(frozen=True)
class Listed:
    """Points of a table."""

    values: Columns
    count: int

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return tuple(self.values)

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        return {name: values[first:last] for name, values in self.values.items()}


@dataclass(frozen=True)
class Crossed:
    """Every point of each part with every point of the others, the last part fastest."""

    parts: Sequence[Points]

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def count(self) -> int:
        """How many points there are."""
        return math.prod(part.count for part in self.parts)

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        columns: Columns = {}
        stride = self.count
        for part in self.parts:
            stride //= part.count
            columns |= _repeated(part, stride, first, last)
        return columns


@dataclass(frozen=True)
class Zipped:
    """The first point of each part together, then the second, and so on."""

    parts: Sequence[Points]

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return tuple(name for part in self.parts for name in part.names)

    @property
    def count(self) -> int:
        """How many points there are."""
        return self.parts[0].count

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        return {n: v for part in self.parts for n, v in part.columns(first, last).items()}


def _repeated(part: Points, stride: int, first: int, last: int) -> Columns:
    """Rows of a part of which each stands `stride` times, over and over again."""
    start, end = first // stride, -(-last // stride)
    wanted = np.arange(first, last) // stride
    if end - start >= part.count:
        rows, places = part.columns(0, part.count), wanted % part.count
    elif start % part.count + end - start <= part.count:
        low = start % part.count
        rows, places = part.columns(low, low + end - start), wanted - start
    else:
        low = start % part.count
        ends = part.columns(low, part.count), part.columns(0, low + end - start - part.count)
        rows = {name: np.concatenate([end_[name] for end_ in ends]) for name in part.names}
        places = wanted - start
    return {name: values[places] for name, values in rows.items()}
