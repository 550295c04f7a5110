"""The way along a timeline, the same for every engine that takes one step after another.

`docs/semantics.md` states the order of events; this module is the one place that executes it.
An engine contributes a `Stepper`: it reads and writes values and integrates between events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from myelode.engines.choices import Choices
from myelode.engines.protocol import Run, Tolerances
from myelode.engines.steadiness import Approach, floored
from myelode.errors import ScenarioError, SimulationError
from myelode.regimens.timeline import Change, Equilibration, Instant, SteadyState, targets_of

SETTLED = 1e-6
"""Largest relative change of any state over the last tenth of an equilibration."""

_ONLY = np.zeros(1, dtype=int)
"""The number of the one run, where many could be."""


class Stepper(Protocol):
    """A model with its values of the moment, handed over as it stands at the start of a run."""

    @property
    def states(self) -> tuple[str, ...]:
        """Ids of all values that the integration changes."""
        ...

    @property
    def idle(self) -> frozenset[str]:
        """States on which nothing depends: they may grow for ever without being in motion."""
        ...

    def advance(self, start: float, end: float, times: np.ndarray) -> np.ndarray:
        """Integrate from `start` to `end`, which may be equal; values of shape (times, outputs).

        The times are increasing and lie in ``[start, end]``; one at `start` is the present state.
        Raises SimulationError.
        """
        ...

    def get(self, ids: Sequence[str]) -> np.ndarray:
        """Present values of whatever may be an output, in the model's own mathematics."""
        ...

    def set(self, values: Mapping[str, float]) -> None:
        """Change values, all at once."""
        ...


def walk(stepper: Stepper, run: Run, tolerances: Tolerances) -> np.ndarray:
    """Values of the run's outputs, of shape (times, outputs), and behind them its counts so far.

    A sample at the time of an event is the value just after it. Raises SimulationError.
    """
    timeline = run.timeline
    times = np.asarray(run.times, dtype=float)
    require_times(times, timeline.end)
    instants = [instant for instant in timeline.instants if instant.time <= timeline.end]
    events = [instant.time for instant in instants]
    samples = np.split(times, np.searchsorted(times, events))
    ends = [*events, timeline.end]
    if timeline.equilibration is not None:
        _equilibrate(stepper, timeline.equilibration)
    trip = _begin(stepper, run, tolerances)
    rows = [trip.record(0.0, ends[0], samples[0])]
    for instant, end, wanted in zip(instants, ends[1:], samples[1:], strict=True):
        trip.apply(instant)
        rows.append(trip.record(instant.time, end, wanted))
    return np.concatenate(rows)


def require_times(times: np.ndarray, end: float) -> None:
    """Raise ScenarioError unless sample times increase and lie between zero and the end."""
    if times.size and not (times[0] >= 0 and times[-1] <= end and np.all(np.diff(times) >= 0)):
        raise ScenarioError(f"sample times must increase and lie between 0 and the end, {end:g}")


@dataclass(frozen=True)
class _Trip:
    """A stepper on its way, with the values that a reset restores."""

    stepper: Stepper
    start: Mapping[str, float]
    tolerances: Tolerances
    choices: Choices

    def record(self, start: float, end: float, times: np.ndarray) -> np.ndarray:
        """What is to be known of a stretch without events."""
        return self.choices.beside(self.stepper.advance(start, end, times))

    def apply(self, instant: Instant) -> None:
        """All that happens at one time, in its fixed order."""
        changes = self.choices.decide(instant, self.stepper.get)
        if instant.reset:
            self.stepper.set(self.start)
        if instant.steady is not None:
            self._reach(instant.steady, instant.time)
        self._change(changes)

    def _change(self, changes: Sequence[Change]) -> None:
        if changes:
            merged = merge_changes(changes)
            before = self.stepper.get(tuple(merged))
            after = [
                change.factor * value + change.offset
                for change, value in zip(merged.values(), before, strict=True)
            ]
            self.stepper.set(dict(zip(merged, after, strict=True)))

    def _reach(self, steady: SteadyState, now: float) -> None:
        """Bring the stepper to the steady state, as if it had been dosed for ever before `now`.

        An instant exactly at `phase` has not happened yet: the present changes may be it. What only
        collects, such as the amount eliminated so far, has no steady state and begins anew.
        """
        self.stepper.set(self.start)
        begin = now - steady.phase - steady.period
        idle = self.stepper.idle - set(targets_of(steady.instants))
        ids = tuple(name for name in self.start if name not in idle)
        before = self.stepper.get(ids)[:, None]
        relative = self.tolerances.relative
        approach = Approach(ids, np.array([steady.period]), np.abs(before), relative)
        ended = np.zeros(1, dtype=bool)
        while not ended[0]:
            self._pass(steady.instants, begin, steady.period)
            after = self.stepper.get(ids)[:, None]
            ended, reasons = approach.judge(_ONLY, before, after)
            if reasons:
                state = dict(zip(ids, map(float, after[:, 0]), strict=True))
                raise SimulationError(reasons[0], now, state)
            before = after
        self._pass(steady.instants, now - steady.phase, steady.phase)
        self.stepper.set({name: self.start[name] for name in self.start if name in idle})

    def _pass(self, instants: Sequence[Instant], begin: float, duration: float) -> None:
        """One dosing period, or the part of it before `duration`."""
        reached = 0.0
        for instant in instants:
            if instant.time >= duration:
                break
            self._step(begin + reached, begin + instant.time)
            self._change(instant.changes)
            reached = instant.time
        self._step(begin + reached, begin + duration)

    def _step(self, start: float, end: float) -> None:
        self.stepper.advance(start, end, np.empty(0))


def _begin(stepper: Stepper, run: Run, tolerances: Tolerances) -> _Trip:
    ids = tuple(dict.fromkeys((*stepper.states, *targets_of(run.timeline.instants))))
    return _Trip(stepper, _read(stepper, ids), tolerances, Choices(run.counts))


def _read(stepper: Stepper, ids: Sequence[str]) -> dict[str, float]:
    return dict(zip(ids, map(float, stepper.get(ids)), strict=True))


def merge_changes(changes: Sequence[Change]) -> dict[str, Change]:
    """One change per target: two doses add up, two dilutions multiply, two settings collide."""
    merged: dict[str, Change] = {}
    for change in changes:
        other = merged.get(change.target)
        if other is None:
            merged[change.target] = change
        elif change.factor == 0 == other.factor:
            raise ScenarioError(f"{change.target} is set twice at one time")
        else:
            merged[change.target] = Change(
                change.target, change.factor * other.factor, change.offset + other.offset
            )
    return merged


def _equilibrate(stepper: Stepper, rule: Equilibration) -> None:
    """Run without drug up to time zero, require rest, and put the held values back."""
    held = _read(stepper, sorted({*rule.hold, *stepper.idle}))
    watched = [state for state in stepper.states if state not in held]
    size = np.abs(stepper.get(watched))
    stepper.advance(-rule.duration, -0.1 * rule.duration, np.empty(0))
    before = stepper.get(watched)
    stepper.advance(-0.1 * rule.duration, 0.0, np.empty(0))
    require_rest(watched, before, stepper.get(watched), size)
    stepper.set(held)


def require_rest(
    ids: Sequence[str], before: np.ndarray, after: np.ndarray, size: np.ndarray
) -> None:
    """Raise SimulationError where a value still moves over the last tenth of an equilibration.

    `before` and `after` are values at the ends of that tenth, `size` how large they have been.
    """
    size = np.maximum(size, np.maximum(np.abs(before), np.abs(after)))
    moved = np.abs(after - before) / floored(size)
    if moved.size and moved.max() > SETTLED:
        slowest = ids[int(np.argmax(moved))]
        raise SimulationError(
            f"{slowest} still moves at the end of the equilibration, by {moved.max():.1e} "
            "of its size over the last tenth: equilibrate for longer, or hold it",
            0.0,
            dict(zip(ids, map(float, after), strict=True)),
        )
