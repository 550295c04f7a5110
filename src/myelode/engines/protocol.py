"""What an engine is: it compiles a model once and then executes runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import numpy as np

from myelode.engines.summary import Summary
from myelode.errors import SimulationError
from myelode.regimens.timeline import Timeline


@dataclass(frozen=True)
class Tolerances:
    """Relative tolerance, and absolute tolerance as a share of each state's natural size."""

    relative: float = 1e-9
    absolute: float = 1e-12


TOOK_LONGER = "it took longer than"
"""How an engine begins to say that a run was given up by the clock."""


@dataclass(frozen=True)
class Limits:
    """When one simulation is given up: after so many steps in all, and after so many seconds.

    None is no limit of one's own.
    """

    steps: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Run:
    """One integration.

    Attributes
    ----------
    changes : parameters, compartments or initial values that differ from the model, by id, in the
        model's own mathematics; initial values that depend on them are recomputed.
    timeline : what happens, and until when.
    times : sample times, increasing; a sample at an event time is the value just after the event.
    outputs : ids, ``amount(X)`` or ``concentration(X)``.
    counts : names under which the timeline counts occurrences that took place.
    as_stated : whether an output may be infinite or NaN where the model's own formula says so; else
        the run fails then, as it does in any case where a state is not finite.
    """

    changes: Mapping[str, float]
    timeline: Timeline
    times: np.ndarray
    outputs: tuple[str, ...]
    counts: tuple[str, ...] = ()
    as_stated: bool = False


@dataclass(frozen=True)
class Batch:
    """Many runs that differ in nothing but numbers.

    Attributes
    ----------
    run : what all of them are.
    count : how many they are.
    changes : what differs, by id, shape (count,); beside the changes of `run`.
    summaries : what is to be said of each.
    timelines : one for each run, all with the same end; that of `run` for all where there are none.
    """

    run: Run
    count: int
    changes: Mapping[str, np.ndarray] = field(default_factory=dict)
    summaries: tuple[Summary, ...] = ()
    timelines: tuple[Timeline, ...] = ()

    def part(self, first: int, last: int) -> Batch:
        """Some of the runs."""
        changes = {name: values[first:last] for name, values in self.changes.items()}
        lines = self.timelines[first:last]
        return replace(self, count=min(last, self.count) - first, changes=changes, timelines=lines)

    def one(self, number: int) -> Run:
        """One of the runs by itself."""
        own = {name: float(values[number]) for name, values in self.changes.items()}
        line = self.timelines[number] if self.timelines else self.run.timeline
        return replace(self.run, changes={**self.run.changes, **own}, timeline=line)

    def plain_runs(self) -> list[Run]:
        """The runs with their timelines, without what differs else; those alike are one object."""
        if not self.timelines:
            return [self.run] * self.count
        lines = {id(line): line for line in self.timelines}
        runs = {key: replace(self.run, timeline=line) for key, line in lines.items()}
        return [runs[id(line)] for line in self.timelines]


@dataclass(frozen=True)
class Outcome:
    """What became of the runs of a batch; what failed has NaN.

    Attributes
    ----------
    values : shape (runs, times, outputs and counts).
    summaries : shape (runs, summaries).
    time_reached : shape (runs,).
    steps : shape (runs,), how many it took; -1 where the engine does not say.
    failures : why those failed that did, by number.
    """

    values: np.ndarray
    summaries: np.ndarray
    time_reached: np.ndarray
    steps: np.ndarray
    failures: dict[int, SimulationError]


def empty_outcome(batch: Batch, precision: str = "float64") -> Outcome:
    """An outcome in which nothing is known yet."""
    run, count = batch.run, batch.count
    columns = len(run.outputs) + len(run.counts)
    return Outcome(
        values=np.full((count, len(run.times), columns), np.nan, dtype=precision),
        summaries=np.full((count, len(batch.summaries)), np.nan),
        time_reached=np.zeros(count),
        steps=np.full(count, -1, dtype=np.int64),
        failures={},
    )


def exceeds(values: np.ndarray, precision: str) -> bool:
    """Whether a value is finite, but too large for a precision."""
    return bool((np.isfinite(values) & (np.abs(values) > np.finfo(precision).max)).any())


def too_large(precision: str) -> str:
    """What is to be said of such a run."""
    return f"a value is too large for {precision}"


Result = np.ndarray | SimulationError
"""Values of a run, of shape (times, outputs and counts), or why there are none."""


class Simulator(Protocol):
    """A compiled model. Runs do not influence one another."""

    def run(self, run: Run, tolerances: Tolerances) -> np.ndarray:
        """Values of shape (times, outputs and counts); raises SimulationError where it fails."""
        ...


@runtime_checkable
class BulkSimulator(Simulator, Protocol):
    """A compiled model that does many runs at once."""

    def run_many(self, runs: Sequence[Run], tolerances: Tolerances) -> list[Result]:
        """The result of every run, in their order."""
        ...

    def run_batch(
        self,
        batch: Batch,
        tolerances: Tolerances,
        limits: Limits,
        threads: int | None = None,
        precision: str = "float64",
    ) -> Outcome:
        """What becomes of every run of a batch."""
        ...


class Engine(Protocol):
    """What turns canonical SBML into a simulator."""

    name: str

    def compile(self, sbml: str) -> Simulator:
        """A simulator for the model; raises UnsupportedModelError for what it cannot do right."""
        ...
