"""Calibration curves: fitted to what an instrument shows of known levels, and read backwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from myelode.assays.sections import FIT_PARAMETERS
from myelode.errors import ScenarioError

# A standard that is read without noise lies inside its own range, whatever the last digits say.
_ROUNDING = 1e-6
_LEAST_SPREAD = 1e-6
_SLOPES = (0.2, 5.0)
"""The Hill exponents between which a four-parameter curve is sought."""
_FAR = 100.0
"""How far beyond its calibrators the middle of a four-parameter curve is sought."""
_PRECISION = 1e-15

_Fit = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Curve:
    """A fitted curve, its coefficients, and the levels of the calibrators that it goes through.

    `fit` is the name of its form, a key of `FIT_PARAMETERS`.
    """

    fit: str
    coefficients: tuple[float, ...]
    levels: tuple[float, ...]

    def at(self, levels: np.ndarray) -> np.ndarray:
        """The signal that the curve gives of a level."""
        with np.errstate(all="ignore"):
            return _FORMS[self.fit].at(np.asarray(levels, dtype=float), *self.coefficients)

    def back(self, signals: np.ndarray) -> np.ndarray:
        """The level at which the curve gives a signal, also beyond its calibrators.

        Infinite where the curve never gets to the signal: downwards on the side of level zero.
        """
        with np.errstate(all="ignore"):
            return _FORMS[self.fit].back(np.asarray(signals, dtype=float), *self.coefficients)

    def covers(self, levels: np.ndarray) -> np.ndarray:
        """Whether a level lies between the lowest and the highest calibrator."""
        low, high = self.levels[0], self.levels[-1]
        inside = (levels >= low * (1 - _ROUNDING)) & (levels <= high * (1 + _ROUNDING))
        return np.asarray(inside)

    def quantified(self, signals: np.ndarray) -> np.ndarray:
        """Levels as a laboratory reports them: 0 below the calibrators, at most the highest."""
        found = np.minimum(self.back(signals), self.levels[-1])
        return np.where(self.covers(found) | np.isnan(found), found, 0.0)


@dataclass(frozen=True)
class _Form:
    """A family of curves: how it is fitted, and how it is read forwards and backwards."""

    fitted: _Fit
    at: Callable[..., np.ndarray]
    back: Callable[..., np.ndarray]


def fit_curve(fit: str, levels: np.ndarray, signals: np.ndarray, spread: np.ndarray) -> Curve:
    """The curve of the form `fit` that lies closest to the signals, for rising levels.

    `spread` is the scatter to be expected of each signal: what scatters less counts for more.
    Raises ScenarioError where calibrators are too few, or do not tell levels apart.
    """
    if len(levels) < (needed := FIT_PARAMETERS[fit]):
        raise ScenarioError(
            f"{len(levels)} of the calibrators can be read, and the fit {fit} needs {needed}"
        )
    if not np.max(spread) > 0:
        raise ScenarioError("the calibrators have no signal")
    spread = np.maximum(spread, _LEAST_SPREAD * np.max(spread))
    try:
        with np.errstate(all="ignore"):
            found = _FORMS[fit].fitted(levels, signals, spread)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        raise ScenarioError(f"the fit {fit} of the calibrators fails: {error}") from None
    curve = Curve(fit, tuple(map(float, found)), tuple(map(float, levels)))
    ends = curve.at(np.array([0.0 if len(levels) == 1 else levels[0], levels[-1]]))
    if not np.isfinite(found).all() or ends[0] == ends[1]:
        raise ScenarioError(f"the fit {fit} fails: the calibrators do not tell levels apart")
    return curve


def _least_squares(basis: np.ndarray, goal: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """The weighted sum of the columns that is closest to the goal."""
    found: np.ndarray = np.linalg.lstsq(basis / spread[:, None], goal / spread)[0]
    return found


def _fit_proportional(levels: np.ndarray, signals: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return _least_squares(levels[:, None], signals, spread)


def _fit_line(levels: np.ndarray, signals: np.ndarray, spread: np.ndarray) -> np.ndarray:
    scale = np.max(np.abs(levels))
    basis = np.stack([np.ones_like(levels), levels / scale], axis=1)
    return np.asarray(_least_squares(basis, signals, spread) / np.array([1.0, scale]))


def _fit_logarithms(levels: np.ndarray, signals: np.ndarray, spread: np.ndarray) -> np.ndarray:
    basis = np.stack([np.ones_like(levels), np.log10(levels)], axis=1)
    return _least_squares(basis, np.log10(signals), spread / signals)


def _fit_four(levels: np.ndarray, signals: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Middle and slope by search, from the best of a grid; both ends follow from them linearly."""
    from scipy.optimize import least_squares

    def ends(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        share = _bound(levels, *np.exp(shape))
        basis = np.stack([1 - share, share], axis=1)
        found = _least_squares(basis, signals, spread)
        return found, (basis @ found - signals) / spread

    positive = np.log(levels[levels > 0])
    far, slopes = math.log(_FAR), np.log(_SLOPES)
    bounds = ([positive[0] - far, slopes[0]], [positive[-1] + far, slopes[1]])
    grid = [
        np.array([middle, slope])
        for middle in np.linspace(positive[0], positive[-1] + 1, 2 * len(levels))
        for slope in np.log([0.5, 1, 2])
    ]
    start = min(grid, key=lambda shape: float(np.sum(ends(shape)[1] ** 2)))
    tight = {"xtol": _PRECISION, "ftol": _PRECISION, "gtol": _PRECISION}
    best = least_squares(lambda shape: ends(shape)[1], start, bounds=bounds, **tight).x
    return np.array([*ends(best)[0], *np.exp(best)])


def _bound(levels: np.ndarray, middle: float, slope: float) -> np.ndarray:
    """The share of the way from the signal of nothing to that of an endless level."""
    filled = (levels / middle) ** slope
    return np.asarray(filled / (1 + filled))


def _four(levels: np.ndarray, none: float, full: float, middle: float, slope: float) -> np.ndarray:
    return none + (full - none) * _bound(levels, middle, slope)


def _four_back(
    signals: np.ndarray, none: float, full: float, middle: float, slope: float
) -> np.ndarray:
    share = (signals - none) / (full - none)
    inside = middle * (share / (1 - share)) ** (1 / slope)
    beyond = np.where(share < 0, -np.inf, np.where(share >= 1, np.inf, inside))
    return np.where(np.isnan(signals), np.nan, beyond)


def _logarithms_back(signals: np.ndarray, start: float, slope: float) -> np.ndarray:
    return np.asarray(10 ** ((np.log10(np.maximum(signals, 0.0)) - start) / slope))


_FORMS: Mapping[str, _Form] = {
    "proportional": _Form(
        _fit_proportional, lambda x, slope: slope * x, lambda y, slope: y / slope
    ),
    "linear": _Form(
        _fit_line, lambda x, start, slope: start + slope * x,
        lambda y, start, slope: (y - start) / slope,
    ),
    "log_log": _Form(
        _fit_logarithms, lambda x, start, slope: 10**start * x**slope, _logarithms_back
    ),
    "four_parameter": _Form(_fit_four, _four, _four_back),
}  # fmt: skip
