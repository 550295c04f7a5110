"""Many runs of one model: which engine does them, why that one, and what became of each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from myelode.engines import Run, Tolerances, choose_engine
from myelode.engines.protocol import BulkSimulator, Result, Simulator
from myelode.errors import SimulationError, UnsupportedModelError

MANY = 200
"""Runs from which compiling the ensemble engine's kernels pays, whatever the model."""
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

    ``auto`` is the ensemble engine where there are many runs that it can do, else libRoadRunner.
    Raises ScenarioError for an unknown engine, UnsupportedModelError for what the one that is asked
    for cannot do.
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


def _result(simulator: Simulator, run: Run, tolerances: Tolerances) -> Result:
    try:
        return simulator.run(run, tolerances)
    except SimulationError as failure:
        return failure


def _chosen(sbml: str, runs: Sequence[Run], engine: str) -> tuple[Simulator, str, str]:
    """The simulator, the name of its engine, and why that one."""
    if engine != "auto":
        chosen = choose_engine(engine)
        return chosen.compile(sbml), chosen.name, ""
    because = f"fewer than {MANY} runs" if len(runs) < MANY else ""
    if not because:
        try:
            simulator = choose_engine("ensemble").compile(sbml)
        except UnsupportedModelError as objection:
            because = f"the ensemble engine cannot: {objection}"
        else:
            if not (because := _objection(simulator, runs)):
                return simulator, "ensemble", f"{len(runs)} runs"
    chosen = choose_engine("roadrunner")
    return chosen.compile(sbml), chosen.name, because


def _objection(simulator: Simulator, runs: Sequence[Run]) -> str:
    """Why an engine that does many runs at once does not do these."""
    if not isinstance(simulator, BulkSimulator):
        return ""
    said = next(filter(None, map(simulator.objection, runs)), "")
    return f"the ensemble engine does not do {said}" if said else ""
