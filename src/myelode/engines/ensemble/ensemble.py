"""Many runs of one model: what an engine does with a whole list of them.

Runs that share sample times and outputs go together, in chunks that bound the memory and that
threads share out among themselves. A number does not depend on the chunk in which it is computed,
nor on the thread, nor on the other runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain, repeat
from threading import Lock

import numpy as np

from myelode.engines.ensemble.evaluation import started
from myelode.engines.ensemble.fleet import Fleet, Model
from myelode.engines.ensemble.journey import Journey
from myelode.engines.ensemble.machine import MachineCode, compile_program
from myelode.engines.ensemble.reading import read_program
from myelode.engines.ensemble.summaries import Ledger
from myelode.engines.protocol import (
    Batch,
    Limits,
    Outcome,
    Result,
    Run,
    Tolerances,
    empty_outcome,
    exceeds,
    too_large,
)
from myelode.engines.summary import Summary
from myelode.errors import ScenarioError, SimulationError, best_matches
from myelode.hardware import processors
from myelode.regimens.timeline import targets_of
from myelode.sbml import describe
from myelode.sbml.dependencies import idle_species

LARGEST_CHUNK = 4096
"""How many runs are under way together in a thread."""

SMALLEST_CHUNK = 64
"""So many runs, or fewer, are not worth another thread."""

CHUNK_BYTES = 2**25
"""How much memory the samples of a chunk may take, as far as that leaves a chunk."""


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
        self._compiling = Lock()

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

        As many threads as the process has processors by default. Raises ScenarioError for names
        that the model does not have.
        """
        workers = threads or processors()
        chunks = [*self._chunks(runs, workers)]
        models = [self._model(runs[chunk[0]], tolerances) for chunk in chunks]
        work = [[runs[number] for number in chunk] for chunk in chunks]
        found: list[Result] = [np.empty(0)] * len(runs)
        with ThreadPoolExecutor(workers) as pool:
            for chunk, results in zip(chunks, pool.map(self._together, models, work), strict=True):
                for number, result in zip(chunk, results, strict=True):
                    found[number] = result
        return found

    def run_batch(
        self,
        batch: Batch,
        tolerances: Tolerances,
        limits: Limits,
        threads: int | None = None,
        precision: str = "float64",
    ) -> Outcome:
        """What becomes of every run of a batch.

        `precision` is that of the values, ``float64`` or ``float32``. Raises ScenarioError for
        names that the model does not have.
        """
        outcome = empty_outcome(batch, precision)
        model = self._model(batch.run, tolerances, batch.summaries, limits)
        workers = threads or processors()
        size = _chunk_size(batch, workers, model.width)
        firsts = range(0, batch.count, size)
        parts = [batch.part(first, first + size) for first in firsts]
        with ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(self._fill, repeat(model), repeat(outcome), firsts, parts):
                pass
        return outcome

    def _chunks(self, runs: Sequence[Run], workers: int) -> Iterator[list[int]]:
        """Numbers of runs that go together, so many chunks that all workers have some."""
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        known = {id(run.times): run.times for run in runs}
        arrays = {key: np.asarray(known[key], dtype=float).tobytes() for key in known}
        for number, run in enumerate(runs):
            groups[arrays[id(run.times)], run.outputs, run.counts].append(number)
        for numbers in groups.values():
            share = -(-len(numbers) // workers)
            size = min(LARGEST_CHUNK, max(SMALLEST_CHUNK, share))
            for first in range(0, len(numbers), size):
                yield numbers[first : first + size]

    def _model(
        self,
        run: Run,
        tolerances: Tolerances,
        summaries: Sequence[Summary] = (),
        limits: Limits | None = None,
    ) -> Model:
        """The compiled model for the outputs of a run, and behind them those of summaries."""
        outputs = _observed(run, summaries)
        with self._compiling:  # threads may ask for the same kernels at once
            if outputs not in self._codes:
                for name in outputs:
                    _require_name(name, self.program.outputs)
                code = compile_program(self.program, outputs, self._reproducible)
                self._codes[outputs] = code
        ids, groups = self._states
        code, width = self._codes[outputs], len(run.outputs)
        return Model(self.program, code, ids, groups, tolerances, limits or Limits(), width)

    def _together(self, model: Model, runs: Sequence[Run]) -> list[Result]:
        """The results of one chunk."""
        fleet = self._fleet(model, runs, _given(runs))
        records = self._travelled(fleet, runs)
        pairs = zip(records, fleet.explained(), strict=True)
        return [values if failure is None else failure for values, failure in pairs]

    def _fill(self, model: Model, outcome: Outcome, first: int, batch: Batch) -> None:
        """Put what becomes of one chunk of a batch, whose first run has a number, into place."""
        runs, here = batch.plain_runs(), slice(first, first + batch.count)
        shared = {name: np.full(batch.count, value) for name, value in batch.run.changes.items()}
        fleet = self._fleet(model, runs, {**shared, **batch.changes})
        outputs = _observed(batch.run, batch.summaries)
        ledger = Ledger(self.program, batch.summaries, outputs, batch.run.timeline.end)
        fleet.tallies = ledger.open(batch.count)
        records = self._travelled(fleet, runs)
        said = ledger.read(fleet.tallies)
        _require_finite(fleet, batch, said)
        _require_small(fleet, records, str(outcome.values.dtype))
        failed = {n: error for n, error in enumerate(fleet.explained(1)) if error is not None}
        records[[*failed]], said[[*failed]] = np.nan, np.nan
        outcome.values[here] = records
        outcome.summaries[here] = said
        outcome.time_reached[here], outcome.steps[here] = fleet.time, fleet.steps
        outcome.failures.update({first + number: error for number, error in failed.items()})

    def _fleet(self, model: Model, runs: Sequence[Run], given: Mapping[str, np.ndarray]) -> Fleet:
        """Simulations that are given values by id, all of whose names the model has."""
        for name in given:
            _require_name(name, self.program.start.slots)
        timelines = {id(run.timeline): run.timeline for run in runs}.values()
        for name in {name for line in timelines for name in targets_of(line.instants)}:
            _require_name(name, self.program.setters)
        return Fleet(model, *started(self.program, given, len(runs)))

    def _travelled(self, fleet: Fleet, runs: Sequence[Run]) -> np.ndarray:
        """Values of shape (runs, times, outputs and counts)."""
        records = Journey(fleet, runs, self._idle).travel()
        for number in np.flatnonzero(~np.isfinite(records).all(axis=(1, 2))):
            is_stated = runs[int(number)].as_stated and np.isfinite(fleet.states[:, number]).all()
            if fleet.failures[number] is None and not is_stated:
                fleet.fail(int(number), _not_finite(records[number], runs[0].outputs))
        return records

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


def _observed(run: Run, summaries: Sequence[Summary]) -> tuple[str, ...]:
    """The outputs that kernels give: those of a run, and those that summaries need beside them."""
    return tuple(dict.fromkeys((*run.outputs, *(summary.output for summary in summaries))))


def _chunk_size(batch: Batch, workers: int, width: int) -> int:
    """How many runs of a batch go together, such that all workers have some."""
    share = -(-batch.count // workers)
    fitting = CHUNK_BYTES // (8 * max(1, len(batch.run.times) * width))
    return min(LARGEST_CHUNK, max(SMALLEST_CHUNK, min(share, fitting)))


def _require_finite(fleet: Fleet, batch: Batch, said: np.ndarray) -> None:
    """Fail simulations with a summary that is not a finite number, unless its formula says so."""
    numbers = [not item.kind.startswith("first") for item in batch.summaries]
    finite = np.isfinite(said) | ~np.array(numbers, dtype=bool)
    for number in np.flatnonzero(~finite.all(axis=1)):
        is_stated = batch.run.as_stated and np.isfinite(fleet.states[:, number]).all()
        if fleet.failures[number] is None and not is_stated:
            item = batch.summaries[int(np.argmin(finite[number]))]
            fleet.fail(int(number), f"{item.kind} of {item.output} is not finite")


def _require_small(fleet: Fleet, records: np.ndarray, precision: str) -> None:
    """Fail simulations whose values a precision cannot hold."""
    if exceeds(records, precision):
        for number in np.flatnonzero([exceeds(record, precision) for record in records]):
            if fleet.failures[number] is None:
                fleet.fail(int(number), too_large(precision))


def _given(runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """What simulations are given, by id; NaN where a run does not give it."""
    orders = dict.fromkeys(tuple(run.changes) for run in runs)
    names = dict.fromkeys(chain.from_iterable(orders))
    if len(orders) == 1:  # as nearly always: no number needs to be looked up
        numbers = chain.from_iterable(run.changes.values() for run in runs)
        rows = np.fromiter(numbers, float, len(runs) * len(names)).reshape(len(runs), len(names))
    else:
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
