"""Numbers from trajectories and dose-response curves, as plain functions of arrays.

The last dimension is that of times, or of doses; the others are those of the result. None of the
numbers depends on which trajectories or curves there are beside it.
A trajectory is what lies between its samples on straight lines: integrals follow the trapezoidal
rule, crossings are interpolated. A jump is two samples at neighbouring times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from myelode.half_crossings import half_crossing

LEAST_EFFECT = 1e-6
_SMALLEST_LADDER = 4
_TOGETHER = 1 << 16

Metric = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
"""From values (..., times), times and, where there is one, a level: numbers (...)."""

SPREAD = (0.05, 0.5, 0.95)
"""The shares of many numbers that lie at or below what is shown of them: low, median, high."""


def time_to_rise(values: np.ndarray, times: np.ndarray, level: float) -> np.ndarray:
    """The first time at which a trajectory is at the level or above; infinity if never."""
    return _first_crossing(values - level, times)


def time_to_fall(values: np.ndarray, times: np.ndarray, level: float) -> np.ndarray:
    """The first time at which a trajectory is at the level or below; infinity if never."""
    return _first_crossing(level - values, times)


def time_above(values: np.ndarray, times: np.ndarray, level: float) -> np.ndarray:
    """How long a trajectory lies above the level."""
    return _positive_duration(values - level, times)


def time_below(values: np.ndarray, times: np.ndarray, level: float) -> np.ndarray:
    """How long a trajectory lies below the level."""
    return _positive_duration(level - values, times)


def area(values: np.ndarray, times: np.ndarray, level: float = 0.0) -> np.ndarray:
    """The integral over time."""
    return np.asarray(np.trapezoid(values, times))


def mean(values: np.ndarray, times: np.ndarray, level: float = 0.0) -> np.ndarray:
    """The average over time, whatever the spacing of the samples."""
    return area(values, times) / float(times[-1] - times[0])


METRICS: Mapping[str, Metric] = {
    "max": lambda values, times, level: values.max(axis=-1),
    "min": lambda values, times, level: values.min(axis=-1),
    "argmax": lambda values, times, level: times[values.argmax(axis=-1)],
    "argmin": lambda values, times, level: times[values.argmin(axis=-1)],
    "auc": area,
    "mean": mean,
    "rise": time_to_rise,
    "fall": time_to_fall,
    "time_above": time_above,
    "time_below": time_below,
}
_REACHED = ("rise", "fall")


def measured(name: str, values: np.ndarray, times: np.ndarray, level: float = 0.0) -> np.ndarray:
    """A metric of every trajectory, NaN where something in it could not be read.

    A level may have been reached before that; a run that failed never reaches one, which is not the
    same as having missed it.
    """
    rows = values.reshape(-1, values.shape[-1])
    # Some at a time, which the processor has at hand.
    step = 1 + _TOGETHER // len(times)
    parts = [
        _known(name, np.ascontiguousarray(rows[first : first + step]), times, level)
        for first in range(0, len(rows), step)
    ]
    return np.concatenate(parts).reshape(values.shape[:-1])


def _known(name: str, values: np.ndarray, times: np.ndarray, level: float) -> np.ndarray:
    """As `measured`, of some trajectories in one piece of memory."""
    found, missing = METRICS[name](values, times, level), np.isnan(values)
    if not missing.any():
        return found
    lost = np.where(missing.any(axis=-1), times[missing.argmax(axis=-1)], math.inf)
    early = found < lost if name in _REACHED else False
    return np.where((lost == math.inf) | early, found, math.nan)


def half_maximal_dose(responses: np.ndarray, doses: np.ndarray) -> np.ndarray:
    """The dose at which a response first falls to half of its value at dose zero (absolute IC50).

    `doses` increase from zero. Infinity where no dose is enough, zero where the lowest one is more
    than enough, NaN where the control is not positive. A response that rises first, or rises again,
    is read at its first fall.
    """
    _require_ladder(doses)
    found, _ = half_crossing(relative_to_control(responses), doses[1:])
    return np.where(_is_known(responses) & (responses[..., 0] > 0), found, math.nan)


def half_effect_dose(responses: np.ndarray, doses: np.ndarray) -> np.ndarray:
    """The dose of half of the effect that a ladder reaches, falling or rising (relative EC50).

    `doses` increase from zero. The effect is the distance from the response at dose zero to the
    lowest response, or to the highest if that is further away. Zero where the lowest dose has more
    than half of it, NaN where there is no effect: below 1e-6 of the control.
    """
    _require_ladder(doses)
    found, _ = half_crossing(relative_to_extreme(responses), doses[1:])
    control = responses[..., 0]
    with np.errstate(invalid="ignore"):
        effect = np.abs(extreme_response(responses) - control)
    has_effect = ~(effect <= LEAST_EFFECT * np.abs(control))
    return np.where(_is_known(responses) & has_effect, found, math.nan)


def greatest_effect(responses: np.ndarray, doses: np.ndarray) -> np.ndarray:
    """The share of the control that the most effective dose takes away: 1 - lowest / control.

    Negative where every dose raises the response; NaN where the control is not positive.
    """
    _require_ladder(doses)
    with np.errstate(all="ignore"):
        found = 1.0 - responses[..., 1:].min(axis=-1) / responses[..., 0]
    return np.where(_is_known(responses) & (responses[..., 0] > 0), found, math.nan)


def extreme_response(responses: np.ndarray) -> np.ndarray:
    """The response that is furthest from that at dose zero, which comes first."""
    with np.errstate(invalid="ignore"):
        furthest = np.abs(responses - responses[..., :1]).argmax(axis=-1)
    return _at(responses, furthest)


def relative_to_control(responses: np.ndarray) -> np.ndarray:
    """The responses at all doses but zero, as shares of that at zero."""
    with np.errstate(all="ignore"):
        return np.asarray(responses[..., 1:] / responses[..., :1])


def relative_to_extreme(responses: np.ndarray) -> np.ndarray:
    """As `relative_to_control`, as shares of what is lost at the extreme response."""
    extreme = extreme_response(responses)[..., None]
    with np.errstate(all="ignore"):
        return np.asarray((responses[..., 1:] - extreme) / (responses[..., :1] - extreme))


def _is_known(responses: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(responses).all(axis=-1))


def _require_ladder(doses: np.ndarray) -> None:
    if doses[0] != 0 or len(doses) < _SMALLEST_LADDER:
        raise ValueError("a ladder starts with dose zero and has three doses or more")


def _first_crossing(excess: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The first time at which a piecewise linear function is not negative."""
    reached = excess >= 0
    after = reached.argmax(axis=-1)
    before = np.maximum(after - 1, 0)
    low, high = (_at(excess, place) for place in (before, after))
    with np.errstate(invalid="ignore", divide="ignore"):
        crossed = times[before] + low / (low - high) * (times[after] - times[before])
    found = np.where(after == 0, times[0], crossed)
    return np.where(reached.any(axis=-1), found, math.inf)


def _at(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """One value of each row."""
    return np.asarray(np.take_along_axis(values, place[..., None], axis=-1)[..., 0])


def _positive_duration(excess: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The time during which a piecewise linear function is positive."""
    left, right = excess[..., :-1], excess[..., 1:]
    span = np.abs(left) + np.abs(right)
    positive = np.maximum(left, 0) + np.maximum(right, 0)
    shares = np.divide(positive, span, out=np.zeros_like(span), where=span > 0)
    return np.asarray(np.sum(np.diff(times) * shares, axis=-1))


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
