"""Where dose-response curves first fall to a half, and how steeply: many curves at once.

Between doses a curve is a monotone cubic over log dose, with the slopes of Fritsch and Butland, as
of SciPy's ``PchipInterpolator``. A piece depends on the doses around it and on the next ones on
either side only, so that it is found without the rest of the curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

HALF = 0.5
_HALVINGS = 53
_ROUNDING = 1e-15


def half_crossing(relative: np.ndarray, doses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where responses, as shares of that to be lost, first fall to a half, and how steeply.

    `relative` has the shape (..., doses), both results (...). `doses` are positive and increase.
    The dose is infinity where none is enough, and zero where the lowest is more than enough;
    steepness is the fall of the logit per e-fold dose, which is the exponent of a Hill curve, and
    NaN where there is no such dose.
    Interpolated is the logit of the relative response where it has one: a Hill curve is a straight
    line there, so that a coarse ladder is as good as a fine one.
    """
    rows = relative.reshape(-1, len(doses))
    fallen = rows <= HALF
    found = np.where(fallen.any(axis=-1), 0.0, math.inf)
    steepness = np.full(len(rows), math.nan)
    inside = fallen.any(axis=-1) & ~(rows[:, 0] < HALF)
    if inside.any():
        with np.errstate(all="ignore"):
            found[inside], steepness[inside] = _within(rows[inside], fallen[inside], doses)
    shape = relative.shape[:-1]
    return found.reshape(shape), steepness.reshape(shape)


def _within(
    rows: np.ndarray, fallen: np.ndarray, doses: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `half_crossing`, of rows that begin with a half or more and fall to it."""
    after, every = fallen.argmax(axis=-1), np.arange(len(rows))
    low = np.maximum(after - 1, 0)
    partial = (rows > 0) & (rows < 1)
    by_logit = partial[every, low] & partial[every, after]
    places, there = _around(partial | ~by_logit[:, None], low)
    near = rows[every, places]
    heights = np.where(by_logit, np.log(near / (1 - near)), near - HALF)
    piece = _piece(np.log(doses)[places], heights, there)
    # A response may be half at a dose itself, but for rounding.
    ends = (heights[1] <= _ROUNDING, heights[2] >= -_ROUNDING)
    at = np.select(ends, (np.zeros(len(rows)), piece.width), piece.root())
    inner = np.exp(np.log(doses)[low] + at)
    found = np.select(ends, (doses[low], doses[after]), inner)
    # The slope of the logit at one half is four times that of the response.
    return found, np.where(by_logit, -1, -4) * np.where(there[2], piece.slope(at), math.nan)


def _around(usable: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of the doses before and at `low`, and of the next two: (4, rows).

    Only usable ones count; the second result says which there are.
    """
    last = usable.shape[-1] - 1
    high = _next(usable, low)
    before = last - _next(usable[:, ::-1], last - low)
    places = np.array([before, low, high, _next(usable, high)])
    return places.clip(0, last), (places >= 0) & (places <= last)


def _next(usable: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The first usable place behind another in every row; the length where there is none."""
    count = usable.shape[-1]
    left = usable & (np.arange(count) > place[:, None])
    return np.asarray(np.where(left.any(axis=-1), left.argmax(axis=-1), count))


@dataclass(frozen=True)
class _Piece:
    """Cubics over widths that begin at 0: their coefficients, the highest power first."""

    coefficients: tuple[np.ndarray, ...]
    width: np.ndarray

    def root(self) -> np.ndarray:
        """Where cubics that begin above and end below zero cross it."""
        one, two, three, four = self.coefficients
        at = step = self.width / 2
        for _ in range(_HALVINGS):
            step = step / 2
            at = at + np.copysign(step, ((one * at + two) * at + three) * at + four)
        return at

    def slope(self, at: np.ndarray) -> np.ndarray:
        """The derivatives."""
        one, two, three, _ = self.coefficients
        return np.asarray((3 * one * at + 2 * two) * at + three)


def _piece(logs: np.ndarray, heights: np.ndarray, there: np.ndarray) -> _Piece:
    """The cubics between the second and the third of four points, of shape (4, rows) each."""
    widths = np.diff(logs, axis=0)
    rises = np.diff(heights, axis=0) / widths
    first, middle, last = zip(widths, rises, strict=True)
    start = _knot_slope(middle, first, last, there[0], there[3])
    end = _knot_slope(middle, last, first, there[3], there[0])
    width, rise = middle
    bend = (start + end - 2 * rise) / width
    return _Piece((bend / width, (rise - start) / width - bend, start, heights[1]), width)


_Stretch = tuple[np.ndarray, np.ndarray]
"""The width of what lies between two points, and its straight line's slope."""


def _knot_slope(
    own: _Stretch,
    beside: _Stretch,
    beyond: _Stretch,
    has_beside: np.ndarray,
    has_beyond: np.ndarray,
) -> np.ndarray:
    """The slope at an end of a piece: a mean with the piece beside it, or that of an outer end."""
    outer = np.where(has_beyond, _outer_slope(own, beyond), own[1])
    return np.where(has_beside, _inner_slope(own, beside), outer)


def _inner_slope(own: _Stretch, beside: _Stretch) -> np.ndarray:
    """The weighted harmonic mean of two slopes; zero where the curve turns or is flat."""
    (width, rise), (other_width, other_rise) = own, beside
    weight, other_weight = 2 * other_width + width, other_width + 2 * width
    mean = (weight / rise + other_weight / other_rise) / (weight + other_weight)
    return np.where(rise * other_rise > 0, 1 / mean, 0.0)


def _outer_slope(own: _Stretch, beyond: _Stretch) -> np.ndarray:
    """The slope of a parabola through three points, held back so that the curve stays monotone."""
    (width, rise), (other_width, other_rise) = own, beyond
    slope = ((2 * width + other_width) * rise - width * other_rise) / (width + other_width)
    steep = (np.sign(rise) != np.sign(other_rise)) & (np.abs(slope) > 3 * np.abs(rise))
    slope = np.where(steep, 3 * rise, slope)
    return np.where(np.sign(slope) == np.sign(rise), slope, 0.0)
