"""Many runs of one model: which engine does them, why that one, and what became of each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from myelode.engines import Run, Tolerances, choose_engine, reproducible_engine
from myelode.engines.doubts import doubt_about
from myelode.engines.protocol import (
    Batch,
    BulkSimulator,
    Limits,
    Outcome,
    Result,
    Simulator,
    empty_outcome,
    exceeds,
    too_large,
)
from myelode.errors import ScenarioError, SimulationError, UnsupportedModelError

MANY = 200
"""Stretches from which compiling the ensemble engine's kernels pays.

A stretch of a run ends at its next instant, where libRoadRunner stops and starts anew: that is
where its time goes, about 50 us for each state and more in large models. To compile takes about
20 ms for each state, so that the states hardly matter. Measured, from where on the ensemble engine
was ahead, loading numba included: 180 to 300 runs in a dish with one dose, 27 to 72 states, and 6
runs of a patient with 80 states and 20 doses.
"""

BLOCK = 8192
"""How many runs are done between two reports of progress."""

Progress = Callable[[int, int], None]
"""Called with how many runs are done, and how many there are."""


@dataclass(frozen=True)
class Ran:
    """What became of each run, in their order, by which engine, and why by that one.

    `because` is "" where an engine was asked for by name.
    """

    results: list[Result]
    engine: str
    because: str


def run_all(
    sbml: str,
    runs: Sequence[Run],
    engine: str,
    tolerances: Tolerances,
    progress: Progress | None = None,
    stop: Callable[[SimulationError], bool] = lambda _: False,
) -> Ran:
    """All runs of a model; no further ones once `stop` holds of a failure.

    ``auto`` is the ensemble engine where there are many runs that it can do, or where the model has
    what libRoadRunner does not do right; else libRoadRunner. Raises ScenarioError for an unknown
    engine, UnsupportedModelError for what the one that is asked for, or neither, can do.
    """
    simulator, name, because = _chosen(sbml, runs, engine)
    found: list[Result] = []
    for first in range(0, len(runs), BLOCK if isinstance(simulator, BulkSimulator) else 1):
        if isinstance(simulator, BulkSimulator):
            found += simulator.run_many(runs[first : first + BLOCK], tolerances)
        else:
            found.append(_result(simulator, runs[first], tolerances))
        if progress is not None:
            progress(len(found), len(runs))
        failures = (item for item in found[first:] if isinstance(item, SimulationError))
        if any(map(stop, failures)):
            break
    return Ran(found, name, because)


def engine_for(sbml: str, runs: Sequence[Run], times: int) -> str:
    """The name of the engine that ``auto`` is where about these runs come so many times.

    Who simulates the same model again and again asks once, and then for that engine: numbers of
    two engines differ in their last digits, and a search would follow that.
    """
    return _chosen(sbml, runs, "auto", times)[1]


def _result(simulator: Simulator, run: Run, tolerances: Tolerances) -> Result:
    try:
        return simulator.run(run, tolerances)
    except SimulationError as failure:
        return failure


def _chosen(
    sbml: str, runs: Sequence[Run], engine: str, times: int = 1
) -> tuple[Simulator, str, str]:
    """The simulator, the name of its engine, and why that one, for runs that come so many times."""
    if engine != "auto":
        chosen = choose_engine(engine)
        return chosen.compile(sbml), chosen.name, ""
    doubt = doubt_about(sbml)
    because = "" if doubt or _are_many(runs, times) else f"fewer than {MANY} stretches"
    if not because:
        try:
            simulator = choose_engine("ensemble").compile(sbml)
        except UnsupportedModelError as objection:
            because = f"the ensemble engine cannot: {objection}"
        else:
            return simulator, "ensemble", doubt or f"{len(runs) * times} runs"
    if doubt:
        raise UnsupportedModelError(f"{because}; {doubt}")
    chosen = choose_engine("roadrunner")
    return chosen.compile(sbml), chosen.name, because


def _are_many(runs: Sequence[Run], times: int) -> bool:
    """Whether runs that come so many times have as many stretches as make compiling pay."""
    if len(runs) * times >= MANY:
        return True
    lines = (run.timeline for run in runs)
    stretches = (1 + sum(0 < item.time < line.end for item in line.instants) for line in lines)
    return sum(stretches) * times >= MANY


@dataclass(frozen=True)
class Chosen:
    """The engine that does the runs of a batch, and why that one ("" where it was asked for)."""

    simulator: Simulator
    engine: str
    because: str

    @property
    def is_bulk(self) -> bool:
        """Whether it does many runs at once, keeps limits and computes summaries on the way."""
        return isinstance(self.simulator, BulkSimulator)


def choose_for_batch(sbml: str, batch: Batch, engine: str, reproducible: bool = False) -> Chosen:
    """Who does a batch. With summaries ``auto`` is the ensemble engine, however few the runs.

    Raises ScenarioError for an unknown engine and for one that is not `reproducible` where that is
    asked for, UnsupportedModelError for what it cannot do.
    """
    if reproducible:
        return _reproducible(sbml, batch, engine)
    times = batch.count * (MANY if batch.summaries else 1)
    simulator, name, because = _chosen(sbml, [batch.run], engine, times)
    if batch.summaries and engine == "auto" and name == "ensemble":
        because = "it computes summaries as it integrates"
    return Chosen(simulator, name, because)


def _reproducible(sbml: str, batch: Batch, engine: str) -> Chosen:
    if engine not in ("auto", "ensemble"):
        said = f"the engine {engine!r} does not give the same numbers on every processor"
        raise ScenarioError(f"{said}: only 'ensemble' is reproducible")
    simulator = reproducible_engine().compile(sbml)
    return Chosen(simulator, "ensemble", "it is reproducible" if engine == "auto" else "")


def run_batch(
    chosen: Chosen,
    batch: Batch,
    tolerances: Tolerances,
    limits: Limits,
    threads: int | None = None,
    precision: str = "float64",
) -> Outcome:
    """What becomes of every run of a batch. Engines that do one at a time know no limits."""
    if isinstance(chosen.simulator, BulkSimulator):
        return chosen.simulator.run_batch(batch, tolerances, limits, threads, precision)
    return _one_by_one(chosen.simulator, batch, tolerances, precision)


def _one_by_one(
    simulator: Simulator, batch: Batch, tolerances: Tolerances, precision: str
) -> Outcome:
    # It needs SciPy's interpolation, which takes a while to load.
    from myelode.engines.sampled import sample_times, summarized

    outcome, run = empty_outcome(batch, precision), batch.run
    end, wanted = run.timeline.end, [summary.output for summary in batch.summaries]
    grid = sample_times(batch.summaries, end) if batch.summaries else np.empty(0)
    times = np.union1d(run.times, grid)
    outputs = tuple(dict.fromkeys((*run.outputs, *wanted)))
    recorded = [*range(len(run.outputs)), *range(len(outputs), len(outputs) + len(run.counts))]
    for number in range(batch.count):
        one = replace(batch.one(number), times=times, outputs=outputs)
        found = _result(simulator, one, tolerances)
        if not isinstance(found, SimulationError) and exceeds(found, precision):
            found = SimulationError(too_large(precision), end)
        if isinstance(found, SimulationError):
            outcome.failures[number] = found
            outcome.time_reached[number] = found.time
        else:
            columns = dict(zip(outputs, found.T, strict=False))
            outcome.values[number] = found[np.searchsorted(times, run.times)][:, recorded]
            outcome.summaries[number] = summarized(batch.summaries, times, columns)
            outcome.time_reached[number] = end
    return outcome
