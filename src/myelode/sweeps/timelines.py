"""The timelines of many runs of one treatment: compiled once for all points that share them.

To compile a regimen takes as long as to integrate it. What it reads of a point (sizes of doses,
values that turn these into amounts) is noted while it is compiled, and points that are alike in
that share a timeline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from myelode.design import Point
from myelode.errors import ScenarioError
from myelode.plan import Planner, Treatment
from myelode.regimens.timeline import Timeline

Values = Mapping[str, float | np.ndarray]
"""Numbers by name; arrays along the points where they differ."""

Starts = Callable[[str], np.ndarray]
"""Values that the model computes at the start of each run."""


class _Noted(Mapping[str, float]):
    """The values of one point, noting which of them are read."""

    def __init__(self, values: Mapping[str, float]):
        self._values = values
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> float:
        if name in self._values:
            self.read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        self.read |= self._values.keys()
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values


@dataclass(frozen=True)
class Compiled:
    """The timeline of each point, and why there is none for those that the regimen refuses."""

    timelines: tuple[Timeline | None, ...]
    refusals: Mapping[int, str]


class Timelines:
    """Compiles the timelines of a treatment at many points.

    Parameters
    ----------
    point : the doses of the scenario's own ladder.
    doses : sizes along the points, by label.
    values : what differs from the model.
    starts : gives the initial values that the model computes, when they are asked for.
    """

    def __init__(
        self,
        planner: Planner,
        treatment: Treatment,
        point: Point,
        doses: Mapping[str, np.ndarray],
        values: Values,
        starts: Starts,
        count: int,
    ):
        self._planner = planner
        self._treatment = treatment
        self._point = point
        self._doses = doses
        self._values = values
        self._starts = starts
        self._count = count
        self._read: set[str] = set()
        self._asked: dict[str, np.ndarray] = {}

    def compile(self) -> Compiled:
        """The timelines of all points."""
        while True:
            known = len(self._read), len(self._asked)
            firsts, groups = self._groups()
            found = [self._one(int(number)) for number in firsts]
            if (len(self._read), len(self._asked)) == known:
                break
        lines = [item if isinstance(item, Timeline) else None for item in found]
        refused = {
            number: found[group]
            for number, group in enumerate(groups)
            if isinstance(found[group], str)
        }
        return Compiled(
            tuple(lines[group] for group in groups),
            {number: str(text) for number, text in refused.items()},
        )

    def _groups(self) -> tuple[np.ndarray, np.ndarray]:
        """The first point of each group that reads the same, and the group of each point."""
        columns = [*self._doses.values(), *self._asked.values()]
        columns += [self._varied(name) for name in sorted(self._read) if self._is_varied(name)]
        if not columns:
            return np.zeros(1, dtype=int), np.zeros(self._count, dtype=int)
        rows = np.ascontiguousarray(np.stack(columns, axis=1))
        return _alike(rows)

    def _is_varied(self, name: str) -> bool:
        return isinstance(self._values[name], np.ndarray)

    def _varied(self, name: str) -> np.ndarray:
        return np.asarray(self._values[name], dtype=float)

    def _one(self, number: int) -> Timeline | str:
        """The timeline of one point, or why it has none; what it reads is noted."""
        noted = _Noted({name: value_at(value, number) for name, value in self._values.items()})
        sizes = {label: float(array[number]) for label, array in self._doses.items()}
        point = Point(self._point.place, {**self._point.doses, **sizes})
        planner = self._planner
        try:
            instants = planner.instants(
                self._treatment, point, noted, partial(self._start, number=number)
            )
        except ScenarioError as error:
            return str(error)
        finally:
            self._read |= noted.read
        return Timeline(instants, planner.end, planner.equilibration)

    def _start(self, name: str, number: int) -> float:
        if name not in self._asked:
            self._asked[name] = self._starts(name)
        return float(self._asked[name][number])


def value_at(value: float | np.ndarray, number: int) -> float:
    """A number of one point, which may be that of all."""
    return float(value[number]) if isinstance(value, np.ndarray) else value


def _alike(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first of each group of equal rows, and the group of each row."""
    keys: dict[bytes, int] = {}
    firsts: list[int] = []
    groups = np.empty(len(rows), dtype=int)
    for number, row in enumerate(rows):
        group = keys.setdefault(row.tobytes(), len(keys))
        if group == len(firsts):
            firsts.append(number)
        groups[number] = group
    return np.array(firsts, dtype=int), groups


def certain(lines: Sequence[Timeline | None]) -> tuple[Timeline, ...]:
    """Those that there are."""
    return tuple(line for line in lines if line is not None)
