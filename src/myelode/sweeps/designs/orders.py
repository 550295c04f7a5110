"""The points of designs that an analysis of sensitivity needs, in the order that it reads them.

Row i depends on i and the seed alone, whatever is asked for before it or with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from myelode.errors import ScenarioError
from myelode.sweeps.designs import sections as sections
from myelode.sweeps.designs.points import Placed, Plain
from myelode.sweeps.designs.scales import AxisReader, Columns
from myelode.sweeps.designs.sequences import Sobol
from myelode.sweeps.designs.spaces import At, Space, movable, read_space

SHORTEST_TRAJECTORIES, FEWEST_LEVELS = 2, 2
TAIL = 0.025
"""What is left out of a distribution at both ends where a grid needs ends."""


@dataclass(frozen=True)
class Elasticities(Plain):
    """The base point, and each parameter times 1 + step and divided by it, one at a time.

    Attributes
    ----------
    base : the values of the base point; none may be zero, which has no relative change.
    step : above zero.
    """

    base: Mapping[str, float]
    step: float

    def __post_init__(self) -> None:
        if not self.base:
            raise ScenarioError("elasticities need a parameter or more to be over")
        if not 0 < self.step < np.inf:
            raise ScenarioError(f"the step of elasticities is {self.step:g}: it must be above zero")
        for name, value in self.base.items():
            if value == 0 or not np.isfinite(value):
                raise ScenarioError(
                    f"{name} is {value:g}, which has no elasticity: leave it out, or screen a "
                    "range of it with morris"
                )

    @property
    def count(self) -> int:
        """Number of points."""
        return 1 + 2 * len(self.base)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters."""
        return tuple(self.base)

    def columns(self, first: int, last: int) -> Columns:
        """Values of the points from `first` to before `last`."""
        rows = np.arange(first, last)
        up, changed = rows % 2 == 1, (rows - 1) // 2
        factor = np.where(up, 1 + self.step, 1 / (1 + self.step))
        return {
            name: np.where((rows > 0) & (changed == at), value * factor, value)
            for at, (name, value) in enumerate(self.base.items())
        }


@dataclass(frozen=True)
class Morris(Placed):
    """Trajectories through a grid, in which one parameter changes at a time, by half of its range.

    Trajectory t has the rows from t * (parameters + 1) on. The range of a distribution is that of
    its inner 95 %.

    Attributes
    ----------
    levels : of the grid, an even number.
    """

    space: Space
    trajectories: int
    levels: int
    seed: int

    def __post_init__(self) -> None:
        if self.trajectories < SHORTEST_TRAJECTORIES:
            raise ScenarioError(f"morris needs 2 trajectories or more, not {self.trajectories}")
        if self.levels < FEWEST_LEVELS or self.levels % 2:
            raise ScenarioError(f"morris needs an even number of levels, not {self.levels}")

    @property
    def rows(self) -> int:
        """Points of one trajectory."""
        return len(self.names) + 1

    @property
    def count(self) -> int:
        """Number of points."""
        return self.trajectories * self.rows

    def placed(self, first: int, last: int) -> np.ndarray:
        """The points without the tails of distributions."""
        unit = self.unit(first, last)
        for column, name in enumerate(self.names):
            if name in self.space.spreads:
                unit[:, column] = TAIL + (1 - 2 * TAIL) * unit[:, column]
        return unit

    def unit(self, first: int, last: int) -> np.ndarray:
        """The points in the unit cube (points, parameters)."""
        return _slices(first, last, self.rows, self._trajectories)

    def _trajectories(self, first: int, last: int) -> np.ndarray:
        return np.concatenate([self._trajectory(number) for number in range(first, last)])

    def _trajectory(self, number: int) -> np.ndarray:
        generator = np.random.default_rng([self.seed, number])
        many = len(self.names)
        half = self.levels // 2
        low = generator.integers(0, half, many)
        is_down = generator.integers(0, 2, many).astype(bool)
        order = generator.permutation(many)
        has_moved = np.arange(self.rows)[:, None] > np.argsort(order)[None, :]
        grid = low + half * (has_moved ^ is_down)
        return np.asarray(grid / (self.levels - 1))


@dataclass(frozen=True)
class Saltelli(Placed):
    """Two samples A and B, and all mixtures of theirs that indices of Sobol are made of.

    For each pair of rows: A, then A with one column of B in turn; for indices of second order B
    with one column of A in turn; then B. The pairs are a scrambled Sobol sequence.

    Attributes
    ----------
    points : pairs of rows, a power of two.
    """

    space: Space
    points: int
    seed: int
    second_order: bool = False

    def __post_init__(self) -> None:
        if self.points < 1 or self.points & (self.points - 1):
            raise ScenarioError(f"saltelli needs a power of two as points, not {self.points}")

    @property
    def rows(self) -> int:
        """Points that are made of one pair of rows."""
        return 2 + len(self.names) * (2 if self.second_order else 1)

    @property
    def count(self) -> int:
        """Number of points."""
        return self.points * self.rows

    def placed(self, first: int, last: int) -> np.ndarray:
        """The points as they are."""
        return self.unit(first, last)

    def unit(self, first: int, last: int) -> np.ndarray:
        """The points in the unit cube (points, parameters)."""
        return _slices(first, last, self.rows, self._mixtures)

    def _mixtures(self, first: int, last: int) -> np.ndarray:
        """All mixtures of the pairs from `first` to before `last`."""
        many = len(self.names)
        pairs = self._sequence.rows(first, last)
        takes_b = np.concatenate(list(self._masks(many)))
        a, b = pairs[:, None, :many], pairs[:, None, many:]
        return np.where(takes_b[None], b, a).reshape(-1, many)

    @cached_property
    def _sequence(self) -> Sobol:
        return Sobol(2 * len(self.names), self.seed, self.points)

    def _masks(self, many: int) -> Iterator[np.ndarray]:
        """Which columns of B the mixtures have."""
        yield np.zeros((1, many), bool)
        yield np.eye(many, dtype=bool)
        if self.second_order:
            yield ~np.eye(many, dtype=bool)
        yield np.ones((1, many), bool)


def elasticity_points(section: sections.Elasticities, reader: AxisReader, at: At) -> Elasticities:
    """The points of a section `elasticities`; raises ScenarioError with the place in the file.

    A column stands for its rows that can be moved alone, and have a value other than zero.
    """
    if isinstance(section.over, str):
        with at("over"):
            values = {name: reader.value(name) for name in movable(section.over, reader)}
            return Elasticities({name: v for name, v in values.items() if v}, section.step)
    values = {}
    for place, name in enumerate(section.over):
        with at("over", place):
            if reader.is_place(name):
                raise ScenarioError(f"{name!r} is no number: it has no elasticity")
            values[name] = reader.value(name)
    with at("over"):
        return Elasticities(values, section.step)


def morris_points(section: sections.Morris, reader: AxisReader, at: At) -> Morris:
    """The points of a section `morris`; raises ScenarioError with the place in the file."""
    space = read_space(section.over, reader, partial(at, "over"))
    return Morris(space, section.trajectories, section.levels, section.seed)


def saltelli_points(section: sections.Saltelli, reader: AxisReader, at: At) -> Saltelli:
    """The points of a section `saltelli`; raises ScenarioError with the place in the file."""
    space = read_space(section.over, reader, partial(at, "over"))
    return Saltelli(space, section.points, section.seed, section.second_order)


def _slices(
    first: int, last: int, rows: int, groups: Callable[[int, int], np.ndarray]
) -> np.ndarray:
    """Rows out of groups of neighbouring ones, of which only those that are needed are made."""
    start, end = first // rows, -(-last // rows)
    made = groups(start, max(end, start + 1))
    return made[first - start * rows : last - start * rows]
