"""The method of the ensemble engine in plain NumPy: slow, and as short as the method is.

It is what the kernels are tested against, and what there is to read first. One simulation, dense
matrices, no events: `integrate` steps from one output time to the next with the interpolation of
Rodas5P in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from myelode.engines.ensemble.tableau import RODAS5P, Tableau

Slopes = Callable[[float, np.ndarray], np.ndarray]
"""The slopes of all states, from time and states."""
SAFETY, SMALLEST, LARGEST = 0.9, 0.2, 6.0
"""How a step size follows the error: a share of what would just do, within these bounds."""


@dataclass(frozen=True)
class Problem:
    """What is integrated: slopes, their Jacobian, and their slope by time."""

    slopes: Slopes
    jacobian: Slopes
    by_time: Slopes


def step(
    problem: Problem, time: float, state: np.ndarray, size: float, tableau: Tableau = RODAS5P
) -> np.ndarray:
    """The stages of one step, of shape (stages, states); their last one is the error.

    Raises LinAlgError where the matrix of the step cannot be solved with.
    """
    matrix = np.eye(len(state)) / (size * tableau.gamma) - problem.jacobian(time, state)
    by_time = size * problem.by_time(time, state)
    stages = np.zeros((tableau.stages, len(state)))
    for i in range(tableau.stages):
        at = state + tableau.a[i] @ stages
        right = problem.slopes(time + tableau.times[i] * size, at)
        right = right + tableau.c_matrix[i] @ stages / size + tableau.time_slopes[i] * by_time
        stages[i] = np.linalg.solve(matrix, right)
    return stages


def end_of(state: np.ndarray, stages: np.ndarray, tableau: Tableau = RODAS5P) -> np.ndarray:
    """The state at the end of a step: the last stage starts from it but for its own part."""
    found: np.ndarray = state + tableau.a[-1] @ stages + stages[-1]
    return found


def within(
    share: float, start: np.ndarray, end: np.ndarray, stages: np.ndarray, tableau: Tableau = RODAS5P
) -> np.ndarray:
    """The state at a share of the step, from 0 to 1."""
    first, second, third = tableau.dense @ stages
    bend = first + share * (second + share * third)
    found: np.ndarray = (1 - share) * start + share * (end + (1 - share) * bend)
    return found


def integrate(
    problem: Problem, start: np.ndarray, times: np.ndarray, relative: float, absolute: np.ndarray
) -> np.ndarray:
    """States at the increasing `times`, of shape (times, states); the first is that of `start`."""
    time, state, size = times[0], start, 1e-4 * (times[-1] - times[0])
    found, waiting = [start], list(times[1:])
    while waiting:
        size = min(size, times[-1] - time)
        stages = step(problem, time, state, size)
        end = end_of(state, stages)
        scale = absolute + relative * np.maximum(np.abs(state), np.abs(end))
        error = float(np.sqrt(np.mean((stages[-1] / scale) ** 2)))
        if error <= 1:
            while waiting and waiting[0] <= time + size * (1 + 1e-12):
                found.append(within((waiting.pop(0) - time) / size, state, end, stages))
            time, state = time + size, end
        share = SAFETY * max(error, 1e-30) ** (-1 / RODAS5P.order)
        size *= min(LARGEST, max(SMALLEST, share if np.isfinite(error) else 0.0))
    return np.array(found)
