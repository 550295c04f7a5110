"""Times to an event with censoring: Kaplan and Meier's curve and its median, by SciPy.

Intervals are 95 % intervals: those of curves on the log-log scale, those of shares by Clopper and
Pearson.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

CONFIDENCE = 0.95
HALF = 0.5 + 1e-12


@dataclass(frozen=True)
class Estimate:
    """A number and the ends of its interval; NaN where there is nothing to estimate from."""

    value: float
    low: float
    high: float


NOTHING = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Curve:
    """The share without event at given times, its interval, and how many are at risk."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_risk: np.ndarray


class KaplanMeier:
    """Kaplan and Meier's estimate from times, and whether each ended with an event.

    `durations` and `ended` are of shape ``(patients,)``; patients whose duration is NaN are left
    out.
    """

    def __init__(self, durations: np.ndarray, ended: np.ndarray):
        known = np.isfinite(durations)
        self.durations, ended = np.asarray(durations)[known], np.asarray(ended, dtype=bool)[known]
        self._curves = _curves(self.durations, ended) if known.any() else None

    def at(self, times: np.ndarray) -> Curve:
        """The curve at times, each after the events at it; at risk are those before them."""
        times = np.asarray(times, dtype=float)
        at_risk = (self.durations[:, None] >= times).sum(axis=0)
        if self._curves is None:
            nothing = np.full(times.shape, np.nan)
            return Curve(nothing, nothing, nothing, at_risk)
        share, low, high = (np.asarray(curve.evaluate(times)) for curve in self._curves)
        # The log-log scale has no place for the ends: one is certain, at zero only the lower end.
        low, high = (np.where(share == 1, 1.0, end) for end in (low, high))
        return Curve(share, np.where(share == 0, 0.0, low), high, at_risk)

    def share_at(self, time: float) -> Estimate:
        """The share without event at one time."""
        found = self.at(np.array([time]))
        return Estimate(float(found.value[0]), float(found.low[0]), float(found.high[0]))

    def median(self) -> Estimate:
        """The first time at which half had the event; infinite where that is not reached.

        The interval holds the times at which the interval of the curve holds one half.
        """
        if self._curves is None:
            return NOTHING
        times = np.unique(self.durations)
        found = self.at(times)
        value, low, high = (
            float(times[curve <= HALF].min(initial=math.inf))
            for curve in (found.value, found.low, found.high)
        )
        return Estimate(value, low, high)


def share_of(count: int, number: int) -> Estimate:
    """A share of a number of patients."""
    from scipy.stats import binomtest

    if number == 0:
        return NOTHING
    interval = binomtest(count, number).proportion_ci(CONFIDENCE, method="exact")
    return Estimate(count / number, float(interval.low), float(interval.high))


def _curves(durations: np.ndarray, ended: np.ndarray) -> tuple[Any, Any, Any]:
    """The share without event and the ends of its interval, as SciPy's step functions."""
    from scipy.stats import CensoredData, ecdf

    data = CensoredData(uncensored=durations[ended], right=durations[~ended])
    survival = ecdf(data).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Where the estimate is 0 or 1 the scale has no interval; `at` says what stands there.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = survival.confidence_interval(CONFIDENCE, method="log-log")
    return survival, interval.low, interval.high
