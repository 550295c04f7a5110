"""A four-parameter Hill curve through responses: ``bottom + (top - bottom) / (1 + (d / ec50)^h)``.

The search runs over the logarithms of half dose and exponent; the two ends of the curve follow
from these by linear least squares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from myelode.errors import ScenarioError

LEAST_DOSES = 4
STEEPEST, FLATTEST, BEYOND = 20.0, 0.05, 1e3
_STARTS = (0.7, 1.0, 2.0)


@dataclass(frozen=True)
class HillFit:
    """Ends, relative half dose and exponent of a fitted curve, and how far it is from the points.

    `residual` is the root mean square of the differences, as a share of the response without drug,
    or of the largest response where that is zero.
    """

    top: float
    bottom: float
    ec50: float
    hill: float
    residual: float


NO_FIT = HillFit(*[math.nan] * 5)


def fit_hill(responses: np.ndarray, doses: np.ndarray) -> HillFit:
    """The Hill curve of least squares through responses at doses that start with zero.

    Raises ScenarioError for fewer than four positive doses; all NaN where a response is unknown, or
    all are the same.
    """
    if len(doses) - 1 < LEAST_DOSES:
        said = f"a Hill curve has four parameters: a fit needs {LEAST_DOSES} positive doses or more"
        raise ScenarioError(f"{said}, not {len(doses) - 1}")
    size = abs(responses[0]) or float(np.abs(responses).max())
    if not np.isfinite(responses).all() or np.ptp(responses) <= 1e-9 * size:
        return NO_FIT
    best = _search(responses / size, doses)
    share = _shares(best, doses)
    ends = _ends(share, responses)
    misses = responses - share @ ends
    residual = float(np.sqrt(np.mean(misses**2)) / size)
    bottom, top = (float(end) for end in ends)
    return HillFit(top, bottom, math.exp(best[0]), math.exp(best[1]), residual)


def _search(responses: np.ndarray, doses: np.ndarray) -> np.ndarray:
    """Logarithms of half dose and exponent, the best of searches from several starts."""
    from scipy.optimize import least_squares

    def misses(logs: np.ndarray) -> np.ndarray:
        share = _shares(logs, doses)
        return np.asarray(responses - share @ _ends(share, responses))

    low, high = math.log(doses[1] / BEYOND), math.log(doses[-1] * BEYOND)
    bounds = ([low, math.log(FLATTEST)], [high, math.log(STEEPEST)])
    places = np.linspace(math.log(doses[1]), math.log(doses[-1]), 5)
    found = [
        least_squares(misses, (place, math.log(start)), bounds=bounds, xtol=1e-15, ftol=1e-15,
                      gtol=1e-15, x_scale=1.0)
        for place in places for start in _STARTS
    ]  # fmt: skip
    return np.asarray(min(found, key=lambda item: float(item.cost)).x)


def _shares(logs: np.ndarray, doses: np.ndarray) -> np.ndarray:
    """How much of the bottom and of the top each response is made of: (doses, 2)."""
    with np.errstate(divide="ignore", over="ignore"):
        effect = 1.0 / (1.0 + np.exp(-math.exp(logs[1]) * (np.log(doses) - logs[0])))
    return np.column_stack([effect, 1.0 - effect])


def _ends(shares: np.ndarray, responses: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.lstsq(shares, responses, rcond=None)[0])
