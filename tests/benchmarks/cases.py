"""What the benchmark of the ensemble engine runs: scenarios with seeded sets of parameters.

Varied is every positive parameter that has a dimension and that the table of the model calls
uncertain, unless the scenario sets it. Rate constants and times are spread log-uniformly from
one over `spread` to `spread` times their value, everything else from a third to three times, all
within the range that the table declares. With a larger spread than three, what has no dimension is
varied too, in the same way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import roadrunner

from myelode.engines import Run, Simulator, Tolerances, choose_engine
from myelode.engines.ensemble.ensemble import Ensemble
from myelode.model import Model
from myelode.parameters import Parameter
from myelode.scenario import load_scenario
from myelode.simulation import plan_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CASES = {
    "melflufen": "melflufen/gamma_h2ax_washout",
    "cereblon": "cereblon/clone_takeover",
    "belantamab": "belantamab/mmae_retention",
    "cereblon dish": "cereblon/washout_recovery",
    "belantamab patient": "belantamab/tissue_exposure",
}
SMALL = ("melflufen", "cereblon", "belantamab")
"""Variants of up to 30 states or so, on which goals are set."""
SAMPLES = 98
SPREAD = 3.0
RELATIVE = 1e-6
_HAS_TIME = re.compile(r"\b(s|min|h|d)\b")


@dataclass(frozen=True)
class Case:
    """A model in both engines, and the runs of all its sets.

    Attributes
    ----------
    compile_s : CPU seconds from SBML to machine code; the driver is at hand.
    varied : names of the parameters that differ from set to set.
    """

    sbml: str
    ensemble: Ensemble
    simulator: Simulator
    runs: Sequence[Run]
    compile_s: float
    varied: tuple[str, ...]


def prepared(name: str, sets: int, spread: float = SPREAD, seed: int = 1) -> Case:
    """A case with seeded sets of the parameters that its model has and its scenario leaves."""
    plan = plan_scenario(load_scenario(str(SCENARIOS / f"{CASES[name]}.yaml")))
    first = plan.runs[0].run
    first = replace(first, times=np.linspace(0.0, first.timeline.end, SAMPLES))
    rows = uncertain(plan.model, with_numbers=spread > SPREAD)
    rows = {name: row for name, row in rows.items() if name not in first.changes}
    values = {name: float(plan.model.entities[name].value or 0.0) for name in rows}
    found = factors(list(rows.values()), sets, spread, seed)
    runs = [replace(first, changes={**first.changes, **_scaled(values, row)}) for row in found]
    ensemble, compile_s = compiled(plan.sbml, runs[0])
    simulator = choose_engine("roadrunner").compile(plan.sbml)
    return Case(plan.sbml, ensemble, simulator, runs, compile_s, tuple(rows))


def compiled(sbml: str, run: Run) -> tuple[Ensemble, float]:
    """A model in the ensemble engine that has done a run, and the CPU seconds that took."""
    start = time.process_time()
    ensemble = Ensemble(sbml)
    ensemble.run_many([run], Tolerances(RELATIVE), threads=1)
    return ensemble, time.process_time() - start


@contextmanager
def clocked() -> Iterator[list[float]]:
    """CPU seconds of each call of libRoadRunner's `simulate` inside."""
    plain, spent = roadrunner.RoadRunner.simulate, []

    def simulate(*arguments: object, **options: object) -> object:
        start = time.process_time()
        try:
            return plain(*arguments, **options)
        finally:
            spent.append(time.process_time() - start)

    roadrunner.RoadRunner.simulate = simulate
    try:
        yield spent
    finally:
        roadrunner.RoadRunner.simulate = plain


def uncertain(model: Model, with_numbers: bool) -> dict[str, Parameter]:
    """Positive parameters that the table calls uncertain; `with_numbers` also without dimension.

    Shares that sum to one are left.
    """
    return {
        name: row
        for name, row in model.parameters.items()
        if name in model.entities
        and (model.entities[name].value or 0.0) > 0
        and row.value > 0
        and row.distribution.kind not in ("fixed", "dirichlet")
        and (with_numbers or row.unit != "dimensionless")
    }


def factors(rows: Sequence[Parameter], sets: int, spread: float, seed: int) -> np.ndarray:
    """What the values of parameters are multiplied by, of shape (sets, parameters)."""
    spreads = np.array([spread if _HAS_TIME.search(row.unit) else SPREAD for row in rows])
    low = np.array([row.low / row.value for row in rows])
    high = np.array([row.high / row.value for row in rows])
    random = np.random.default_rng(seed)
    found = spreads ** random.uniform(-1, 1, (sets, len(rows)))
    return np.asarray(np.clip(found, low, high))


def _scaled(values: Mapping[str, float], row: np.ndarray) -> dict[str, float]:
    return {name: value * float(f) for (name, value), f in zip(values.items(), row, strict=True)}


def first_result(name: str) -> None:
    """What a fresh process does until it has results: 256 sets of a model."""
    plan = plan_scenario(load_scenario(str(SCENARIOS / f"{CASES[name]}.yaml")))
    first = plan.runs[0].run
    Ensemble(plan.sbml).run_many([first] * 256, Tolerances(RELATIVE))
