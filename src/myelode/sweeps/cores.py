"""The runs of one structure at many points: arrays in, arrays out, and what became of each point.

A result depends on the numbers of its own point alone, and not on those computed beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from myelode.design import Point, first_alike
from myelode.engines.bulk import run_batch
from myelode.engines.protocol import TOOK_LONGER, Batch, Limits, Outcome, Run
from myelode.errors import SimulationError
from myelode.plan import Treatment
from myelode.regimens.timeline import Timeline
from myelode.sweeps.axes import Axis
from myelode.sweeps.blocks import DONE, FAILED, GAVE_UP, REFUSED, Block
from myelode.sweeps.structures import ALONE, Structure
from myelode.sweeps.timelines import Timelines, Values, certain, value_at

Size = TypeVar("Size", float, np.ndarray)


@dataclass(frozen=True)
class Simulated:
    """What the runs of many points gave.

    Attributes
    ----------
    values : shape (axes of the scenario..., points, times, columns), NaN where a run failed.
    status, reasons, time_reached, steps : shape (points,); of the first run that failed, the least
        time that a run reached, and the steps of all, -1 where the engine does not say.
    """

    values: np.ndarray
    status: np.ndarray
    reasons: np.ndarray
    time_reached: np.ndarray
    steps: np.ndarray

    def put(self, block: Block, which: np.ndarray, rtol: float, seconds: float) -> None:
        """Put into a block what became of its points; they took so many seconds together."""
        steps = np.maximum(self.steps, 1)
        block["status"][which] = self.status
        block["reason"][which] = self.reasons
        block["time_reached"][which] = self.time_reached
        block["steps"][which] = self.steps
        block["seconds"][which] = seconds * steps / steps.sum()
        block["rtol"][which] = rtol

    def part(self, which: slice) -> Simulated:
        """Neighbouring points, whose status may be changed in place."""
        return Simulated(
            self.values[..., which, :, :], self.status[which], self.reasons[which],
            self.time_reached[which], self.steps[which],
        )  # fmt: skip


class Core:
    """Simulates a structure at points whose numbers are given by axis, each of shape (points,)."""

    def __init__(
        self,
        structure: Structure,
        numbers: Mapping[str, np.ndarray],
        count: int,
        limits: Limits,
        threads: int,
    ):
        self._structure = structure
        self._numbers = numbers
        self._count = count
        self._limits = limits
        self._threads = threads
        self._starts: dict[tuple[object, ...], np.ndarray] = {}

    @cached_property
    def _found(self) -> Simulated:
        """What is known of the points so far."""
        plan, count = self._structure.plan, self._count
        sizes = [len(axis.values) for axis in plan.axes]
        return Simulated(
            np.full((*sizes, count, len(plan.times), len(plan.columns)), np.nan),
            np.full(count, DONE, dtype=np.int8),
            np.full(count, "", dtype=object),
            np.full(count, np.inf),
            np.zeros(count, dtype=np.int64),
        )

    def run(self) -> Simulated:
        """All runs of all points."""
        scenario, axes = self._structure.scenario, self._structure.plan.axes
        for place, treatment, point in self._runs():
            first = first_alike(scenario, axes, place)
            if first == place:
                self._run(place, treatment, point)
            else:
                self._found.values[place] = self._found.values[first]
        return self._found

    def resolved(self) -> dict[str, np.ndarray]:
        """What the axes make of the values of every treatment, by treatment and name."""
        return {
            " ".join((*treatment, name)): value
            for treatment, _ in self._structure.planner.treatments()
            for name, value in self.values(treatment, Point()).items()
            if isinstance(value, np.ndarray)
        }

    def values(self, treatment: Treatment, point: Point) -> Values:
        """What differs from the model in a treatment, as arrays where points differ."""
        base: Values = {**point.values, **self._of_kind("value")}
        return self._structure.planner.changes(treatment, base, self._of_kind("final"))

    def _runs(self) -> Iterator[tuple[tuple[int, ...], Treatment, Point]]:
        planner = self._structure.planner
        for treatment, place in planner.treatments():
            for point in planner.grid.points:
                yield (*place, *point.place), treatment, point

    def _of_kind(self, kind: str) -> dict[str, np.ndarray]:
        axes = self._structure.numbers
        return {
            axes[name].target: array
            for name, array in self._numbers.items()
            if axes[name].kind == kind
        }

    def _doses(self, arm: str) -> dict[str, np.ndarray]:
        """Sizes by label, in one arm."""
        return doses_of(self._structure.numbers, self._numbers, arm)

    def _run(self, place: tuple[int, ...], treatment: Treatment, point: Point) -> None:
        """One run of every point that is not refused."""
        values = self.values(treatment, point)
        compiled = Timelines(
            self._structure.planner, treatment, point, self._doses(treatment[2]), values,
            lambda name: self._start(name, treatment, point, values), self._count,
        ).compile()  # fmt: skip
        refusals = {**compiled.refusals, **self._broken(values)}
        for number, reason in sorted(refusals.items()):
            self._note(place, number, REFUSED, reason, 0.0)
        kept = np.array([n for n in range(self._count) if n not in refusals], dtype=int)
        if not kept.size:
            return
        batch = self._batch(values, kept, certain([compiled.timelines[n] for n in kept]))
        outcome = self._done(batch)
        self._found.values[place][kept] = outcome.values
        self._take(place, kept, outcome)

    def _batch(self, values: Values, kept: np.ndarray, lines: tuple[Timeline, ...]) -> Batch:
        """The runs of some points along their timelines."""
        plan = self._structure.plan
        alike = len({id(line) for line in lines}) == 1
        run = Run({}, lines[0], plan.times, plan.outputs, plan.counts)
        return _batch(run, values, kept, () if alike else lines)

    def _done(self, batch: Batch) -> Outcome:
        chosen, tolerances = self._structure.chosen, self._structure.tolerances
        with nullcontext() if chosen.is_bulk else ALONE:
            return run_batch(chosen, batch, tolerances, self._limits, self._threads)

    def _start(self, name: str, treatment: Treatment, point: Point, values: Values) -> np.ndarray:
        """A value that the model computes at the start of each run, whatever its doses."""
        key = (name, treatment, *sorted(point.values.items()))
        if key not in self._starts:
            run = Run({}, Timeline((), 0.0), np.zeros(1), (name,))
            everyone = np.arange(self._count)
            self._starts[key] = self._done(_batch(run, values, everyone, ())).values[:, 0, 0]
        return self._starts[key]

    def _broken(self, values: Values) -> dict[int, str]:
        """The points at which shares of a whole do not sum to 1."""
        wholes = self._structure.planner.wholes
        shares = {name for group in wholes.groups for name in group}
        moved = {n for n, value in values.items() if n in shares and isinstance(value, np.ndarray)}
        found: dict[int, str] = {}
        for number in range(self._count) if moved else ():
            own = {n: value_at(value, number) for n, value in values.items() if n in shares}
            for _, fault in wholes.broken(own):
                found[number] = fault
        return found

    def _take(self, place: tuple[int, ...], kept: np.ndarray, outcome: Outcome) -> None:
        """Note what became of the runs of some points."""
        found = self._found
        found.time_reached[kept] = np.minimum(found.time_reached[kept], outcome.time_reached)
        known = (outcome.steps >= 0) & (found.steps[kept] >= 0)
        found.steps[kept] = np.where(known, found.steps[kept] + outcome.steps, -1)
        for number, error in sorted(outcome.failures.items()):
            status = self._status(error, int(outcome.steps[number]))
            self._note(place, int(kept[number]), status, error.reason, error.time)

    def _status(self, error: SimulationError, steps: int) -> int:
        most = self._limits.steps
        too_many = most is not None and steps >= most
        too_long = self._limits.seconds is not None and error.reason.startswith(TOOK_LONGER)
        return GAVE_UP if too_many or too_long else FAILED

    def _note(
        self, place: tuple[int, ...], number: int, status: int, reason: str, time: float
    ) -> None:
        """Note a failure, unless another run of the point has failed before."""
        found = self._found
        if found.status[number] == DONE:
            found.status[number] = status
            found.reasons[number] = f"{self._which(place)}{reason}"
        found.time_reached[number] = min(found.time_reached[number], time)

    def _which(self, place: tuple[int, ...]) -> str:
        """``perturbation x, dose 3: `` where a point has several runs."""
        axes = self._structure.plan.axes
        said = [
            f"{axis.name} {axis.values[at]}"
            for axis, at in zip(axes, place, strict=True)
            if len(axis.values) > 1
        ]
        return ", ".join(said) + ": " if said else ""


def doses_of(axes: Mapping[str, Axis], sizes: Mapping[str, Size], arm: str) -> dict[str, Size]:
    """The sizes of the axes that are doses of an arm, by label."""
    return {
        axes[name].target: size
        for name, size in sizes.items()
        if axes[name].kind == "dose" and axes[name].arm in (None, arm)
    }


def _batch(run: Run, values: Values, kept: np.ndarray, lines: tuple[Timeline, ...]) -> Batch:
    """Some of the points, with what all share in the run itself."""
    shared = {n: float(v) for n, v in values.items() if not isinstance(v, np.ndarray)}
    own = {n: v[kept] for n, v in values.items() if isinstance(v, np.ndarray)}
    return Batch(replace(run, changes=shared), len(kept), own, (), lines)
