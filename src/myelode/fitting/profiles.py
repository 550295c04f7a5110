"""Profiles: how much worse the fit becomes as one value is moved and the others follow.

The interval of a value ends where the sum of squares has risen by the 95 % quantile of chi square
with one degree of freedom, times the inflation of the errors. A side on which that never happens
within the bounds is open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from myelode.fitting.free_values import FreeValue
from myelode.fitting.identifiability import NORMAL_95, Estimate
from myelode.fitting.search import End, Search

THRESHOLD = NORMAL_95**2
"""The 95 % quantile of chi square with one degree of freedom."""

FIRST_STEP, LEAST_STEP, MOST_STEP = 0.1, 1e-4, 0.5
"""Steps in decimal logarithms."""
_STEPS = 30
_REFINEMENTS = 4
_CLOSE = 0.01
"""An end is good where the rise is within this share of the threshold."""
_PART = 0.1
"""The share of the threshold that one step should add."""


@dataclass(frozen=True)
class Profile:
    """The least sum of squares at each value of a free value, in increasing order of the values.

    `interval` holds the ends of the 95 % interval, None on a side that is open; `threshold` is the
    rise of the objective at which it ends; `went_lower` says that the fit was not the best one.
    """

    values: tuple[float, ...]
    objective: tuple[float, ...]
    interval: tuple[float | None, float | None]
    threshold: float
    went_lower: bool = False


_Point = tuple[float, float]
"""A decimal logarithm, and the objective there."""


def profiles_of(
    search: Search, best: End, known: Sequence[Estimate], threshold: float
) -> dict[str, Profile]:
    """The profile of every free value around the best end of a search, by name."""
    free = search.problem.free
    return {
        value.key.text: _profile(search, best, place, threshold, known[place])
        for place, value in enumerate(free)
    }


def _profile(search: Search, best: End, place: int, threshold: float, known: Estimate) -> Profile:
    step = FIRST_STEP
    if known.interval is not None:
        step = math.log10(known.interval[1] / known.interval[0]) / 2 * math.sqrt(_PART)
    walks = [
        _Walk(search, best, place, threshold).go(sign, min(max(step, LEAST_STEP), MOST_STEP))
        for sign in (-1, 1)
    ]
    least = best.evaluation.objective
    middle = (float(best.logs[place]), least)
    points = [*reversed(walks[0][0]), middle, *walks[1][0]]
    lower, upper = (None if end is None else 10.0**end for _, end in walks)
    lower_still = any(objective < least - _CLOSE * threshold for _, objective in points)
    return Profile(
        tuple(10.0**log for log, _ in points), tuple(objective for _, objective in points),
        (lower, upper), threshold, lower_still,
    )  # fmt: skip


class _Walk:
    """Goes from the optimum to one side until the threshold or the bound."""

    def __init__(self, search: Search, best: End, place: int, threshold: float):
        self.search, self.place, self.threshold = search, place, threshold
        self.start, self.least = float(best.logs[place]), best.evaluation.objective
        self.logs = best.logs.copy()
        self.points: list[_Point] = []

    def go(self, sign: int, step: float) -> tuple[list[_Point], float | None]:
        """The points in order from the optimum, and where the threshold is passed, if it is."""
        bound = float((self.search.high if sign > 0 else self.search.low)[self.place])
        here = (self.start, self.least)
        for _ in range(_STEPS):
            if (bound - here[0]) * sign <= LEAST_STEP:
                return self.points, None
            there = self._at(_towards(here[0] + sign * step, bound, sign))
            if self._rise(there) >= self.threshold:
                return self._refined(here, there)
            step = self._next_step(step, self._rise(there) - self._rise(here))
            here = there
        return self.points, None

    def _next_step(self, step: float, gained: float) -> float:
        """A longer step where the last one brought little, a shorter one where it brought much."""
        wanted = _PART * self.threshold
        scale = 2.0 if gained < wanted / 2 else 0.5 if gained > 4 * wanted else 1.0
        return min(max(step * scale, LEAST_STEP), MOST_STEP)

    def _at(self, log: float) -> _Point:
        """The objective at a value, the others fitted from where they were last."""
        start = self.logs.copy()
        start[self.place] = log
        if len(start) == 1:
            found = float(self.search.evaluate(start).objective)
        else:
            end = self.search.descend(start, self.place)
            self.logs, found = end.logs, end.evaluation.objective
        self.points.append((log, found))
        return log, found

    def _rise(self, point: _Point) -> float:
        return point[1] - self.least

    def _refined(self, low: _Point, high: _Point) -> tuple[list[_Point], float]:
        """Where the threshold is passed: the root of the rise is close to linear there."""
        for _ in range(_REFINEMENTS):
            log = self._crossing(low, high)
            there = self._at(log)
            rise = self._rise(there)
            if abs(rise - self.threshold) <= _CLOSE * self.threshold:
                break
            low, high = (low, there) if rise > self.threshold else (there, high)
        self.points.sort(key=lambda point: abs(point[0] - self.start))
        return self.points, self._crossing(*self._bracket())

    def _crossing(self, low: _Point, high: _Point) -> float:
        first, last = (math.sqrt(max(self._rise(point), 0.0)) for point in (low, high))
        share = (math.sqrt(self.threshold) - first) / (last - first)
        return low[0] + share * (high[0] - low[0])

    def _bracket(self) -> tuple[_Point, _Point]:
        """The closest points on both sides of the threshold."""
        points = [(self.start, self.least), *self.points]
        above = next(at for at, p in enumerate(points) if self._rise(p) >= self.threshold)
        return points[above - 1], points[above]


def _towards(log: float, bound: float, sign: int) -> float:
    return min(log, bound) if sign > 0 else max(log, bound)


def with_profile(known: Estimate, value: FreeValue, found: Profile) -> Estimate:
    """The estimate with the interval of a profile, which counts more than the local one."""
    low, high = found.interval
    kept = [part for part in known.word.split("; ") if part.startswith(("at its", "its prior"))]
    said = []
    if low is None and high is None:
        said.append(f"not identified: no bound within {value.low:.3g} to {value.high:.3g}")
    elif high is None:
        said.append(f"above {low:.3g}, no upper bound up to {value.high:.3g}")
    elif low is None:
        said.append(f"below {high:.3g}, no lower bound down to {value.low:.3g}")
    elif any(part.startswith("its prior") for part in kept):
        said.append(known.word.partition("; ")[0])
    if found.went_lower:
        said.append("the profile finds a better fit: begin from more places")
    closed = None if low is None or high is None else (low, high)
    return replace(known, interval=closed, word="; ".join([*said, *kept]) or "identified")
