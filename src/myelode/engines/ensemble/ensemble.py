"""Many runs of one model: what an engine does with a whole list of them.

Runs that share sample times and outputs go together, in chunks that bound the memory and that
threads share out among themselves. A number does not depend on the chunk in which it is computed,
nor on the thread, nor on the other runs.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from myelode.engines.ensemble.evaluation import started
from myelode.engines.ensemble.fleet import Fleet, Model
from myelode.engines.ensemble.journey import Journey
from myelode.engines.ensemble.machine import MachineCode, compile_program
from myelode.engines.ensemble.reading import read_program
from myelode.engines.protocol import Result, Run, Tolerances
from myelode.errors import ScenarioError, SimulationError, UnsupportedModelError, best_matches
from myelode.regimens.timeline import targets_of
from myelode.sbml import describe
from myelode.sbml.dependencies import idle_species

LARGEST_CHUNK = 4096
"""How many runs are under way together in a thread."""

SMALLEST_CHUNK = 64
"""So many runs, or fewer, are not worth another thread."""


class Ensemble:
    """A model that is simulated many times.

    Parameters
    ----------
    sbml : the model; raises UnsupportedModelError for what cannot be done right.
    reproducible : the same numbers on every kind of processor, somewhat slower.
    """

    def __init__(self, sbml: str, reproducible: bool = False):
        self.program = read_program(sbml)
        self._sbml = sbml
        self._reproducible = reproducible
        self._codes: dict[tuple[str, ...], MachineCode] = {}

    def objection(self, run: Run) -> str:
        """Why it cannot do a run, in words that follow "does not do"; "" where it can."""
        if any(instant.steady is not None for instant in run.timeline.instants):
            return "doses that have been given for ever"
        return ""

    def run(self, run: Run, tolerances: Tolerances) -> np.ndarray:
        """Values of shape (times, outputs and counts); raises SimulationError."""
        [found] = self.run_many([run], tolerances)
        if isinstance(found, SimulationError):
            raise found
        return found

    def run_many(
        self, runs: Sequence[Run], tolerances: Tolerances, threads: int | None = None
    ) -> list[Result]:
        """The result of every run, in their order.

        Runs must be without `objection`. As many threads as the process has processors by default.
        Raises ScenarioError for names that the model does not have.
        """
        for objection in filter(None, map(self.objection, runs)):
            raise UnsupportedModelError(f"the ensemble engine does not do {objection}")
        workers = threads or _processors()
        chunks = [*self._chunks(runs, workers)]
        models = [self._model(runs[chunk[0]], tolerances) for chunk in chunks]
        work = [[runs[number] for number in chunk] for chunk in chunks]
        found: list[Result] = [np.empty(0)] * len(runs)
        with ThreadPoolExecutor(workers) as pool:
            for chunk, results in zip(chunks, pool.map(self._together, models, work), strict=True):
                for number, result in zip(chunk, results, strict=True):
                    found[number] = result
        return found

    def _chunks(self, runs: Sequence[Run], workers: int) -> Iterator[list[int]]:
        """Numbers of runs that go together, so many chunks that all workers have some."""
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        arrays = {id(run.times): np.asarray(run.times, dtype=float).tobytes() for run in runs}
        for number, run in enumerate(runs):
            groups[arrays[id(run.times)], run.outputs, run.counts].append(number)
        for numbers in groups.values():
            share = -(-len(numbers) // workers)
            size = min(LARGEST_CHUNK, max(SMALLEST_CHUNK, share))
            for first in range(0, len(numbers), size):
                yield numbers[first : first + size]

    def _model(self, run: Run, tolerances: Tolerances) -> Model:
        """The compiled model for the outputs of a run."""
        if run.outputs not in self._codes:
            for name in run.outputs:
                _require_name(name, self.program.outputs)
            code = compile_program(self.program, run.outputs, self._reproducible)
            self._codes[run.outputs] = code
        ids, groups = self._states
        return Model(self.program, self._codes[run.outputs], ids, groups, tolerances)

    def _together(self, model: Model, runs: Sequence[Run]) -> list[Result]:
        """The results of one chunk."""
        given = _given(runs)
        for name in given:
            _require_name(name, self.program.start.slots)
        timelines = {id(run.timeline): run.timeline for run in runs}.values()
        for name in {name for line in timelines for name in targets_of(line.instants)}:
            _require_name(name, self.program.setters)
        fleet = Fleet(model, *started(self.program, given, len(runs)))
        records = Journey(fleet, runs, self._idle).travel()
        for number in np.flatnonzero(~np.isfinite(records).all(axis=(1, 2))):
            if fleet.failures[number] is None:
                fleet.fail(int(number), _not_finite(records[number], runs[0].outputs))
        pairs = zip(records, fleet.failures, strict=True)
        return [values if failure is None else failure for values, failure in pairs]

    @cached_property
    def _states(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of all states, and for each what it has in common with others."""
        entities = describe(self._sbml).entities
        ids = tuple(name.removeprefix("amount(").rstrip(")") for name in self.program.states)
        known = [entities.get(name) for name in ids]
        return ids, tuple((item.compartment or f"in {item.unit}") if item else "" for item in known)

    @cached_property
    def _idle(self) -> frozenset[str]:
        """States on which nothing depends."""
        return idle_species(self._sbml) & set(self._states[0])


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _given(runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """What simulations are given, by id; NaN where a run does not give it."""
    names = dict.fromkeys(name for run in runs for name in run.changes)
    rows = np.array([[*map(run.changes.get, names)] for run in runs], dtype=float)
    if np.isnan(rows).any():
        _require_numbers(runs)
    return dict(zip(names, rows.T, strict=True))


def _require_numbers(runs: Sequence[Run]) -> None:
    for name, value in (item for run in runs for item in run.changes.items()):
        if np.isnan(value):
            raise ScenarioError(f"the value given for {name!r} is not a number")


def _require_name(name: str, known: Mapping[str, object] | Sequence[str]) -> None:
    if name not in known:
        raise ScenarioError(f"unknown name {name!r}{best_matches(name, known)}")


def _not_finite(values: np.ndarray, outputs: Sequence[str]) -> str:
    """Which output has no value."""
    names = [
        name
        for name, column in zip(outputs, values.T, strict=False)
        if not np.isfinite(column).all()
    ]
    return f"{names[0] if names else 'a value'} is not finite"
