"""How far a prediction is from what was measured, in standard deviations.

The coefficients of an instrument that are free (``offset + scale * x``) are solved for exactly at
every evaluation, so that the search is over the values of the model only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelode.calibration import FITTED, READING
from myelode.calibration import Observation as Rule
from myelode.expressions import evaluate_expression
from myelode.fitting.predictions import Target
from myelode.validation import Observation

FAILED = 1e3
"""The residual of what could not be simulated: large, but a number, so that a search goes on."""


@dataclass(frozen=True)
class SeriesResult:
    """A series beside the model.

    `coefficients` are those of the instrument, scale and offset, whether free or fixed;
    `predicted` is NaN where a run failed.
    """

    coefficients: tuple[float, float]
    predicted: np.ndarray
    residuals: np.ndarray


def series_result(target: Target, outputs: np.ndarray) -> SeriesResult:
    """The readings that the outputs give, and how far they are from those measured."""
    rule = target.series.observation
    signal = _signal(rule.signal, outputs)
    measured = np.array([point.value for point in target.measured])
    sd = np.array([point.sd for point in target.measured])
    known = np.isfinite(signal)
    scale, offset = _coefficients(rule, signal[known], measured[known], sd[known])
    predicted = offset + scale * signal
    weight = math.sqrt(target.series.weight)
    residuals = bounded(weight * (predicted - measured) / sd)
    return SeriesResult((scale, offset), predicted, residuals)


def readings_of(rule: Rule, coefficients: tuple[float, float], outputs: np.ndarray) -> np.ndarray:
    """What an instrument with these coefficients, scale and offset, reads of outputs."""
    scale, offset = coefficients
    return offset + scale * _signal(rule.signal, outputs)


def bounded(residuals: np.ndarray) -> np.ndarray:
    """Residuals no larger than that of a failure, which stands for what is no number too."""
    clipped: np.ndarray = np.clip(np.nan_to_num(residuals, nan=FAILED), -FAILED, FAILED)
    return clipped


def _signal(text: str, outputs: np.ndarray) -> np.ndarray:
    if text == READING:
        return outputs
    return np.array([float(evaluate_expression(text, {READING: float(x)})) for x in outputs])


def _coefficients(
    rule: Rule, signal: np.ndarray, measured: np.ndarray, sd: np.ndarray
) -> tuple[float, float]:
    """Scale and offset: weighted linear least squares for those that are free."""
    free = [part == FITTED for part in (rule.scale, rule.offset)]
    given = [0.0 if part == FITTED else float(part) for part in (rule.scale, rule.offset)]
    if any(free) and signal.size:
        columns = np.column_stack([signal, np.ones_like(signal)])
        rest = measured - columns @ given
        solved = np.linalg.lstsq(columns[:, free] / sd[:, None], rest / sd, rcond=None)[0]
        for place, value in zip(np.flatnonzero(free), solved, strict=True):
            given[place] = float(value)
    return given[0], given[1]


def row_residual(row: Observation, simulated: float, relative: float) -> float:
    """How far a number is from a row of a table, in half-widths of its band.

    On the scale of the logarithm where all numbers are positive. Where the band has one side, only
    what lies outside counts. A row without a band is as wide as the share `relative` of its value.
    """
    numbers = [row.value, row.low, row.high]
    if all(number is None or number > 0 for number in numbers):
        simulated = _log(simulated)
        value, low, high = (None if n is None else math.log(n) for n in numbers)
        width = math.log1p(relative)
    else:
        value, low, high = numbers
        width = relative * max(abs(n) for n in numbers if n is not None and math.isfinite(n))
    if math.isnan(simulated):
        return FAILED
    return float(bounded(np.array([_outside(simulated, value, low, high, width or relative)]))[0])


def _log(number: float) -> float:
    if number == 0:
        return -math.inf
    return math.log(number) if number > 0 else math.nan


def _outside(
    simulated: float, value: float | None, low: float | None, high: float | None, width: float
) -> float:
    """The distance from the middle of a band, or from its one side, in widths."""
    low, high = _finite(low), _finite(high)
    if low is None and high is None:
        return math.nan if value is None else (simulated - value) / width
    if low is not None and high is not None:
        middle = (low + high) / 2
        if value is not None and low < value < high:
            middle = value
        half = (high - middle) if simulated > middle else (middle - low)
        return (simulated - middle) / (half or width)
    if low is not None:
        return min(0.0, simulated - low) / _side(value, low, width)
    return max(0.0, simulated - (high or 0.0)) / _side(value, high or 0.0, width)


def _finite(bound: float | None) -> float | None:
    return None if bound is None or not math.isfinite(bound) else bound


def _side(value: float | None, bound: float, width: float) -> float:
    """The width of a one-sided row: from its value to its bound, where these differ."""
    value = _finite(value)
    return width if value is None else abs(value - bound) or width


def rms(residuals: Sequence[float] | np.ndarray) -> float:
    """The root of the mean of the squares; NaN of nothing."""
    return float(np.sqrt(np.mean(np.square(residuals)))) if len(residuals) else math.nan
