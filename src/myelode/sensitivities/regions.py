"""Where in the space of the parameters points fail: in words, by thresholds of few parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelode.sensitivities.samples import Parameter, Reading, Sample

CLEAR = 0.5
"""A threshold is named where at most this share of the points that succeeded lie beyond it."""
HALVES = 0.5
"""A second one is named where it leaves at most this share of those beyond the first."""


@dataclass(frozen=True)
class _Threshold:
    """The tightest one on one side of a parameter beyond which all failed points lie."""

    parameter: Parameter
    is_above: bool
    level: float
    beyond: np.ndarray

    @property
    def said(self) -> str:
        side = "above" if self.is_above else "below"
        unit = self.parameter.unit.replace("dimensionless", "")
        return f"{self.parameter.name} {side} {self.level:.7g} {unit}".strip()


def failing_points(sample: Sample) -> str:
    """``12 of 6144 points failed, all with k_H above 3.2 1/h (5000 steps were not enough)``."""
    return _said(sample, sample.has_failed, "failed") + commonest(sample.reasons)


def _said(sample: Sample, lost: np.ndarray, what: str) -> str:
    where = failing_region(sample.parameters, sample.points, lost)
    return f"{int(lost.sum())} of {lost.size} points {what}, {where}"


def numberless_points(sample: Sample, reading: Reading) -> str:
    """``185 of 2560 points never reach ic50, all with ...``, of those that have not failed."""
    lost = ~np.isfinite(reading.values) & ~sample.has_failed
    never = np.isinf(reading.values[lost]).all()
    what = f"never reach {reading.label}" if never else f"have no number for {reading.label}"
    return _said(sample, lost, what)


def failing_region(parameters: Sequence[Parameter], points: np.ndarray, lost: np.ndarray) -> str:
    """Where the lost points lie, and how many of the others lie there too."""
    if lost.all():
        return "which is all of them"
    found = _thresholds(parameters, points, lost)
    best = min(found, key=lambda item: int((item.beyond & ~lost).sum()), default=None)
    if best is None or (best.beyond & ~lost).sum() > CLEAR * (~lost).sum():
        return "in no region that one parameter marks off"
    second = min(found, key=lambda item: int((item.beyond & best.beyond & ~lost).sum()))
    others, said = int((best.beyond & ~lost).sum()), best.said
    left = int((second.beyond & best.beyond & ~lost).sum())
    if others and left <= HALVES * others:
        others, said = left, f"{said} and {second.said}"
    return f"all with {said}" + (f" (where {others} did not)" if others else "")


def _thresholds(
    parameters: Sequence[Parameter], points: np.ndarray, lost: np.ndarray
) -> list[_Threshold]:
    found = []
    for parameter, values in zip(parameters, points.T, strict=True):
        for is_above in (True, False):
            edge = values[lost].min() if is_above else values[lost].max()
            beyond = values >= edge if is_above else values <= edge
            if beyond.all():
                continue
            next_one = values[~beyond].max() if is_above else values[~beyond].min()
            level = _between(float(edge), float(next_one))
            found.append(_Threshold(parameter, is_above, level, beyond))
    return found


def _between(one: float, other: float) -> float:
    """A number between two others, with as few digits as will do."""
    middle = (one + other) / 2
    for digits in range(1, 8):
        level = float(f"{middle:.{digits}g}")
        if min(one, other) <= level <= max(one, other):
            return level
    return middle


def commonest(reasons: Sequence[str]) -> str:
    """The reason that is given most often, in brackets."""
    known = Counter(reason for reason in reasons if reason)
    if not known:
        return ""
    [(reason, times)] = known.most_common(1)
    if len(known) == 1:
        return f" ({reason})"
    return f" ({f'most often, {times} times' if times > 1 else 'among others'}: {reason})"
