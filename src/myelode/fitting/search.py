"""Fit the free values of a model to measurements by least squares, and say what they are worth.

The search runs over logarithms within bounds, from the present values and, where asked, from other
starts drawn with a seed: equal input gives equal output, whatever the number of processes.
Intervals come from the slope of the residuals at the optimum: local and approximate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from myelode.errors import ScenarioError, SimulationError
from myelode.fitting.identifiability import LEAST_EFFECT, Estimate, estimates
from myelode.fitting.problems import Evaluation, Problem, Request, read_problem
from myelode.fitting.residuals import FAILED

STEP = 1e-3
"""The step of the slopes, in decimal logarithms: far above the noise of the integration."""

MOST_ITERATIONS = 200
NO_GAIN = 1e-6
"""A search ends where a step gains relatively less, or is smaller: finer is noise of the slopes."""

SAME_OPTIMUM = 1e-3
"""Objectives that differ by less, relatively, are taken for one optimum."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fit:
    """What a fit found.

    Attributes
    ----------
    problem : the free values, and what they were compared with.
    values : value, interval and a word on it, in the order of the free values.
    before, after : everything compared with the present and with the fitted values.
    converged : whether the search ended by itself, and `message` how.
    evaluations, failed : how often everything was run, and how many single runs failed in all.
    starts, agreeing : from how many places the search began, and how many ended at the best one.
    """

    problem: Problem
    values: tuple[Estimate, ...]
    before: Evaluation
    after: Evaluation
    converged: bool
    message: str
    evaluations: int
    failed: int
    starts: int
    agreeing: int


def fit(
    target: str,
    data: Sequence[str | Path] = (),
    parameters: Sequence[str] | None = None,
    calibration: str | Path | None = None,
    starts: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Fit:
    """Fit a model, or what of its calibration concerns one scenario.

    Parameters
    ----------
    target : a model or a scenario, by name or path.
    data : the data files that the calibration names; series without data are left out.
    parameters : the only ones to free, of those that the calibration names.
    calibration : a file to use instead of the model's own ``calibration.yaml``.
    starts : from how many places to begin, instead of what the calibration says.
    workers : how many processes compute slopes at the same time.
    progress : is called with the number of iterations and the most there can be.

    Raises
    ------
    ScenarioError, ModelError, SimulationError (where nothing can be run with the present values)
    """
    request = Request(
        target, tuple(map(Path, data)), None if parameters is None else tuple(parameters),
        None if calibration is None else Path(calibration),
    )  # fmt: skip
    problem = read_problem(request)
    number = problem.found.content.starts if starts is None else starts
    if number < 1 or workers < 1:
        raise ScenarioError("starts and workers must be 1 or more")
    with _pool(request, workers) as pool:
        return _Search(problem, pool, progress).best(number)


@dataclass(frozen=True)
class _End:
    """Where one search ended."""

    logs: np.ndarray
    evaluation: Evaluation
    converged: bool
    message: str


class _Search:
    """Evaluates a problem, counts, and remembers the last evaluation for the slopes."""

    def __init__(self, problem: Problem, pool: Executor | None, progress: Progress | None):
        self.problem = problem
        self.pool = pool
        self.progress = progress
        self.low = np.array([math.log10(value.low) for value in problem.free])
        self.high = np.array([math.log10(value.high) for value in problem.free])
        self.evaluations = self.failed = self.iterations = 0
        self._last: tuple[bytes, Evaluation] | None = None

    def best(self, starts: int) -> Fit:
        """The best of the searches from every start."""
        free = self.problem.free
        before = self.evaluate(np.array([math.log10(value.before) for value in free]))
        if before.tally.failed and before.tally.failed == before.tally.runs:
            raise SimulationError("every run fails with the present values: nothing can be fitted")
        ends = [self._from(start) for start in self._starts(starts)]
        least = min(end.evaluation.objective for end in ends)
        close = [
            end for end in ends if end.evaluation.objective <= least * (1 + SAME_OPTIMUM) + 1e-12
        ]
        # The first of equals is the closest to the present values where nothing else decides.
        best = close[0]
        slopes = self.slopes(best.logs)
        return Fit(
            self.problem, estimates(self.problem, best.logs, best.evaluation.residuals, slopes),
            before, best.evaluation, best.converged, best.message, self.evaluations, self.failed,
            starts, len(close),
        )  # fmt: skip

    def _starts(self, number: int) -> Iterator[np.ndarray]:
        """The given start, then a Latin hypercube within the bounds."""
        from scipy.stats.qmc import LatinHypercube

        yield np.array([math.log10(value.start) for value in self.problem.free])
        if number > 1:
            seed = np.random.default_rng(self.problem.found.content.seed)
            cube = LatinHypercube(len(self.low), rng=seed).random(number - 1)
            yield from self.low + cube * (self.high - self.low)

    def _from(self, start: np.ndarray) -> _End:
        """One search, which stays within the bounds.

        A search that follows the noise of the runs would carry away values about which the data say
        nothing. Residuals that are always zero, but claim a slope, damp such steps: they change
        neither the objective nor its gradient, and so not where the search ends.
        """
        from scipy.optimize import least_squares

        damping = LEAST_EFFECT * np.eye(len(start))
        found = least_squares(
            lambda logs: np.append(self.evaluate(logs).residuals, np.zeros(len(start))), start,
            jac=lambda logs: np.vstack([self.slopes(logs), damping]),
            bounds=(self.low, self.high), method="trf", max_nfev=MOST_ITERATIONS,
            ftol=NO_GAIN, xtol=NO_GAIN,
        )  # fmt: skip
        return _End(found.x, self.evaluate(found.x), found.status > 0, str(found.message))

    def evaluate(self, logs: np.ndarray) -> Evaluation:
        """Everything at these logarithms; the last result is kept."""
        key = np.asarray(logs, dtype=float).tobytes()
        if self._last is None or self._last[0] != key:
            self._last = key, self._counted(self.problem.evaluate(logs))
        return self._last[1]

    def slopes(self, logs: np.ndarray) -> np.ndarray:
        """The change of every residual per decade of each value, by a step inwards.

        A residual that stands for a failed run has no slope.
        """
        self.iterations += 1
        if self.progress is not None:
            self.progress(min(self.iterations, MOST_ITERATIONS), MOST_ITERATIONS)
        here = self.evaluate(logs).residuals
        steps = np.where(logs + STEP <= self.high, STEP, -STEP)
        points = [logs + np.eye(len(logs))[place] * step for place, step in enumerate(steps)]
        found = self._everywhere(points)
        columns = [
            _slope(here, self._counted(there).residuals, step)
            for there, step in zip(found, steps, strict=True)
        ]
        return np.column_stack(columns)

    def _everywhere(self, points: Sequence[np.ndarray]) -> list[Evaluation]:
        if self.pool is None:
            return [self.problem.evaluate(point) for point in points]
        try:
            return list(self.pool.map(_evaluate_here, points))
        except BrokenExecutor:
            raise ScenarioError(
                "a worker process ended: a script that uses workers has "
                "if __name__ == '__main__': above its own calls"
            ) from None

    def _counted(self, evaluation: Evaluation) -> Evaluation:
        self.evaluations += 1
        self.failed += evaluation.tally.failed
        return evaluation


def _slope(here: np.ndarray, there: np.ndarray, step: float) -> np.ndarray:
    failed = (np.abs(here) >= FAILED) | (np.abs(there) >= FAILED)
    slope: np.ndarray = np.where(failed, 0.0, (there - here) / step)
    return slope


_PROBLEMS: list[Problem] = []
"""The problem of a worker process, read when the process starts."""


def _read_here(request: Request) -> None:
    _PROBLEMS.append(read_problem(request))


def _evaluate_here(logs: np.ndarray) -> Evaluation:
    evaluation = _PROBLEMS[0].evaluate(logs)
    return replace(evaluation, series={}, rows={})


@contextmanager
def _pool(request: Request, workers: int) -> Iterator[Executor | None]:
    """Processes that know the problem, or None where one process is enough."""
    if workers == 1:
        yield None
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _read_here, (request,)) as pool:
        yield pool
