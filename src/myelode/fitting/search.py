"""The search for the free values of a model: least squares over logarithms, within bounds.

It begins from the present values and, where asked, from other starts drawn with a seed: equal input
gives equal output, whatever the number of processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from myelode.engines.bulk import Progress
from myelode.errors import ScenarioError, SimulationError
from myelode.fitting.identifiability import LEAST_EFFECT
from myelode.fitting.own_data import problem_of_readings
from myelode.fitting.problems import Evaluation, Problem, Request, read_problem, takes_readings
from myelode.fitting.residuals import FAILED

STEP = 1e-3
"""The step of the slopes, in decimal logarithms: far above the noise of the integration."""

MOST_ITERATIONS = 200
NO_GAIN = 1e-6
"""A search ends where a step gains relatively less, or is smaller: finer is noise of the slopes."""

SAME_OPTIMUM = 1e-3
"""Objectives that differ by less, relatively, are taken for one optimum."""


@dataclass(frozen=True)
class End:
    """Where one search ended."""

    logs: np.ndarray
    evaluation: Evaluation
    converged: bool
    message: str


class Search:
    """Evaluates a problem, counts, and remembers the last evaluation for the slopes."""

    def __init__(self, problem: Problem, pool: Executor | None, progress: Progress | None):
        self.problem = problem
        self.pool = pool
        self.progress = progress
        self.low = np.array([math.log10(value.low) for value in problem.free])
        self.high = np.array([math.log10(value.high) for value in problem.free])
        self.evaluations = self.failed = self.iterations = 0
        self._last: tuple[bytes, Evaluation] | None = None

    def before(self) -> Evaluation:
        """Everything with the present values; raises SimulationError where nothing can be run."""
        here = [math.log10(value.before) for value in self.problem.free]
        found = self.evaluate(np.array(here))
        if found.tally.failed and found.tally.failed == found.tally.runs:
            raise SimulationError("every run fails with the present values: nothing can be fitted")
        return found

    def best(self, starts: int) -> tuple[End, int]:
        """Where the best of the searches from every start ended, and how many ended there."""
        ends = [self.descend(start) for start in self._starts(starts)]
        least = min(end.evaluation.objective for end in ends)
        close = [
            end for end in ends if end.evaluation.objective <= least * (1 + SAME_OPTIMUM) + 1e-12
        ]
        # The first of equals is the closest to the present values where nothing else decides.
        return close[0], len(close)

    def _starts(self, number: int) -> Iterator[np.ndarray]:
        """The given start, then a Latin hypercube within the bounds."""
        from scipy.stats.qmc import LatinHypercube

        yield np.array([math.log10(value.start) for value in self.problem.free])
        if number > 1:
            seed = np.random.default_rng(self.problem.found.content.seed)
            cube = LatinHypercube(len(self.low), rng=seed).random(number - 1)
            yield from self.low + cube * (self.high - self.low)

    def descend(self, start: np.ndarray, held: int | None = None) -> End:
        """One search, which stays within the bounds; the value at the place `held` does not move.

        A search that follows the noise of the runs would carry away values about which the data say
        nothing. Residuals that are always zero, but claim a slope, damp such steps: they change
        neither the objective nor its gradient, and so not where the search ends.
        """
        from scipy.optimize import least_squares

        moving = [place for place in range(len(start)) if place != held]
        damping = LEAST_EFFECT * np.eye(len(moving))
        zeros = np.zeros(len(moving))

        def whole(logs: np.ndarray) -> np.ndarray:
            filled = start.copy()
            filled[moving] = logs
            return filled

        found = least_squares(
            lambda logs: np.append(self.evaluate(whole(logs)).residuals, zeros), start[moving],
            jac=lambda logs: np.vstack([self.slopes(whole(logs), moving), damping]),
            bounds=(self.low[moving], self.high[moving]), method="trf", max_nfev=MOST_ITERATIONS,
            ftol=NO_GAIN, xtol=NO_GAIN,
        )  # fmt: skip
        logs = whole(found.x)
        return End(logs, self.evaluate(logs), found.status > 0, str(found.message))

    def evaluate(self, logs: np.ndarray) -> Evaluation:
        """Everything at these logarithms; the last result is kept."""
        key = np.asarray(logs, dtype=float).tobytes()
        if self._last is None or self._last[0] != key:
            self._last = key, self._counted(self.problem.evaluate(logs))
        return self._last[1]

    def slopes(self, logs: np.ndarray, places: Sequence[int] | None = None) -> np.ndarray:
        """The change of every residual per decade of each value, or of those, by a step inwards.

        A residual that stands for a failed run has no slope.
        """
        self.iterations += 1
        if self.progress is not None:
            self.progress(min(self.iterations, MOST_ITERATIONS), MOST_ITERATIONS)
        here = self.evaluate(logs).residuals
        moved = range(len(logs)) if places is None else places
        steps = np.where(logs + STEP <= self.high, STEP, -STEP)[list(moved)]
        points = [
            logs + np.eye(len(logs))[place] * step for place, step in zip(moved, steps, strict=True)
        ]
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


def problem_of(request: Request) -> Problem:
    """The problem of a request, whether a calibration says what is compared or the data do."""
    return problem_of_readings(request) if takes_readings(request) else read_problem(request)


_PROBLEMS: list[Problem] = []
"""The problem of a worker process, read when the process starts."""


def _read_here(request: Request) -> None:
    _PROBLEMS.append(problem_of(request))


def _evaluate_here(logs: np.ndarray) -> Evaluation:
    evaluation = _PROBLEMS[0].evaluate(logs)
    return replace(evaluation, series={}, rows={})


@contextmanager
def pool_of(request: Request, workers: int) -> Iterator[Executor | None]:
    """Processes that know the problem, or None where one process is enough."""
    if workers == 1:
        yield None
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _read_here, (request,)) as pool:
        yield pool
