"""The ensemble engine beside libRoadRunner: `python -m tests.benchmarks.ensemble [--json]`.

Each model runs one scenario with seeded sets of rate constants, spread log-uniformly from a third of
their value to three times it. Both engines have compiled once, give the same outputs at the same
times, and take turns on one thread; CPU time counts, and medians over the rounds. The error of a set
is the largest over times and outputs, relative to the largest value of the output; libRoadRunner at
far smaller tolerances is the truth. `ratio_equal_error` compares with the ensemble engine at the
relative tolerance at which its median error is that of libRoadRunner.

`--sets 100`, `--rounds 2`, `--truths 20` and `--models melflufen,belantamab` make it shorter.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from myelode.engines import Run, Simulator, Tolerances, choose_engine
from myelode.engines.ensemble.ensemble import Ensemble
from myelode.model import Model
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
"""The first three are variants of up to 30 states."""
RATES = ("/h", "/d", "/min")
SAMPLES = 98
SPREAD = 3.0
RELATIVE = 1e-6
LADDER = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4)
TRUTH = Tolerances(1e-10, 1e-14)


@dataclass(frozen=True)
class Case:
    """A model in both engines, and the runs of all its sets."""

    ensemble: Ensemble
    simulator: Simulator
    runs: Sequence[Run]
    compile_s: float


def prepared(scenario: str, sets: int, seed: int = 1) -> Case:
    """A case with seeded sets of the rate constants that its model has and its scenario leaves."""
    plan = plan_scenario(load_scenario(str(SCENARIOS / f"{scenario}.yaml")))
    first = plan.runs[0].run
    times = np.linspace(0.0, first.timeline.end, SAMPLES)
    rates = {k: v for k, v in rate_constants(plan.model).items() if k not in first.changes}
    random = np.random.default_rng(seed)
    factors = SPREAD ** random.uniform(-1, 1, (sets, len(rates)))
    runs = [
        replace(first, times=times, changes={**first.changes, **_scaled(rates, row)})
        for row in factors
    ]
    start = time.process_time()
    ensemble = Ensemble(plan.sbml)
    ensemble.run_many(runs[:1], Tolerances(RELATIVE), threads=1)
    compile_s = time.process_time() - start
    return Case(ensemble, choose_engine("roadrunner").compile(plan.sbml), runs, compile_s)


def rate_constants(model: Model) -> dict[str, float]:
    """Positive parameters per time."""
    rows = {name: row for name, row in model.parameters.items() if name in model.entities}
    return {
        name: float(model.entities[name].value or 0.0)
        for name, row in rows.items()
        if row.unit.endswith(RATES) and (model.entities[name].value or 0.0) > 0
    }


def _scaled(rates: Mapping[str, float], factors: np.ndarray) -> dict[str, float]:
    return {name: value * float(f) for (name, value), f in zip(rates.items(), factors, strict=True)}


def measure_case(case: Case, rounds: int, truths: int) -> dict[str, float]:
    """Times and errors of one model."""
    tolerances = Tolerances(RELATIVE, 1e-3 * RELATIVE)
    batches = np.array_split(np.arange(len(case.runs)), rounds)
    own, others = [], []
    for batch in batches:
        runs = [case.runs[number] for number in batch]
        own.append(_seconds(partial(case.ensemble.run_many, case.runs, tolerances, 1)))
        others.append(_seconds(lambda runs=runs: [case.simulator.run(r, tolerances) for r in runs]))
    ensemble = median(own) / len(case.runs)
    roadrunner = median(t / len(b) for t, b in zip(others, batches, strict=True))
    checked = case.runs[:truths]
    exact = [case.simulator.run(run, TRUTH) for run in checked]
    theirs = errors([case.simulator.run(run, tolerances) for run in checked], exact)
    mine = errors(case.ensemble.run_many(checked, tolerances, 1), exact)
    failed = sum(isinstance(r, Exception) for r in case.ensemble.run_many(case.runs, tolerances, 1))
    return {
        "states": len(case.ensemble.program.states),
        "rates": len(case.runs[0].changes),
        "ensemble_us": 1e6 * ensemble,
        "roadrunner_us": 1e6 * roadrunner,
        "ratio_same_rtol": roadrunner / ensemble,
        "ratio_equal_error": roadrunner / _seconds_at(case, exact, float(np.median(theirs))),
        "median_error": float(np.median(mine)),
        "worst_error": float(mine.max()),
        "roadrunner_median_error": float(np.median(theirs)),
        "roadrunner_worst_error": float(theirs.max()),
        "failures": failed,
        "compile_s": case.compile_s,
    }


def _seconds_at(case: Case, exact: Sequence[np.ndarray], error: float) -> float:
    """CPU time per simulation at a relative tolerance that gives this median error."""
    points = []
    for relative in LADDER:
        tolerances = Tolerances(relative, 1e-3 * relative)
        found = errors(case.ensemble.run_many(case.runs[: len(exact)], tolerances, 1), exact)
        call = partial(case.ensemble.run_many, case.runs, tolerances, 1)
        seconds = median(_seconds(call) for _ in range(3)) / len(case.runs)
        points.append((np.log(np.median(found)), np.log(seconds)))
        if np.median(found) > error:
            break
    known, seconds_known = np.array(points).T
    return float(np.exp(np.interp(np.log(error), known, seconds_known)))


def errors(found: Sequence[object], exact: Sequence[np.ndarray]) -> np.ndarray:
    """The error of each run; one that failed has none."""
    pairs = ((a, b) for a, b in zip(found, exact, strict=True) if isinstance(a, np.ndarray))
    return np.array([_error(one, other) for one, other in pairs])


def _error(found: np.ndarray, exact: np.ndarray) -> float:
    size = np.maximum(np.abs(exact).max(axis=0), 1e-300)
    return float(np.max(np.abs(found - exact) / size))


def _seconds(call: object) -> float:
    start = time.process_time()
    call()  # type: ignore[operator]
    return time.process_time() - start


def measure(names: Sequence[str], sets: int, rounds: int, truths: int) -> dict[str, object]:
    """All that is asked for, by model."""
    found = {n: measure_case(prepared(CASES[n], sets), rounds, min(truths, sets)) for n in names}
    return {"models": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--truths", type=int, default=100)
    parser.add_argument("--models", default=",".join(CASES))
    chosen = parser.parse_args()
    found = measure(chosen.models.split(","), chosen.sets, chosen.rounds, chosen.truths)
    if chosen.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for name, numbers in found["models"].items():  # type: ignore[attr-defined]
        sys.stdout.write(f"{name}\n")
        for key, value in numbers.items():
            sys.stdout.write(f"  {key:24} {value:12.4g}\n")


if __name__ == "__main__":
    main()
