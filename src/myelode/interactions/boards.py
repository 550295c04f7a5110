"""A checkerboard on the model: its wells, each agent alone, and mixtures of fixed ratio.

An agent alone and a mixture are rays: doses that are a multiple of one pair of doses. Every ray is
titrated over a wide bracket, and doses of equal effect are then sought on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelode.dose_ladders import Axis
from myelode.errors import ScenarioError
from myelode.interactions.additivity import additive_effects
from myelode.interactions.equal_effects import Curve, Equal, equal_doses
from myelode.interactions.wells import Wells

PER_DECADE = 5
LEAST_DOSES = 2

Ray = tuple[float, float]
"""A dose of the first and of the second agent, of which all doses of the ray are multiples."""
FIRST, SECOND = (1.0, 0.0), (0.0, 1.0)
MIXTURE = 2
"""The number of the first mixture among the rays, behind the agents alone."""


@dataclass(frozen=True)
class Search:
    """A multiple of a ray that is sought: for a case, on the ray of that number, for an effect."""

    case: int
    ray: int
    target: float


class Board:
    """The effects of all wells of a scenario, and its rays.

    Attributes
    ----------
    axes : the ladders, each from dose zero on.
    control : what is read without either agent, by case.
    shares : what is left over that, of shape (cases, doses, doses2); NaN where that is nothing.
    """

    def __init__(
        self, wells: Wells, bracket: float, ratio: float | None, mixtures: Sequence[float]
    ):
        self.wells = wells
        self.axes = tuple(_with_zero(axis) for axis in wells.ladders)
        self.bracket = bracket
        tops = [axis.values[-1] for axis in self.axes]
        self.ratio = tops[1] / tops[0] if ratio is None else ratio
        self.rays: list[Ray] = [FIRST, SECOND]
        self.rays += [(1 - share, share * self.ratio) for share in mixtures]
        self._ladders = [self._ladder(ray) for ray in self.rays]
        self._read()

    def searched(self, searches: Sequence[Search]) -> Equal:
        """The multiple of its ray that each search is for."""
        cases = np.array([item.case for item in searches], dtype=int)
        rays = np.array([item.ray for item in searches], dtype=int)
        curves = [self.curve(item.case, item.ray) for item in searches]
        targets = np.array([item.target for item in searches], dtype=float)
        return equal_doses(
            curves, targets, lambda which, by: self.effects(cases[which], rays[which], by)
        )

    def has(self, case: int, ray: int) -> bool:
        """Whether a ray was titrated in a case."""
        return (case, ray) in self._curves

    def curve(self, case: int, ray: int) -> Curve:
        """A ray of a case over its whole bracket."""
        doses, whole = self._ladders[ray]
        return Curve(doses, self._curves[case, ray], whole)

    def effects(self, cases: np.ndarray, rays: np.ndarray, by: np.ndarray) -> np.ndarray:
        """The effects of multiples of rays."""
        directions = np.array(self.rays)[rays]
        doses = directions * np.asarray(by)[:, np.newaxis]
        return 1 - self._left(cases, doses[:, 0], doses[:, 1])

    def expected(self, cases: np.ndarray, doses: np.ndarray, doses2: np.ndarray) -> np.ndarray:
        """The effects of pairs of doses by Loewe additivity."""

        def alone(
            which: np.ndarray, first: np.ndarray, second: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray]:
            none = np.zeros(len(which))
            effects = 1 - self._left(
                np.tile(cases[which], 2),
                np.concatenate([first, none]),
                np.concatenate([none, second]),
            )
            one, other = np.split(effects, 2)
            return one, other

        curves, curves2 = ([self.curve(case, ray) for case in cases] for ray in (0, 1))
        return additive_effects(curves, curves2, doses, doses2, alone)

    def _left(self, cases: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """What wells leave over the control of their case."""
        return self._over_control(cases, self.wells.responses(cases, first, second))

    def _over_control(self, cases: np.ndarray, read: np.ndarray) -> np.ndarray:
        control = self.control[cases]
        share: np.ndarray = np.divide(
            read, control, out=np.full(len(read), np.nan), where=control > 0
        )
        return share

    def _read(self) -> None:
        """Run control, wells and rays, as one batch."""
        first, second = np.meshgrid(*(np.array(axis.values) for axis in self.axes), indexing="ij")
        plate = np.stack([first.ravel(), second.ravel()], axis=1)
        number = self.wells.cases
        rays = [(case, ray) for case in range(number) for ray in self._rays_of(case)]
        doses = [np.tile(plate, (number, 1))]
        doses += [np.outer(self._ladders[ray][0], self.rays[ray]) for _, ray in rays]
        cases = [np.repeat(np.arange(number), len(plate))]
        cases += [np.full(len(self._ladders[ray][0]), case) for case, ray in rays]
        every, where = np.concatenate(doses), np.concatenate(cases)
        read = self.wells.responses(where, every[:, 0], every[:, 1])
        ends = np.cumsum([len(part) for part in cases])
        # The first well of a plate has neither agent.
        self.control = read[: ends[0]].reshape(number, -1)[:, 0]
        parts = np.split(self._over_control(where, read), ends[:-1])
        self.shares = parts[0].reshape(number, *first.shape)
        self._curves = {key: 1 - part for key, part in zip(rays, parts[1:], strict=True)}

    def _rays_of(self, case: int) -> range:
        """Both agents and the first mixture; of a typical case all mixtures."""
        return range(len(self.rays) if case in self.wells.typical else MIXTURE + 1)

    def _ladder(self, ray: Ray) -> tuple[np.ndarray, bool]:
        """The multiples of a ray over its bracket; whether they end where a dose has to end."""
        lows, highs, ends = [], [], [math.inf]
        for agent, (part, axis) in enumerate(zip(ray, self.axes, strict=True)):
            if part > 0:
                lows.append(axis.values[1] / part / self.bracket)
                highs.append(axis.values[-1] / part * self.bracket)
                ends.append(self.wells.ceiling(agent) / part)
        low, high, end = min(lows), max(highs), min(ends)
        number = math.ceil(math.log10(min(high, end) / low) * PER_DECADE) + 1
        multiples = np.geomspace(low, min(high, end), number)
        # Rounding may not lift the last one above the range of a dose.
        multiples[-1] = min(high, end)
        return multiples, end <= high


def _with_zero(axis: Axis) -> Axis:
    """A ladder with dose zero, which every index needs; refuses one that brackets nothing."""
    positive = tuple(dose for dose in axis.values if dose > 0)
    if len(positive) < LEAST_DOSES:
        said = f"design.{axis.name} has {len(positive)} dose above zero, and so no bracket"
        raise ScenarioError(f"{said}: an index needs {LEAST_DOSES} or more of each agent")
    return Axis(axis.name, (0.0, *positive), axis.unit, dosed=axis.dosed)
