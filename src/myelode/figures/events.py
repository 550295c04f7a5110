"""What happens in a panel over time: each event once by name, and where it comes again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from myelode.regimens.counts import GIVEN
from myelode.regimens.steps import Step
from myelode.regimens.timeline import SAME_TIME, tidy
from myelode.units import to_unit

_NUMBERED = re.compile(r"(.+)_\d+")
_OWN = {"at", "label", "count"}


@dataclass(frozen=True)
class Event:
    """Where something first happens, its name, and where it happens `again`.

    An event is not `certain` where it hangs on a condition that did not always hold.
    """

    place: float
    text: str
    again: tuple[float, ...] = ()
    certain: bool = True


@dataclass(frozen=True)
class EventAxis:
    """The time axis as events need it: its unit in the data, its end, and how to write a time."""

    unit: str
    length: float
    end: float
    moment: Callable[[float], str]


def events_of(
    steps: Sequence[Step], labels: Mapping[str, float], counts: xr.Dataset, axis: EventAxis
) -> tuple[Event, ...]:
    """The events of an arm by place: its steps with a label, at the times in `labels`.

    `counts` are the numbers of those that took place, in the runs of the panel; what never did is
    left out.
    """
    named = [step for step in steps if step.label in labels]
    found = [_Series(group, labels, counts, axis) for group in _groups(named)]
    happened = [series for series in found if series.happened]
    once = [series for series in happened if len(series.times) == 1]
    again = [series.event() for series in happened if len(series.times) > 1]
    return tuple(sorted([*_merged(once, axis), *again], key=lambda event: event.place))


def _groups(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps that do the same under labels such as ``dose``, ``dose_2``; others stand alone."""
    families: dict[str, list[Step]] = {}
    for step in steps:
        families.setdefault(_family(step), []).append(step)
    return list(families.values())


def _family(step: Step) -> str:
    match = _NUMBERED.fullmatch(str(step.label))
    return f"{match[1] if match else step.label} {step.model_dump_json(exclude=_OWN)}"


class _Series:
    """All occurrences of one step, or of several that do the same."""

    def __init__(
        self,
        steps: Sequence[Step],
        labels: Mapping[str, float],
        counts: xr.Dataset,
        axis: EventAxis,
    ):
        self.starts = sorted(labels[str(step.label)] for step in steps)
        first = min(steps, key=lambda step: labels[str(step.label)])
        self.name = str(first.label).replace("_", " ")
        self.axis = axis
        every = {tidy(start + shift) for start in self.starts for shift in self._shifts(first)}
        self.times = sorted(time for time in every if time <= axis.end) or self.starts[:1]
        lowest, highest = _least_and_most(first, counts)
        self.happened = highest > 0
        self.certain = lowest >= len(self.times)

    def _shifts(self, step: Step) -> list[float]:
        if step.every is None or step.times is None:
            return [0.0]
        interval = to_unit(step.every, self.axis.unit, "every")
        return [number * interval for number in range(step.times)]

    def event(self) -> Event:
        """``dose 0 weeks, ×18 every 3 weeks``; "up to" where not all of them are certain."""
        first, *others = (time / self.axis.length for time in self.times)
        most = "" if self.certain else "up to "
        text = f"{self.name} {self.axis.moment(self.times[0])}, {most}×{len(self.times)}"
        return Event(first, text + self._rhythm(), tuple(others), self.certain)

    def _rhythm(self) -> str:
        """How often, as far as there is a rhythm, of all or at least of the starts."""
        if interval := _interval(self.times):
            return f" every {_single(self.axis.moment(interval))}"
        if interval := _interval(self.starts):
            return f", anew every {_single(self.axis.moment(interval))}"
        return ""


def _single(moment: str) -> str:
    """``day`` for ``1 days``, and ``1 h`` as it stands."""
    unit = moment.removeprefix("1 ")
    return unit.removesuffix("s") if unit != moment and len(unit) > 1 else moment


def _least_and_most(step: Step, counts: xr.Dataset) -> tuple[float, float]:
    """How often a step took place in the run with the fewest and in that with the most."""
    if step.if_ is None:
        return np.inf, np.inf
    name = GIVEN + step.counted_as
    found = counts[name].values if name in counts else np.full(1, np.nan)
    found = found[np.isfinite(found)]
    return (float(found.min()), float(found.max())) if found.size else (0.0, np.inf)


def _interval(times: Sequence[float]) -> float | None:
    """The time between any two that follow each other, if there is one."""
    gaps = np.diff(times)
    same = gaps.size and np.allclose(gaps, gaps[0], rtol=1e3 * SAME_TIME, atol=0)
    return tidy(float(gaps[0])) if same else None


def _merged(found: Sequence[_Series], axis: EventAxis) -> Iterator[Event]:
    """What happens once, under one name where it happens at one time."""
    ordered = sorted(found, key=lambda series: series.times[0])
    for time, here in itertools.groupby(ordered, key=lambda series: series.times[0]):
        members = list(here)
        names = ", ".join(series.name for series in members)
        certain = any(series.certain for series in members)
        yield Event(time / axis.length, f"{names} {axis.moment(time)}", (), certain)
