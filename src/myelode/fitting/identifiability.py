"""What a fit says about each value: an interval, or that the data do not determine it.

Everything here is linear around the optimum, so intervals are local and approximate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelode.fitting.free_values import FreeValue
from myelode.fitting.problems import Problem

LEAST_EFFECT = 1e-2
"""A direction in which a ten-fold change moves all residuals together by less is not determined."""

NORMAL_95 = 1.959963984540054
_TAKES_PART = 0.1
_AT_BOUND = 1e-3


@dataclass(frozen=True)
class Estimate:
    """A fitted value in the model's unit, its 95 % interval, and a word on how it is known.

    `interval` is None where neither data nor prior determine the value.
    """

    value: float
    interval: tuple[float, float] | None
    word: str


def estimates(
    problem: Problem, logs: np.ndarray, residuals: np.ndarray, slopes: np.ndarray
) -> tuple[Estimate, ...]:
    """An estimate for every free value, from the slopes of all residuals at the optimum.

    The errors are taken as larger than stated where the misfit is larger than they allow.
    """
    data = _data(problem, residuals)
    open_in_data = _open_directions(slopes[:data])
    deviations = np.sqrt(inflation(problem, residuals) * _variances(slopes))
    open_in_all = np.abs(_open_directions(slopes)).max(axis=0, initial=0.0) > _TAKES_PART
    names = [value.key.text for value in problem.free]
    return tuple(
        _estimate(value, log, float(deviation), is_open, _others(open_in_data, place, names))
        for place, (value, log, deviation, is_open) in enumerate(
            zip(problem.free, map(float, logs), deviations, map(bool, open_in_all), strict=True)
        )
    )


def inflation(problem: Problem, residuals: np.ndarray) -> float:
    """By how much the variance of the data is larger than stated, as their misfit has it; 1 or
    more."""
    data = _data(problem, residuals)
    spare = data - len(problem.free) - problem.coefficients
    misfit = float(np.sum(residuals[:data] ** 2))
    return max(1.0, misfit / spare) if spare > 0 else 1.0


def _data(problem: Problem, residuals: np.ndarray) -> int:
    """How many of the residuals are those of data, and not of priors."""
    return len(residuals) - sum(value.sigma is not None for value in problem.free)


def _open_directions(slopes: np.ndarray) -> np.ndarray:
    """Directions in which nothing changes, as rows."""
    if not len(slopes):
        return np.eye(slopes.shape[1])
    _, sizes, directions = np.linalg.svd(slopes, full_matrices=True)
    padded = np.concatenate([sizes, np.zeros(len(directions) - len(sizes))])
    found: np.ndarray = directions[padded < LEAST_EFFECT]
    return found


def _variances(slopes: np.ndarray) -> np.ndarray:
    """The variance of each logarithm, in the directions that are determined."""
    _, sizes, directions = np.linalg.svd(slopes, full_matrices=False)
    known = sizes >= LEAST_EFFECT
    shares = directions[known] / sizes[known][:, None]
    variances: np.ndarray = np.sum(shares**2, axis=0)
    return variances


def _others(directions: np.ndarray, place: int, names: Sequence[str]) -> list[str] | None:
    """None for a value that data determine, else those with which it can be exchanged."""
    parts = np.abs(directions)
    own = parts[parts[:, place] > _TAKES_PART]
    if not len(own):
        return None
    with_it = own.max(axis=0) > _TAKES_PART
    return [name for at, name in enumerate(names) if with_it[at] and at != place]


def _estimate(
    value: FreeValue, log: float, deviation: float, is_open: bool, others: list[str] | None
) -> Estimate:
    half = NORMAL_95 * deviation
    # Ten to the power of a wide interval may be more than a number can hold.
    ends = np.clip([log - half, log + half], -300, 300)
    interval = None if is_open else (float(10.0 ** ends[0]), float(10.0 ** ends[1]))
    return Estimate(10.0**log, interval, _word(value, log, half, is_open, others))


def _word(
    value: FreeValue, log: float, half: float, is_open: bool, others: list[str] | None
) -> str:
    """How a value is known, in plain words."""
    low, high = np.log10([value.low, value.high])
    said = []
    if others is not None:
        together = f", only together with {' and '.join(others)}" if others else ""
        said.append(f"not identified by the data{together}")
        said += ["its prior holds it"] if not is_open and value.sigma is not None else []
    elif 2 * half > high - low:
        said.append("hardly identified: the interval is wider than the bounds")
    for bound, name in ((low, "lower"), (high, "upper")):
        if abs(log - bound) < _AT_BOUND * (high - low):
            said.append(f"at its {name} bound")
    return "; ".join(said) or "identified"
