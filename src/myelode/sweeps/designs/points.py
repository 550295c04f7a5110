"""Kinds of points: any slice of them can be had, and none is made before it is needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from myelode.sweeps.designs.scales import AxisReader, Columns
from myelode.sweeps.designs.sequences import Sequence as UnitSequence
from myelode.sweeps.designs.spaces import Space

Rows = Callable[[int, int], Columns]
"""Rows of a design, from the first to before the last."""


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

    def marks(self, first: int, last: int) -> Columns:
        """What stands for the values in the key of a chunk.

        It is cheap, the same on every processor, and with `about` says what the values are.
        """
        ...

    @property
    def about(self) -> str:
        """What the values depend on, beside the marks."""
        ...


class Plain:
    """Points whose values are cheap, and the same on every processor."""

    about = ""

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        raise NotImplementedError

    def marks(self, first: int, last: int) -> Columns:
        """The values themselves."""
        return self.columns(first, last)


@dataclass(frozen=True)
class Grid(Plain):
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


class Placed:
    """Points of the unit cube, placed in a space."""

    space: Space

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return self.space.names

    def placed(self, first: int, last: int) -> np.ndarray:
        """The points from `first` to before `last` in the unit cube (points, axes)."""
        raise NotImplementedError

    def columns(self, first: int, last: int) -> Columns:
        """Values by axis of the points from `first` to before `last`."""
        return self.space.from_unit(self.placed(first, last))

    def marks(self, first: int, last: int) -> Columns:
        """What stands for the values in the key of a chunk."""
        return self.space.marks(self.placed(first, last))

    @property
    def about(self) -> str:
        """The distributions of the space."""
        return self.space.about


@dataclass(frozen=True)
class Sampled(Placed):
    """Points of a sequence in the unit cube, placed in a space."""

    space: Space
    sequence: UnitSequence
    count: int

    def placed(self, first: int, last: int) -> np.ndarray:
        """Rows of the sequence."""
        return self.sequence.rows(first, last)


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

    def marks(self, first: int, last: int) -> Columns:
        """The numbers of the subjects."""
        return dict.fromkeys(self.names, np.arange(first, last, dtype=float))

    @property
    def about(self) -> str:
        """The seed and the spreads."""
        return f"{self.seed} {self.reader.spread(self.column, None)}"


@dataclass(frozen=True)
class Listed(Plain):
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
        return self._together([part.columns for part in self.parts], first, last)

    def marks(self, first: int, last: int) -> Columns:
        """What stands for the values in the key of a chunk."""
        return self._together([part.marks for part in self.parts], first, last)

    @property
    def about(self) -> str:
        """What the values of all parts depend on."""
        return "".join(part.about for part in self.parts)

    def _together(self, getters: Sequence[Rows], first: int, last: int) -> Columns:
        columns: Columns = {}
        stride = self.count
        for part, rows in zip(self.parts, getters, strict=True):
            stride //= part.count
            columns |= _repeated(rows, part.count, stride, first, last)
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

    def marks(self, first: int, last: int) -> Columns:
        """What stands for the values in the key of a chunk."""
        return {n: v for part in self.parts for n, v in part.marks(first, last).items()}

    @property
    def about(self) -> str:
        """What the values of all parts depend on."""
        return "".join(part.about for part in self.parts)


def _repeated(part: Rows, count: int, stride: int, first: int, last: int) -> Columns:
    """Rows of a part of which each stands `stride` times, over and over again."""
    start, end = first // stride, -(-last // stride)
    wanted = np.arange(first, last) // stride
    if end - start >= count:
        rows, places = part(0, count), wanted % count
    elif start % count + end - start <= count:
        low = start % count
        rows, places = part(low, low + end - start), wanted - start
    else:
        low = start % count
        one, two = part(low, count), part(0, low + end - start - count)
        rows = {name: np.concatenate([values, two[name]]) for name, values in one.items()}
        places = wanted - start
    return {name: values[places] for name, values in rows.items()}
