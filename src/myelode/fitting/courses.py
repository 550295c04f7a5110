"""What the model says between the readings of a fit, before it and after it: lines for figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from myelode.calibration import Records, Series
from myelode.fitting.fits import Fit
from myelode.fitting.measurements import Measurement
from myelode.fitting.own_data import is_over_dose
from myelode.fitting.predictions import Curves, Tally, Target, predict
from myelode.fitting.residuals import readings_of
from myelode.fitting.targets import elsewhere

TIMES, DOSES = 81, 41
"""How many points a line has."""


@dataclass(frozen=True)
class Course:
    """A line through the readings of a series at the places `chosen` among them.

    `over` is time or dose; `at` is the dose or the time that is the same for all, None where there
    is no dose. `x`, `before` and `after` are of one length, in the units of the readings.
    """

    over: str
    at: float | None
    chosen: np.ndarray
    x: np.ndarray
    before: np.ndarray
    after: np.ndarray


def courses_of(found: Fit) -> dict[str, list[Course]]:
    """The lines of every series, by its id, with the present and with the fitted values."""
    lines: dict[str, list[Course]] = {}
    for source in found.problem.sources:
        if isinstance(source, Curves):
            fine = elsewhere(found.problem.found, source, _Fine(source.targets))
            before, after = _outputs(found, fine)
            for target in source.targets:
                name = target.series.id
                lines[name] = list(_courses(found, target, before.get(name), after.get(name)))
    return lines


class _Fine:
    """Places on lines through readings, as if they had been measured there."""

    def __init__(self, targets: Sequence[Target]):
        self.targets = {target.series.id: target for target in targets}

    def measurements(self, series: Series, records: Records) -> list[Measurement]:
        """The places on all lines of a series, in order."""
        return [point for group in _groups(self.targets[series.id]) for point in group.points]


@dataclass(frozen=True)
class _Group:
    over: str
    at: float | None
    chosen: np.ndarray
    points: tuple[Measurement, ...]


def _groups(target: Target) -> Iterator[_Group]:
    """The readings of a target at one time over doses, or at one dose over time."""
    measured = target.measured
    by_dose = is_over_dose([(point.time, point.dose) for point in measured])
    fixed = [point.time if by_dose else point.dose for point in measured]
    for at in dict.fromkeys(fixed):
        chosen = np.array([place for place, other in enumerate(fixed) if other == at])
        own = [measured[place] for place in chosen]
        if by_dose:
            doses = _doses([point.dose or 0.0 for point in own])
            points = [Measurement(own[0].time, float(dose), np.nan, 1.0) for dose in doses]
        else:
            times = np.linspace(0, max(point.time for point in own), TIMES)
            points = [Measurement(float(time), at, np.nan, 1.0) for time in times]
        yield _Group("dose" if by_dose else "time", at, chosen, tuple(points))


def _doses(measured: Sequence[float]) -> np.ndarray:
    """Doses evenly spaced on a log scale, and zero where that was measured."""
    positive = [dose for dose in measured if dose > 0]
    line = np.geomspace(min(positive), max(positive), DOSES) if positive else np.zeros(0)
    return np.unique([*line, *measured])


def _outputs(found: Fit, fine: Curves) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
    """The outputs of every series with the present and with the fitted values."""
    before = {item.key.text: item.before for item in found.problem.free}
    return predict(fine, before, Tally()), predict(fine, found.overrides, Tally())


def _courses(
    found: Fit, target: Target, before: np.ndarray | None, after: np.ndarray | None
) -> Iterator[Course]:
    name, rule = target.series.id, target.series.observation
    coefficients = (found.before.series[name].coefficients, found.after.series[name].coefficients)
    start = 0
    for group in _groups(target):
        end = start + len(group.points)
        missing = np.full(end - start, np.nan)
        lines = [
            readings_of(rule, known, missing if outputs is None else outputs[start:end])
            for known, outputs in zip(coefficients, (before, after), strict=True)
        ]
        x = np.array([getattr(point, group.over) for point in group.points], dtype=float)
        yield Course(group.over, group.at, group.chosen, x, *lines)
        start = end
