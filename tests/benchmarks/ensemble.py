"""The ensemble engine beside libRoadRunner: `python -m tests.benchmarks.ensemble [--json]`.

Each model runs one scenario with seeded sets of parameters (`cases`). Both engines have compiled
once, give the same outputs at the same times, and take turns on one thread; CPU time counts, and
medians over the rounds. Of libRoadRunner only its own work counts, `simulate`, a reset and setting
the parameters: `roadrunner_us`; what a run takes with the bookkeeping of our engine around it is
`bookkeeping_us` more. The error of a set is the largest over times and outputs, relative to the
largest value of the output; libRoadRunner at far smaller tolerances is the truth.
`ratio_equal_error` compares with the ensemble engine at the relative tolerance at which its median
error is that of libRoadRunner. `avx2_us` is the ensemble engine with kernels for processors without
AVX-512, `two_threads` how much faster the clock says two threads are, `first_result_s` the CPU
time of a fresh process from its start to results. `peers` are other engines (`peers`), each beside
libRoadRunner on one stretch of the scenario without doses.

`--sets 100`, `--rounds 2`, `--truths 20`, `--models melflufen,belantamab` and `--no-peers` make it
shorter; `--spread 30 --sets 9000` counts failures where rate constants differ a thousandfold.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from statistics import geometric_mean, median

import numpy as np
import roadrunner

from myelode.engines import Run, Simulator, Tolerances
from myelode.engines.ensemble.ensemble import Ensemble
from myelode.engines.ensemble.machine import PROCESSOR
from myelode.engines.protocol import Result
from myelode.errors import SimulationError
from tests.benchmarks.cases import CASES, RELATIVE, SMALL, SPREAD, Case, clocked, compiled, prepared
from tests.benchmarks.peers import measure_peers

LADDER = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4)
TOLERANCES = Tolerances(RELATIVE, 1e-3 * RELATIVE)
TRUTH = Tolerances(1e-10, 1e-14)
AVX2 = "x86-64-v3"
COLUMNS = {
    "states": "states",
    "ensemble_us": "ensemble, us",
    "roadrunner_us": "libRoadRunner, us",
    "bookkeeping_us": "and around it, us",
    "ratio_same_rtol": "ratio",
    "ratio_equal_error": "at equal error",
    "ratio_avx2": "AVX2",
    "median_error": "median error",
    "worst_error": "worst error",
    "failures": "failures",
    "roadrunner_failures": "its failures",
    "compile_s": "compile, s",
    "first_result_s": "first result, s",
    "two_threads": "2 threads",
}


@dataclass(frozen=True)
class Race:
    """Seconds per run of both engines, of the second also all in all, and all results."""

    own_seconds: float
    seconds: float
    seconds_in_all: float
    own: Sequence[Result]
    others: Sequence[Result]


def measure_case(name: str, case: Case, rounds: int, truths: int) -> dict[str, object]:
    """Times and errors of one model."""
    race = raced(case, rounds)
    exact = attempts(case.simulator, case.runs[:truths], TRUTH)
    own, others = errors(race.own, exact), errors(race.others, exact)
    equal = seconds_at(case, exact, float(np.median(others)))
    avx2 = seconds_without_avx512(case)
    return {
        "states": len(case.ensemble.program.states),
        "varied": len(case.varied),
        "ensemble_us": 1e6 * race.own_seconds,
        "roadrunner_us": 1e6 * race.seconds,
        "bookkeeping_us": 1e6 * (race.seconds_in_all - race.seconds),
        "ratio_same_rtol": race.seconds / race.own_seconds,
        "ratio_equal_error": race.seconds / equal,
        "avx2_us": 1e6 * avx2,
        "ratio_avx2": race.seconds / avx2,
        "median_error": float(np.median(own)),
        "worst_error": float(own.max()),
        "roadrunner_median_error": float(np.median(others)),
        "roadrunner_worst_error": float(others.max()),
        "failures": failures(race.own),
        "roadrunner_failures": failures(race.others),
        "compile_s": case.compile_s,
        "first_result_s": first_result_seconds(name),
        "two_threads": thread_gain(case),
    }


def raced(case: Case, rounds: int) -> Race:
    """Both engines in turns: all runs with ours, a share of them with libRoadRunner."""
    own, others, in_all = [], [], []
    found: list[list[Result]] = []
    to_set = _seconds_to_set(case)
    for batch in np.array_split(np.arange(len(case.runs)), rounds):
        runs = [case.runs[number] for number in batch]
        seconds, results = timed(partial(case.ensemble.run_many, case.runs, TOLERANCES, 1))
        own.append(seconds / len(case.runs))
        with clocked() as spent:
            seconds, some = timed(partial(attempts, case.simulator, runs, TOLERANCES))
        others.append(sum(spent) / len(runs) + to_set)
        in_all.append(seconds / len(runs))
        found.append(some)
    known = [*chain.from_iterable(found)]
    return Race(median(own), median(others), median(in_all), results, known)


def _seconds_to_set(case: Case) -> float:
    """CPU seconds of a reset of libRoadRunner and of setting what differs in a run."""
    runner = roadrunner.RoadRunner(case.sbml)
    start = time.process_time()
    for run in case.runs[:50]:
        runner.reset()
        for name, value in run.changes.items():
            runner[name] = value
    return (time.process_time() - start) / len(case.runs[:50])


def attempts(simulator: Simulator, runs: Sequence[Run], tolerances: Tolerances) -> list[Result]:
    """Results of runs one by one."""
    return [_attempt(simulator, run, tolerances) for run in runs]


def _attempt(simulator: Simulator, run: Run, tolerances: Tolerances) -> Result:
    try:
        return simulator.run(run, tolerances)
    except SimulationError as error:
        return error


def failures(results: Sequence[Result]) -> int:
    """How many runs have no result."""
    return sum(isinstance(result, SimulationError) for result in results)


def errors(found: Sequence[Result], exact: Sequence[Result]) -> np.ndarray:
    """The error of each run of which there is a truth; one that failed has none."""
    pairs = zip(found, exact, strict=False)
    both = [(a, b) for a, b in pairs if isinstance(a, np.ndarray) and isinstance(b, np.ndarray)]
    return np.array([_error(one, other) for one, other in both])


def _error(found: np.ndarray, exact: np.ndarray) -> float:
    size = np.maximum(np.abs(exact).max(axis=0), 1e-300)
    return float(np.max(np.abs(found - exact) / size))


def seconds_at(case: Case, exact: Sequence[Result], error: float) -> float:
    """CPU time per simulation at a relative tolerance that gives this median error."""
    points = []
    for relative in LADDER:
        tolerances = Tolerances(relative, 1e-3 * relative)
        found = errors(case.ensemble.run_many(case.runs[: len(exact)], tolerances, 1), exact)
        points.append((np.log(np.median(found)), np.log(_seconds(case.ensemble, case, tolerances))))
        if np.median(found) > error:
            break
    known, seconds = np.array(points).T
    return float(np.exp(np.interp(np.log(error), known, seconds)))


def seconds_without_avx512(case: Case) -> float:
    """CPU time per simulation with kernels for processors that have AVX2 only."""
    with processor(AVX2):
        ensemble, _ = compiled(case.sbml, case.runs[0])
    return _seconds(ensemble, case, TOLERANCES)


@contextmanager
def processor(name: str) -> Iterator[None]:
    """Kernels are compiled for another kind of processor inside."""
    before = os.environ.get(PROCESSOR)
    os.environ[PROCESSOR] = name
    try:
        yield
    finally:
        del os.environ[PROCESSOR]
        if before is not None:
            os.environ[PROCESSOR] = before


def _seconds(ensemble: Ensemble, case: Case, tolerances: Tolerances) -> float:
    call = partial(ensemble.run_many, case.runs, tolerances, 1)
    return median(timed(call)[0] for _ in range(3)) / len(case.runs)


def timed(call: Callable[[], list[Result]]) -> tuple[float, list[Result]]:
    """CPU seconds of a call, and what it returned."""
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


def thread_gain(case: Case) -> float:
    """How much sooner two threads are done than one, by the clock."""
    clock: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(3):
        for threads, found in clock.items():
            start = time.perf_counter()
            case.ensemble.run_many(case.runs, TOLERANCES, threads)
            found.append(time.perf_counter() - start)
    return min(clock[1]) / min(clock[2])


def first_result_seconds(name: str) -> float:
    """CPU time of a fresh process until it has results; the caches are warm."""
    text = f"from tests.benchmarks.cases import first_result; first_result({name!r})"
    return min(_child_seconds([sys.executable, "-c", text]) for _ in range(3))


def _child_seconds(command: Sequence[str]) -> float:
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    seconds = after.children_user + after.children_system
    return seconds - before.children_user - before.children_system


def measure(
    names: Sequence[str], sets: int, rounds: int, truths: int, spread: float, peers: bool
) -> dict[str, object]:
    """All that is asked for, by model."""
    prepared("melflufen", 1)  # the driver is loaded, which counts for no model
    models = {}
    for name in names:
        case = prepared(name, sets, spread)
        models[name] = measure_case(name, case, rounds, min(truths, sets))
        if peers:
            models[name]["peers"] = measure_peers(case)
    small = [models[name]["ratio_equal_error"] for name in SMALL if name in models]
    mean = geometric_mean(small) if small else None  # type: ignore[type-var]
    return {"models": models, "geometric_mean_equal_error": mean}


def table(found: dict[str, object]) -> Iterator[str]:
    """Lines of text, one row for each number."""
    models: dict[str, dict[str, object]] = found["models"]  # type: ignore[assignment]
    yield f"{'':18}" + "".join(f"{name:>20}" for name in models)
    for key, title in COLUMNS.items():
        yield f"{title:18}" + "".join(f"{numbers[key]:20.4g}" for numbers in models.values())
    yield f"geometric mean of the ratios at equal error: {found['geometric_mean_equal_error']}"
    for name, numbers in models.items():
        for peer, text in dict(numbers.get("peers", {})).items():  # type: ignore[call-overload]
            yield f"{name}, {peer}: {text}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--truths", type=int, default=100)
    parser.add_argument("--spread", type=float, default=SPREAD)
    parser.add_argument("--models", default=",".join(CASES))
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    chosen = vars(parser.parse_args())
    as_json, names = chosen.pop("json"), chosen.pop("models").split(",")
    found = measure(names, **chosen)
    lines = [json.dumps(found)] if as_json else table(found)
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
