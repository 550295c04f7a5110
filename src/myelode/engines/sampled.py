"""Summaries of a run from its samples, for engines that only give samples.

Between samples an output is taken to go as a monotone cubic (PCHIP), which overshoots nowhere.
An extreme is that of the samples. A jump is smeared over the gap in which it lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator

from myelode.engines.summary import Summary

EVEN, EARLY = 2001, 500
"""How many samples are taken at equal distances, and beside them closer and closer to the start."""

FIRST = 1e-6
"""The first of the latter, as a share of the whole."""

HOW = f"from {EVEN + EARLY} samples and more of each run, with monotone cubics between them"


def sample_times(summaries: Sequence[Summary], end: float) -> np.ndarray:
    """Times of samples that tell enough of a run from zero to `end`, increasing."""
    if end == 0:
        return np.zeros(1)
    asked = [time for summary in summaries for time in summary.window(end)]
    early = np.geomspace(FIRST * end, end, EARLY)
    return np.unique(np.concatenate([np.linspace(0.0, end, EVEN), early[:-1], asked]))


def summarized(
    summaries: Sequence[Summary], times: np.ndarray, values: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The summaries, of shape (summaries,), from outputs of shape (times,)."""
    return np.array([_said(item, times, values[item.output]) for item in summaries])


def _said(summary: Summary, times: np.ndarray, values: np.ndarray) -> float:
    start, end = summary.window(float(times[-1]))
    inside = (times >= start) & (times <= end)
    times, values = times[inside], values[inside]
    if not np.isfinite(values).all():
        return np.nan
    if summary.kind in ("value", "max", "min"):
        return float(values.min() if summary.kind == "min" else values.max())
    if summary.kind in ("argmax", "argmin"):
        place = np.argmin(values) if summary.kind == "argmin" else np.argmax(values)
        return float(times[place])
    if summary.kind == "auc":
        return _area(times, values)
    return _beyond(summary, times, values)


def _area(times: np.ndarray, values: np.ndarray) -> float:
    return float(PchipInterpolator(times, values).integrate(times[0], times[-1]))


def _beyond(summary: Summary, times: np.ndarray, values: np.ndarray) -> float:
    """How long, or from when on, an output is above or below a level."""
    sign = 1.0 if summary.kind.endswith("above") else -1.0
    excess = sign * (values - (summary.level or 0.0))
    marks, above = times, excess[:1] > 0
    if len(times) > 1:
        curve = PchipInterpolator(times, excess)
        roots = curve.roots(extrapolate=False)
        marks = np.unique([times[0], *roots[np.isfinite(roots)], times[-1]])
        above = curve(0.5 * (marks[1:] + marks[:-1])) > 0
    if summary.kind.startswith("first"):
        return float(marks[np.argmax(above)]) if above.any() else np.inf
    return float(np.diff(marks)[above[: len(marks) - 1]].sum())
