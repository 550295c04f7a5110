"""Numbers from one trajectory or one dose-response curve, as plain functions of arrays.

A trajectory is what lies between its samples on straight lines: integrals follow the trapezoidal
rule, crossings are interpolated. A jump is two samples at neighbouring times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

HALF = 0.5
LEAST_EFFECT = 1e-6
_SMALLEST_LADDER = 4

Metric = Callable[[np.ndarray, np.ndarray, float], float]
"""From values, times and, where there is one, a level."""

SPREAD = (0.05, 0.5, 0.95)
"""The shares of many numbers that lie at or below what is shown of them: low, median, high."""


def time_to_rise(values: np.ndarray, times: np.ndarray, level: float) -> float:
    """The first time at which the trajectory is at the level or above; infinity if never."""
    return _first_crossing(values - level, times)


def time_to_fall(values: np.ndarray, times: np.ndarray, level: float) -> float:
    """The first time at which the trajectory is at the level or below; infinity if never."""
    return _first_crossing(level - values, times)


def time_above(values: np.ndarray, times: np.ndarray, level: float) -> float:
    """How long the trajectory lies above the level."""
    return _positive_duration(values - level, times)


def time_below(values: np.ndarray, times: np.ndarray, level: float) -> float:
    """How long the trajectory lies below the level."""
    return _positive_duration(level - values, times)


def area(values: np.ndarray, times: np.ndarray, level: float = 0.0) -> float:
    """The integral over time."""
    return float(np.trapezoid(values, times))


def mean(values: np.ndarray, times: np.ndarray, level: float = 0.0) -> float:
    """The average over time, whatever the spacing of the samples."""
    return area(values, times) / float(times[-1] - times[0])


METRICS: Mapping[str, Metric] = {
    "max": lambda values, times, level: float(values.max()),
    "min": lambda values, times, level: float(values.min()),
    "argmax": lambda values, times, level: float(times[values.argmax()]),
    "argmin": lambda values, times, level: float(times[values.argmin()]),
    "auc": area,
    "mean": mean,
    "rise": time_to_rise,
    "fall": time_to_fall,
    "time_above": time_above,
    "time_below": time_below,
}


def half_maximal_dose(responses: np.ndarray, doses: np.ndarray) -> float:
    """The dose at which a response first falls to half of its value at dose zero (absolute IC50).

    `doses` increase from zero. Infinity where no dose is enough, zero where the lowest one is more
    than enough, NaN where the control is not positive. A response that rises first, or rises again,
    is read at its first fall.
    """
    _require_ladder(doses)
    if not np.isfinite(responses).all() or not responses[0] > 0:
        return math.nan
    return half_crossing(responses[1:] / responses[0], doses[1:])[0]


def half_effect_dose(responses: np.ndarray, doses: np.ndarray) -> float:
    """The dose of half of the effect that a ladder reaches, falling or rising (relative EC50).

    `doses` increase from zero. The effect is the distance from the response at dose zero to the
    lowest response, or to the highest if that is further away. Zero where the lowest dose has more
    than half of it, NaN where there is no effect: below 1e-6 of the control.
    """
    _require_ladder(doses)
    if not np.isfinite(responses).all():
        return math.nan
    control, extreme = responses[0], extreme_response(responses)
    if abs(extreme - control) <= LEAST_EFFECT * abs(control):
        return math.nan
    return half_crossing((responses[1:] - extreme) / (control - extreme), doses[1:])[0]


def greatest_effect(responses: np.ndarray, doses: np.ndarray) -> float:
    """The share of the control that the most effective dose takes away: 1 - lowest / control.

    Negative where every dose raises the response; NaN where the control is not positive.
    """
    _require_ladder(doses)
    if not np.isfinite(responses).all() or not responses[0] > 0:
        return math.nan
    return 1.0 - float(responses[1:].min() / responses[0])


def extreme_response(responses: np.ndarray) -> float:
    """The response that is furthest from that at dose zero, which comes first."""
    return float(responses[np.argmax(np.abs(responses - responses[0]))])


def _require_ladder(doses: np.ndarray) -> None:
    if doses[0] != 0 or len(doses) < _SMALLEST_LADDER:
        raise ValueError("a ladder starts with dose zero and has three doses or more")


def half_crossing(relative: np.ndarray, doses: np.ndarray) -> tuple[float, float]:
    """Where a response, as a share of that to be lost, first falls to a half, and how steeply.

    `doses` are positive and increase. The dose is infinity where none is enough, and zero where the
    lowest is more than enough; steepness is the fall of the logit per e-fold dose, which is the
    exponent of a Hill curve, and NaN where there is no such dose.
    Monotone cubic interpolation over log dose, of the logit of the relative response where it has
    one: a Hill curve is a straight line there, so that a coarse ladder is as good as a fine one.
    """
    from scipy.interpolate import PchipInterpolator
    from scipy.optimize import brentq

    if (relative > HALF).all():
        return math.inf, math.nan
    after = int(np.argmax(relative <= HALF))
    if after == 0 and relative[0] < HALF:
        return 0.0, math.nan
    logs = np.log(doses)
    low, high = logs[max(after - 1, 0)], logs[after]
    partial = (relative > 0) & (relative < 1)
    if partial[max(after - 1, 0)] and partial[after]:
        logs, excess, steepness = (
            logs[partial],
            np.log(relative[partial] / (1 - relative[partial])),
            1,
        )
    else:
        # The slope of the logit at one half is four times that of the response.
        excess, steepness = relative - HALF, 4
    if len(logs) < 2:
        return float(doses[after]), math.nan
    curve = PchipInterpolator(logs, excess)
    slope = curve.derivative()
    # A response that is half at a dose itself, but for rounding, changes its sign nowhere.
    if after == 0 or curve(high) >= 0:
        return float(doses[after]), -steepness * float(slope(high))
    if curve(low) <= 0:
        return float(doses[after - 1]), -steepness * float(slope(low))
    found = brentq(curve, low, high, xtol=1e-12)
    return float(np.exp(found)), -steepness * float(slope(found))


def _first_crossing(excess: np.ndarray, times: np.ndarray) -> float:
    """The first time at which a piecewise linear function is not negative."""
    reached = excess >= 0
    if not reached.any():
        return math.inf
    after = int(np.argmax(reached))
    if after == 0:
        return float(times[0])
    share = excess[after - 1] / (excess[after - 1] - excess[after])
    return float(times[after - 1] + share * (times[after] - times[after - 1]))


def _positive_duration(excess: np.ndarray, times: np.ndarray) -> float:
    """The time during which a piecewise linear function is positive."""
    left, right = excess[:-1], excess[1:]
    span = np.abs(left) + np.abs(right)
    positive = np.maximum(left, 0) + np.maximum(right, 0)
    shares = np.divide(positive, span, out=np.zeros_like(span), where=span > 0)
    return float(np.sum(np.diff(times) * shares))


def quantiles(values: np.ndarray, levels: Iterable[float] = SPREAD) -> np.ndarray:
    """Low, median and high of every row, of shape (levels, rows), without what is no number.

    Each is one of the values, so that infinity is as good as any other; NaN where none is known.
    """
    shares = list(levels)
    found = np.full((len(shares), len(values)), np.nan)
    for at, known in enumerate(np.sort(row[~np.isnan(row)]) for row in values):
        if known.size:
            found[:, at] = [known[math.ceil(p * known.size) - 1] for p in shares]
    return found
